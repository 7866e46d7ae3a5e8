"""Notebooks by name: `fusion/weighted_sum` stands for notebooks/fusion/weighted_sum.py and the .ipynb beside it.

A chapter's exercises are two notebooks of one source, exercises.py: `fusion/solutions`, which is run like a lesson, and
`fusion/exercises`, which has the answers taken out and is never run.
"""

from __future__ import annotations

import re
from pathlib import Path

EXERCISES, SOLUTIONS = "exercises", "solutions"
# The course, in its order; registers and new lessons are held to these names.
CHAPTERS = (
    "concepts",
    "fusion",
    "backprop",
    "reinforcement",
    "projects",
    "pretraining",
    "applications",
    "scale",
    "back_matter",
)


def lesson_names(root: Path) -> list[str]:
    """Every lesson that has a source, sorted."""
    return [name for name in _source_names(root) if not is_exercises(name)]


def exercises_names(root: Path) -> list[str]:
    """`chapter/exercises` of every chapter that has exercises, sorted."""
    return [name for name in _source_names(root) if is_exercises(name)]


def executed_names(root: Path) -> list[str]:
    """Every notebook that is run: the lessons and the solutions."""
    return sorted([*lesson_names(root), *map(solutions_of, exercises_names(root))])


def _source_names(root: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.stem}" for path in (root / "notebooks").glob("*/*.py"))


def is_exercises(name: str) -> bool:
    return name.endswith(f"/{EXERCISES}")


def solutions_of(exercises: str) -> str:
    return f"{exercises.removesuffix(EXERCISES)}{SOLUTIONS}"


def source_name(name: str) -> str:
    """The name of a notebook's source, which is another than its own for solutions only."""
    chapter, _, last = name.partition("/")
    return f"{chapter}/{EXERCISES}" if last == SOLUTIONS else name


def source_path(root: Path, lesson: str) -> Path:
    return root / "notebooks" / f"{source_name(lesson)}.py"


def notebook_path(root: Path, lesson: str) -> Path:
    return root / "notebooks" / f"{lesson}.ipynb"


def make_notebooks(lesson: str, *options: str) -> str:
    """The command for one lesson, as it is typed."""
    return f'`make notebooks ARGS="{" ".join([lesson, *options])}"`'


def ways_out(lesson: str) -> str:
    """What to do with a notebook that was edited in JupyterLab."""
    over = f"{make_notebooks(lesson, '--force')} writes over them"
    if is_exercises(lesson):
        return f"Answers belong in my/{lesson.partition('/')[0]}.ipynb, which `make lab` makes; {over}."
    return f"{make_notebooks(lesson, '--from-ipynb')} brings the edits into the .py, {over}."


def chosen(root: Path, words: list[str]) -> list[str]:
    """The notebooks to run that a command line names, by name or by path; all of them where it names none."""
    known = executed_names(root)
    names = [re.sub(r"^(.*/)?notebooks/|\.(py|ipynb)$", "", word.replace("\\", "/")) for word in words]
    names = [solutions_of(name) if is_exercises(name) else name for name in names]
    for name in names:
        if name not in known:
            raise SystemExit(f"there is no lesson {name!r}; there are: {', '.join(known) or 'none'}")
    return names or known
