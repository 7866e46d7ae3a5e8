"""Exercises as the book shows them: as learners get them, each with its solution folded away below its check.

The page is the notebook `exercises.ipynb`. What its other cells give, and the solutions with what their checks say,
come from `solutions.ipynb` beside it, which has the same cells.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from coursebook.stored import joined, where_it_ran

logger = logging.getLogger(__name__)
Cell = dict[str, Any]
MARKER = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*(?:\n|\Z)", re.MULTILINE)
CHECK, PROGRESS = re.compile(r"check\("), re.compile(r"progress\(")
FOLDED = {
    "tags": ["hide-cell"],
    "mystnb": {"code_prompt_show": "Solution", "code_prompt_hide": "Hide the solution"},
}


def solution(answer: Cell, check: Cell) -> Cell:
    """A folded cell: the answer without its markers, and what the check said."""
    code = MARKER.sub("", joined(answer["source"])).rstrip("\n")
    return {**answer, "source": code, "outputs": check["outputs"], "metadata": FOLDED}


def with_solutions(exercises: list[Cell], solved: list[Cell]) -> list[Cell]:
    """The cells of the page. Raises ValueError where the two notebooks do not go together."""
    cells: list[Cell] = []
    answer: Cell | None = None
    for blank, cell in zip(exercises, solved, strict=True):
        code = joined(cell["source"]) if cell["cell_type"] == "code" else ""
        if MARKER.search(code):
            answer = cell
            cells.append(blank)
        elif CHECK.match(code) and answer is not None:
            cells += [blank, solution(answer, cell)]
            answer = None
        else:
            cells.append(blank if PROGRESS.match(code) else cell)
    return cells


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    folder, _, name = docname.partition("/")
    ran = where_it_ran(name)
    if folder != "notebooks" or ran == name:
        return
    path = Path(app.srcdir) / "notebooks" / f"{ran}.ipynb"
    app.env.note_dependency(str(path))
    exercises = json.loads(source[0])
    try:
        solved = json.loads(path.read_text(encoding="utf-8"))
        cells = with_solutions(exercises["cells"], solved["cells"])
    except (OSError, ValueError) as error:
        logger.warning("no solutions of %s, run `make notebooks`: %s", name, error, location=docname, type="coursebook")
        return
    source[0] = json.dumps({**exercises, "cells": cells})


def setup(app: Sphinx) -> None:
    app.connect("source-read", read_source, priority=400)  # before coursebook.notebooks
