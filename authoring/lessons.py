"""Lessons by name: `fusion/weighted_sum` stands for notebooks/fusion/weighted_sum.py and the .ipynb beside it."""

from __future__ import annotations

import re
from pathlib import Path


def lesson_names(root: Path) -> list[str]:
    """Every lesson that has a source, sorted."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in (root / "notebooks").glob("*/*.py"))


def source_path(root: Path, lesson: str) -> Path:
    return root / "notebooks" / f"{lesson}.py"


def notebook_path(root: Path, lesson: str) -> Path:
    return root / "notebooks" / f"{lesson}.ipynb"


def chosen(root: Path, words: list[str]) -> list[str]:
    """The lessons that a command line names, by name or by path; all of them where it names none."""
    known = lesson_names(root)
    names = [re.sub(r"^(.*/)?notebooks/|\.(py|ipynb)$", "", word.replace("\\", "/")) for word in words]
    for name in names:
        if name not in known:
            raise SystemExit(f"there is no lesson {name!r}; there are: {', '.join(known) or 'none'}")
    return names or known
