"""A small book of a few files, read by Sphinx with this book's extension and rendered to nothing: for its doctrees."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from authoring.book import ROOT

CLAIM = "application/vnd.mmcourse.claim+json"
EXACT = "application/vnd.mmcourse.exact+json"
# What the line of cost under a lesson's title needs.
COSTS = {
    "notebooks/costs.csv": "lesson,cpu_seconds,peak_mb,budget_seconds\nc/l,31.4,812,100\n",
    "book/costs.md": "---\norphan: true\n---\n# Costs\n",
}


@dataclass(frozen=True)
class Small:
    doctrees: dict[str, nodes.document]
    figure_numbers: dict[str, dict[str, tuple[int, ...]]]  # page -> id -> number
    warnings: list[str]

    def __getitem__(self, name: str) -> nodes.document:
        return self.doctrees[name]


def read_small(root: Path, files: dict[str, str]) -> Small:
    """Write the files below `root` and read them. The first page named is the root page; it must link the others."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    options = {
        "extensions": ["myst_nb", "coursebook"],
        "root_doc": next(iter(files)).rpartition(".")[0],
        "nb_execution_mode": "off",
        "myst_enable_extensions": settings["parse"]["myst_enable_extensions"],
        "nitpicky": True,
        **{name: settings["sphinx"]["config"][name] for name in ("myst_heading_anchors", "numfig")},
    }
    output, said = root.parent / "out" / "built", io.StringIO()
    with patch_docutils(str(root)), docutils_namespace():
        app = Sphinx(root, None, output, output, "dummy", options, status=None, warning=said, freshenv=True)
        app.build(force_all=True)
        doctrees = {page: app.env.get_and_resolve_doctree(page, app.builder) for page in app.env.found_docs}
    numbers = {page: found.get("figure", {}) for page, found in app.env.toc_fignumbers.items()}
    return Small(doctrees, numbers, [line for line in said.getvalue().splitlines() if line.strip()])


def png(width: int = 2, height: int = 2) -> bytes:
    """A white picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xff" * width) * height
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def figure(key: str, *, caption: str = "What to see.", alt: str = "What is drawn.") -> dict[str, Any]:
    """An output as mmcourse.lesson.figure stores it."""
    data = {"image/png": base64.b64encode(png()).decode(), "text/plain": f"Figure: {alt}"}
    about = {"mmcourse": {"figure": key, "caption": caption, "alt": alt}}
    return {"output_type": "display_data", "data": data, "metadata": about}


def claim(key: str, value: float, *, sentence: str = "the sum gains", unit: str = "") -> dict[str, Any]:
    """An output as mmcourse.lesson.claim stores it, with the bound 0.1."""
    record = {"key": key, "sentence": sentence, "value": value, "at_least": 0.1, "at_most": None, "unit": unit}
    data = {"text/plain": f"claim: {sentence} at least 0.1", CLAIM: record}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def exact(key: str, value: float) -> dict[str, Any]:
    """An output as mmcourse.lesson.exact stores it."""
    data = {"text/plain": f"exactly {value}", EXACT: {"key": key, "value": value, "text": "exactly {}"}}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def code(source: str, *outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code", "execution_count": 1, "metadata": metadata, "source": source, "outputs": list(outputs),
    }  # fmt: skip


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(*cells: dict[str, Any]) -> str:
    """A lesson: a title block, the cell for Colab, and these cells."""
    first = [markdown("# A lesson\n\nOne sentence."), code("import sys", tags=("colab",))]
    numbered = [{**cell, "id": f"cell-{place}"} for place, cell in enumerate([*first, *cells])]
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": numbered, "metadata": about, "nbformat": 4, "nbformat_minor": 5})
