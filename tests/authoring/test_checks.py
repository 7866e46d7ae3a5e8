"""Each rule for lessons refuses what it is there to refuse. (The skeleton, which keeps them, is in test_notebooks.)"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from authoring import checks
from authoring.checks import Lesson
from authoring.claims import claims_text
from authoring.convert import read_notebook
from authoring.costs import COLUMNS, budget_faults, costs_path
from authoring.lessons import notebook_path, source_path

LESSON = "trial/mean"
Rule = Callable[[Lesson], object]
Notebook = nbformat.NotebookNode


def faults(rule: Rule, root: Path) -> str:
    return "\n".join(rule(Lesson(root, LESSON)))


def change_notebook(root: Path, change: Callable[[Notebook], object]) -> None:
    notebook = read_notebook(root, LESSON)
    change(notebook)
    notebook_path(root, LESSON).write_text(nbformat.writes(notebook), encoding="utf-8")


def change_source(root: Path, before: str, after: str) -> None:
    path = source_path(root, LESSON)
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def code(notebook: Notebook, number: int) -> Notebook:
    return [cell for cell in notebook.cells if cell.cell_type == "code"][number]


def figure(notebook: Notebook) -> Notebook:
    return code(notebook, -1).outputs[-1]


def stream(name: str, text: str) -> Callable[[Notebook], object]:
    return lambda notebook: code(notebook, 1).outputs.append(nbformat.v4.new_output("stream", name=name, text=text))


def shown(**data: object) -> Callable[[Notebook], object]:
    return lambda notebook: code(notebook, 1).outputs.append(nbformat.v4.new_output("display_data", data=data))


def error(notebook: Notebook) -> None:
    code(notebook, 1).outputs.append(nbformat.v4.new_output("error", ename="ValueError", evalue="x", traceback=[]))


def described(field: str, text: str) -> Callable[[Notebook], object]:
    return lambda notebook: figure(notebook).metadata["mmcourse"].update({field: text})


def heavy(notebook: Notebook) -> None:
    figure(notebook).data["image/png"] = base64.b64encode(bytes(100_001)).decode()


def twice(notebook: Notebook) -> None:
    code(notebook, -1).outputs.extend(code(notebook, -1).outputs[:])


@pytest.mark.parametrize(
    ("rule", "change", "named"),
    [
        (checks.notebook_equals_source, lambda notebook: notebook.cells[0].update(source="# Other"), "was edited"),
        (checks.notebook_equals_source, lambda notebook: notebook.cells[2].metadata.update(tags=["x"]), "was edited"),
        (checks.notebook_equals_source, lambda notebook: notebook.cells[0].update(cell_type="raw"), "was edited"),
        (checks.notebook_equals_source, lambda notebook: notebook.cells.pop(), "was edited"),
        (checks.notebook_is_normal, lambda notebook: notebook.cells[0].update(id="random"), "not as `make notebooks`"),
        (checks.notebook_is_normal, lambda notebook: notebook.cells[0].metadata.update(editable=True), "not as"),
        (checks.notebook_is_normal, lambda notebook: notebook.metadata.update(papermill={}), "not as"),
        (checks.notebook_is_normal, lambda notebook: notebook.metadata["mmcourse"].update(content="x"), "not as"),
        (checks.outputs_are_current, lambda notebook: code(notebook, 2).update(outputs=[]), "make notebooks"),
        (checks.outputs_are_current, lambda notebook: notebook.metadata["mmcourse"].update(code="x"), "make notebooks"),
        (checks.outputs_are_current, lambda notebook: notebook.metadata.pop("mmcourse"), "make notebooks"),
        (checks.every_cell_ran, lambda notebook: code(notebook, 1).update(execution_count=None), "None"),
        (checks.every_cell_ran, lambda notebook: code(notebook, 1).update(execution_count=9), "9"),
        (checks.outputs_are_clean, error, "a stored error: ValueError: x"),
        (checks.outputs_are_clean, stream("stderr", "UserWarning: x"), "a stored warning: UserWarning"),
        (checks.outputs_are_clean, stream("stdout", "  0%|          | 0/5"), "dead progress bar"),
        (checks.outputs_are_clean, stream("stdout", "5 steps, 3.2it/s"), "dead progress bar"),
        (checks.outputs_are_clean, stream("stdout", "saved to /private/x.png"), "one machine: '/private/x.png'"),
        (checks.outputs_are_clean, stream("stdout", "claim: x (your run 0.7, ours 0.6)"), "a number of one run"),
        (checks.outputs_are_clean, shown(**{"application/vnd.jupyter.widget-view+json": {}}), "cannot show"),
        (checks.figures_are_described, described("alt", " "), "has no alt"),
        (checks.figures_are_described, described("caption", ""), "has no caption"),
        (checks.figures_are_described, lambda notebook: figure(notebook).update(metadata={}), "has no name, caption"),
        (checks.has_a_figure, lambda notebook: code(notebook, -1).outputs.pop(), "it has no figure"),
        (checks.figures_are_described, heavy, "has 100 kB, wanted at most 100"),
        (checks.figures_are_described, twice, "2 figures are called errors"),
        (checks.numbers_have_one_key, twice, "2 claims or exact numbers have the key error-ratio"),
    ],
)  # fmt: skip
def test_a_notebook_with_a_fault(
    repository: Path, rule: Rule, change: Callable[[Notebook], object], named: str
) -> None:
    assert not faults(rule, repository)
    change_notebook(repository, change)
    assert named in faults(rule, repository)


LONG = "\n".join(f"x{number} = {number}" for number in range(26))


@pytest.mark.parametrize(
    ("rule", "before", "after", "named"),
    [
        (checks.opens_as_a_lesson, "# **Before this:**", "# Before this:", "its first cell"),
        (checks.opens_as_a_lesson, "# # Mean", "# Mean", "its first cell"),
        (checks.opens_as_a_lesson, "# ## What to keep", "# # What to keep", "one heading of the first level"),
        (checks.opens_as_a_lesson, f'setup("{LESSON}")', 'setup("trial/other")', f'setup("{LESSON}")'),
        (checks.colab_cell_is_generated, "--no-deps git+https", "git+https", "not the generated one"),
        (checks.colab_cell_is_generated, "OWNER/mmcourse", "OTHER/mmcourse", "not the generated one"),
        (checks.colab_cell_is_generated, ' tags=["colab"]', "", "the second cell"),
        (checks.colab_cell_is_generated, "# %%\nreadings", '# %% tags=["colab"]\nreadings', "and only it"),
        (checks.cells_are_short, "readings = np", f"{LONG}\nreadings = np", "has 28 lines"),
        (checks.cells_are_short, "readings = np", f"x = '{'a' * 84}'\nreadings = np", "(cell 5): has 90 characters"),
        (checks.code_runs_anywhere, "readings = np", "# !ls\nreadings = np", "a shell command: !l"),
        (checks.code_runs_anywhere, "readings = np", "# %timeit x\nreadings = np", "a magic"),
        (checks.code_runs_anywhere, '"mean of two"', '"两个的平均"', "Chinese"),
        (checks.markdown_is_plain, "# A baseline, the idea", "# It reaches 0.93, the idea", "(cell 8): a number typed"),
        (checks.experiments_exist, "readings = np", 'experiment("none")\nreadings = np', "no experiments/none.py"),
        (checks.experiments_exist, "readings = np", 'experiment("sweep")\nreadings = np', "no stored results"),
        (
            checks.notebook_equals_source,
            "# A baseline",
            "# Another baseline",
            "the .py was edited since: run",
        ),
        (checks.outputs_are_current, "size=(10_000, 2)", "size=(10_000, 3)", "changed since"),
    ],
)
def test_a_source_with_a_fault(repository: Path, rule: Rule, before: str, after: str, named: str) -> None:
    (repository / "experiments" / "sweep.py").write_text("", encoding="utf-8")
    assert not faults(rule, repository)
    change_source(repository, before, after)
    assert named in faults(rule, repository)


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (checks.markdown_is_plain, "# It reaches 0.93 of it."),
        (checks.code_runs_anywhere, "# %timeit by_hand"),
        (checks.cells_are_short, f"by_hand = '{'x' * 80}'"),
    ],
)
def test_a_fault_is_placed_in_the_source(repository: Path, rule: Rule, line: str) -> None:
    """In the middle of a cell: authors edit the .py."""
    after = "# one line a term, in the symbols" if rule is checks.markdown_is_plain else "by_hand = sum(readings)"
    text = source_path(repository, LESSON).read_text(encoding="utf-8")
    whole = next(old for old in text.splitlines() if old.lower().startswith(after))
    change_source(repository, whole, f"{whole}\n{line}")
    rows = source_path(repository, LESSON).read_text(encoding="utf-8").splitlines()
    cell = sum(row.startswith("# %%") for row in rows[: rows.index(line)])
    assert faults(rule, repository).startswith(f"notebooks/{LESSON}.py:{rows.index(line) + 1} (cell {cell}): ")


def test_a_picture_that_was_only_shown_is_one_fault(repository: Path) -> None:
    change_notebook(repository, lambda notebook: figure(notebook).update(metadata={}))
    assert len(list(checks.figures_are_described(Lesson(repository, LESSON)))) == 1


def test_a_notebook_that_was_edited_gets_both_ways_out(repository: Path) -> None:
    change_notebook(repository, lambda notebook: code(notebook, 1).update(source="other"))
    said = faults(checks.notebook_equals_source, repository)
    assert f'`make notebooks ARGS="{LESSON} --from-ipynb"` brings the edits into the .py' in said
    assert f'`make notebooks ARGS="{LESSON} --force"` writes over them' in said


def test_a_changed_package_file_makes_outputs_stale(repository: Path) -> None:
    path = repository / "mmcourse" / "lesson.py"
    path.write_text(path.read_text(encoding="utf-8").replace("100_000", "90_000"), encoding="utf-8")
    assert "make notebooks" in faults(checks.outputs_are_current, repository)


def test_a_lesson_without_notebook_is_named(repository: Path) -> None:
    notebook_path(repository, LESSON).unlink()
    with pytest.raises(AssertionError, match=r"trial/mean\.ipynb is missing: run `make notebooks`"):
        faults(checks.every_cell_ran, repository)


def test_extras_of_a_lesson_stay_in_its_colab_cell(repository: Path) -> None:
    change_source(repository, "-m mmcourse.colab", "-m mmcourse.colab speech")
    assert not faults(checks.colab_cell_is_generated, repository)


def test_claims_that_differ_from_the_stored_ones_show(repository: Path) -> None:
    before = claims_text(repository)
    record = "application/vnd.mmcourse.claim+json"
    change_notebook(repository, lambda notebook: code(notebook, -1).outputs[0].data[record].update(value=0.75))
    assert claims_text(repository) != before


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([], "no row in costs.csv"),
        (["trial/mean,1,100,100", "trial/gone,1,100,100"], "trial/gone: a row of no lesson"),
        (["trial/mean,101,100,200"], "budget 200 s, at most 100 s"),
        (["trial/mean,20,100,10"], "20 s, budget 10 s"),
        (["trial/mean,20,2001,100"], "2001 MB of memory"),
        (["trial/mean,31,100,100"], "half of the lessons"),
    ],
)
def test_a_budget_that_is_broken(repository: Path, rows: list[str], named: str) -> None:
    assert list(budget_faults(repository)) == []
    costs_path(repository).write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    assert named in "\n".join(budget_faults(repository))


@pytest.mark.parametrize(("lessons", "long", "kept"), [(5, 1, True), (5, 2, False), (12, 2, True), (12, 3, False)])
def test_one_lesson_in_six_may_be_long(empty: Path, lessons: int, long: int, kept: bool) -> None:
    rows = [",".join(COLUMNS)]
    for number in range(lessons):
        source_path(empty, f"a/l{number}").parent.mkdir(exist_ok=True)
        source_path(empty, f"a/l{number}").write_text("", encoding="utf-8")
        rows.append(f"a/l{number},{61 if number < long else 10},100,100")
    costs_path(empty).write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert (not list(budget_faults(empty))) is kept
