"""Each rule for exercises refuses what it is there to refuse, and the throw-away chapter keeps them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from authoring import exercise_checks as checks
from authoring.checks import Lesson, cells_are_short, opens_as_a_lesson
from authoring.convert import read_notebook
from authoring.lessons import notebook_path, source_path

EXERCISES, SOLUTIONS = "trial/exercises", "trial/solutions"
Rule = Callable[[Lesson], object]


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "exercises_of", {"trial": ("doubled", "half_of_seven")}.__getitem__)


def faults(rule: Rule, root: Path, name: str) -> str:
    return "\n".join(rule(Lesson(root, name)))


def test_the_throw_away_chapter_keeps_every_rule(solved: Path) -> None:
    for name, rules in ((SOLUTIONS, checks.SOLUTIONS_RULES), (EXERCISES, checks.EXERCISES_RULES)):
        assert [fault for rule in rules for fault in rule(Lesson(solved, name))] == []


DOUBLED = '# %%\ncheck("trial/doubled", doubled)\n\n'


@pytest.mark.parametrize(
    ("rule", "before", "after", "named"),
    [
        (checks.markers_are_in_pairs, "\n    ### END SOLUTION", "", "(cell 5): ### BEGIN SOLUTION and ### END"),
        (checks.markers_are_in_pairs, "half_of_seven = 7 / 2\n", "### END SOLUTION\n", "(cell 8): ### BEGIN"),
        (checks.each_exercise_is_checked, DOUBLED, "", "checks trial/half_of_seven, and 2 cells before"),
        (checks.each_exercise_is_checked, DOUBLED, "", "no cell checks doubled of mmcourse/exercises/chapters/trial"),
        (checks.each_exercise_is_checked, DOUBLED, 2 * DOUBLED, "and 0 cells before it hold its answer"),
        (checks.each_exercise_is_checked, ", doubled)", ", print)", 'not only check("trial/doubled", doub'),
        (
            checks.each_exercise_is_checked,
            '"trial/doubled"',
            '"other/doubled"',
            "no exercise other/doubled; cha",
        ),
        (
            checks.each_exercise_is_checked,
            '"trial/doubled"',
            '"trial/dubbled"',
            "(cell 6): there is no exercise trial",
        ),
        (checks.each_exercise_is_checked, "\ncheck(", "\nprint()\ncheck(", "not only check"),
        (
            checks.each_exercise_is_checked,
            '\ncheck("trial/half',
            '\n# check("trial/half',
            "no check follow",
        ),
        (checks.headings_are_numbered, "## 2. Half", "## 3. Half", "(cell 7): exercise 3, wanted `## 2. Half`"),
        (checks.headings_are_numbered, "## 2. Half", "## Half", "it has 1 headings `## N. Title` and 2 exercises"),
        (checks.the_last_cell_shows_progress, 'progress("trial")', 'progress("other")', 'is `progress("other")`'),
        (opens_as_a_lesson, 'setup("trial/exercises")', 'setup("trial/solutions")', 'no cell calls setup("trial/exer'),
        (cells_are_short, "    twice_as_much", 25 * "    x = 1\n" + "    twice_as_much", "(cell 5): has 29 lines"),
    ],
)
def test_a_source_with_a_fault(course: Path, rule: Rule, before: str, after: str, named: str) -> None:
    assert not faults(rule, course, SOLUTIONS)
    path = source_path(course, SOLUTIONS)
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    assert named in faults(rule, course, SOLUTIONS)


def test_exercises_in_another_order_than_their_laws(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "exercises_of", lambda chapter: ("half_of_seven", "doubled"))
    said = faults(checks.each_exercise_is_checked, course, SOLUTIONS)
    assert said == (
        "it checks doubled, half_of_seven; mmcourse/exercises/chapters/trial has, in this order, half_of_seven, doubled"
    )


def test_a_chapter_without_laws_says_which_file_to_write(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "exercises_of", {}.__getitem__)
    said = faults(checks.each_exercise_is_checked, course, SOLUTIONS)
    assert said == "chapter trial has no laws: write mmcourse/exercises/chapters/trial/<lesson>.py"


def test_a_heading_after_the_last_exercise_needs_no_number(course: Path) -> None:
    path = source_path(course, SOLUTIONS)
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("# %%\nprogress", "# %% [markdown]\n# ## What next\n\n# %%\nprogress"), encoding="utf-8"
    )
    assert not faults(checks.headings_are_numbered, course, SOLUTIONS)


def put_into(notebook: nbformat.NotebookNode, **changes: object) -> None:
    notebook.cells[4].update(changes)


OUTPUT = nbformat.v4.new_output("stream", name="stdout", text="x")


@pytest.mark.parametrize(
    ("rule", "changes", "named"),
    [
        (checks.notebook_equals_source, {"source": "def doubled(number): ..."}, "Answers belong in my/trial.ipynb"),
        (checks.it_is_as_written, {"id": "random"}, "not as `make notebooks` writes them"),
        (checks.nothing_ran, {"outputs": [OUTPUT]}, "outputs of a run"),
        (checks.nothing_ran, {"execution_count": 1}, "outputs of a run"),
        (
            checks.no_answer_is_given_away,
            {"source": "# twice_as_much = 2 * number"},
            "a line of an answer stands in it",
        ),
    ],
)
def test_a_blank_notebook_with_a_fault(course: Path, rule: Rule, changes: dict[str, object], named: str) -> None:
    assert not faults(rule, course, EXERCISES)
    notebook = read_notebook(course, EXERCISES)
    put_into(notebook, **changes)
    notebook_path(course, EXERCISES).write_text(nbformat.writes(notebook), encoding="utf-8")
    assert named in faults(rule, course, EXERCISES)
