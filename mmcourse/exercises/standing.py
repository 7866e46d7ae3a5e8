"""How far a learner is: in this session, and by the outputs that a notebook has stored."""

from __future__ import annotations

import json
from pathlib import Path

from mmcourse.exercises.checking import CHECK_TYPE, Verdict, exercises_of

_verdicts: dict[str, Verdict] = {}


def remember(verdict: Verdict) -> None:
    """Keep the last verdict on an exercise for `progress`."""
    _verdicts[verdict.exercise] = verdict


def progress(chapter: str) -> None:
    """Print how each exercise of a chapter stands by the checks of this session. Raises KeyError."""
    names = exercises_of(chapter)
    states = {name: _state(_verdicts.get(f"{chapter}/{name}")) for name in names}
    solved = sum(state == "passed" for state in states.values())
    width = max(map(len, names))
    print(f"{chapter}: {solved} of {len(names)} exercises solved")
    for name, state in states.items():
        print(f"  {'✓' if state == 'passed' else '·'} {name:<{width}}  {state}")


def _state(verdict: Verdict | None) -> str:
    if verdict is None:
        return "not checked"
    return "passed" if verdict.passed else "not yet"


def solved_in(notebook: Path) -> set[str] | None:
    """Full names of the exercises whose check passed when the notebook last ran, by the outputs that it stores.

    None for a file that cannot be read. The outputs are the learner's own: `mmcourse grade` runs the code.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        records = [output["data"][CHECK_TYPE] for output in outputs if CHECK_TYPE in output.get("data", {})]
        return {record["exercise"] for record in records if record["passed"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
