"""`book/references.bib`: works that exist, each looked up, and all that the course refers to."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pybtex.database import BibliographyData, Entry, parse_file
from pybtex.richtext import Text

from tests.registries.evidence import ROOT, require_none

REQUIRED = {
    "article": ("author", "title", "journal", "year"),
    "inproceedings": ("author", "title", "booktitle", "year"),
    "incollection": ("author", "title", "booktitle", "publisher", "year"),
    "book": ("author", "title", "publisher", "year"),
    "phdthesis": ("author", "title", "school", "year"),
    "techreport": ("author", "title", "institution", "year"),
    "misc": ("author", "title", "howpublished", "year"),
}
DOI = re.compile(r"10\.\d{4,}/\S+")
ARXIV = re.compile(r"(\d\d)(\d\d)\.\d{4,5}")
PLACE = re.compile(r"\b[\w-]+(\.[\w-]+)*\.[a-z]{2,}\b")
KEY = re.compile(r"([a-z]+)(\d{4})[a-z]?")

CITED_FOLDERS = ("book", "notebooks", "experiments", "mmcourse")
LINKED = re.compile(r"bibliography(?:\.md|\.html)?#([\w-]+)|\{cite(?::\w+)?\}`([^`]+)`")
NAME = r"([A-Z][\w’'-]+)"
NAMED = re.compile(rf"{NAME}(?:,? et al\.| (?:and|&) {NAME}),? \(?((?:19|20)\d\d)\b")


@pytest.fixture(scope="module")
def bibliography() -> BibliographyData:
    return parse_file(str(ROOT / "book" / "references.bib"), bib_format="bibtex")


def plain(text: str) -> str:
    return str(Text.from_latex(text))


def letters(name: str) -> str:
    """`Baltrušaitis` -> `baltrusaitis`."""
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower())


def families(entry: Entry) -> list[str]:
    return [
        letters("".join(plain(name) for name in [*person.prelast_names, *person.last_names]))
        for person in entry.persons.get("author", [])
    ]


def sources() -> Iterator[tuple[Path, str]]:
    """Files in which the course names works."""
    for folder in CITED_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".md", ".py") and not any(part.startswith((".", "_build")) for part in path.parts):
                yield path, path.read_text(encoding="utf-8")


def test_fields_of_each_type(bibliography: BibliographyData) -> None:
    problems: dict[str, list[str]] = {}
    for key, entry in bibliography.entries.items():
        present = {*entry.fields, *entry.persons}
        wanted = REQUIRED.get(entry.type)
        if wanted is None:
            problems[key] = [f"type {entry.type} is not one of {', '.join(REQUIRED)}"]
            continue
        found = [f"lacks {field}" for field in wanted if field not in present]
        if not present & {"doi", "eprint", "url", "isbn"}:
            found.append("lacks an address: doi, eprint, url or isbn")
        if entry.type == "article" and not {"volume", "pages"} <= present and "doi" not in present:
            found.append("lacks volume and pages")
        problems[key] = found
    require_none(problems)


def test_identifiers_are_well_formed(bibliography: BibliographyData) -> None:
    problems: dict[str, list[str]] = {}
    for key, entry in bibliography.entries.items():
        year, this_year = int(entry.fields["year"]), date.today().year
        found = [] if 1900 <= year <= this_year else [f"year {year}"]
        if "doi" in entry.fields and not DOI.fullmatch(entry.fields["doi"]):
            found.append(f"doi {entry.fields['doi']!r}")
        if "eprint" in entry.fields:
            number = ARXIV.fullmatch(entry.fields["eprint"])
            if not number or not 1 <= int(number[2]) <= 12:
                found.append(f"arXiv number {entry.fields['eprint']!r}")
            elif 2000 + int(number[1]) > year + 1:
                found.append(f"arXiv number {entry.fields['eprint']} is years younger than {year}")
        pages = re.fullmatch(r"(\d+)--(\d+)", entry.fields.get("pages", "1--1"))
        if not pages or int(pages[1]) > int(pages[2]):
            found.append(f"pages {entry.fields['pages']!r}, not first--last")
        problems[key] = found
    require_none(problems)


def test_keys_are_first_author_and_year(bibliography: BibliographyData) -> None:
    problems = {}
    for key, entry in bibliography.entries.items():
        parts = KEY.fullmatch(key)
        if not parts or parts[1] != families(entry)[0] or parts[2] != entry.fields["year"]:
            problems[key] = [f"the key of a work by {families(entry)[0]} of {entry.fields['year']}"]
    require_none(problems)


def test_each_entry_says_where_it_was_checked(bibliography: BibliographyData) -> None:
    problems = {}
    for key, entry in bibliography.entries.items():
        checked = plain(entry.fields.get("checked", ""))
        if len(checked.split()) < 3 or not PLACE.search(checked):
            problems[key] = [f"checked is {checked!r}: name a public place, such as aclanthology.org, and what it gave"]
    require_none(problems)


def test_no_work_stands_there_twice(bibliography: BibliographyData) -> None:
    seen: Counter[str] = Counter()
    for entry in bibliography.entries.values():
        title = re.sub(r"\W", "", plain(entry.fields["title"]).lower())  # with digits: two reports may differ by them
        seen.update({title, entry.fields.get("doi", "").lower()} - {""})
    doubled = [title for title, times in seen.items() if times > 1]
    assert not doubled, f"twice: {', '.join(doubled)}"


def test_links_to_the_bibliography_name_an_entry(bibliography: BibliographyData) -> None:
    problems: dict[str, list[str]] = {}
    for path, text in sources():
        for linked, cited in LINKED.findall(text):
            for key in [linked] if linked else cited.split(","):
                if key.strip() not in bibliography.entries:
                    problems.setdefault(str(path.relative_to(ROOT)), []).append(f"no entry {key.strip()!r}")
    require_none(problems)


def test_works_named_by_author_and_year_are_in_the_bibliography(bibliography: BibliographyData) -> None:
    known = {(families(entry)[0], entry.fields["year"]) for entry in bibliography.entries.values()}
    problems: dict[str, list[str]] = {}
    for path, text in sources():
        for first, _, year in NAMED.findall(text):
            if (letters(first), year) not in known:
                problems.setdefault(str(path.relative_to(ROOT)), []).append(f"names {first} {year}, which has no entry")
    require_none(problems)


def test_the_page_lists_what_no_page_cites(bibliography: BibliographyData) -> None:
    page = (ROOT / "book" / "bibliography.md").read_text(encoding="utf-8")
    if "{bibliography-list}" in page:  # lists the whole file
        return
    cited = {key for _, text in sources() for match in LINKED.findall(text) for key in match}
    unused = [key for key in bibliography.entries if key not in cited and key not in page]
    assert not unused, f"neither cited nor listed on the bibliography page: {', '.join(unused)}"
