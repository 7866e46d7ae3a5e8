"""`book/corrections.yml`: every fault of the five source documents is there, and what is called shown is shown."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml

from tests.registries.evidence import DOCUMENTS, ROOT, Row, listed, problems_of_evidence, problems_of_plan, require_none

FORMULAS = [f"C-{number:02d}" for number in range(1, 50)]
# Faults of each code block: crash, missing, silent, design.
BLOCKS = {
    "S0-C01": (6, 4, 1, 1), "S1-C01": (3, 5, 1, 4), "S2-C01": (1, 2, 0, 1), "S2-C02": (3, 0, 2, 1),
    "S2-C03": (4, 3, 1, 1), "S3-C01": (8, 3, 2, 4), "S4-C01": (0, 0, 1, 1), "S4-C02": (0, 0, 1, 1),
    "S4-C03": (0, 0, 1, 1), "S4-C04": (1, 0, 4, 1), "S4-C05": (1, 2, 1, 1), "S4-C06": (1, 2, 0, 0),
    "S4-C07": (3, 1, 1, 0), "S4-C08": (3, 1, 1, 0), "S4-C09": (1, 0, 2, 0), "S4-C10": (1, 0, 1, 1),
    "S4-C11": (2, 1, 1, 0), "S4-C12": (3, 0, 2, 1), "S4-C13": (0, 3, 1, 4), "S4-C14": (10, 8, 6, 6),
}  # fmt: skip
BLOCK_KINDS = ("crash", "missing", "silent", "design")
# Of 60 facts that were looked up, the 44 that do not hold.
FACTS = [
    f"D-{number:02d}"
    for number in range(1, 61)
    if number not in {4, 5, 14, 16, 18, 19, 21, 23, 24, 33, 34, 35, 37, 41, 42, 45}
]
PROMISES = [f"E-{number:02d}" for number in range(1, 31)]
REQUIRED = [*FORMULAS, *BLOCKS, *FACTS, *PROMISES]

KINDS = {
    "formula": {"wrong", "incomplete", "inconsistent", "style", "right"},
    "block": {"code"},
    "fault": set(BLOCK_KINDS),
    "fact": {"wrong", "nonexistent", "outdated", "incomplete", "misdescribed", "unverifiable", "truncated"},
    "promise": {"promise"},
}
FIELDS = {"id", "source", "subject", "kind", "fault", "right", "status"}
OF_STATUS = {"open": {"chapter", "lesson"}, "shown": {"page", "anchor", "shown_by"}}


def sort_of(name: str) -> str:
    """What an id stands for: formula, block, fault (of a block), fact or promise."""
    if name[0] in "CDE":
        return {"C": "formula", "D": "fact", "E": "promise"}[name[0]]
    return "fault" if name.count("-") == 2 else "block"


def block_of(name: str) -> str:
    """`S4-C10-02` -> `S4-C10`."""
    return name.rpartition("-")[0]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return yaml.safe_load((ROOT / "book" / "corrections.yml").read_text(encoding="utf-8"))


def test_every_fault_is_there_once(rows: list[Row]) -> None:
    found = [row["id"] for row in rows]
    doubled = {name for name, times in Counter(found).items() if times > 1}
    assert not doubled, f"more than once: {listed(doubled)}"
    assert not set(REQUIRED) - set(found), f"missing: {listed(set(REQUIRED) - set(found))}"
    unknown = {name for name in set(found) - set(REQUIRED) if block_of(name) not in BLOCKS}
    assert not unknown, f"unknown: {listed(unknown)}; no row is added: they are the faults of five given documents"


def test_fields_and_kinds(rows: list[Row]) -> None:
    problems: dict[str, list[str]] = {}
    for row in rows:
        sort = sort_of(row["id"])
        wanted = FIELDS | ({"counts"} if sort == "block" else set())
        found = []
        if wanted - set(row):
            found.append(f"lacks {listed(wanted - set(row))}")
        if row.get("status") not in OF_STATUS:
            found.append(f"status is {row.get('status')!r}, not shown or open")
        elif set(row) - wanted - OF_STATUS[row["status"]]:
            found.append(f"has no field {listed(set(row) - wanted - OF_STATUS[row['status']])}")
        if row.get("kind") not in KINDS[sort]:
            found.append(f"kind is {row.get('kind')!r}, not one of {listed(KINDS[sort])}")
        source = row["id"][:2] if sort in ("block", "fault") else None
        if row.get("source") not in ((source,) if source else (*DOCUMENTS, "all")):
            found.append(f"source is {row.get('source')!r}")
        problems[row["id"]] = found
    require_none(problems)


def test_the_words_are_whole_paragraphs(rows: list[Row]) -> None:
    problems: dict[str, list[str]] = {}
    for row in rows:
        for field in ("subject", "fault", "right"):
            words = str(row.get(field) or "")
            if len(words) < 3:
                problems.setdefault(row["id"], []).append(f"{field} is {words!r}")
            if "\n" in words:
                problems.setdefault(row["id"], []).append(f"{field} holds a line break")
            if words.count("$") % 2:
                problems.setdefault(row["id"], []).append(f"{field} opens a formula and does not close it")
    require_none(problems)


def test_faults_of_each_code_block_are_counted(rows: list[Row]) -> None:
    own: dict[str, list[Row]] = {}
    for row in rows:
        if sort_of(row["id"]) == "fault":
            own.setdefault(block_of(row["id"]), []).append(row)
    problems = {}
    for row in rows:
        if sort_of(row["id"]) != "block":
            continue
        counts = tuple(row["counts"].get(kind) for kind in BLOCK_KINDS)
        found = [] if counts == BLOCKS[row["id"]] else [f"counts {counts}, not {BLOCKS[row['id']]}"]
        entries = own.get(row["id"], [])
        for kind, number in zip(BLOCK_KINDS, BLOCKS[row["id"]], strict=True):
            there = sum(entry["kind"] == kind for entry in entries)
            if there > number or (kind == "silent" and there < number):
                found.append(f"{there} entries of kind {kind} for {number} such faults")
        last = sum(BLOCKS[row["id"]])
        found += [f"{entry['id']}: there are {last}" for entry in entries if not 1 <= int(entry["id"][-2:]) <= last]
        problems[row["id"]] = found
    require_none(problems)
    assert sum(map(sum, BLOCKS.values())) == 145


def test_a_block_is_shown_only_when_its_faults_are(rows: list[Row]) -> None:
    shown = {row["id"] for row in rows if row.get("status") == "shown"}
    waiting = {
        row["id"]: [f"is open, but {block_of(row['id'])} is called shown"]
        for row in rows
        if sort_of(row["id"]) == "fault" and block_of(row["id"]) in shown and row["id"] not in shown
    }
    require_none(waiting)


def test_open_entries_wait_for_a_lesson_that_does_not_exist_yet(rows: list[Row]) -> None:
    checked = {row["id"]: problems_of_plan(ROOT, row) for row in rows if row.get("status") == "open"}
    require_none(checked)


def test_shown_entries_are_shown_where_they_say(rows: list[Row]) -> None:
    checked = {row["id"]: problems_of_evidence(ROOT, row) for row in rows if row.get("status") == "shown"}
    require_none(checked)
