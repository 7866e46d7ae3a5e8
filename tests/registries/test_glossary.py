"""`book/glossary.yml`: the terms of the field in English and Chinese, each said in a sentence or two."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import yaml

from tests.registries.evidence import ROOT, require_none

Row = dict[str, Any]
LEAST_TERMS = 120
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Names and acronyms that Chinese texts keep as they are.
KEPT = {"Adam", "BERT", "CLIP", "Perceiver", "SigLIP", "Transformer", "U-Net"}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return yaml.safe_load((ROOT / "book" / "glossary.yml").read_text(encoding="utf-8"))


def test_there_are_enough_terms_in_alphabetical_order(rows: list[Row]) -> None:
    terms = [row["term"] for row in rows]
    assert len(terms) >= LEAST_TERMS
    assert terms == sorted(terms, key=str.casefold)


def test_every_term_has_its_fields(rows: list[Row]) -> None:
    problems: dict[str, list[str]] = {}
    for row in rows:
        found = [f"lacks {field}" for field in ("term", "zh", "says") if not str(row.get(field) or "").strip()]
        found += [f"has no field {field!r}" for field in sorted(set(row) - {"term", "zh", "says", "also", "link"})]
        if row.get("link") not in (None, False):
            found.append(f"link is {row['link']!r}: only false needs to be said")
        problems[row.get("term", "?")] = found
    require_none(problems)


def test_the_chinese_is_chinese(rows: list[Row]) -> None:
    bare = {row["term"] for row in rows if not CHINESE.search(row["zh"])}
    assert bare <= KEPT | {row["term"] for row in rows if row["zh"] == row["term"] and row["term"] in KEPT}
    for row in rows:
        assert not re.search(r"[,;:()]", row["zh"]), f"{row['term']}: Latin punctuation in {row['zh']}"


def test_an_entry_is_one_to_three_plain_sentences(rows: list[Row]) -> None:
    problems: dict[str, list[str]] = {}
    for row in rows:
        says, found = row["says"], []
        if not re.match(r"[A-Z]", says) or not says.endswith("."):
            found.append("no whole sentence")
        if len(re.findall(r"[.?!](?: |$)", says)) > 3 or len(says) > 260:
            found.append(f"too long: {len(says)} characters")
        if re.search(r"[`$*<\[\]\n]", says):
            found.append("markup")
        problems[row["term"]] = found
    require_none(problems)


def test_a_form_leads_to_one_entry(rows: list[Row]) -> None:
    times = Counter(form.casefold() for row in rows for form in [row["term"], *row.get("also", [])])
    assert not [form for form, number in times.items() if number > 1]
