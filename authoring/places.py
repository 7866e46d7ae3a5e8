"""Where in a source something stands: `notebooks/fusion/gates.py:42 (cell 7)`, for authors edit the .py."""

from __future__ import annotations

from pathlib import Path

from authoring.exercises import CELL
from authoring.lessons import source_path


def place(root: Path, lesson: str, cell: int, line: int = 1) -> str:
    """The place of a cell's line, both numbered from 1; the file alone where it has no such cell."""
    path = source_path(root, lesson)
    name, rows = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8").splitlines()
    starts = [row for row, text in enumerate(rows, start=1) if text.startswith(CELL)]
    if not 1 <= cell <= len(starts):
        return name
    start = starts[cell - 1]
    while start < len(rows) and not rows[start].strip():  # blank lines between the marker and the cell's first
        start += 1
    return f"{name}:{start + line} (cell {cell})"
