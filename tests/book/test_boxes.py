"""Block quotes that open with a bold word become boxes, with everything that stands in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from coursebook.boxes import BOXES
from docutils import nodes

from tests.book.small import COSTS, Small, markdown, notebook

Read = Callable[[dict[str, str]], Small]


def boxes(small: Small, page: str = "page") -> list[nodes.admonition]:
    return list(small[page].findall(nodes.admonition))


@pytest.mark.parametrize("word", BOXES)
def test_each_word_makes_its_box(read: Read, word: str):
    small = read({"page.md": f"# Title\n\n> **{word}.** Some text.\n"})
    (box,) = boxes(small)
    assert [child.astext() for child in box] == [word, "Some text."]
    assert {"admonition", word.lower(), BOXES[word]} <= set(box["classes"])
    assert not small.warnings


def test_lists_formulas_and_code_stay_in_the_box(read: Read):
    quote = "> **Correction.** It is $x^2$, not `x*2`:\n>\n> - one $k$\n> - two\n>\n> $$\n> a + b\n> $$\n>\n> ```python\n> x = 1\n> ```\n"
    small = read({"page.md": f"# Title\n\n{quote}\nAfter it.\n"})
    (box,) = boxes(small)
    assert [type(child) for child in box] == [
        nodes.title, nodes.paragraph, nodes.bullet_list, nodes.math_block, nodes.literal_block,
    ]  # fmt: skip
    assert box[1].astext() == "It is x^2, not x*2:"
    assert len(list(box.findall(nodes.math))) == 2
    assert box[3].astext().strip() == "a + b"
    assert box[4].astext().strip() == "x = 1"
    assert box.next_node(siblings=True, descend=False).astext() == "After it."
    assert not small.warnings


def test_a_box_may_start_with_its_list(read: Read):
    (box,) = boxes(read({"page.md": "# Title\n\n> **Exercise.**\n>\n> 1. first\n> 2. second\n"}))
    assert [type(child) for child in box] == [nodes.title, nodes.enumerated_list]


def test_a_box_in_a_list_item_and_two_boxes_after_each_other(read: Read):
    small = read({"page.md": "# Title\n\n1. item\n\n   > **Note.** Inside.\n\n> **Note.** One.\n\n<!-- -->\n\n> **Result.** Two.\n"})
    assert [box[1].astext() for box in boxes(small)] == ["Inside.", "One.", "Two."]
    assert isinstance(boxes(small)[0].parent, nodes.list_item)


@pytest.mark.parametrize("quote", ["> A quotation.", "> **Three bold words.** and more", "> *Note.* slanted", "> - **Note.** a list"])
def test_an_ordinary_quote_stays_one(read: Read, quote: str):
    small = read({"page.md": f"# Title\n\n{quote}\n"})
    assert not boxes(small)
    assert len(list(small["page"].findall(nodes.block_quote))) == 1
    assert not small.warnings


def test_an_unknown_word_is_a_fault_that_names_the_known_ones(read: Read):
    small = read({"page.md": "# Title\n\n> **Corection.** Misspelt.\n"})
    (warning,) = small.warnings
    assert "page.md:3: WARNING: unknown box 'Corection'; known: Correction, Example" in warning


def test_a_box_in_a_notebook(read: Read):
    lesson = notebook(markdown("> **Correction.** Text with $x$.\n\n## After\n\n> **Note.** More."))
    small = read({"notebooks/c/l.ipynb": lesson, **COSTS})
    assert [box.astext().split("\n\n")[0] for box in boxes(small, "notebooks/c/l")] == ["Correction", "Note"]
    assert not small.warnings


def test_prose_can_write_the_same_box_as_a_directive(read: Read):
    (box,) = boxes(read({"page.md": "# Title\n\n```{admonition} Correction\n:class: correction\nText.\n```\n"}))
    assert {"correction", BOXES["Correction"]} <= set(box["classes"])
