"""Four gates that every exercise of every chapter passes, found by name.

The blank stub fails; the solution passes; each wrong answer is rejected with its own hint; a second right answer,
written differently, passes. The cases are random, so the quick exercises are tried on many seeds.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from authoring.convert import code_cells, read_source, tags
from authoring.exercises import checked
from mmcourse.exercises.checking import chapters, examine, exercises_of, find
from mmcourse.exercises.laws import UNANSWERED
from tests.exercises.gates import (
    ANSWERS_SHOWN,
    WrongAnswer,
    answers_of,
    chapters_with_answers,
    faults_of_answers,
    not_imported,
)
from tests.faults import require_none

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


def defined(chapter: str, name: str, notebook: str) -> Any:
    names = names_defined(f"{chapter}/{notebook}")
    assert name in names, (
        f"notebooks/{chapter}/exercises.py defines no {name}, an exercise of mmcourse/exercises/chapters/{chapter}: "
        "write its task, a cell with the answer between ### BEGIN SOLUTION and ### END SOLUTION, and a cell "
        f'`check("{chapter}/{name}", {name})`'
    )
    return names[name]


def seeds(chapter: str, name: str) -> range:
    """Trials beyond the first cost nothing, or minutes where each trains models."""
    return range(20 if find(f"{chapter}/{name}").trials > 1 else 1)


def test_every_chapter_of_exercises_has_answers_to_try() -> None:
    known, there = set(chapters()), set(chapters_with_answers())
    missing = {f"{ANSWERS_SHOWN}/{name}/<lesson>.py": ["is missing"] for name in known - there}
    surplus = {f"{ANSWERS_SHOWN}/{name}": ["no chapter has exercises of that name"] for name in there - known}
    require_none(missing | surplus)


@pytest.mark.parametrize("chapter", chapters())
def test_every_lesson_s_exercises_are_imported(chapter: str) -> None:
    package = import_module(f"mmcourse.exercises.chapters.{chapter}")
    cure = f"name it in mmcourse/exercises/chapters/{chapter}/__init__.py, in the order of the lessons"
    require_none({f"mmcourse/exercises/chapters/{chapter}/{name}.py": [cure] for name in not_imported(package)})


@pytest.mark.parametrize("chapter", chapters())
def test_there_are_answers_to_try_each_exercise_with(chapter: str) -> None:
    require_none({chapter: faults_of_answers(chapter, exercises_of(chapter), answers_of(chapter))})


@pytest.mark.parametrize(("chapter", "name"), EXERCISES)
def test_the_blank_stub_fails(chapter: str, name: str) -> None:
    verdict = examine(f"{chapter}/{name}", defined(chapter, name, "exercises"), seed=0)
    assert not verdict.passed
    assert verdict.sentence() == UNANSWERED


@pytest.mark.parametrize(("chapter", "name"), EXERCISES)
def test_the_solution_passes(chapter: str, name: str) -> None:
    for seed in seeds(chapter, name):
        verdict = examine(f"{chapter}/{name}", defined(chapter, name, "solutions"), seed=seed)
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
    for answer in answers_of(chapter).other_answers.get(name, []):
        for seed in seeds(chapter, name):
            verdict = examine(f"{chapter}/{name}", answer, seed=seed)
            assert verdict.passed, f"seed {seed}, {answer.__name__}: {verdict.text()}"
