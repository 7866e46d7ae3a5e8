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
FORBIDDEN = (
    (re.compile(r"^[ >]*:{3,}", re.MULTILINE), "a MyST fence (:::)"),
    (re.compile(r"\{[A-Za-z][\w:.+-]*\}\0"), "a MyST role"),
    (re.compile(r"^\([^()\s]+\)=\s*$", re.MULTILINE), "a MyST target; a heading is an anchor of its own"),
    (re.compile(r"^%", re.MULTILINE), "a MyST comment"),
    (re.compile(r"\{\{|\[\^"), "a MyST substitution or footnote"),
    (re.compile(r"\\[\[\]()]"), r"math between \[ \] or \( \); write $…$ or $$…$$"),
    (re.compile(r"\\(begin|end)\{"), "a bare LaTeX environment; put it between $$ and $$"),
    (re.compile(r"<!--|<(?!a id=\"[\w-]+\">|/a>)/?[A-Za-z][^>]*>"), 'HTML other than <a id="…"></a>'),
    (re.compile(r"[^\s]*\d\.\d[^\s]*|\d+ ?%"), "a number typed by hand; measured numbers come from claim or exact, "
     "a number that defines something stands in a code span or in $math$"),
)  # fmt: skip


def dialect_faults(text: str) -> Iterator[str]:
    """What in one Markdown cell would not be shown alike, or was typed where a run should speak."""
    for fence in FENCE.finditer(text):
        if fence[2].lstrip().startswith("{"):
            yield f"a MyST directive: {fence[2].strip()}"
    prose = FENCE.sub("", text)
    prose = MATH.sub("\1", CODE.sub("\0", prose))
    prose = LINK_TARGET.sub("]", prose)
    for pattern, what in FORBIDDEN:
        for found in pattern.finditer(prose):
            yield f"{what}: {found[0].strip() or found[0]!r}"
    yield from box_faults(prose)


def box_faults(prose: str) -> Iterator[str]:
    for block in re.findall(r"(?:^ {0,3}>[^\n]*(?:\n|\Z))+", prose, re.MULTILINE):
        first = block.lstrip().removeprefix(">").strip().splitlines()[0]
        word = re.match(r"\*\*([^*]+)\.\*\*", first)
        if not word or word[1] not in BOXES:
            yield f"a block quote that opens with none of {', '.join(f'**{box}.**' for box in BOXES)}: {first[:40]}"
