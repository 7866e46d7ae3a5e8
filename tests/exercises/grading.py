"""What the tests of grading share: notebooks made of a few cells, and the chapter `toy`."""

from __future__ import annotations

import json
from pathlib import Path

TOY = Path(__file__).with_name("toy_chapter")
SOLVED = {
    "double": "def double(numbers):\n    return 2 * numbers",
    "total": "def total(numbers):\n    return numbers.sum()",
    "five": "five = 5",
}


def check(name: str) -> str:
    return f'check("toy/{name}", {name})'


def answers(**instead: str) -> list[str]:
    """The cells of a solved notebook: import, then answer and check of each exercise; some answers replaced."""
    cells = ["from mmcourse.exercises import check"]
    for name, answer in (SOLVED | instead).items():
        cells += [answer, check(name)] if answer else [check(name)]
    return cells


def save(path: Path, cells: list[str], chapter: str = "toy") -> Path:
    """A notebook file with these code cells, each after a cell of text."""
    made = []
    for cell in cells:
        made.append({"cell_type": "markdown", "metadata": {}, "source": ["Some words."]})
        code = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
        made.append({**code, "source": cell.splitlines(keepends=True)})
    metadata = {"mmcourse": {"chapter": chapter}} if chapter else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}), encoding="utf-8"
    )
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
