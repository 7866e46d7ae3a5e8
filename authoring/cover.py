"""book/_static/cover.png: the picture with which README.md opens, a figure of a lesson as it was stored."""

from __future__ import annotations

import base64
from pathlib import Path

from authoring.convert import code_cells, read_notebook
from authoring.files import write_atomically

COVER = ("fusion/weighted_sum", "norm-ratio")  # lesson and name of the figure


def cover_path(root: Path) -> Path:
    return root / "book" / "_static" / "cover.png"


def cover_image(root: Path) -> bytes | None:
    """The figure's PNG, or None where the lesson is not stored. Raises SystemExit where it has no such figure."""
    lesson, name = COVER
    notebook = read_notebook(root, lesson)
    if notebook is None:
        return None
    for output in (output for cell in code_cells(notebook) for output in cell.outputs):
        if output.get("metadata", {}).get("mmcourse", {}).get("figure") == name:
            return base64.b64decode(output.data["image/png"])
    raise SystemExit(f"authoring/cover.py: {lesson} has no figure {name!r}; name another in COVER")


def write_cover(root: Path) -> None:
    image = cover_image(root)
    if image is not None:
        write_atomically(cover_path(root), image)
