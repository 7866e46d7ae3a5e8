"""Does what a registry points at exist? Pages and their anchors, and what a lesson stored or asserts."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from myst_parser.mdit_to_docutils.base import default_slugify

from authoring.lessons import CHAPTERS
from tests.faults import require_none as require_none

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("S0", "S1", "S2", "S3", "S4")

Row = dict[str, Any]

HEADING_LEVELS = ("h1", "h2", "h3")  # as myst_heading_anchors in _config.yml
LABEL = re.compile(r"^\(([^()\s]+)\)=\s*$|<a id=[\"']([^\"']+)[\"']|^:name:\s*(\S+)\s*$", re.MULTILINE)
ADDRESS = re.compile(r"([a-z0-9_]+/[a-z0-9_]+):(.+)", re.DOTALL)
STORED_TYPES = {"application/vnd.mmcourse.claim+json": "claim", "application/vnd.mmcourse.exact+json": "exact"}
GLOSSARY = "book/glossary"
KINDS = {"claim", "exact", "figure", "assertion", "text"}
SHORTEST = {"assertion": 8, "text": 20}  # characters: less than that is found by accident
MARKDOWN = MarkdownIt("commonmark").use(dollarmath_plugin)


class MissingEvidence(LookupError):
    """What a row points at is not there; the message says what is."""


def collapsed(text: str) -> str:
    return " ".join(text.split())


def joined(text: str | list[str]) -> str:
    """A notebook file may hold a text as one string or as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def cells(root: Path, lesson: str) -> list[dict[str, Any]]:
    """The cells of a stored notebook."""
    path = root / "notebooks" / f"{lesson}.ipynb"
    if not path.is_file():
        raise MissingEvidence(f"there is no notebooks/{lesson}.ipynb (not written yet, or not run: make notebooks)")
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def texts(root: Path, page: str) -> list[str]:
    """The Markdown of a page, in one piece for prose and cell by cell for a notebook."""
    folder, _, rest = page.partition("/")
    if folder == "notebooks":
        return [joined(cell["source"]) for cell in cells(root, rest) if cell["cell_type"] == "markdown"]
    path = root / f"{page}.md"
    if folder != "book" or not path.is_file():
        raise MissingEvidence(f"there is no page {page}.md")
    return [path.read_text(encoding="utf-8"), *(entries(root) if page == GLOSSARY else [])]


def entries(root: Path) -> list[str]:
    """The entries of the glossary, each with its anchor as a label, as book/_ext/coursebook/glossary.py shows them."""
    rows = yaml.safe_load((root / f"{GLOSSARY}.yml").read_text(encoding="utf-8"))
    anchor = {row["term"]: re.sub(r"[^a-z0-9]+", "-", row["term"].lower()).strip("-") for row in rows}
    return [f"(term-{anchor[row['term']]})=\n{row['says']}" for row in rows]


def printed(root: Path, page: str) -> list[str]:
    """What a notebook printed; nothing for a page of prose."""
    folder, _, lesson = page.partition("/")
    if folder != "notebooks":
        return []
    outputs = [output for cell in cells(root, lesson) for output in cell.get("outputs", [])]
    return [joined(output.get("text") or output.get("data", {}).get("text/plain", "")) for output in outputs]


def anchors(pieces: list[str]) -> set[str]:
    """Slugs of the headings, and labels, that a link to the page can end in."""
    found: set[str] = set()
    for piece in pieces:
        tokens = MARKDOWN.parse(piece)
        for heading, inline in pairwise(tokens):
            if heading.type == "heading_open" and heading.tag in HEADING_LEVELS:
                words = [part.content for part in inline.children or [] if part.type in ("text", "code_inline")]
                slug = start = default_slugify("".join(words))
                number = 1
                while slug in found:
                    slug, number = f"{start}-{number}", number + 1
                found.add(slug)
        found |= {label for match in LABEL.findall(piece) for label in match if label}
    return found


@dataclass(frozen=True)
class Stored:
    """What a lesson stored when it ran."""

    claim: set[str]
    exact: set[str]
    figure: set[str]


def stored(root: Path, lesson: str) -> Stored:
    names = Stored(set(), set(), set())
    for cell in cells(root, lesson):
        for output in cell.get("outputs", []):
            figure = output.get("metadata", {}).get("mmcourse", {}).get("figure")
            if figure:
                names.figure.add(figure)
            for media_type, kind in STORED_TYPES.items():
                if media_type in output.get("data", {}):
                    getattr(names, kind).add(output["data"][media_type]["key"])
    return names


def called_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def assertions(root: Path, lesson: str) -> list[str]:
    """Each assertion in a lesson's code: `assert ...`, and calls such as `np.testing.assert_allclose(...)`."""
    found = []
    for cell in cells(root, lesson):
        if cell["cell_type"] != "code":
            continue
        source = re.sub(r"^(\s*)[%!].*$", r"\1pass", joined(cell["source"]), flags=re.MULTILINE)
        for node in ast.walk(ast.parse(source)):
            asserting = isinstance(node, ast.Call) and called_name(node.func).startswith("assert_")
            if isinstance(node, ast.Assert) or asserting:
                found.append(collapsed(ast.get_source_segment(source, node) or ""))
    return found


def require_shown(root: Path, page: str, kind: str, what: str) -> None:
    """Raise MissingEvidence unless `what` exists: `key` of the page's own lesson, or `chapter/lesson:key`."""
    if len(what) < SHORTEST.get(kind, 1):
        raise MissingEvidence(f"{kind} {what!r} is too short to point at one place")
    if kind == "text":
        if not any(collapsed(what) in collapsed(piece) for piece in texts(root, page) + printed(root, page)):
            raise MissingEvidence(f"{page} neither says nor prints {what!r}")
        return
    address = ADDRESS.fullmatch(what)
    lesson, key = address.groups() if address else (page.partition("/")[2], what)
    if kind == "assertion":
        if not any(collapsed(key) in source for source in assertions(root, lesson)):
            raise MissingEvidence(f"no assertion in {lesson} contains {key!r}")
        return
    names = getattr(stored(root, lesson), kind)
    if key not in names:
        raise MissingEvidence(f"{lesson} stored no {kind} {key!r}; stored: {listed(names)}")


def problems_of_evidence(root: Path, row: Row) -> list[str]:
    """What is wrong with page, anchor and shown_by of a row that is taught or shown."""
    missing = {"page", "anchor", "shown_by"} - set(row)
    if missing:
        return [f"lacks {listed(missing)}"]
    shown_by = row["shown_by"]
    if not isinstance(shown_by, dict) or not shown_by or set(shown_by) - KINDS:
        return [f"shown_by is {shown_by!r}, not {{kind: what}} with a kind of {listed(KINDS)}"]
    problems = []
    try:
        there = anchors(texts(root, row["page"]))
        if row["anchor"] not in there:
            problems.append(f"{row['page']} has no anchor {row['anchor']!r}; it has: {listed(there)}")
    except MissingEvidence as missing_page:
        problems.append(str(missing_page))
    for kind, what in shown_by.items():
        try:
            require_shown(root, row["page"], kind, str(what))
        except MissingEvidence as missing_key:
            problems.append(str(missing_key))
    return list(dict.fromkeys(problems))


def problems_of_plan(root: Path, row: Row) -> list[str]:
    """What is wrong with chapter and lesson of an open row. An open row may not wait for a lesson that exists."""
    chapter, lesson = row.get("chapter"), row.get("lesson")
    problems = []
    if chapter not in CHAPTERS:
        problems.append(f"chapter is {chapter!r}, not one of {', '.join(CHAPTERS)}")
    elif lesson and (root / "notebooks" / chapter / f"{lesson}.py").is_file():
        problems.append(f"is open, but lesson {chapter}/{lesson} exists: what shows it there, or where does it belong?")
    given = {"page", "anchor", "shown_by"} & set(row)
    if given:
        problems.append(f"is open and has {listed(given)}")
    return problems
