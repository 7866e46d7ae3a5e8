"""What the four gates try an exercise with: wrong answers with the hint that each must get, and a second right one."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

ANSWERS = Path(__file__).with_name("answers")
ANSWERS_SHOWN = "tests/exercises/answers"


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


def chapters_with_answers(folder: Path = ANSWERS) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if _files(path))


def answers_of(chapter: str, folder: Path = ANSWERS) -> Answers:
    """Run the files <folder>/<chapter>/<lesson>.py and take what they entered."""
    together = Answers()
    for path in _files(folder / chapter):
        spec = spec_from_file_location(f"answers_of_{chapter}_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        entered = getattr(module, "answers", None)
        assert isinstance(entered, Answers), (
            f"{ANSWERS_SHOWN}/{chapter}/{path.name} has no `answers`; begin with `answers = Answers()` and "
            "`wrong, another = answers.wrong, answers.another`, from tests.exercises.gates"
        )
        together.wrong_answers += entered.wrong_answers
        for name, answers in entered.other_answers.items():
            together.other_answers.setdefault(name, []).extend(answers)
    return together


def faults_of_answers(chapter: str, names: Sequence[str], answers: Answers) -> Iterator[str]:
    """What a chapter's answers lack: {names} are its exercises."""
    where = f"{ANSWERS_SHOWN}/{chapter}"
    unknown = ({wrong.exercise for wrong in answers.wrong_answers} | set(answers.other_answers)) - set(names)
    for name in sorted(unknown):
        yield f"{where}: answers to {name!r}; the chapter has {', '.join(names)}"
    for name in names:
        hints = Counter(wrong.hint for wrong in answers.wrong_answers if wrong.exercise == name)
        if len(hints) < 3:
            yield f'{where}: {len(hints)} wrong answers to {name}, wanted at least 3 `@wrong("{name}", hint="…")`'
        for hint in (hint for hint, times in hints.items() if times > 1):
            yield f"{where}: two wrong answers to {name} have one hint, {hint!r}; each mistake has its own"
        if name not in answers.other_answers:
            yield f'{where}: no second right answer to {name}: `@another("{name}")`'


def not_imported(package: ModuleType) -> list[str]:
    """Lessons of a chapter whose exercises nobody would find. package: mmcourse.exercises.chapters.<chapter>"""
    lessons = [module.name for module in iter_modules(getattr(package, "__path__", []))]
    return [lesson for lesson in lessons if f"{package.__name__}.{lesson}" not in sys.modules]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.py"))
