"""Grades as text, JSON, JUnit, CSV and GitHub's Markdown. What learners wrote is quoted, never markup or a formula."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tempfile
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

import mmcourse
from mmcourse.exercises.grading.scores import Grade, Score

WIDTH = 120
COLUMNS = ("submission", "chapter", "exercise", "points", "of", "sentence")
UNPRINTABLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Without colours of a terminal and characters that neither XML nor UTF-8 can hold."""
    return UNPRINTABLE.sub("", text)


def line(text: str) -> str:
    return " ".join(clean(text).split())


def total(grades: Sequence[Grade]) -> str:
    return f"{sum(grade.points for grade in grades)} of {sum(grade.of for grade in grades)} points"


# ------------------------------------------------------------------------------------------------------- text


def text(grades: Sequence[Grade]) -> str:
    """What a learner reads in the terminal."""
    return "\n\n".join(["\n".join(_lines(grade)) for grade in grades] + [f"{total(grades)}\n"])


def _lines(grade: Grade) -> list[str]:
    head = f"{grade.chapter}: {grade.points} of {grade.of} points ({line(grade.notebook)})"
    if grade.trouble and not grade.points:
        return [head, *_wrapped(grade.trouble, "  ", 2)]
    width = max((len(score.exercise) for score in grade.scores), default=0)
    lines = [head, *(part for cause in grade.causes for part in _wrapped(cause, "  ", 2))]
    for score in grade.scores:
        first, *more = _explained(score)
        lines += _wrapped(first, f"  {'✓' if score.points else '✗'} {score.exercise:<{width}}  ", width + 6)
        lines += [part for words in more for part in _wrapped(words, " " * (width + 6), width + 6)]
    return [*lines, *(part for note in grade.later_remarks for part in _wrapped(note, "  ", 2))]


def _explained(score: Score) -> list[str]:
    """Why, in parts: a broken law, the case that broke it and the hint are easier to read apart."""
    if not score.law:
        return [score.sentence]
    return [part for part in (f"broken: {score.law}", score.seen, f"Hint: {score.hint}", score.also) if part]


def _wrapped(words: str, before: str, indent: int) -> list[str]:
    return textwrap.wrap(line(words), WIDTH, initial_indent=before, subsequent_indent=" " * indent)


def table(grades: Sequence[Grade]) -> str:
    """What an instructor reads: a row for each submission, a column for each chapter."""
    rows = _rows(grades)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    aligned = [
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    return "\n".join([*aligned, "", *_troubles(grades)]).rstrip() + "\n"


def _rows(grades: Sequence[Grade]) -> list[list[str]]:
    chapters = list(dict.fromkeys(grade.chapter for grade in grades))
    rows = [["submission", *chapters, "points"]]
    for submission in dict.fromkeys(grade.submission for grade in grades):
        own = [grade for grade in grades if grade.submission == submission]
        cells = {grade.chapter: f"{grade.points} of {grade.of}" for grade in own}
        rows.append([line(submission), *(cells[chapter] for chapter in chapters), total(own).removesuffix(" points")])
    return rows


def _troubles(grades: Sequence[Grade]) -> list[str]:
    said = [(grade, sentence) for grade in grades for sentence in grade.remarks]
    return [f"{line(grade.submission)}, {grade.chapter}: {line(sentence)}" for grade, sentence in said]


# ------------------------------------------------------------------------------------------------------- files


def as_json(grades: Sequence[Grade]) -> str:
    notebooks = [{**asdict(grade), "points": grade.points, "of": grade.of} for grade in grades]
    content = {
        "mmcourse": mmcourse.__version__,
        "points": sum(grade.points for grade in grades),
        "of": sum(grade.of for grade in grades),
        "notebooks": notebooks,
    }
    return json.dumps(content, indent=1) + "\n"


def as_junit(grades: Sequence[Grade]) -> str:
    """One test suite a notebook, one test case an exercise."""
    suites = ElementTree.Element("testsuites", _counts([score for grade in grades for score in grade.scores]))
    for grade in grades:
        name = clean("/".join(part for part in (grade.submission, grade.chapter) if part))
        about = {"name": name, **_counts(grade.scores), "time": f"{grade.seconds:.1f}"}
        suite = ElementTree.SubElement(suites, "testsuite", about)
        for score in grade.scores:
            case = ElementTree.SubElement(suite, "testcase", {"classname": name, "name": score.exercise})
            if not score.points:
                failure = ElementTree.SubElement(case, "failure", {"message": line(score.sentence)})
                failure.text = clean("\n".join(part for part in (score.law, score.seen, score.hint) if part))
        if grade.remarks:
            ElementTree.SubElement(suite, "system-out").text = clean("\n".join(grade.remarks))
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _counts(scores: Sequence[Score]) -> dict[str, str]:
    return {"tests": str(len(scores)), "failures": str(sum(not score.points for score in scores)), "errors": "0"}


def as_csv(grades: Sequence[Grade]) -> str:
    """One row an exercise. A cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    content = io.StringIO()
    rows = csv.writer(content, lineterminator="\n")
    rows.writerow(COLUMNS)
    for grade in grades:
        for score in grade.scores:
            cells = (grade.submission, grade.chapter, score.exercise, score.points, 1, score.sentence)
            rows.writerow([_no_formula(cell) if isinstance(cell, str) else cell for cell in cells])
    return content.getvalue()


def _no_formula(cell: str) -> str:
    cell = line(cell)
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell


def as_markdown(grades: Sequence[Grade]) -> str:
    """For GitHub's job summary: the score, then each exercise, then the laws that were broken."""
    if any(grade.submission for grade in grades):
        parts = [f"## {total(grades)}", "", *_markdown_table(_rows(grades)), "", *_markdown_troubles(grades), ""]
        return "\n".join(parts)
    return "\n".join([f"## {total(grades)}", "", *(part for grade in grades for part in _markdown(grade))])


def _markdown(grade: Grade) -> list[str]:
    parts = [f"### {_quoted(grade.chapter)}: {grade.points} of {grade.of}", ""]
    if grade.trouble and not grade.points:
        return [*parts, f"{_quoted(grade.notebook)}: {_quoted(grade.trouble)}", ""]
    parts += [part for cause in grade.causes for part in (_quoted(cause), "")]
    rows = [["exercise", "", "how it stands"]]
    rows += [[score.exercise, "✅" if score.points else "❌", score.sentence] for score in grade.scores]
    parts += [*_markdown_table(rows), ""]
    for score in grade.scores:
        if score.law:
            parts += [f"- **{score.exercise}**: {_quoted(score.law)}. {_quoted(score.seen)}".rstrip()]
            parts += [f"  Hint: {_quoted(score.hint)}"] if score.hint else []
    return [*parts, *(f"- {_quoted(note)}" for note in grade.later_remarks), ""]


def _markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = [f"| {' | '.join(map(_quoted, row))} |" for row in rows]
    return [head, "|" + " --- |" * len(rows[0]), *body]


def _markdown_troubles(grades: Sequence[Grade]) -> list[str]:
    return [f"- {_quoted(trouble)}" for trouble in _troubles(grades)]


def _quoted(cell: str) -> str:
    """One line without HTML, tables, links or mentions of its own; `code` stays."""
    escaped = line(cell).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return escaped.replace("[", "\\[").replace("@", "&#64;")


def write(path: Path, content: str) -> None:
    """Write whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def append(path: Path, content: str) -> None:
    """Add to a file that others add to as well ($GITHUB_STEP_SUMMARY)."""
    with path.open("a", encoding="utf-8", newline="") as stream:
        stream.write(content)
