"""`book/coverage.yml`: every thing that the five source documents name is taught somewhere, or waits for a chapter."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import yaml

from tests.registries.evidence import ROOT, Row, listed, problems_of_evidence, problems_of_plan, require_none

ROWS_OF_DOCUMENT = {"S0": 48, "S1": 53, "S2": 52, "S3": 59, "S4": 212}
IDS = [f"{name}-{number:02d}" for name, rows in ROWS_OF_DOCUMENT.items() for number in range(1, rows + 1)]
DISTINCT = 286
FIXED = "no row is added or dropped: a lesson that no row waits for needs none"
PARTS = {
    "Concepts", "Encoders", "Fusion math", "Training & backprop", "Q-learning & RL", "Pretraining & fine-tuning",
    "Code projects", "Applications", "Tools", "Outlook", "FAQ",
}  # fmt: skip
REPEATED = {"id", "part", "same_as", "what"}
OPEN = {"id", "part", "what", "status", "chapter", "lesson"}
TAUGHT = {"id", "part", "what", "status", "page", "anchor", "shown_by"}
LATIN = re.compile(r"[\x20-\x7e\u00c0-\u024f–’]+")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return yaml.safe_load((ROOT / "book" / "coverage.yml").read_text(encoding="utf-8"))


def test_every_row_is_there_once_and_in_order(rows: list[Row]) -> None:
    found = [row["id"] for row in rows]
    doubled = {name for name, times in Counter(found).items() if times > 1}
    assert not doubled, f"more than once: {listed(doubled)}"
    assert not set(IDS) - set(found), f"missing: {listed(set(IDS) - set(found))}"
    assert not set(found) - set(IDS), f"unknown: {listed(set(found) - set(IDS))}; {FIXED}"
    assert found == IDS, "the rows are not in the order of their ids"


def test_a_row_that_repeats_another_points_at_an_earlier_distinct_one(rows: list[Row]) -> None:
    distinct: set[str] = set()
    problems: dict[str, list[str]] = {}
    for row in rows:
        if "same_as" not in row:
            distinct.add(row["id"])
        elif row["same_as"] not in distinct:
            # Only earlier distinct rows are allowed, so there can be neither a chain nor a circle.
            problems[row["id"]] = [f"same_as {row['same_as']} is not an earlier row with content of its own"]
    require_none(problems)
    repeated = len(rows) - len(distinct)
    assert repeated <= len(IDS) - DISTINCT, "a row may not be declared a repetition of another to be rid of it"


def test_fields_are_those_of_the_row_s_kind(rows: list[Row]) -> None:
    problems = {}
    for row in rows:
        kind = "repeated" if "same_as" in row else row.get("status")
        allowed = {"repeated": REPEATED, "open": OPEN, "taught": TAUGHT}.get(str(kind))
        if allowed is None:
            problems[row["id"]] = [f"status is {kind!r}, not taught or open"]
        elif set(row) - allowed:
            problems[row["id"]] = [f"a row that is {kind} has no field {listed(set(row) - allowed)}"]
    require_none(problems)


def test_part_is_one_of_the_subject_s_parts(rows: list[Row]) -> None:
    problems = {row["id"]: [f"part {row.get('part')!r}"] for row in rows if row.get("part") not in PARTS}
    require_none(problems)


def test_what_is_a_short_english_phrase_of_its_own(rows: list[Row]) -> None:
    times = Counter(row.get("what") for row in rows)
    problems: dict[str, list[str]] = {}
    for row in rows:
        what = row.get("what") or ""
        if not LATIN.fullmatch(what) or not re.search(r"[A-Za-z]{3}", what):
            problems.setdefault(row["id"], []).append(f"what is {what!r}: empty, or not English")
        if len(what) > 90:
            problems.setdefault(row["id"], []).append(f"what has {len(what)} characters, more than 90")
        if times[row.get("what")] > 1:
            problems.setdefault(row["id"], []).append(f"what is {what!r}, as in another row")
    require_none(problems)


def test_open_rows_wait_for_a_lesson_that_does_not_exist_yet(rows: list[Row]) -> None:
    checked = {row["id"]: problems_of_plan(ROOT, row) for row in rows if row.get("status") == "open"}
    require_none(checked)


def test_taught_rows_are_taught_where_they_say(rows: list[Row]) -> None:
    checked = {row["id"]: problems_of_evidence(ROOT, row) for row in rows if row.get("status") == "taught"}
    require_none(checked)
