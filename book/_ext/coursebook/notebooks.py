"""What the book changes in a notebook while reading it; the file itself stays as Jupyter and Colab show it.

- the measured cost comes after the title block;
- each stored figure becomes a `{lesson-figure}`, each claim and each exact number a `{lesson-number}`, as in prose;
- the cell that installs the package on Colab is left out;
- hidden code cells in a row open together.
"""

from __future__ import annotations

import json
from typing import Any

from sphinx.application import Sphinx

from coursebook.stored import CHECK, figure_key, joined, number_record, where_it_ran

Cell = dict[str, Any]
Output = dict[str, Any]
COLAB_TAG, HIDDEN_TAG = "colab", "hide-input"


def tags(cell: Cell) -> list[str]:
    return cell["metadata"].get("tags", [])


def markdown_cell(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code_cell(cell: Cell, outputs: list[Output], *, continued: bool) -> Cell:
    """The cell with some of its outputs; a continuation shows them without repeating the code."""
    if not continued:
        return {**cell, "outputs": outputs}
    return {**cell, "outputs": outputs, "metadata": {**cell["metadata"], "tags": [*tags(cell), "remove-input"]}}


def directive(output: Output, lesson: str) -> str | None:
    """The directive that shows an output of mmcourse.lesson, or None for any other output."""
    key = figure_key(output)
    if key is not None:
        address = f"{lesson}:{key}"
        return f"```{{lesson-figure}} {address}\n:name: {address}\n```"
    record = number_record(output)
    return None if record is None else f"```{{lesson-number}} {lesson}:{record['key']}\n```"


def plain(output: Output) -> Output:
    """An output without the record of a check, which MyST-NB cannot show."""
    if CHECK not in output.get("data", {}):
        return output
    return {**output, "data": {kind: shown for kind, shown in output["data"].items() if kind != CHECK}}


def split(cell: Cell, lesson: str) -> list[Cell]:
    """A code cell, with its figures and numbers as cells of their own in the order of the outputs."""
    cells: list[Cell] = []
    waiting: list[Output] = []
    for output in cell["outputs"]:
        shown = directive(output, lesson)
        if shown is None:
            waiting.append(plain(output))
            continue
        if waiting or not cells:
            cells.append(code_cell(cell, waiting, continued=bool(cells)))
        cells.append(markdown_cell(shown))
        waiting = []
    if waiting or not cells:
        cells.append(code_cell(cell, waiting, continued=bool(cells)))
    return cells


def together(cells: list[Cell]) -> list[Cell]:
    """The cells, with a hidden one that shows nothing joined to the hidden one after it."""
    made: list[Cell] = []
    for cell in cells:
        last = made[-1] if made else None
        if last and is_hidden(last) and is_hidden(cell) and not last["outputs"]:
            made[-1] = {**cell, "source": f"{joined(last['source'])}\n\n\n{joined(cell['source'])}"}
        else:
            made.append(cell)
    return made


def is_hidden(cell: Cell) -> bool:
    return cell["cell_type"] == "code" and HIDDEN_TAG in tags(cell)


def prepare(notebook: dict[str, Any], lesson: str) -> dict[str, Any]:
    """The notebook as the book reads it."""
    title, *rest = notebook["cells"]
    cells = [title, markdown_cell(f"```{{lesson-cost}} {lesson}\n```")]
    for cell in together([cell for cell in rest if COLAB_TAG not in tags(cell)]):
        cells += split(cell, lesson) if cell["cell_type"] == "code" else [cell]
    cells = [{**cell, "id": f"book-{place}"} for place, cell in enumerate(cells)]
    # Cells may hold IPython's own commands, which the plain Python highlighter takes for errors.
    metadata = {**notebook["metadata"], "language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    return {**notebook, "cells": cells, "metadata": metadata}


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    folder, _, lesson = docname.partition("/")
    if folder == "notebooks":
        source[0] = json.dumps(prepare(json.loads(source[0]), where_it_ran(lesson)))


def setup(app: Sphinx) -> None:
    app.connect("source-read", read_source)
