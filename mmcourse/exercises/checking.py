"""Check an answer against the laws of its exercise: `check("fusion/match_lengths", match_lengths)`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np

from mmcourse.exercises import chapters as _chapters
from mmcourse.exercises.laws import UNANSWERED, Answer, Exercise, Law, Rejected, registered

CHECK_TYPE = "application/vnd.mmcourse.check+json"


@dataclass(frozen=True)
class Verdict:
    """What examining an answer found: the laws that held, in order, and the one that did not."""

    exercise: str
    held: tuple[str, ...]
    broken: Law | None

    @property
    def passed(self) -> bool:
        return self.broken is None

    def sentence(self) -> str:
        """One line for a report."""
        if self.broken is None:
            return "passed"
        if self.broken.seen == UNANSWERED:
            return UNANSWERED
        return f"broken: {self.broken.states}. Hint: {self.broken.hint}"

    def text(self) -> str:
        """What the learner reads."""
        if self.broken is not None and self.broken.seen == UNANSWERED:
            return f"{self.exercise}: {UNANSWERED}"
        lines = [f"{self.exercise}: {'passed' if self.passed else 'not yet'}", *(f"  ✓ {law}" for law in self.held)]
        if self.broken is not None:
            lines.append(f"  ✗ {self.broken.states}")
            lines += [f"    {self.broken.seen}"] if self.broken.seen else []
            lines.append(f"  Hint: {self.broken.hint}")
        return "\n".join(lines)


class NotYet(AssertionError):
    """An answer that breaks a law. Notebooks show its text and no stack trace; so does nbgrader, which counts it."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.text())
        self.verdict = verdict

    def _render_traceback_(self) -> list[str]:  # IPython's own hook for what is shown in place of a stack trace
        return [self.verdict.text()]


def check(name: str, answer: Any, *, seed: int | None = None) -> None:
    """Say which laws an answer obeys. name: "chapter/exercise".

    Raises NotYet with the broken law, the case that broke it and a hint; KeyError for an unknown exercise.
    """
    from mmcourse.exercises.standing import remember

    verdict = examine(name, answer, seed=seed)
    remember(verdict)
    if not verdict.passed:
        raise NotYet(verdict)
    from IPython.display import display

    record = {"exercise": verdict.exercise, "passed": True, "laws": list(verdict.held)}
    display({"text/plain": verdict.text(), CHECK_TYPE: record}, raw=True)


def examine(name: str, answer: Any, *, seed: int | None = None) -> Verdict:
    """Hold an answer to its laws on fresh random cases, or those of a seed. Raises KeyError for an unknown name."""
    exercise = find(name)
    rng = np.random.default_rng(seed)
    held: dict[str, None] = {}
    for _ in range(exercise.trials):
        try:
            for law in exercise.laws(Answer(name.partition("/")[2], answer), rng):
                if not law.holds:
                    raise Rejected(law)
                held[law.states] = None
        except Rejected as rejected:
            broken = rejected.law
            return Verdict(name, tuple(law for law in held if law != broken.states), broken)
    return Verdict(name, tuple(held), None)


def chapters() -> tuple[str, ...]:
    """The chapters that have exercises."""
    return tuple(sorted(module.name for module in iter_modules(_chapters.__path__)))


def exercises_of(chapter: str) -> tuple[str, ...]:
    """The names of a chapter's exercises, in their order. Raises KeyError for an unknown chapter."""
    if chapter not in chapters():
        raise KeyError(f"no chapter {chapter!r} has exercises; there are: {', '.join(chapters())}")
    import_module(f"{_chapters.__name__}.{chapter}")
    return tuple(registered(chapter))


def find(name: str) -> Exercise:
    """The exercise "chapter/name". Raises KeyError with the names that exist."""
    chapter, _, short = name.partition("/")
    known = exercises_of(chapter)
    if short not in known:
        raise KeyError(f"there is no exercise {name!r}; chapter {chapter} has: {', '.join(known)}")
    return registered(chapter)[short]
