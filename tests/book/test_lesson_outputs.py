"""What a lesson stored, shown in the book: figures, numbers, claims, cost; and what is said where it is not there."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coursebook import stored
from coursebook.costs import memory, read_costs, seconds
from coursebook.notebooks import prepare
from coursebook.stored import Number, StoredError, look_up, read_lesson
from coursebook.values import written
from docutils import nodes

from tests.book import small
from tests.book.small import COSTS, Small, claim, code, exact, figure, markdown, notebook, png, printed

Read = Callable[[dict[str, str]], Small]
LESSON = "notebooks/c/l.ipynb"
LINKED = "\n\n```{toctree}\nnotebooks/c/l\n```\n"


def with_page(text: str, *cells: dict[str, Any]) -> dict[str, str]:
    """A page of prose beside a lesson."""
    return {"page.md": f"# Title\n\n{text}{LINKED}", LESSON: notebook(*cells), **COSTS}


def lesson_file(root: Path, *cells: dict[str, Any]) -> Path:
    path = root / LESSON
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook(*cells), encoding="utf-8")
    return path


# Numbers


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [(0.2084, ".2f", "0.21"), (0.2084, ".0%", "21%"), (-0.05, "+.2f", "−0.05"), (0.05, "+.2f", "+0.05"), (2.5, ".3g", "2.5")],
)
def test_a_number_is_written_in_its_format(value: float, form: str, text: str):
    assert written(Number(value, "", "", True), form) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float):
    with pytest.raises(StoredError, match="the stored number is"):
        written(Number(value, "", "", True))


def test_claims_and_exact_numbers_in_prose(read: Read):
    text = "A {value}`c/l:gain|.1%`, {value}`c/l:gain|+.2f`, {value}`c/l:gain`, {value}`c/l:sum|.1f`."
    made = read(with_page(text, code("run()", claim("gain", 0.2084), exact("sum", 2.5))))
    assert made["page"].next_node(nodes.paragraph).astext() == "A 20.8%, +0.21, 0.208, 2.5."
    assert not made.warnings


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{value}`c/l:loss`", "value: lesson c/l stored no number 'loss'; stored: gain"),
        ("{value}`c/m:gain`", "value: there is no lesson 'c/m' (notebooks/c/m.ipynb)"),
        ("{value}`gain`", "value: 'gain' is not of the form chapter/lesson:key"),
        ("{value}`c/l:gain|.2q`", "value: "),
        ("```{lesson-figure} c/l:curve\n```", "lesson-figure: lesson c/l stored no figure 'curve'; stored: drawn"),
        ("```{lesson-figure} c/l\n```", "lesson-figure: 'c/l' is not of the form chapter/lesson:key"),
        ("```{lesson-claim} c/l:loss\n```", "lesson-claim: lesson c/l stored no number 'loss'"),
        ("```{lesson-cost} c/m\n```", "notebooks/costs.csv has no line for c/m; run `make notebooks`"),
    ],
)
def test_what_is_not_there_is_one_fault_with_page_and_line(read: Read, text: str, fault: str):
    made = read(with_page(text, code("run()", claim("gain", 0.2), figure("drawn"))))
    (warning,) = made.warnings
    assert f"page.md:3: WARNING: {fault}" in warning


def test_a_claim_in_prose_shows_bound_and_number_as_they_are(read: Read):
    stored_claim = claim("gain", 0.2084, sentence="a <b>sum</b> *gains* $x$", unit="s")
    made = read(with_page("```{lesson-claim} c/l:gain\n```", code("run()", stored_claim)))
    shown = made["page"].next_node(nodes.paragraph)
    assert shown.astext() == "a <b>sum</b> *gains* $x$ at least 0.1 (measured: 0.208 s)"
    assert len(shown) == 1, "what a lesson printed is no markup"
    assert not made.warnings


def test_an_exact_number_is_no_claim(read: Read):
    made = read(with_page("```{lesson-claim} c/l:sum\n```", code("run()", exact("sum", 2.5))))
    assert "c/l:sum is an exact number and no claim" in made.warnings[0]


# Figures


def test_a_figure_in_prose_has_the_lesson_s_caption_and_alternative_text(read: Read):
    drawn = figure("drawn", caption="Bound $1/k$ and **bold**, [a link](../../page.md).", alt='Words "quoted" <here> & there.')
    made = read(with_page("```{lesson-figure} c/l:drawn\n:name: in-prose\n```", code("draw()", drawn)))
    shown = made["page"].next_node(nodes.figure)
    assert shown["ids"] == ["in-prose"]
    assert shown.next_node(nodes.image)["alt"] == 'Words "quoted" <here> & there.'
    caption = shown.next_node(nodes.caption)
    assert caption.next_node(nodes.math).astext() == "1/k"
    assert caption.next_node(nodes.strong).astext() == "bold"
    image = Path(shown.next_node(nodes.image)["uri"])
    assert image.name == "c-l-drawn.png"


def test_a_caption_of_its_own_in_prose(read: Read):
    made = read(with_page("```{lesson-figure} c/l:drawn\n:caption: Other $y$ words.\n```", code("draw()", figure("drawn"))))
    assert made["page"].next_node(nodes.caption).astext() == "Other y words."


def test_figures_are_numbered_through_the_book_and_can_be_referred_to(read: Read):
    text = "See {numref}`first` and {numref}`c/l:drawn`.\n\n```{lesson-figure} c/l:second\n:name: first\n```"
    made = read(with_page(text, code("draw()", figure("drawn"), figure("second"))))
    assert made.figure_numbers == {"page": {"first": (1,)}, "notebooks/c/l": {"c-l-drawn": (2,), "c-l-second": (3,)}}
    assert made["page"].next_node(nodes.paragraph).astext() == "See Fig. 1 and Fig. 2."
    assert not made.warnings


def test_the_image_is_written_where_sphinx_finds_it(read: Read, tmp_path: Path):
    read(with_page("```{lesson-figure} c/l:drawn\n```", code("draw()", figure("drawn"))))
    assert (tmp_path / "out" / "lesson_figures" / "c-l-drawn.png").read_bytes() == png()


# A notebook as the book reads it


def sources(cells: list[dict[str, Any]]) -> list[str]:
    return [cell["source"] for cell in cells]


def prepared(*cells: dict[str, Any]) -> list[dict[str, Any]]:
    return prepare(json.loads(notebook(*cells)), "c/l")["cells"]


def test_cost_comes_after_the_title_and_the_colab_cell_is_left_out():
    assert sources(prepared(markdown("Text."))) == ["# A lesson\n\nOne sentence.", "```{lesson-cost} c/l\n```", "Text."]


def test_outputs_keep_their_order_and_code_is_shown_once():
    cells = prepared(code("run()", printed("before"), figure("f"), printed("between"), claim("k", 0.2), exact("e", 2.5)))[2:]
    assert [cell["cell_type"] for cell in cells] == ["code", "markdown", "code", "markdown", "code"]
    assert [cell["source"].split("\n")[0] for cell in cells[1::2]] == ["```{lesson-figure} c/l:f", "```{lesson-claim} c/l:k"]
    hidden = ["remove-input" in cell["metadata"].get("tags", []) for cell in cells[::2]]
    assert hidden == [False, True, True]
    assert [cell["outputs"][0].get("text") for cell in cells[:4:2]] == ["before", "between"]
    assert cells[4]["outputs"][0]["data"] == {"text/plain": "exactly 2.5"}


def test_code_whose_first_output_is_a_figure_and_code_without_output_are_shown():
    first, _, second = prepared(code("draw()", figure("f")), code("x = 1"))[2:]
    assert sources([first, second]) == ["draw()", "x = 1"]
    assert first["outputs"] == second["outputs"] == []


def test_cell_ids_are_unique_and_the_notebook_is_not_changed():
    given = json.loads(notebook(code("run()", figure("f"), claim("k", 0.2))))
    before = copy.deepcopy(given)
    ids = [cell["id"] for cell in prepare(given, "c/l")["cells"]]
    assert len(ids) == len(set(ids))
    assert given == before


# What is stored


def test_the_words_of_the_two_records_are_those_of_the_package():
    lesson = pytest.importorskip("mmcourse.lesson")
    assert (stored.CLAIM, stored.EXACT) == (lesson.CLAIM_TYPE, lesson.EXACT_TYPE) == (small.CLAIM, small.EXACT)


def test_a_text_may_be_stored_as_a_list_of_lines(tmp_path: Path):
    output = figure("f")
    output["data"]["image/png"] = [output["data"]["image/png"][:20], output["data"]["image/png"][20:]]
    lesson_file(tmp_path, code("draw()", output))
    assert read_lesson(tmp_path, "c/l").figures["f"].image == png()


def test_a_changed_notebook_is_read_again(tmp_path: Path):
    path = lesson_file(tmp_path, code("run()", claim("gain", 0.2)))
    assert look_up(tmp_path, "c/l:gain", "numbers")[1].value == 0.2
    path.write_text(notebook(code("run()", claim("gain", 0.3))), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert look_up(tmp_path, "c/l:gain", "numbers")[1].value == 0.3


@pytest.mark.parametrize(
    ("outputs", "fault"),
    [
        ([figure("f", alt=" ")], "figure 'f' of l.ipynb has no alt"),
        ([figure("f", caption="")], "figure 'f' of l.ipynb has no caption"),
        ([figure("f"), figure("f")], "l.ipynb stores two figures 'f'"),
        ([claim("k", 1), exact("k", 1)], "l.ipynb stores two numbers 'k'"),
        ([{**figure("f"), "data": {"image/svg+xml": "<svg/>"}}], "holds neither image/png nor image/gif"),
    ],
)
def test_a_malformed_lesson_is_refused(tmp_path: Path, outputs: list[dict[str, Any]], fault: str):
    lesson_file(tmp_path, code("run()", *outputs))
    with pytest.raises(StoredError, match=fault.replace(".", r"\.")):
        read_lesson(tmp_path, "c/l")


# Costs


def test_costs_are_rounded_for_readers(tmp_path: Path):
    assert read_costs(tmp_path) == {}
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "costs.csv").write_text(COSTS["notebooks/costs.csv"], encoding="utf-8")
    cost = read_costs(tmp_path)["c/l"]
    assert (seconds(cost), memory(cost)) == ("31 s", "0.8 GB")
    assert seconds({"cpu_seconds": 0.2}) == "1 s"


def test_the_line_under_the_title_and_the_table_of_all_lessons(read: Read):
    made = read(with_page("```{lesson-costs}\n```", code("x = 1")))
    line = made["notebooks/c/l"][0][2]
    assert line.astext() == "Cost. 31 s of processor time and 0.8 GB of memory, measured."
    cells = [cell.astext() for cell in made["page"].findall(nodes.entry)]
    assert cells == ["Lesson", "Processor time", "Memory", "A lesson", "31 s", "0.8 GB"]
    assert not made.warnings


def test_without_a_measurement_the_table_is_empty_and_the_lesson_at_fault(read: Read):
    files = with_page("```{lesson-costs}\n```", code("x = 1"))
    del files["notebooks/costs.csv"]
    made = read(files)
    assert not list(made["page"].findall(nodes.table))
    (warning,) = made.warnings
    assert "notebooks/costs.csv has no line for c/l" in warning
