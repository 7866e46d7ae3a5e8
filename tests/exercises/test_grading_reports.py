"""Grades as text, JSON, JUnit, CSV and Markdown: complete, and never more than words."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mmcourse.exercises.grading import reports
from mmcourse.exercises.grading.scores import Grade, Score

SOLVED = Score("double", 1, "solved: 2 laws hold", ("a", "b"))
BROKEN = Score("five", 0, "broken: the law. Hint: Think.", (), "the law", "Think.", "Got 4.", "code cell 3 stopped")
HALF = Grade("toy", "my/toy.ipynb", (SOLVED, BROKEN), notes=("Code cell 2 was stopped.",), output="hello", seconds=1.5)
NASTY = "=1+1 | <b>x</b> \x1b[31mred\x1b[0m [a](http://b) @all\n\x00\ud800 end"


def nasty() -> Grade:
    return Grade("toy", "my/toy.ipynb", (Score("five", 0, NASTY, (), NASTY, NASTY, NASTY),), NASTY, notes=(NASTY,))


def test_text_shows_law_case_hint_and_notes() -> None:
    assert reports.text([HALF]).splitlines() == [
        "toy: 1 of 2 points (my/toy.ipynb)",
        "  ✓ double  solved: 2 laws hold",
        "  ✗ five    broken: the law",
        "            Got 4.",
        "            Hint: Think.",
        "            code cell 3 stopped",
        "  Code cell 2 was stopped.",
        "",
        "1 of 2 points",
    ]


def test_a_cause_stands_before_what_follows_from_it() -> None:
    grade = Grade("toy", "my/toy.ipynb", (SOLVED, BROKEN), causes=("Code cell 2 stopped.",), notes=("Late.",))
    assert reports.text([grade]).splitlines()[:2] == ["toy: 1 of 2 points (my/toy.ipynb)", "  Code cell 2 stopped."]
    assert reports.as_markdown([grade]).splitlines()[2:6] == [
        "### toy: 1 of 2",
        "",
        "Code cell 2 stopped.",
        "",
    ]
    assert grade.remarks == ("Code cell 2 stopped.", "Late.")
    assert json.loads(reports.as_json([grade]))["notebooks"][0]["causes"] == ["Code cell 2 stopped."]
    for made in (reports.text, reports.as_markdown):
        assert made([grade]).count("Code cell 2 stopped.") == 1


def test_text_names_the_trouble_once() -> None:
    trouble = Grade("toy", "my/toy.ipynb", (Score("five", 0, "an empty file"),), trouble="an empty file")
    assert reports.text([trouble]).splitlines()[:2] == ["toy: 0 of 1 points (my/toy.ipynb)", "  an empty file"]


def test_a_trouble_that_came_late_hides_no_points() -> None:
    late = Grade("toy", "my/toy.ipynb", (SOLVED, BROKEN), trouble="the notebook crashed Python")
    for made in (reports.text, reports.as_markdown):
        assert "solved: 2 laws hold" in made([late])
        assert "the notebook crashed Python" in made([late])


def test_long_lines_are_wrapped() -> None:
    long = Grade("toy", "my/toy.ipynb", (Score("five", 0, "word " * 100),))
    assert max(map(len, reports.text([long]).splitlines())) <= 120


def test_json_holds_everything() -> None:
    found = json.loads(reports.as_json([HALF]))
    assert (found["points"], found["of"]) == (1, 2)
    (notebook,) = found["notebooks"]
    assert notebook["scores"][1] == {
        "exercise": "five", "points": 0, "sentence": "broken: the law. Hint: Think.", "held": [], "law": "the law",
        "hint": "Think.", "seen": "Got 4.", "also": "code cell 3 stopped",
    }  # fmt: skip
    assert (notebook["chapter"], notebook["notes"], notebook["output"]) == (
        "toy",
        ["Code cell 2 was stopped."],
        "hello",
    )


def test_junit_has_a_suite_a_notebook_and_a_case_an_exercise() -> None:
    suites = ElementTree.fromstring(reports.as_junit([HALF]))
    assert suites.attrib == {"tests": "2", "failures": "1", "errors": "0"}
    assert [case.get("name") for case in suites.iter("testcase")] == ["double", "five"]
    (failure,) = suites.iter("failure")
    assert failure.get("message") == "broken: the law. Hint: Think."
    assert failure.text == "the law\nGot 4.\nThink."


def test_csv_has_a_row_an_exercise() -> None:
    rows = list(csv.DictReader(io.StringIO(reports.as_csv([HALF]))))
    assert list(rows[0]) == ["submission", "chapter", "exercise", "points", "of", "sentence"]
    assert [(row["exercise"], row["points"], row["of"]) for row in rows] == [("double", "1", "1"), ("five", "0", "1")]


def test_markdown_shows_score_table_laws_and_hints() -> None:
    shown = reports.as_markdown([HALF]).splitlines()
    assert shown[0] == "## 1 of 2 points"
    assert "| five | ❌ | broken: the law. Hint: Think. |" in shown
    assert "- **five**: the law. Got 4." in shown
    assert "  Hint: Think." in shown
    assert "- Code cell 2 was stopped." in shown


def test_what_a_learner_wrote_is_no_formula_no_markup_and_no_control_character() -> None:
    row = next(csv.DictReader(io.StringIO(reports.as_csv([nasty()]))))
    assert row["submission"].startswith("'=1+1")
    assert row["sentence"].startswith("'=1+1")
    markdown = reports.as_markdown([nasty()])
    for mark in ("<b>", " [a]", " @all", "x</b>", "\x1b", "\x00"):
        assert mark not in markdown
    assert "=1+1 \\| " in markdown
    ElementTree.fromstring(reports.as_junit([nasty()]))
    for made in (reports.text, reports.table, reports.as_csv, reports.as_json, reports.as_junit, reports.as_markdown):
        made([nasty()]).encode("utf-8")


def test_the_table_has_a_row_a_submission_and_a_column_a_chapter() -> None:
    def of(submission: str, chapter: str, *scores: Score, trouble: str = "") -> Grade:
        return Grade(chapter, "", scores, submission, trouble)

    grades = [of("ann", "toy", SOLVED, BROKEN), of("ann", "fusion", SOLVED), of("bob", "toy", BROKEN, BROKEN)]
    shown = reports.table([*grades, of("bob", "fusion", BROKEN, trouble="not handed in")]).splitlines()
    assert shown[:3] == [
        "submission     toy  fusion  points",
        "ann         1 of 2  1 of 1  2 of 3",
        "bob         0 of 2  0 of 1  0 of 3",
    ]
    assert shown[4] == "bob, fusion: not handed in"


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "report.json"
    reports.write(path, "first")

    def full(self: Path, target: Path) -> Path:
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="full"):
        reports.write(path, "second")
    assert path.read_text(encoding="utf-8") == "first"
    assert [file.name for file in path.parent.iterdir()] == ["report.json"]


def test_the_summary_is_added_to_what_stands_there(tmp_path: Path) -> None:
    (tmp_path / "summary.md").write_text("before\n", encoding="utf-8")
    reports.append(tmp_path / "summary.md", "after\n")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == "before\nafter\n"
