"""Four gates that every exercise of every chapter passes, found by name.

The blank stub fails; the solution passes; each wrong answer is rejected with its own hint; a second right answer,
written differently, passes. The cases are random, so the quick exercises are tried on many seeds.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from authoring.convert import code_cells, read_source, tags
from authoring.exercises import checked
from mmcourse.exercises.checking import chapters, examine, exercises_of, find
from mmcourse.exercises.laws import UNANSWERED
from tests.exercises.gates import WrongAnswer, answers_of, chapters_with_answers

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = [(chapter, name) for chapter in chapters() for name in exercises_of(chapter)]
WRONG = [(chapter, wrong) for chapter in chapters() for wrong in answers_of(chapter).wrong_answers]


@cache
def names_defined(notebook: str) -> dict[str, Any]:
    """What the cells of a notebook define, its checks left out."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in code_cells(read_source(ROOT, notebook)):
        if checked(cell) is None and "colab" not in tags(cell) and not cell.source.startswith("progress("):
            exec(compile(cell.source, f"<{cell.id}>", "exec"), names)
    return names


def seeds(chapter: str, name: str) -> range:
    """Trials beyond the first cost nothing, or minutes where each trains models."""
    return range(20 if find(f"{chapter}/{name}").trials > 1 else 1)


def test_every_chapter_of_exercises_has_answers_to_try() -> None:
    assert list(chapters()) == chapters_with_answers()


@pytest.mark.parametrize(("chapter", "name"), EXERCISES)
def test_the_blank_stub_fails(chapter: str, name: str) -> None:
    verdict = examine(f"{chapter}/{name}", names_defined(f"{chapter}/exercises")[name], seed=0)
    assert not verdict.passed
    assert verdict.sentence() == UNANSWERED


@pytest.mark.parametrize(("chapter", "name"), EXERCISES)
def test_the_solution_passes(chapter: str, name: str) -> None:
    for seed in seeds(chapter, name):
        verdict = examine(f"{chapter}/{name}", names_defined(f"{chapter}/solutions")[name], seed=seed)
        assert verdict.passed, f"seed {seed}: {verdict.text()}"


@pytest.mark.parametrize(("chapter", "wrong"), WRONG, ids=lambda value: getattr(value, "exercise", value))
def test_a_wrong_answer_is_rejected_with_its_own_hint(chapter: str, wrong: WrongAnswer) -> None:
    others = [
        w.hint for w in answers_of(chapter).wrong_answers if w.exercise == wrong.exercise and w.hint != wrong.hint
    ]
    for seed in seeds(chapter, wrong.exercise):
        verdict = examine(f"{chapter}/{wrong.exercise}", wrong.answer, seed=seed)
        assert verdict.broken is not None, f"seed {seed}: {wrong.answer.__name__} passes"
        assert wrong.hint in verdict.broken.hint, f"seed {seed}, {wrong.answer.__name__}: {verdict.text()}"
        assert not [hint for hint in others if hint in verdict.broken.hint]


@pytest.mark.parametrize(("chapter", "name"), EXERCISES)
def test_another_right_answer_passes(chapter: str, name: str) -> None:
    others = answers_of(chapter).other_answers.get(name)
    assert others, f"no file in tests/exercises/answers/{chapter} has @another({name!r})"
    for answer in others:
        for seed in seeds(chapter, name):
            verdict = examine(f"{chapter}/{name}", answer, seed=seed)
            assert verdict.passed, f"seed {seed}, {answer.__name__}: {verdict.text()}"


@pytest.mark.parametrize(("chapter", "name"), EXERCISES)
def test_at_least_three_wrong_answers_have_hints_of_their_own(chapter: str, name: str) -> None:
    hints = Counter(wrong.hint for wrong in answers_of(chapter).wrong_answers if wrong.exercise == name)
    assert len(hints) >= 3
    assert max(hints.values()) == 1, "two wrong answers with one hint"


@pytest.mark.parametrize("chapter", chapters())
def test_answers_are_to_exercises_that_exist(chapter: str) -> None:
    answers = answers_of(chapter)
    named = {wrong.exercise for wrong in answers.wrong_answers} | set(answers.other_answers)
    assert named <= set(exercises_of(chapter))
