"""From one source the solutions, executed, and what learners get: the same cells with the answers taken out."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from authoring import notebooks
from authoring.convert import read_notebook, read_source, tags
from authoring.costs import costs_path, read_costs
from authoring.exercises import ANSWER, STUB, answers, lone_marker, markers_are_balanced, without_markers
from authoring.lessons import chosen, executed_names, exercises_names, lesson_names, notebook_path, source_path
from authoring.repository import colab_cell, set_url
from mmcourse.exercises.checking import CHECK_TYPE
from tests.authoring.small_repository import edit, files

EXERCISES, SOLUTIONS = "trial/exercises", "trial/solutions"
RAISE = f"raise {NotImplementedError.__name__}()"


def cell(root: Path, name: str, start: str) -> nbformat.NotebookNode:
    [found] = [cell for cell in read_notebook(root, name).cells if cell.source.startswith(start)]
    return found


# ---------------------------------------------------------------------------------------------------- the markers


@pytest.mark.parametrize(
    ("code", "blank"),
    [
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", f"# YOUR CODE HERE\n{RAISE}"),
        (
            "def f():\n    ### BEGIN SOLUTION\n    if x:\n        y()\n\n    ### END SOLUTION\n    return z",
            f"def f():\n    # YOUR CODE HERE\n    {RAISE}\n    return z",
        ),
        (
            "class A:\n  def a(self):\n    ### BEGIN SOLUTION\n    1\n    ### END SOLUTION\n"
            "  def b(self):\n    ### BEGIN SOLUTION\n    2\n    ### END SOLUTION\n",
            f"class A:\n  def a(self):\n    # YOUR CODE HERE\n    {RAISE}\n"
            f"  def b(self):\n    # YOUR CODE HERE\n    {RAISE}\n",
        ),
        ("\t### BEGIN SOLUTION  \n\tx\n### END SOLUTION\t", f"\t# YOUR CODE HERE\n\t{RAISE}"),
        ("x = '### BEGIN SOLUTION'", "x = '### BEGIN SOLUTION'"),
    ],
)
def test_a_stub_takes_the_place_of_each_answer_at_its_indentation(code: str, blank: str) -> None:
    assert ANSWER.sub(STUB, code) == blank
    assert markers_are_balanced(code)


@pytest.mark.parametrize(
    "code",
    [
        "### BEGIN SOLUTION\nx",
        "x\n### END SOLUTION",
        "### END SOLUTION\nx\n### BEGIN SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\nx\n### END SOLUTION",
        "### BEGIN SOLUTION\nx\n### END SOLUTION\n### END SOLUTION",
    ],
)
def test_markers_that_are_not_in_pairs_are_noticed(code: str) -> None:
    assert not markers_are_balanced(code)


@pytest.mark.parametrize(
    ("source", "lone"),
    [
        ("# %%\n### BEGIN SOLUTION\nx\n### END SOLUTION\n", None),
        ("# %%\nx\n\n# %%\n  ### BEGIN SOLUTION\nx\n\n# %%\n### END SOLUTION\n", (5, "### BEGIN SOLUTION")),
        ("# %%\n### BEGIN SOLUTION\nx\n### BEGIN SOLUTION\n### END SOLUTION\n", (2, "### BEGIN SOLUTION")),
        ("# %%\n### BEGIN SOLUTION\n### END SOLUTION\n### END SOLUTION\n", (4, "### END SOLUTION")),
        ("# %%\n### BEGIN SOLUTION\nx\n", (2, "### BEGIN SOLUTION")),
    ],
)
def test_a_marker_without_its_partner_is_found(source: str, lone: tuple[int, str] | None) -> None:
    assert lone_marker(source) == lone


def test_answers_and_what_is_left_without_their_markers() -> None:
    code = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    assert answers(code) == ["    return 1\n"]
    assert without_markers(code) == "def f():\n    return 1"


# ------------------------------------------------------------------------------------------------- two notebooks


def test_exercises_are_no_lesson_and_their_solutions_are_executed(solved: Path) -> None:
    assert lesson_names(solved) == []
    assert exercises_names(solved) == [EXERCISES]
    assert executed_names(solved) == [SOLUTIONS]
    assert source_path(solved, SOLUTIONS) == source_path(solved, EXERCISES)
    for word in (EXERCISES, SOLUTIONS, "notebooks/trial/exercises.py", "notebooks/trial/exercises.ipynb"):
        assert chosen(solved, [word]) == [SOLUTIONS]


def test_learners_get_the_same_cells_without_answers_and_outputs(solved: Path) -> None:
    solutions, exercises = read_notebook(solved, SOLUTIONS), read_notebook(solved, EXERCISES)
    assert [cell.id for cell in exercises.cells] == [cell.id for cell in solutions.cells]
    assert [cell.id for cell in exercises.cells][:2] == ["trial-exercises-0", "trial-exercises-1"]
    for blank, full in zip(exercises.cells, solutions.cells, strict=True):
        assert blank.source == full.source or "### BEGIN SOLUTION" in full.source
        if blank.cell_type == "code":
            assert (blank.outputs, blank.execution_count) == ([], None)
    stub = cell(solved, EXERCISES, "def doubled")
    assert stub.source == f'def doubled(number):\n    """Twice the number."""\n    # YOUR CODE HERE\n    {RAISE}'
    text = notebook_path(solved, EXERCISES).read_text(encoding="utf-8")
    assert "twice_as_much" not in text
    assert "7 / 2" not in text


def test_run_all_goes_on_from_the_first_answer_on(solved: Path) -> None:
    marked = ["raises-exception" in tags(cell) for cell in read_notebook(solved, EXERCISES).cells]
    first = marked.index(True)
    assert "### BEGIN SOLUTION" in read_notebook(solved, SOLUTIONS).cells[first].source
    assert marked[first:] == [cell.cell_type == "code" for cell in read_notebook(solved, EXERCISES).cells[first:]]
    assert not any("raises-exception" in tags(cell) for cell in read_notebook(solved, SOLUTIONS).cells)


def test_the_solutions_hold_what_their_checks_said(solved: Path) -> None:
    [output] = cell(solved, SOLUTIONS, 'check("trial/doubled"').outputs
    assert output.data[CHECK_TYPE] == {
        "exercise": "trial/doubled", "passed": True, "laws": ["it is twice the number"],
    }  # fmt: skip
    assert "2 of 2 exercises solved" in cell(solved, SOLUTIONS, "progress").outputs[0].text
    assert 0 < read_costs(solved)[SOLUTIONS].cpu_seconds < 30
    assert EXERCISES not in costs_path(solved).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [EXERCISES, SOLUTIONS])
def test_nbgrader_finds_answers_and_their_tests(solved: Path, name: str) -> None:
    found = {
        about["grade_id"]: (about["solution"], about["grade"], about["locked"], about.get("points"))
        for about in (cell.metadata.get("nbgrader") for cell in read_notebook(solved, name).cells)
        if about and (about["schema_version"], about["task"]) == (3, False)
    }
    assert found == {
        "doubled": (True, False, False, None),
        "check-doubled": (False, True, True, 1),
        "half_of_seven": (True, False, False, None),
        "check-half_of_seven": (False, True, True, 1),
    }


@pytest.mark.parametrize("name", [EXERCISES, SOLUTIONS])
def test_a_notebook_names_its_chapter(solved: Path, name: str) -> None:
    assert read_notebook(solved, name).metadata["mmcourse"]["chapter"] == "trial"


# ------------------------------------------------------------------------------------------------ `make notebooks`


def test_running_again_leaves_every_byte(course: Path) -> None:
    before = files(course)
    assert notebooks.main(course, ["--check"]) == 0
    assert notebooks.main(course, ["--force"]) == 0
    assert files(course) == before


@pytest.mark.usefixtures("_never_run")
def test_new_words_reach_both_notebooks_and_run_nothing(course: Path) -> None:
    edit(source_path(course, SOLUTIONS), "# What is half of seven?", "# Halve seven.")
    assert notebooks.main(course, ["--check"]) == 1
    assert notebooks.main(course, []) == 0
    for name in (EXERCISES, SOLUTIONS):
        assert "Halve seven." in notebook_path(course, name).read_text(encoding="utf-8")
    assert notebooks.main(course, ["--check"]) == 0


@pytest.mark.usefixtures("_never_run")
def test_a_missing_blank_notebook_is_noticed_and_made(course: Path) -> None:
    before = files(course)
    notebook_path(course, EXERCISES).unlink()
    assert notebooks.main(course, ["--check"]) == 1
    assert notebooks.main(course, []) == 0
    assert files(course) == before


@pytest.mark.usefixtures("_never_run")
def test_a_moved_marker_reaches_learners_and_runs_nothing(course: Path) -> None:
    line = "    twice_as_much = 2 * number\n"
    edit(source_path(course, SOLUTIONS), f"    ### BEGIN SOLUTION\n{line}", f"{line}    ### BEGIN SOLUTION\n")
    assert notebooks.main(course, []) == 0
    assert "twice_as_much" in notebook_path(course, EXERCISES).read_text(encoding="utf-8")


def test_a_solution_that_is_wrong_leaves_both_notebooks(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(course / "notebooks" / "trial")
    edit(source_path(course, SOLUTIONS), "2 * number", "3 * number")
    assert notebooks.main(course, []) == 1
    said = capsys.readouterr().out
    assert "trial/solutions: FAILED, its notebook stays as it was\n    notebooks/trial/exercises.py:" in said
    assert "it is twice the number" in said
    after = files(course / "notebooks" / "trial")
    assert {name for name in after if after[name] != before[name]} == {"exercises.py"}


@pytest.mark.usefixtures("_never_run")
@pytest.mark.parametrize("arguments", [[], ["--force"], ["--check"]], ids=" ".join)
def test_an_answer_without_its_end_reaches_no_learner(course: Path, arguments: list[str]) -> None:
    path = source_path(course, SOLUTIONS)
    edit(path, "half_of_seven = 7 / 2\n### END SOLUTION\n", "half_of_seven = 7 / 2\n")
    lines = path.read_text(encoding="utf-8").splitlines()
    number = lines.index("half_of_seven = 7 / 2")  # the marker stands above it
    before = files(course)
    with pytest.raises(
        SystemExit, match=rf"notebooks/trial/exercises\.py:{number}: `### BEGIN SOLUTION` has no partner"
    ):
        notebooks.main(course, arguments)
    assert files(course) == before


@pytest.mark.usefixtures("_never_run")
def test_edits_of_the_solutions_in_jupyterlab_come_back_into_the_source(course: Path) -> None:
    path = notebook_path(course, SOLUTIONS)
    edit(path, "What is half of seven?", "Brought back.")
    assert notebooks.main(course, ["--from-ipynb"]) == 0
    text = source_path(course, SOLUTIONS).read_text(encoding="utf-8")
    assert "# Brought back." in text
    assert "    ### BEGIN SOLUTION\n    twice_as_much" in text
    assert "Brought back." in notebook_path(course, EXERCISES).read_text(encoding="utf-8")
    assert notebooks.main(course, ["--check"]) == 0


@pytest.mark.usefixtures("_never_run")
@pytest.mark.parametrize("arguments", [[], ["--from-ipynb"]])
def test_answers_written_into_the_blank_notebook_are_not_written_over(course: Path, arguments: list[str]) -> None:
    path = notebook_path(course, EXERCISES)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    [stub] = [cell for cell in notebook["cells"] if "".join(cell["source"]).startswith("def doubled")]
    stub["source"] = "def doubled(number):\n    return number + number"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    before = files(course)
    with pytest.raises(SystemExit, match=r"Answers belong in my/trial\.ipynb"):
        notebooks.main(course, arguments)
    assert files(course) == before


@pytest.mark.usefixtures("_never_run")
def test_a_new_address_reaches_both_notebooks(course: Path) -> None:
    set_url(course, "https://github.com/some-body/course")
    assert read_source(course, EXERCISES).cells[1].source == colab_cell("https://github.com/some-body/course")
    assert notebooks.main(course, []) == 0
    for name in (EXERCISES, SOLUTIONS):
        assert "some-body/course" in notebook_path(course, name).read_text(encoding="utf-8")
