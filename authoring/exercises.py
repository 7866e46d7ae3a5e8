"""Exercises: the answers between nbgrader's markers, what a learner gets in their place, and nbgrader's metadata.

    def length(vector):
        ### BEGIN SOLUTION
        return np.sqrt((vector**2).sum())
        ### END SOLUTION

Each answer stands in one cell, and the next check cell says which exercise it is: `check("fusion/length", length)`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from nbformat import NotebookNode

MARKER = re.compile(r"^[ \t]*### (BEGIN|END) SOLUTION[ \t]*(?:\n|\Z)", re.MULTILINE)
ANSWER = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION[ \t]*\n(?P<answer>.*?)^[ \t]*### END SOLUTION[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
STUB = rf"\g<indent># YOUR CODE HERE\n\g<indent>raise {NotImplementedError.__name__}()"
CELL = "# %%"  # opens a cell of a .py
CHECK = re.compile(r"""^check\(["'](?P<exercise>[^"']+)["'],""", re.MULTILINE)
GOES_ON = "raises-exception"  # Jupyter's tag: Run All does not stop at such a cell
SCHEMA = {"schema_version": 3, "task": False}  # nbgrader's


def has_answer(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and ANSWER.search(cell.source) is not None


def checked(cell: NotebookNode) -> str | None:
    """The exercise "chapter/name" that a cell checks, or None for any other cell."""
    found = CHECK.search(cell.source) if cell.cell_type == "code" else None
    return found["exercise"] if found else None


def answers(code: str) -> list[str]:
    """What stands between the markers of a cell, answer by answer."""
    return [found["answer"] for found in ANSWER.finditer(code)]


def markers_are_balanced(code: str) -> bool:
    """Whether BEGIN and END alternate, and each answer would leave a stub."""
    return len(MARKER.findall(code)) == 2 * len(answers(code))


def lone_marker(source: str) -> tuple[int, str] | None:
    """Line and text of the first marker of a .py that has no partner in its cell: its answer would reach learners."""
    begun: tuple[int, str] | None = None
    for number, line in enumerate(source.splitlines(), start=1):
        marker = MARKER.match(line)
        ends = marker is not None and marker[1] == "END"
        if begun and not ends and (marker or line.startswith(CELL)):
            return begun
        if ends and not begun:
            return number, line.strip()
        if marker:
            begun = None if ends else (number, line.strip())
    return begun


def without_markers(code: str) -> str:
    return MARKER.sub("", code).rstrip("\n")


def take_answers_out(cells: Sequence[NotebookNode]) -> None:
    """Make the cells of solutions those that a learner fills in: no answers, no outputs, and Run All goes through."""
    begun = False  # from the first answer on, a cell may need what is not written yet
    for cell in cells:
        if cell.cell_type == "code":
            begun = begun or has_answer(cell)
            cell.source = ANSWER.sub(STUB, cell.source)
            cell.outputs, cell.execution_count = [], None
            if begun:
                cell.metadata["tags"] = [*cell.metadata.get("tags", []), GOES_ON]


def grading(cells: Sequence[NotebookNode]) -> list[dict[str, Any]]:
    """For each cell of solutions, what nbgrader wants to know of it: nothing, or {"nbgrader": …}."""
    made: list[dict[str, Any]] = []
    name = ""
    for cell in reversed(cells):
        exercise = checked(cell)
        if exercise:
            name = exercise.partition("/")[2]
            test = {"grade": True, "grade_id": f"check-{name}", "locked": True, "points": 1, "solution": False}
            made.append({"nbgrader": test | SCHEMA})
        elif name and has_answer(cell):
            made.append({"nbgrader": {"grade": False, "grade_id": name, "locked": False, "solution": True} | SCHEMA})
        else:
            made.append({})
    return made[::-1]
