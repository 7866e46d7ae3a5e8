"""The course's records: what is covered (`coverage.yml`) and what was corrected (`corrections.yml`).

`{coverage-table}` and `{corrections-list}` write one section a part or chapter. The fields are explained at the head of
the two files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

Row = dict[str, Any]
MARKUP = re.compile(r"([\\`*_{}\[\]<>$|#~])")
CORRECTION_ID = re.compile(r"\b(C-\d+|D-\d+|E-\d+|S\d-C\d+(?:-\d+)?)\b")
CHAPTERS = {
    "concepts": "Concepts",
    "fusion": "Fusion mathematics",
    "backprop": "Backpropagation and training",
    "reinforcement": "Reinforcement learning",
    "projects": "Code projects",
    "pretraining": "Pretraining and vision-language models",
    "applications": "Applications",
    "scale": "Scale and practice",
    "back_matter": "Back matter",
}


def escaped(text: str) -> str:
    """Plain text as Markdown that shows exactly it, in one table cell."""
    return MARKUP.sub(r"\\\1", " ".join(text.split()))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def chapter_of(row: Row) -> str:
    """The chapter of an open row, else the folder of its page; a page outside all chapters is back matter."""
    if "page" not in row:
        return row["chapter"]
    folder = row["page"].split("/")[1]
    return folder if folder in CHAPTERS else "back_matter"


def link(row: Row) -> str:
    """A link to the page and anchor of a row; its text is the heading there."""
    suffix = ".ipynb" if row["page"].startswith("notebooks/") else ".md"
    return f"[](/{row['page']}{suffix}#{row['anchor']})"


def standing_first(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: "page" not in row)


def shown_by(row: Row) -> str:
    """`{claim: fused-gain}` -> claim `fused-gain`; words of the page itself need no mention."""
    return ", ".join(f"{kind} `{what}`" for kind, what in row["shown_by"].items() if kind != "text")


def place(row: Row) -> str:
    """Where a row is taught or shown, or where it will be."""
    if "page" in row:
        return f"{link(row)} ({shown_by(row)})" if shown_by(row) else link(row)
    lesson = row.get("lesson", "").replace("_", " ")
    return f"{CHAPTERS[row['chapter']]}{', ' if lesson else ''}{lesson}"


def coverage_rows(rows: list[Row]) -> list[tuple[str, list[str]]]:
    """(part, cells) of each distinct row, what stands first; rows named again lend their ids to the first."""
    again: dict[str, list[str]] = {}
    for row in rows:
        if "same_as" in row:
            again.setdefault(row["same_as"], []).append(row["id"])
    made = []
    for row in standing_first(row for row in rows if "same_as" not in row):
        where = place(row) if "page" in row else f"planned: {place(row)}"
        ids = ", ".join([row["id"], *again.get(row["id"], [])])
        made.append((row["part"], [escaped(row["what"]), where, ids]))
    return made


def with_links(text: str) -> str:
    """`See C-41.` -> a link to that entry."""
    return CORRECTION_ID.sub(lambda found: f"[{found[1]}](#{found[1].lower()})", text)


class Record(SphinxDirective):
    """A directive that renders one YAML file of the folder book/."""

    file_name: str

    def read(self) -> list[Row]:
        path = Path(self.env.srcdir) / "book" / self.file_name
        self.env.note_dependency(str(path))
        return yaml.safe_load(path.read_text(encoding="utf-8"))

    def section(self, title: str) -> nodes.section:
        made = nodes.section("", nodes.title("", title), names=[f"{Path(self.file_name).stem} {title}"])
        self.state.document.note_implicit_target(made, made)
        return made


class CoverageTable(Record):
    file_name = "coverage.yml"

    def run(self) -> list[nodes.Node]:
        rows = self.read()
        distinct = [row for row in rows if "same_as" not in row]
        taught = sum(row["status"] == "taught" for row in distinct)
        made = self.parse_text_to_nodes(
            f"{len(distinct)} distinct subjects: {taught} taught, {len(distinct) - taught} planned."
        )
        cells = coverage_rows(rows)
        for part in dict.fromkeys(row["part"] for row in rows):
            section = self.section(part)
            body = table(["Subject", "Where (shown by)", "Row"], [line for name, line in cells if name == part])
            section += self.parse_text_to_nodes(body)
            made.append(section)
        return made


class CorrectionsList(Record):
    file_name = "corrections.yml"

    def run(self) -> list[nodes.Node]:
        rows = self.read()
        shown = sum(row["status"] == "shown" for row in rows)
        made = self.parse_text_to_nodes(
            f"{len(rows)} entries: {shown} shown by lessons that stand, {len(rows) - shown} by lessons to come."
        )
        for chapter, title in CHAPTERS.items():
            of_chapter = standing_first(row for row in rows if chapter_of(row) == chapter)
            if of_chapter:
                section = self.section(title)
                section += nodes.definition_list("", *map(self.entry, of_chapter), classes=["corrections"])
                made.append(section)
        return made

    def entry(self, row: Row) -> nodes.definition_list_item:
        subject, _ = self.parse_inline(row["subject"])
        about = nodes.inline("", f" {row['id']}, {str(row['kind']).lower()}", classes=["correction-about"])
        where = f"Shown in {place(row)}." if row["status"] == "shown" else f"To be shown: {place(row)}."
        said = with_links(row["fault"]), f"**Right:** {with_links(row['right'])}", where
        term = nodes.term("", "", *subject, about, names=[row["id"].lower()])
        self.state.document.note_explicit_target(term, term)
        return nodes.definition_list_item("", term, nodes.definition("", *self.parse_text_to_nodes("\n\n".join(said))))


def setup(app: Sphinx) -> None:
    app.add_directive("coverage-table", CoverageTable)
    app.add_directive("corrections-list", CorrectionsList)
