"""Between a lesson's source (.py, percent format) and its notebook, in one normal form.

A notebook carries nothing that differs from run to run: its cells' ids come from the lesson's name and the cell's
position, times of execution and versions of tools are left out.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from authoring.exercises import grading, lone_marker, take_answers_out
from authoring.lessons import is_exercises, notebook_path, source_name, source_path

FORMAT = "py:percent"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
HEADER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

"""


def read_source(root: Path, lesson: str) -> NotebookNode:
    """The lesson's source as a notebook in normal form, without outputs; of exercises, without the answers.

    Raises ValueError where it is not clear what the answers are.
    """
    path = source_path(root, lesson)
    text = path.read_text(encoding="utf-8")
    notebook = normalise(jupytext.reads(text, fmt=FORMAT), lesson)
    if is_exercises(lesson):
        if lone := lone_marker(text):
            line, marker = lone
            raise ValueError(f"{path.relative_to(root).as_posix()}:{line}: `{marker}` has no partner in its cell")
        take_answers_out(notebook.cells)
        notebook.metadata["mmcourse"]["content"] = content_hash(notebook)
    return notebook


def read_notebook(root: Path, lesson: str) -> NotebookNode | None:
    """The stored notebook, or None where there is none."""
    path = notebook_path(root, lesson)
    return nbformat.read(path, as_version=4) if path.is_file() else None


def normalise(notebook: NotebookNode, lesson: str) -> NotebookNode:
    """Bring a notebook to its normal form, in place; returns it."""
    name = source_name(lesson)
    ours = notebook.metadata.get("mmcourse", {}) | ({"chapter": name.partition("/")[0]} if is_exercises(name) else {})
    notebook.metadata = nbformat.from_dict(METADATA | ({"mmcourse": ours} if ours else {}))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    graded = grading(notebook.cells)
    for position, cell in enumerate(notebook.cells):
        cell.id = f"{name.replace('/', '-')}-{position}"
        cell.metadata = nbformat.from_dict(({"tags": tags(cell)} if tags(cell) else {}) | graded[position])
        if cell.cell_type == "code":
            cell.outputs = joined_streams(cell.outputs)
    return notebook


def joined_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Neighbouring pieces of one stream made one: where a kernel cuts them is chance."""
    joined: list[NotebookNode] = []
    for output in outputs:
        before = joined[-1] if joined else None
        if before and output.output_type == before.output_type == "stream" and output.name == before.name:
            before.text += output.text
        else:
            joined.append(output)
    return joined


def carry_outputs(stored: NotebookNode, fresh: NotebookNode) -> NotebookNode:
    """Give the code cells of `fresh` the outputs of those of `stored`, in order; returns `fresh`."""
    for new, old in zip(code_cells(fresh), code_cells(stored), strict=True):
        new.outputs, new.execution_count = old.outputs, old.execution_count
    return fresh


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def content(notebook: NotebookNode) -> list[tuple[str, str, list[str]]]:
    """What source and notebook share: type, source and tags of each cell."""
    return [(cell.cell_type, cell.source, tags(cell)) for cell in notebook.cells]


def content_hash(notebook: NotebookNode) -> str:
    """Kept in the notebook, it tells later whether the source or the notebook was edited."""
    return hashlib.sha256(repr(content(notebook)).encode()).hexdigest()


def to_text(notebook: NotebookNode) -> str:
    """The text of the .ipynb file."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def to_source(notebook: NotebookNode) -> str:
    """The text of the .py file."""
    cells: list[Any] = []
    for cell in notebook.cells:
        make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        cells.append(make(cell.source, metadata={"tags": tags(cell)} if tags(cell) else {}))
    bare = nbformat.v4.new_notebook(cells=cells, metadata={"jupytext": {"notebook_metadata_filter": "-all"}})
    return HEADER + jupytext.writes(bare, fmt=FORMAT).lstrip("\n")
