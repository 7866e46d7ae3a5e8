"""What grading does with a notebook, in order: each cell is run, or is the place where an exercise is examined."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

BINDING = re.compile(r"^(?:async )?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=]+)?=(?!=)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A cell to run (exercise is ""), or an exercise to examine.

    cell: its number among the cells with code, which is the number Jupyter gives it after "Restart and Run All"; 0 for
    an exercise without a check of its own, examined after the last cell.
    """

    cell: int
    source: str = ""
    exercise: str = ""

    @property
    def place(self) -> str:
        if not self.exercise:
            return f"code cell {self.cell}"
        return f"the check of `{self.exercise}`" + (f" (code cell {self.cell})" if self.cell else "")


def plan(sources: Sequence[str], chapter: str, exercises: Sequence[str]) -> tuple[Step, ...]:
    """The steps of a notebook. Every exercise of the chapter has at least one."""
    steps = []
    for number, source in enumerate(sources, start=1):
        of, _, name = checked_in(source).partition("/")
        ours = of == chapter and name in exercises
        steps.append(Step(number, exercise=name) if ours else Step(number, source))
    checked = {step.exercise for step in steps}
    return (*steps, *(Step(0, exercise=name) for name in exercises if name not in checked))


def checked_in(source: str) -> str:
    """The exercise "chapter/name" of a cell that is nothing but a call check("chapter/name", …), else ""."""
    match _parsed(source):
        case [ast.Expr(ast.Call(ast.Name("check") | ast.Attribute(attr="check"), [ast.Constant(str(name)), *_]))]:
            return name
    return ""


def defines(source: str) -> set[str]:
    """The names that a cell binds at its top level; by patterns where it is not plain Python (magics, errors)."""
    body, found = _parsed(source), set()
    if body is None:
        found = {first or second for first, second in BINDING.findall(source)}
        imports = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
        body = [statement for line in imports for statement in _parsed(line) or ()]
    return found | {name for statement in body for name in _bound(statement)}


def _parsed(source: str) -> list[ast.stmt] | None:
    """The statements of a cell; None where it is not plain Python."""
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
