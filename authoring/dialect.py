"""The Markdown that lessons are written in: what JupyterLab, Colab and the book all show alike.

CommonMark with $-math. Boxes are block quotes that open with a bold word. Numbers that were measured come from claim,
exact or a figure; a number that defines something (a rate of 0.1, a level of 95%) stands in a `code span` or in $math$.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# The words that open a box; the book's extension gives each its colour (book/_ext/coursebook/boxes.py).
BOXES = ("Correction", "Example", "Exercise", "Note", "Result", "Warning")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)\n.*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
MATH = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$(?![\s$])(?:[^$\\]|\\.)+?(?<!\s)\$(?!\d)", re.DOTALL)
LINK_TARGET = re.compile(r"\]\([^)\s]*(\s+\"[^\"]*\")?\)|<(https?|mailto):[^>\s]*>")
CODE_MARK, MATH_MARK = "\0", "\1"
UNITS = r"(?:per ?cent|percentage points?|points?|times|seconds?|minutes?|hours?|m?s|[kMG]B)"
WORDS = "(?i:one|two|three|four|five|six|seven|eight|nine|ten|half a)"
# A decimal, a percentage, a whole number of something that a run gives.
NUMBER = re.compile(
    rf"[^\s]*\d\.\d[^\s]*|\d+ ?%|\b\d[\d,]*[\s-]{UNITS}\b|\b{WORDS}\s(?:per ?cent|percentage points?)\b"
)
VERSION = re.compile(
    r"\d+\.\d+\.\d+|\b(?:Python|version|Apache|Licen[cs]e|BY|BY-SA|OFL)\]?\s\d+\.\d+(?:(?:,| or| and)\s\d+\.\d+)*"
)
TYPED = (
    "a number typed by hand; measured numbers come from claim or exact, "
    "a number that defines something stands in a code span or in $math$"
)
TYPED_ON_A_PAGE = (
    "a number typed by hand; measured numbers come from {value}`chapter/lesson:key`, a number that defines something "
    "stands in a code span or in $math$; a page of other people's numbers says whose: `% numbers: …`"
)
FORBIDDEN = (
    (re.compile(r"^[ >]*:{3,}", re.MULTILINE), "a MyST fence (:::)"),
    (re.compile(r"\{[A-Za-z][\w:.+-]*\}\0"), "a MyST role"),
    (re.compile(r"^\([^()\s]+\)=\s*$", re.MULTILINE), "a MyST target; a heading is an anchor of its own"),
    (re.compile(r"^%", re.MULTILINE), "a MyST comment"),
    (re.compile(r"\{\{|\[\^"), "a MyST substitution or footnote"),
    (re.compile(r"\\[\[\]()]"), r"math between \[ \] or \( \); write $…$ or $$…$$"),
    (re.compile(r"\\(begin|end)\{"), "a bare LaTeX environment; put it between $$ and $$"),
    (re.compile(r"<!--|<(?!a id=\"[\w-]+\">|/a>)/?[A-Za-z][^>]*>"), 'HTML other than <a id="…"></a>'),
)  # fmt: skip
FRONT_MATTER = re.compile(r"\A---\n.*?^---$", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"^ *:[\w-]+:.*$|^\[[^\]]+\]: .*$", re.MULTILINE)  # of a directive; where a link leads
# A page whose numbers are other people's, or follow from definitions, says so in a comment and need not code them.
NUMBERS_ARE = re.compile(r"^% numbers: \S+(?: \S+){2,}$", re.MULTILINE)

Fault = tuple[int, str]


def dialect_faults(text: str) -> Iterator[Fault]:
    """(line, fault): what in one Markdown cell would not be shown alike, or was typed where a run should speak."""
    for fence in FENCE.finditer(text):
        if fence[2].lstrip().startswith("{"):
            yield line_of(text, fence), f"a MyST directive: {fence[2].strip()}"
    prose = without_verbatim(text)
    for pattern, what in FORBIDDEN:
        yield from ((line_of(prose, found), f"{what}: {shown(prose, found)}") for found in pattern.finditer(prose))
    yield from typed_numbers(prose, TYPED)
    yield from box_faults(prose)


def number_faults(page: str) -> Iterator[Fault]:
    """(line, fault): numbers typed into a page of the book, unless the page says whose they are."""
    if not NUMBERS_ARE.search(page):
        yield from typed_numbers(without(OPTION, without_verbatim(without(FRONT_MATTER, page))), TYPED_ON_A_PAGE)


def typed_numbers(prose: str, what: str) -> Iterator[Fault]:
    prose = without(VERSION, prose)
    yield from ((line_of(prose, found), f"{what}: {readable(found[0])!r}") for found in NUMBER.finditer(prose))


def without_verbatim(text: str) -> str:
    """Markdown without code, formulas and the targets of links; a span leaves a mark in its place, lines stay lines."""
    prose = without(MATH, without(CODE, without(FENCE, text), CODE_MARK), MATH_MARK)
    return without(LINK_TARGET, prose, "]")


def without(pattern: re.Pattern[str], text: str, mark: str = "") -> str:
    return pattern.sub(lambda found: mark + "\n" * found[0].count("\n"), text)


def line_of(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1


def shown(prose: str, found: re.Match[str]) -> str:
    return repr(readable(prose[found.start() :].split(maxsplit=1)[0]))


def readable(prose: str) -> str:
    """The marks of code spans and formulas as such."""
    return prose.replace(CODE_MARK, "`…`").replace(MATH_MARK, "$…$")


def box_faults(prose: str) -> Iterator[Fault]:
    for block in re.finditer(r"(?:^ {0,3}>[^\n]*(?:\n|\Z))+", prose, re.MULTILINE):
        first = readable(block[0].lstrip().removeprefix(">").strip().splitlines()[0])
        word = re.match(r"\*\*([^*]+)\.\*\*", first)
        if not word or word[1] not in BOXES:
            boxes = ", ".join(f"**{box}.**" for box in BOXES)
            yield line_of(prose, block), f"a block quote that opens with none of {boxes}: {first[:40]}"
