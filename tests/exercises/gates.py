"""What the four gates try an exercise with: wrong answers with the hint that each must get, and a second right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).with_name("answers")


@dataclass(frozen=True)
class WrongAnswer:
    exercise: str
    answer: Callable[..., Any]
    hint: str  # words of the hint that this mistake, and no other of its exercise, gets


@dataclass
class Answers:
    """The answers of a lesson or chapter: `@wrong("exercise", hint="…")` and `@another("exercise")` enter functions."""

    wrong_answers: list[WrongAnswer] = field(default_factory=list)
    other_answers: dict[str, list[Callable[..., Any]]] = field(default_factory=dict)

    def wrong(self, exercise: str, *, hint: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def enter(answer: Callable[..., Any]) -> Callable[..., Any]:
            self.wrong_answers.append(WrongAnswer(exercise, answer, hint))
            return answer

        return enter

    def another(self, exercise: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def enter(answer: Callable[..., Any]) -> Callable[..., Any]:
            self.other_answers.setdefault(exercise, []).append(answer)
            return answer

        return enter


def chapters_with_answers() -> list[str]:
    return sorted(path.name for path in ANSWERS.iterdir() if _files(path.name))


def answers_of(chapter: str) -> Answers:
    """Run the files tests/exercises/answers/<chapter>/<lesson>.py and take what they entered."""
    together = Answers()
    for path in _files(chapter):
        spec = spec_from_file_location(f"answers_of_{chapter}_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        together.wrong_answers += module.answers.wrong_answers
        for name, answers in module.answers.other_answers.items():
            together.other_answers.setdefault(name, []).extend(answers)
    return together


def _files(chapter: str) -> list[Path]:
    return sorted((ANSWERS / chapter).glob("*.py"))
