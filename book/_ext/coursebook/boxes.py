"""Boxes: a block quote that opens with one of the words below in bold becomes a box.

    > **Correction.** The formula as printed divides by zero.

Notebooks are read on Colab too, which shows the same text as a quote. In prose, `{admonition} Correction` with the
class `correction` makes the same box.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)

# Word -> the class of the theme that gives the box its colour and icon.
BOXES = {
    "Correction": "attention",
    "Example": "seealso",
    "Exercise": "tip",
    "Note": "note",
    "Result": "important",
    "Warning": "warning",
}


class Boxes(SphinxTransform):
    default_priority = 300

    def apply(self) -> None:
        for quote in list(self.document.findall(nodes.block_quote)):
            word = opening_word(quote)
            if word is None:
                continue
            if word in BOXES:
                quote.replace_self(box(quote, word))
            else:
                known = ", ".join(BOXES)
                logger.warning("unknown box %r; known: %s", word, known, location=quote, type="coursebook")
        for admonition in self.document.findall(nodes.admonition):
            admonition["classes"] += [BOXES[word] for word in BOXES if word.lower() in admonition["classes"]]


def without_blank_start(paragraph: nodes.Element) -> list[nodes.Node]:
    """The children of a paragraph from the first that shows; the parser may put empty text before it."""
    children = list(paragraph.children)
    while children and isinstance(children[0], nodes.Text) and not children[0].strip():
        del children[0]
    return children


def opening_word(quote: nodes.block_quote) -> str | None:
    """`Note` where the quote begins with **Note.**, None where it begins otherwise."""
    if not quote.children or not isinstance(quote[0], nodes.paragraph):
        return None
    first, *_ = without_blank_start(quote[0])
    text = first.astext() if isinstance(first, nodes.strong) else ""
    return text[:-1] if text.endswith(".") and " " not in text else None


def box(quote: nodes.block_quote, word: str) -> nodes.admonition:
    """The admonition with the quote's content, its bold word made the title."""
    made = nodes.admonition("", nodes.title("", word), classes=["admonition", word.lower()])
    made.source, made.line = quote.source, quote.line
    paragraph, *rest = quote.children
    paragraph.children = without_blank_start(paragraph)[1:]
    paragraph.children = without_blank_start(paragraph)
    if paragraph.children:
        if isinstance(paragraph[0], nodes.Text):
            paragraph[0] = nodes.Text(paragraph[0].lstrip())
        made += paragraph
    made += rest
    return made


def setup(app: Sphinx) -> None:
    app.add_transform(Boxes)
