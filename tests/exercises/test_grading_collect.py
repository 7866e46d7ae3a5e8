"""Which notebooks are graded, how the command ends, and a whole class in one command."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from mmcourse import cli
from mmcourse.exercises import chapters, checking
from mmcourse.exercises.grading import collect, supervise
from mmcourse.exercises.grading.scores import Grade
from mmcourse.exercises.laws import UNANSWERED
from tests.exercises.grading import TOY, answers, save, tree

pytestmark = pytest.mark.timeout(120)
KNOWN = ", ".join(sorted([*checking.chapters(), "toy"]))


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The chapter `toy` beside those of the course, and an empty current folder."""
    monkeypatch.setattr(chapters, "__path__", [*chapters.__path__, str(TOY)])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def unrun(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is run: each notebook that would be is solved where its name does not say "wrong"."""

    def stand_in(task: collect.Task, *_: object) -> Grade:
        return Grade(task.chapter, str(task.path), (), task.submission, "wrong" if "wrong" in task.path.name else "")

    monkeypatch.setattr(collect, "grade", stand_in)
    return toy


def test_a_chapter_a_path_or_nothing(unrun: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(unrun / "my" / "toy.ipynb", answers())
    save(unrun / "my" / "notes.ipynb", ["a = 1"], chapter="")
    for wanted in (["toy"], ["my/toy.ipynb"], ["my"], ["my/"], []):
        assert cli.main(["grade", *wanted]) == 0
        assert "toy.ipynb)" in capsys.readouterr().out


def test_a_folder_stands_for_the_notebooks_in_it(unrun: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("toy", "again", "wrong"):
        save(unrun / "mine" / f"{name}.ipynb", answers())
    (unrun / "mine" / "torn.ipynb").write_text("{", encoding="utf-8")  # of no chapter that could be told
    (unrun / "mine" / "fusion.ipynb").mkdir()
    assert cli.main(["grade", "mine"]) == 1
    shown = [line for line in capsys.readouterr().out.splitlines() if line.endswith(")")]
    assert [line[line.index("(") :] for line in shown] == [
        f"({Path('mine') / name}.ipynb)" for name in ("again", "fusion", "toy", "wrong")
    ]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (["toy"], "does not exist; `make lab` makes your copy of the exercises"),
        (["nonsense"], f"nonsense: neither a chapter with exercises ({KNOWN}) nor a file"),
        (["no/such.ipynb"], "nor a file"),
        ([], "no exercises in"),
        (["empty"], f"no notebook in empty belongs to a chapter ({KNOWN}); `--all empty` grades its sub-folders"),
        (["none.ipynb"], "none.ipynb: an empty file"),
        (["torn.ipynb"], "torn.ipynb: the file is damaged or cut off; restore an older version"),
        (["text.ipynb"], "text.ipynb: no cell of it holds code"),
        (["torn.ipynb", "right/toy.ipynb"], "torn.ipynb: the file is damaged"),
        (["notes.ipynb"], f"notes.ipynb: of which chapter? Exercises are known for: {KNOWN}"),
        (["--all", "nowhere"], "nowhere is not a folder"),
        (["--all", "empty"], "empty has no sub-folders; each submission is one"),
        (["--all", ".", "fusoin"], f"no exercises for fusoin; there are: {KNOWN}"),
    ],
)
def test_nothing_to_grade_ends_with_2_and_says_what_there_is(
    unrun: Path, capsys: pytest.CaptureFixture[str], wanted: list[str], sentence: str
) -> None:
    (unrun / "my").mkdir()
    (unrun / "empty").mkdir()
    save(unrun / "notes.ipynb", ["a = 1"], chapter="")
    save(unrun / "right" / "toy.ipynb", answers())
    save(unrun / "text.ipynb", [])
    (unrun / "none.ipynb").touch()
    (unrun / "torn.ipynb").write_text("{", encoding="utf-8")
    assert cli.main(["grade", *wanted]) == 2
    assert sentence in capsys.readouterr().err


def test_something_unsolved_ends_with_1(unrun: Path) -> None:
    save(unrun / "right.ipynb", answers())
    save(unrun / "wrong.ipynb", answers())
    assert cli.main(["grade", "right.ipynb"]) == 0
    assert cli.main(["grade", "right.ipynb", "wrong.ipynb"]) == 1


@pytest.mark.parametrize("option", ["--seconds", "--memory", "--jobs"])
@pytest.mark.parametrize("given", ["0", "-1", "nan", "inf", "abc", ""])
def test_limits_that_are_none_are_refused(option: str, given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["grade", f"{option}={given}"])
    kind = "whole number" if option == "--jobs" else "number"
    assert f"argument {option}: a {kind} above 0 is wanted, got {given!r}" in capsys.readouterr().err


def test_a_file_that_is_no_notebook_gets_no_points_and_a_sentence(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (toy / "toy.ipynb").write_text("", encoding="utf-8")
    assert cli.main(["grade", "toy.ipynb"]) == 1
    assert capsys.readouterr().out.splitlines()[:2] == ["toy: 0 of 3 points (toy.ipynb)", "  an empty file"]


def test_every_report_is_written_in_one_run(toy: Path) -> None:
    save(toy / "my" / "toy.ipynb", answers(five="five = 4"))
    (toy / "summary.md").write_text("before\n", encoding="utf-8")
    files = ["--json", "r.json", "--junit", "r.xml", "--csv", "r.csv", "--summary", "summary.md"]
    assert cli.main(["grade", "toy", *files]) == 1
    assert json.loads((toy / "r.json").read_text(encoding="utf-8"))["points"] == 2
    assert 'failures="1"' in (toy / "r.xml").read_text(encoding="utf-8")
    assert len((toy / "r.csv").read_text(encoding="utf-8").splitlines()) == 4
    assert (toy / "summary.md").read_text(encoding="utf-8").startswith("before\n## 2 of 3 points")


def test_a_report_that_cannot_be_written_is_said(unrun: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(unrun / "toy.ipynb", answers())
    assert cli.main(["grade", "toy.ipynb", "--json", "."]) == 2
    assert "a report could not be written" in capsys.readouterr().err


def test_ctrl_c_ends_with_130_and_without_a_report(
    unrun: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(collect, "grade", interrupted)
    save(unrun / "toy.ipynb", answers())
    assert cli.main(["grade", "toy.ipynb", "--json", "r.json"]) == 130
    assert "broken off" in capsys.readouterr().err
    assert not (unrun / "r.json").exists()


# ---------------------------------------------------------------------------------------------- a class


def handed_in(folder: Path, submission: str, cells: list[str]) -> None:
    save(folder / submission / "my" / "toy.ipynb", cells)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_class_in_one_command(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forks = toy / "forks"
    handed_in(forks, "ann", answers())
    handed_in(forks, "ben", answers(five="five = 4"))
    handed_in(forks, "cyd", ["import os", *answers(double="os._exit(0)")])
    handed_in(forks, "=eve", answers())
    (forks / "dan" / "my").mkdir(parents=True)
    (forks / "fay" / "my").mkdir(parents=True)
    (forks / "fay" / "my" / "toy.ipynb").write_text("{", encoding="utf-8")
    (forks / "gus" / "my").mkdir(parents=True)
    (forks / "gus" / "my" / "toy.ipynb").symlink_to(forks / "ann" / "my" / "toy.ipynb")
    (forks / "README.md").write_text("no submission", encoding="utf-8")
    (forks / ".git").mkdir()
    for trap in (
        "mmcourse.py",
        "conftest.py",
        "sitecustomize.py",
        "my/numpy.py",
    ):  # of a submission nothing is imported
        (forks / "ann" / trap).write_text("raise SystemExit(99)", encoding="utf-8")
    before = tree(forks)
    assert cli.main(["grade", "--all", "forks", "--csv", "marks.csv", "--jobs", "2"]) == 1
    assert tree(forks) == before
    shown = capsys.readouterr().out
    points = {row.split()[0]: int(row.split()[1]) for row in shown.splitlines()[1:8]}
    assert points == {"=eve": 3, "ann": 3, "ben": 2, "cyd": 2, "dan": 0, "fay": 0, "gus": 0}
    assert "dan, toy: not handed in" in shown
    assert "fay, toy: the file is damaged or cut off; restore an older version" in shown
    assert "gus, toy: a link that leads out of the submission" in shown
    with (toy / "marks.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 7 * 3
    assert [row["sentence"] for row in rows if row["submission"] == "dan"] == ["not handed in"] * 3


def test_the_chapters_are_those_that_were_asked_for_else_those_that_came(toy: Path) -> None:
    handed_in(toy / "forks", "ann", answers())
    (toy / "forks" / "ben").mkdir()
    assert [(task.submission, task.chapter) for task in collect.tasks_of_all(toy / "forks", [])] == [
        ("ann", "toy"),
        ("ben", "toy"),
    ]
    assert {task.chapter for task in collect.tasks_of_all(toy / "forks", ["fusion"])} == {"fusion"}


def test_a_fault_of_the_grader_is_one_submissions_and_is_said(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def faulty(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(supervise, "run", faulty)
    handed_in(toy / "forks", "ann", answers())
    assert cli.main(["grade", "--all", "forks"]) == 1
    assert "a fault of the grader, please report it: RuntimeError: out of order" in capsys.readouterr().out


@pytest.mark.parametrize("chapter", checking.chapters())
def test_the_blank_notebook_of_the_course_is_told_that_nothing_is_answered(chapter: str) -> None:
    blank = cli.NOTEBOOKS / chapter / "exercises.ipynb"
    result = collect.grade(collect.Task(blank, chapter), supervise.Limits())
    assert {score.sentence for score in result.scores} == {UNANSWERED}
    assert result.notes == ()
