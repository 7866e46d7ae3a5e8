"""`{bibliography-list}`: the works of `book/references.bib`, each with its key as anchor and how it was checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from docutils import nodes
from pybtex.database import Entry, Person, parse_file
from pybtex.richtext import Text
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

BIBLIOGRAPHY = "book/references.bib"
VENUES = ("journal", "booktitle", "publisher", "institution", "school", "howpublished")


def plain(latex: str) -> str:
    """Text of a BibTeX field, with accents and without braces."""
    return str(Text.from_latex(latex))


def person(author: Person) -> str:
    """`Baltrušaitis, T.`; a single name, such as that of a group, as it stands."""
    family = " ".join(plain(name) for name in [*author.prelast_names, *author.last_names, *author.lineage_names])
    initials = " ".join(
        "-".join(f"{part[0]}." for part in plain(name).split("-") if part)
        for name in [*author.first_names, *author.middle_names]
    )
    return f"{family}, {initials}" if initials else family


def people(entry: Entry) -> str:
    names = [person(author) for author in entry.persons.get("author", entry.persons.get("editor", []))]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def cited(entry: Entry) -> str:
    """The work as a text names it: `Tan and Bansal, 2019`, `Liu et al., 2023`."""
    authors = entry.persons.get("author", entry.persons.get("editor", []))
    names = [person(author).split(", ")[0] for author in authors]
    said = " and ".join(names) if len(names) < 3 and "others" not in names else f"{names[0]} et al."
    return f"{said}, {entry.fields.get('year', 'no year')}"


def link_to(key: str, entries: Mapping[str, Entry]) -> str:
    """A Markdown link to a work on the bibliography page."""
    return f"[{cited(entries[key])}](/book/bibliography.md#{key})"


def read_works(root: Path) -> Mapping[str, Entry]:
    return parse_file(str(root / BIBLIOGRAPHY), bib_format="bibtex").entries


def venue(entry: Entry) -> str:
    """Where the work appeared: `Journal 41(2), 423–443`."""
    place = ", ".join(plain(entry.fields[field]) for field in VENUES if field in entry.fields)
    volume = entry.fields.get("volume", "")
    if "number" in entry.fields:
        volume += f"({entry.fields['number']})"
    place = f"{place} {volume}".strip()
    pages = entry.fields.get("pages", "").replace("--", "–")
    return f"{place}, {pages}" if place and pages else place + pages


def address(entry: Entry) -> tuple[str, str] | None:
    """(text, link) of the work: its DOI, else its arXiv number, else its page."""
    if "doi" in entry.fields:
        return f"doi:{entry.fields['doi']}", f"https://doi.org/{entry.fields['doi']}"
    if "eprint" in entry.fields:
        return f"arXiv:{entry.fields['eprint']}", f"https://arxiv.org/abs/{entry.fields['eprint']}"
    url = entry.fields.get("url")
    return (url.removeprefix("https://").rstrip("/"), url) if url else None


def order(entry: Entry) -> tuple[str, str, str]:
    return people(entry).casefold(), entry.fields.get("year", ""), plain(entry.fields["title"]).casefold()


def work(key: str, entry: Entry) -> nodes.list_item:
    """One work as a list item that carries the key as its name."""
    paragraph = nodes.paragraph()
    paragraph += nodes.Text(f"{people(entry)} ({entry.fields.get('year', 'no year')}). ")
    paragraph += nodes.emphasis("", plain(entry.fields["title"]).rstrip("."))
    paragraph += nodes.Text(". ")
    if venue(entry):
        paragraph += nodes.Text(f"{venue(entry)}. ")
    found = address(entry)
    if found:
        text, url = found
        paragraph += nodes.reference("", text, refuri=url)
        paragraph += nodes.Text(". ")
    for field in ("note", "checked"):
        if field in entry.fields:
            said = plain(entry.fields[field]).rstrip(".")
            text = f"Checked: {said}." if field == "checked" else f"{said}. "
            paragraph += nodes.inline("", text, classes=[f"work-{field}"])
    return nodes.list_item("", paragraph, names=[key])


class BibliographyList(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir) / BIBLIOGRAPHY))
        entries = read_works(Path(self.env.srcdir))
        made = nodes.bullet_list("", classes=["bibliography"])
        for key, entry in sorted(entries.items(), key=lambda pair: order(pair[1])):
            item = work(key, entry)
            self.state.document.note_explicit_target(item, item)
            made += item
        return [made]


def setup(app: Sphinx) -> None:
    app.add_directive("bibliography-list", BibliographyList)
