"""Small projects for the tests of the book's extension."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.console import strip_colors
from sphinx.util.docutils import docutils_namespace, patch_docutils

SETTINGS = {
    "extensions": ["myst_nb", "coursebook"],
    "myst_enable_extensions": ["dollarmath", "colon_fence"],
    "myst_heading_anchors": 3,
    "nb_execution_mode": "off",
    "numfig": True,
    "exclude_patterns": ["out", "**/solutions.ipynb"],  # the book builds only what its contents name
}


@dataclass
class Built:
    app: Sphinx
    warnings: str

    def page(self, name: str = "index") -> nodes.document:
        return self.app.env.get_and_resolve_doctree(name, self.app.builder)

    def dependencies(self, name: str = "index") -> set[str]:
        return {Path(path).name for path in self.app.env.dependencies[name]}


Build = Callable[..., Built]


def build_project(folder: Path, page: str) -> Built:
    """Build a project of one page, index.md, beside whatever lies in `folder`."""
    (folder / "index.md").write_text(f"# Page\n\n{page}\n", encoding="utf-8")
    warnings = io.StringIO()
    out = folder / "out"
    with patch_docutils(), docutils_namespace():
        app = Sphinx(folder, None, out / "text", out / "trees", "pseudoxml", dict(SETTINGS), None, warnings)
        app.build(force_all=True)
        return Built(app, strip_colors(warnings.getvalue()))


def write_notebook(root: Path, name: str, cells: Sequence[dict[str, Any]]) -> Path:
    """Store a lesson, `chapter/lesson`, below `root`."""
    path = root / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": list(cells), "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path
