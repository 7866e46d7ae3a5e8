"""The dated tables of the chapter on concepts: every entry is whole, dated, and rests on a work that was looked up."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from PIL import Image
from pybtex.database import BibliographyData, parse_file

from authoring import sizes
from tests.registries.evidence import ROOT, anchors, require_none, texts

Row = dict[str, Any]
FIELDS = {
    "name", "date", "organisation", "country", "in", "out", "family", "parts", "billions", "openness", "licence",
    "languages", "source", "checked",
}  # fmt: skip
INPUTS = {"text", "image", "video", "audio", "speech", "depth", "thermal", "motion"}
OUTPUTS = INPUTS | {"vector", "label", "boxes", "points"}
OPENNESS = {"paper only", "service", "weights", "weights, code and data", "not seen"}
NO_DIAGRAM = {"encoder-decoder", "not published"}
UNKNOWN = ("not published", "not seen")
ERAS = {"before", "meet", "transformers", "web", "eyes", "any"}
LEAST_MODELS = 20


def read(name: str) -> list[Row]:
    return yaml.safe_load((ROOT / "book" / "concepts" / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def models() -> list[Row]:
    return read("models.yml")


@pytest.fixture(scope="module")
def works() -> BibliographyData:
    return parse_file(str(ROOT / "book" / "references.bib"), bib_format="bibtex")


def page(name: str) -> str:
    return (ROOT / "book" / "concepts" / f"{name}.md").read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------------------------------- models


def test_every_model_has_every_field(models: list[Row]) -> None:
    problems: dict[str, list[str]] = {}
    for row in models:
        found = [f"lacks {', '.join(sorted(FIELDS - set(row)))}"] if FIELDS - set(row) else []
        found += [f"has no field {field!r}" for field in sorted(set(row) - FIELDS - {"about"})]
        found += [f"{field} is empty" for field in FIELDS & set(row) if not row[field]]
        problems[row["name"]] = found
    require_none(problems)


def test_what_a_model_says_of_itself_is_one_of_the_known_things(models: list[Row]) -> None:
    families = anchors(texts(ROOT, "book/concepts/architectures")) | NO_DIAGRAM
    problems: dict[str, list[str]] = {}
    for row in models:
        found = [f"reads {kind!r}" for kind in row["in"] if kind not in INPUTS]
        found += [f"writes {kind!r}" for kind in row["out"] if kind not in OUTPUTS]
        if row["family"] not in families:
            found.append(f"family {row['family']!r} has no section on the page of architectures")
        if row["openness"] not in OPENNESS:
            found.append(f"openness {row['openness']!r}")
        if (row["licence"] == "none") != (row["openness"] in ("paper only", "service")):
            found.append(f"licence {row['licence']!r}, but openness {row['openness']!r}")
        numbers = row["billions"]
        if numbers not in UNKNOWN and not (isinstance(numbers, list) and all(0 < each < 5000 for each in numbers)):
            found.append(f"billions {numbers!r}")
        problems[row["name"]] = found
    require_none(problems)


def test_models_stand_in_the_order_of_their_dates_once_each(models: list[Row]) -> None:
    dates = [row["date"] for row in models]
    assert all(re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", date) for date in dates)
    assert dates == sorted(dates)
    names = [row["name"] for row in models]
    assert len(set(names)) == len(names) >= LEAST_MODELS


def test_each_model_rests_on_a_work_that_was_looked_up(models: list[Row], works: BibliographyData) -> None:
    problems: dict[str, list[str]] = {}
    for row in models:
        work = works.entries.get(row["source"])
        if work is None or "checked" not in work.fields:
            problems[row["name"]] = [f"source {row['source']!r} is not in the bibliography, with a check"]
        elif not 0 <= int(work.fields["year"]) - int(row["date"][:4]) <= 1:
            problems[row["name"]] = [f"dated {row['date']}, its work {work.fields['year']}"]
    require_none(problems)
    sources = [row["source"] for row in models]
    assert len(set(sources)) == len(sources), "two models rest on one work"


def test_china_and_elsewhere_are_both_there(models: list[Row]) -> None:
    from_china = sum(row["country"] == "China" for row in models)
    assert min(from_china, len(models) - from_china) >= LEAST_MODELS // 3


def test_every_model_stands_in_one_table_of_the_page(models: list[Row]) -> None:
    tables = [tuple(map(int, years)) for years in re.findall(r"\{models-table\} (\d+) (\d+)", page("models"))]
    for row in models:
        year = int(row["date"][:4])
        assert sum(first <= year <= last for first, last in tables) == 1, row["name"]


def test_the_picture_of_sizes_was_drawn_from_these_numbers() -> None:
    with Image.open(ROOT / sizes.PICTURE) as picture:
        assert picture.info.get("Source") == sizes.digest(ROOT), "draw it again: python -m authoring.sizes"
    assert set(sizes.NAMED) <= {row["name"] for row in sizes.sized(ROOT)}


# ----------------------------------------------------------------------------------------------------- training runs


def test_training_runs_have_their_fields_and_works(works: BibliographyData) -> None:
    for row in read("runs.yml"):
        assert {"name", "read", "source"} <= set(row) <= {
            "name", "billions", "read", "tokens", "computed", "source",
        }, row  # fmt: skip
        assert "checked" in works.entries[row["source"]].fields


def test_where_all_three_numbers_are_stated_the_rule_of_six_holds() -> None:
    checked = [
        row for row in read("runs.yml") if {"billions", "tokens"} <= set(row) and isinstance(row.get("computed"), float)
    ]
    assert len(checked) >= 2
    for row in checked:
        assert 6 * row["billions"] * 1e9 * row["tokens"] == pytest.approx(row["computed"], rel=0.02), row["name"]


# ---------------------------------------------------------------------------------------------------------- timeline


def test_the_timeline_is_dated_by_the_works_it_names(works: BibliographyData) -> None:
    problems: dict[str, list[str]] = {}
    for row in read("timeline.yml"):
        found = [] if set(row) == {"year", "era", "what", "sources"} else [f"fields {sorted(map(str, row))}"]
        unknown = [
            key for key in row.get("sources", []) if "checked" not in getattr(works.entries.get(key), "fields", {})
        ]
        found += [f"{key} is not in the bibliography, with a check" for key in unknown]
        years = {int(works.entries[key].fields["year"]) for key in row.get("sources", []) if key in works.entries}
        if years != {row["year"]}:
            found.append(f"dated {row['year']}, its works {sorted(years)}")
        problems[str(row.get("what"))] = found
    require_none(problems)


def test_the_timeline_begins_early_and_its_eras_are_in_order() -> None:
    rows = read("timeline.yml")
    assert min(row["year"] for row in rows) < 1980
    assert {row["era"] for row in rows} == ERAS == set(re.findall(r"\{timeline\} (\w+)", page("timeline")))
    for era in ERAS:
        years = [row["year"] for row in rows if row["era"] == era]
        assert years == sorted(years), era
