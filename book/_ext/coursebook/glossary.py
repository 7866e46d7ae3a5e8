"""The glossary: `{glossary-list}` shows `book/glossary.yml`; each page links the first mention of a term to its entry.

Linked are whole words, with simple plurals, the longest term first; not in headings, terms, code, formulas, links,
captions and what a lesson measured. An entry with `link: false` is too common to be linked. The file may also be read
by another edition: its fields are explained at its head.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

GLOSSARY, PAGE = "book/glossary.yml", "book/glossary"
UNTOUCHED = (
    nodes.title, nodes.term, nodes.thead, nodes.literal, nodes.literal_block, nodes.math, nodes.math_block,
    nodes.reference, nodes.caption, nodes.rubric, nodes.raw, nodes.comment, nodes.docinfo,
)  # fmt: skip
UNTOUCHED_CLASSES = {
    "bibliography", "cell_output", "glossary-also", "lesson-claim", "lesson-to-come", "lesson-value", "toctree-wrapper",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    term: str
    chinese: str
    says: str
    forms: tuple[str, ...]  # the term itself first
    linked: bool

    @property
    def anchor(self) -> str:
        """`Q-Former` -> `term-q-former`: no heading of the page can have it."""
        return "term-" + re.sub(r"[^a-z0-9]+", "-", self.term.lower()).strip("-")


@dataclass(frozen=True)
class Glossary:
    entries: tuple[Entry, ...]
    of_form: dict[str, Entry]  # by the form as `known_as` gives it
    pattern: re.Pattern[str]


def plural(form: str) -> str:
    """`modality` -> `modalities`; a word that takes no plural only gains a form that nobody writes."""
    if re.search(r"[^aeiouA-Z]y$", form):
        return form[:-1] + "ies"
    return form + ("es" if re.search(r"(s|x|z|ch|sh)$", form) else "s")


def has_capital(form: str) -> bool:
    return form != form.lower()


def known_as(form: str) -> str:
    """What two mentions of one form have in common: spaces are one space, and small letters may begin a sentence."""
    form = " ".join(form.split())
    return form if has_capital(form[1:]) else form[:1].lower() + form[1:]


def as_pattern(form: str) -> str:
    """A pattern for one form: any white space between its words, a capital where it may begin a sentence."""
    first, rest = form[0], form[1:]
    start = re.escape(first) if has_capital(form) else f"[{first}{first.upper()}]" if first.isalpha() else first
    return start + r"\s+".join(re.escape(word) for word in rest.split(" "))


def build(rows: list[dict[str, Any]]) -> Glossary:
    entries = tuple(
        Entry(row["term"], row["zh"], row["says"], (row["term"], *row.get("also", [])), row.get("link", True))
        for row in rows
    )
    forms = {form: entry for entry in entries if entry.linked for form in entry.forms}
    forms = {plural(form): entry for form, entry in forms.items()} | forms
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(as_pattern, longest_first))})(?![\w-])")
    return Glossary(entries, {known_as(form): entry for form, entry in forms.items()}, pattern)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Glossary:
    """Read the file; `changed` is its time of change, so that an edited file is read again."""
    return build(yaml.safe_load(path.read_text(encoding="utf-8")))


def read_glossary(root: Path) -> Glossary | None:
    """The glossary below `root`, or None where a project has none."""
    path = root / GLOSSARY
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else None


class GlossaryList(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.env.srcdir) / GLOSSARY))
        glossary = read_glossary(Path(self.env.srcdir))
        if glossary is None:
            return []
        items = [self.item(entry) for entry in glossary.entries]
        return [self.letters(glossary), nodes.definition_list("", *items, classes=["glossary-list"])]

    def letters(self, glossary: Glossary) -> nodes.paragraph:
        """A line of letters, each of which leads to its first term."""
        first = {entry.term[0].upper(): entry.anchor for entry in reversed(glossary.entries)}
        made = nodes.paragraph(classes=["glossary-letters"])
        for letter in sorted(first):
            made += [nodes.reference("", letter, refid=first[letter], internal=True), nodes.Text(" ")]
        return made

    def item(self, entry: Entry) -> nodes.definition_list_item:
        # The class gives the words their language, for screen readers and fonts.
        chinese = nodes.inline("", entry.chinese, classes=["language-zh-hans", "glossary-chinese"])
        term = nodes.term("", "", nodes.Text(entry.term), nodes.Text(" "), chinese, names=[entry.anchor])
        term["linked_as"] = entry.term
        self.state.document.note_explicit_target(term, term)
        says = nodes.paragraph("", "", nodes.Text(entry.says))
        if entry.forms[1:]:
            says += nodes.inline("", f" Also: {', '.join(entry.forms[1:])}.", classes=["glossary-also"])
        return nodes.definition_list_item("", term, nodes.definition("", says), entry=entry.term)


def may_hold_links(node: nodes.Node) -> bool:
    classes = node["classes"] if isinstance(node, nodes.Element) else []
    return not (isinstance(node, UNTOUCHED) or UNTOUCHED_CLASSES & set(classes))


def join_texts(root: nodes.Node) -> None:
    """One text where several stand side by side, as at the end of a line in the source: a term may run over it."""
    for element in list(root.findall(nodes.TextElement)):
        children: list[nodes.Node] = []
        for child in element.children:
            if isinstance(child, nodes.Text) and children and isinstance(children[-1], nodes.Text):
                children[-1] = nodes.Text(children[-1].astext() + child.astext())
            else:
                children.append(child)
        if len(children) < len(element.children):
            element.children = []
            element += children


def texts(node: nodes.Node) -> Iterator[nodes.Text]:
    """The texts below a node in which a term may be linked, in reading order."""
    if isinstance(node, nodes.Text):
        yield node
    elif may_hold_links(node):
        for child in node.children:
            yield from texts(child)


def link_terms(root: nodes.Node, glossary: Glossary, page: str, known: frozenset[str] = frozenset()) -> None:
    """Link the first mention of each term below `root`; `page` leads to the glossary, `known` are left out."""
    seen = set(known)
    join_texts(root)
    for text in list(texts(root)):
        made: list[nodes.Node] = []
        end, written = 0, text.astext()
        for found in glossary.pattern.finditer(written):
            entry = glossary.of_form[known_as(found[0])]
            if entry.term in seen:
                continue
            seen.add(entry.term)
            tip = f"{entry.chinese}. {entry.says}"
            link = nodes.reference(
                "", found[0], refuri=f"{page}#{entry.anchor}", internal=True, classes=["glossary-term"], reftitle=tip
            )
            made += [nodes.Text(written[end : found.start()]), link]
            end = found.end()
        if made:
            text.parent.replace(text, [node for node in [*made, nodes.Text(written[end:])] if node.astext()])


def link_page(app: Sphinx, doctree: nodes.document, page: str) -> None:
    glossary = read_glossary(Path(app.srcdir))
    if glossary is None or PAGE not in app.env.found_docs:
        return
    if page == PAGE:  # each entry is read alone
        for item in doctree.findall(nodes.definition_list_item):
            link_terms(item, glossary, "", frozenset({item.get("entry", "")}))
    else:
        link_terms(doctree, glossary, app.builder.get_relative_uri(page, PAGE))


def setup(app: Sphinx) -> None:
    app.add_directive("glossary-list", GlossaryList)
    app.connect("doctree-resolved", link_page, priority=900)  # after numbers and titles of links have come in
