"""`make notebooks`: what runs again, what is kept, and what a lesson that fails leaves behind."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from authoring import notebooks
from authoring.checks import RULES, Lesson, outputs_are_current, skeleton_is_replaced
from authoring.claims import claims_path, claims_text
from authoring.convert import HEADER, read_notebook, to_text
from authoring.costs import Cost, costs_path, read_costs
from authoring.lessons import notebook_path, source_path
from tests.authoring.small_repository import edit, files

LESSON = "trial/mean"


def test_the_skeleton_keeps_every_rule_but_the_one_against_skeletons(executed: Path) -> None:
    for rule in RULES:
        faults = list(rule(Lesson(executed, LESSON)))
        assert bool(faults) is (rule is skeleton_is_replaced), f"{rule.__name__}: {faults}"


def test_what_is_stored_beside_the_notebook(executed: Path) -> None:
    cost = read_costs(executed)[LESSON]
    assert 0.2 < cost.cpu_seconds < 30
    assert 40 < cost.peak_mb < 1000
    assert cost.budget_seconds == 100
    assert claims_path(executed).read_text(encoding="utf-8") == claims_text(executed)
    assert '"error-ratio": 0.70' in claims_text(executed)
    reads = read_notebook(executed, LESSON).metadata["mmcourse"]["reads"]
    assert {"mmcourse/__init__.py", "mmcourse/lesson.py", "requirements.lock"} <= set(reads)


def test_running_again_leaves_every_byte(repository: Path) -> None:
    before = files(repository)
    assert notebooks.main(repository, ["--force"]) == 0
    assert files(repository) == before


@pytest.mark.usefixtures("_never_run")
def test_nothing_changed_nothing_runs(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(repository)
    assert notebooks.main(repository, ["--check"]) == 0
    assert notebooks.main(repository, []) == 0
    assert capsys.readouterr().out == "1 up to date, 0 to execute\n"
    assert files(repository) == before


@pytest.mark.usefixtures("_never_run")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# A baseline, the idea, a picture.", "# Something else.\n#\n# And a second paragraph."),
        ("readings = np", "# a comment\n\nreadings = np"),
        (
            "# %% [markdown]\n# ## The experiment",
            "# %% [markdown]\n# A new cell.\n\n# %% [markdown]\n# ## The experiment",
        ),
    ],
    ids=["words", "a comment", "a new cell of words"],
)
def test_edits_that_change_no_result_keep_the_outputs(repository: Path, before: str, after: str) -> None:
    outputs = [cell.get("outputs") for cell in read_notebook(repository, LESSON).cells if cell.cell_type == "code"]
    edit(source_path(repository, LESSON), before, after)
    assert notebooks.main(repository, ["--check"]) == 1
    assert notebooks.main(repository, []) == 0
    assert notebooks.main(repository, ["--check"]) == 0
    made = [cell.get("outputs") for cell in read_notebook(repository, LESSON).cells if cell.cell_type == "code"]
    assert made == outputs


@pytest.mark.usefixtures("_never_run")
@pytest.mark.parametrize(
    ("file", "before", "after", "why"),
    [
        (f"notebooks/{LESSON}.py", "size=(10_000, 2)", "size=(10_000, 3)", "its code changed"),
        ("mmcourse/lesson.py", "LARGEST_FIGURE = 100_000", "LARGEST_FIGURE = 100_001", "mmcourse/lesson.py changed"),
        ("requirements.lock", "numpy==1.0", "numpy==1.1", "requirements.lock changed"),
        (
            f"notebooks/{LESSON}.ipynb",
            "the mean is off by 0.5",
            "the mean is off by 0.4",
            "a stored output was edited",
        ),
        (f"notebooks/{LESSON}.ipynb", '"reads"', '"read"', "its outputs do not say on which files they rest"),
    ],
    ids=["the lesson", "the package", "the lock", "a stored output", "another version of these tools"],
)
def test_what_can_change_a_result_runs_it_again_and_says_why(
    repository: Path, file: str, before: str, after: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(repository / file, before, after)
    assert notebooks.main(repository, ["--check"]) == 1
    assert capsys.readouterr().out == f"{LESSON}: {why}; run `make notebooks`\n"
    assert f"{why} since its outputs were stored" in "".join(outputs_are_current(Lesson(repository, LESSON)))
    with pytest.raises(AssertionError, match=f"would execute .*{LESSON}"):
        notebooks.main(repository, [])
    assert capsys.readouterr().out == f"0 up to date, 1 to execute\n{LESSON}: {why}\n"


@pytest.mark.usefixtures("_never_run")
def test_what_the_tests_would_find_is_said_at_once(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(source_path(repository, LESSON), "# A baseline, the idea", "# It reaches 0.93, the idea")
    assert notebooks.main(repository, []) == 0
    said = capsys.readouterr().out
    assert f"{LESSON}: converted, outputs kept\n    notebooks/{LESSON}.py:" in said
    assert "typed by hand" in said
    assert "    a sentence of the skeleton: " in said


@pytest.mark.usefixtures("_never_run")
def test_a_comment_in_the_package_runs_nothing(repository: Path) -> None:
    edit(repository / "mmcourse/lesson.py", "LARGEST_FIGURE = 100_000", "LARGEST_FIGURE = 100_000  # so much")
    assert notebooks.main(repository, []) == 0


def write_lesson(root: Path, name: str, code: str, *, ready: bool = True) -> None:
    start = f'# %%\nfrom mmcourse.lesson import setup\nsetup("{name}")\n' if ready else ""
    path = source_path(root, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{HEADER}{start}\n# %%\n{code}\n", encoding="utf-8")


def test_lessons_that_fail_say_where_and_leave_their_notebook(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (empty / "notebooks" / "numbers.csv").write_text("1\n", encoding="utf-8")
    write_lesson(empty, "bad/raises", "def f():\n    return 1 / 0\n\n\nx = 1\nf()")
    write_lesson(empty, "bad/hangs", "while True:\n    pass")
    write_lesson(empty, "bad/leaves", "import sys\nsys.exit(0)\n\n# %%\n1")
    write_lesson(empty, "bad/warns", "import warnings\n\n# %%\nwarnings.warn('old name')")
    write_lesson(empty, "bad/forgets", "x = 1", ready=False)
    write_lesson(empty, "good/reads", 'print(open("../numbers.csv").read())')
    old = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("old")])
    notebook_path(empty, "bad/raises").write_text(to_text(old), encoding="utf-8")
    costs_path(empty).write_text(
        "lesson,cpu_seconds,peak_mb,budget_seconds\nbad/hangs,1,100,0.5\ngone/lesson,1,100,100\n", encoding="utf-8"
    )

    assert notebooks.main(empty, ["--force"]) == 1

    said = capsys.readouterr().out
    line = source_path(empty, "bad/raises").read_text(encoding="utf-8").splitlines().index("    return 1 / 0") + 1
    assert f"notebooks/bad/raises.py:{line} (cell 2): ZeroDivisionError: division by zero" in said
    assert (
        "bad/hangs: FAILED, its notebook stays as it was\n    stopped after 1.5 s, its hang guard, in the cell" in said
    )
    assert "sys.exit" in said
    assert re.search(r"notebooks/bad/warns\.py:\d+ \(cell 3\): writes to stderr: .*UserWarning: old name", said)
    assert 'does it call setup("bad/forgets")?' in said
    assert re.search(r"\[\d/6\] good/reads: [\d.]+ s of processor time, \d+ MB\n", said)
    assert notebook_path(empty, "bad/raises").read_text(encoding="utf-8") == to_text(old)
    assert [path.name for path in (empty / "notebooks/bad").glob("*.ipynb")] == ["raises.ipynb"]
    assert not [path for path in (empty / "notebooks").rglob(".*") if path.is_file()], "a temporary file stayed"
    assert "notebooks/numbers.csv" in read_notebook(empty, "good/reads").metadata["mmcourse"]["reads"]
    assert sorted(read_costs(empty)) == ["bad/hangs", "good/reads"]
    assert read_costs(empty)["bad/hangs"] == Cost(1, 100, 0.5)


# ------------------------------------------------------------------------------------------ edits made in JupyterLab


def edit_in_jupyter(root: Path, before: str, after: str) -> None:
    notebook = read_notebook(root, LESSON)
    assert before in "".join(cell.source for cell in notebook.cells)
    for cell in notebook.cells:
        cell.source = cell.source.replace(before, after)
    notebook.metadata["language_info"]["version"] = "3.99"
    notebook_path(root, LESSON).write_text(nbformat.writes(notebook), encoding="utf-8")


@pytest.mark.usefixtures("_never_run")
def test_edits_in_jupyterlab_come_back_into_the_source(repository: Path) -> None:
    edit_in_jupyter(repository, "A baseline, the idea", "Brought back, the idea")
    assert notebooks.main(repository, ["--from-ipynb"]) == 0
    text = source_path(repository, LESSON).read_text(encoding="utf-8")
    assert "# Brought back, the idea" in text
    assert text.startswith(HEADER)
    assert "3.99" not in text + notebook_path(repository, LESSON).read_text(encoding="utf-8")
    assert notebooks.main(repository, ["--check"]) == 0


@pytest.mark.usefixtures("_never_run")
def test_edits_in_jupyterlab_are_not_written_over(repository: Path) -> None:
    edit_in_jupyter(repository, "A baseline, the idea", "Not saved, the idea")
    before = files(repository)
    with pytest.raises(SystemExit, match=f'`make notebooks ARGS="{LESSON} --from-ipynb"` brings the edits into'):
        notebooks.main(repository, [])
    assert files(repository) == before


@pytest.mark.usefixtures("_never_run")
def test_edits_on_both_sides_are_refused(repository: Path) -> None:
    edit_in_jupyter(repository, "A baseline, the idea", "One side, the idea")
    edit(source_path(repository, LESSON), "A baseline, the idea", "The other side, the idea")
    before = files(repository)
    with pytest.raises(SystemExit, match=r"both the \.py and the \.ipynb") as caught:
        notebooks.main(repository, ["--from-ipynb"])
    assert f'`make notebooks ARGS="{LESSON} --from-ipynb --force"` takes the .ipynb' in str(caught.value)
    assert f'`make notebooks ARGS="{LESSON} --force"` the .py' in str(caught.value)
    assert files(repository) == before


@pytest.mark.usefixtures("_never_run")
def test_a_run_in_jupyterlab_is_not_taken_for_a_stored_one(repository: Path) -> None:
    edit(notebook_path(repository, LESSON), "to 0.8)", "to 0.8; ours 0.7)")
    with pytest.raises(AssertionError, match="would execute"):
        notebooks.main(repository, [])


def test_an_unknown_lesson_is_named(repository: Path) -> None:
    with pytest.raises(SystemExit, match=r"no lesson 'trial/men'; there are: trial/mean"):
        notebooks.main(repository, ["trial/men"])


@pytest.mark.usefixtures("_never_run")
def test_a_lesson_can_be_named_by_its_path(repository: Path) -> None:
    assert notebooks.main(repository, [f"notebooks/{LESSON}.py"]) == 0
