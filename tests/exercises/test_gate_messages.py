"""What the gates say to who writes an exercise and forgets a part of it: the file and the cure."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.exercises.gates import Answers, answers_of, chapters_with_answers, faults_of_answers, not_imported


def answers(*hints: str, exercise: str = "mean", another: bool = True) -> Answers:
    made = Answers()
    for hint in hints:
        made.wrong(exercise, hint=hint)(abs)
    if another:
        made.another(exercise)(abs)
    return made


def test_whole_answers_have_no_fault() -> None:
    assert list(faults_of_answers("toy", ["mean"], answers("a", "b", "c"))) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answers("a", "b"), 'answers/toy: 2 wrong answers to mean, wanted at least 3 `@wrong("mean", hint="…")`'),
        (answers("a", "b", "c", "c"), "answers/toy: two wrong answers to mean have one hint, 'c'; each mistake has"),
        (answers("a", "b", "c", another=False), 'answers/toy: no second right answer to mean: `@another("mean")`'),
        (answers("a", "b", "c", exercise="maen"), "answers/toy: answers to 'maen'; the chapter has mean"),
    ],
)
def test_answers_with_a_fault(given: Answers, said: str) -> None:
    assert said in "\n".join(faults_of_answers("toy", ["mean"], given))


def test_a_file_without_answers_says_how_it_begins(tmp_path: Path) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "toy" / "sums.py").write_text("wrong = another = None\n", encoding="utf-8")
    assert chapters_with_answers(tmp_path) == ["toy"]
    with pytest.raises(AssertionError, match=r"answers/toy/sums\.py has no `answers`; begin with `answers = Answers"):
        answers_of("toy", tmp_path)


def test_a_lesson_that_its_chapter_does_not_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("trial_chapter")
    package.__path__ = [str(tmp_path)]
    for name in ("sums", "gates"):
        (tmp_path / f"{name}.py").touch()
    monkeypatch.setitem(sys.modules, "trial_chapter.sums", ModuleType("trial_chapter.sums"))
    assert not_imported(package) == ["gates"]
