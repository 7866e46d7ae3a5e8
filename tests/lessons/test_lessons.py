"""Every lesson keeps every rule of authoring.checks; together they keep the budget, the claims and the experiments.

That each rule refuses what it should is shown in tests/authoring/test_checks.py.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import tasks
from authoring.checks import EXPERIMENT, RULES, Lesson
from authoring.claims import claims_path, claims_text
from authoring.costs import budget_faults
from authoring.cover import cover_image, cover_path
from authoring.dialect import BOXES
from authoring.exercise_checks import EXERCISES_RULES, SOLUTIONS_RULES
from authoring.experiments import experiment_names, is_current, read_results, results_path
from authoring.lessons import executed_names, exercises_names, lesson_names, solutions_of
from authoring.start_page import address, in_order_of_the_book, start_page_path, start_page_text
from mmcourse.exercises.checking import chapters
from mmcourse.lesson import LESSON_NAME
from tests.faults import require_none

ROOT = Path(__file__).resolve().parents[2]
LESSONS = [Lesson(ROOT, name) for name in lesson_names(ROOT)]
EXERCISES = [Lesson(ROOT, name) for name in exercises_names(ROOT)]
SOLUTIONS = [Lesson(ROOT, solutions_of(exercises.name)) for exercises in EXERCISES]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_lesson_keeps(rule, lesson: Lesson) -> None:
    require_none({lesson.name: rule(lesson)})


@pytest.mark.parametrize("solutions", SOLUTIONS, ids=lambda solutions: solutions.name)
@pytest.mark.parametrize("rule", SOLUTIONS_RULES, ids=lambda rule: rule.__name__)
def test_solutions_keep(rule, solutions: Lesson) -> None:
    require_none({solutions.name: rule(solutions)})


@pytest.mark.parametrize("exercises", EXERCISES, ids=lambda exercises: exercises.name)
@pytest.mark.parametrize("rule", EXERCISES_RULES, ids=lambda rule: rule.__name__)
def test_exercises_keep(rule, exercises: Lesson) -> None:
    require_none({exercises.name: rule(exercises)})


def test_every_chapter_of_checks_has_its_exercises() -> None:
    assert [exercises.name.partition("/")[0] for exercises in EXERCISES] == list(chapters())


def test_there_are_lessons_with_good_names() -> None:
    assert LESSONS
    assert [lesson.name for lesson in LESSONS if not LESSON_NAME.fullmatch(lesson.name)] == []


def test_every_notebook_has_a_source() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("*/*.ipynb")}
    assert found == {f"notebooks/{name}.ipynb" for name in (*executed_names(ROOT), *exercises_names(ROOT))}


def test_the_lessons_keep_their_budget() -> None:
    require_none({"notebooks/costs.csv": budget_faults(ROOT)})


def test_the_package_carries_the_claims_that_the_notebooks_store() -> None:
    assert claims_path(ROOT).read_text(encoding="utf-8") == claims_text(ROOT), "run `make notebooks`"


@pytest.mark.parametrize("name", experiment_names(ROOT))
def test_an_experiment_is_current_and_read_by_a_lesson_or_a_check(name: str) -> None:
    stored = read_results(results_path(ROOT, name))
    assert stored, f"experiments/{name}.json is missing: run `make experiments`"
    assert is_current(ROOT, name, stored), f"experiments/{name}.py changed: run `make experiments`"
    checks = (path.read_text(encoding="utf-8") for path in (ROOT / "mmcourse/exercises/chapters").rglob("*.py"))
    read = {name for lesson in LESSONS for name in lesson.experiments()} | set(EXPERIMENT.findall("\n".join(checks)))
    assert name in read, f"no lesson and no check reads the experiment {name}"


def test_the_cover_is_the_figure_that_its_lesson_stores() -> None:
    assert cover_path(ROOT).read_bytes() == cover_image(ROOT), "run `make notebooks`"


def test_the_start_page_lists_every_lesson_and_exercise_with_its_sentence() -> None:
    text = start_page_path(ROOT).read_text(encoding="utf-8")
    assert text == start_page_text(ROOT), "run `make notebooks`"
    names = in_order_of_the_book(ROOT)
    assert re.findall(r"^- \[[^]]+\]\((\S+)\): \S", text, re.MULTILINE) == list(map(address, names))
    assert sorted(names) == sorted([*lesson_names(ROOT), *exercises_names(ROOT)])


def test_make_lab_opens_the_start_page_as_it_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(tasks, "ENVIRONMENT", tmp_path)
    monkeypatch.setattr(tasks, "install", lambda what: tmp_path)
    monkeypatch.setattr(tasks, "run_in", lambda python, arguments: called.append(arguments) or 0)
    assert tasks.main(["lab"]) == 0
    copies, lab = called
    assert copies == ["-m", "authoring.my"], "the page links the learner's copies, so they are made first"
    page = start_page_path(ROOT).relative_to(ROOT).as_posix()
    assert f"--LabApp.default_url=/lab/tree/{page}" in lab
    settings = json.loads((tmp_path / "share/jupyter/lab/settings/overrides.json").read_text(encoding="utf-8"))
    viewers = settings["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]
    assert viewers == {"markdown": "Markdown Preview"}


def test_every_result_has_its_script() -> None:
    assert {path.stem for path in (ROOT / "experiments").glob("*.json")} <= set(experiment_names(ROOT))


def test_lessons_and_book_know_the_same_boxes() -> None:
    module = ast.parse((ROOT / "book" / "_ext" / "coursebook" / "boxes.py").read_text(encoding="utf-8"))
    values = {
        node.targets[0].id: node.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert tuple(ast.literal_eval(values["BOXES"])) == BOXES
