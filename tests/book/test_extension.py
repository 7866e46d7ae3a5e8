"""The book's own directives, role and hooks, on projects of one page."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from coursebook import (
    anchors,
    benchmarks,
    bibliography,
    boxes,
    costs,
    exercises,
    figures,
    notebooks,
    records,
    theme_mends,
    values,
)
from docutils import nodes

from tests.book import project
from tests.book.project import Build, Built

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LESSON = "fusion/sum"


def figure_output(key: str, caption: str = "A caption.", alt: str = "One dot.") -> dict:
    about = {"figure": key, "caption": caption, "alt": alt}
    return {"output_type": "display_data", "data": {"image/png": PIXEL}, "metadata": {"mmcourse": about}}


def number_output(kind: str, key: str, value: float, line: str, **more: object) -> dict:
    record = {"key": key, "value": value, **more}
    data = {"text/plain": line, f"application/vnd.mmcourse.{kind}+json": record}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def stream(text: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def code(source: str, *outputs: dict, tags: tuple[str, ...] = ()) -> dict:
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code", "id": "c", "execution_count": 1, "metadata": metadata, "source": source,
        "outputs": list(outputs),
    }  # fmt: skip


def prose(source: str) -> dict:
    return {"cell_type": "markdown", "id": "m", "metadata": {}, "source": source}


GAIN = number_output(
    "claim", "gain", 0.20842, "✓ gain: 0.208 (bound: at least 0.15)", at_least=0.15, at_most=None, unit=""
)
LOSS = number_output(
    "claim", "loss", -3.0, "✓ time lost: -3 s (bound: at most 0 s)", at_least=None, at_most=0.0, unit="s"
)
SUM = number_output("exact", "sum", 2.5, "the sum is 2.5", text="the sum is {}")
DOTS = figure_output("dots", caption="Dots **of** size $k^2$.", alt='A "dot" & <nothing> else.')
CELLS = (
    prose("# The sum\n\nWhat it does."),
    code("import sys", tags=("colab",)),
    code("work()", stream("before\n"), DOTS, stream("after\n"), GAIN, LOSS, SUM),
    code("!ls", figure_output("more")),
)


def write_notebook(root: Path, cells: tuple[dict, ...] = CELLS) -> Path:
    return project.write_notebook(root, LESSON, cells)


# ---------------------------------------------------------------------------------------------- values and claims


@pytest.mark.parametrize(
    ("role", "text"),
    [("gain", "0.208"), ("gain|.2f", "0.21"), ("gain | .0%", "21%"), ("loss|+.1f", "−3.0"), ("sum", "2.5")],
)
def test_a_value_is_written_as_asked(tmp_path: Path, build: Build, role: str, text: str):
    write_notebook(tmp_path)
    built = build(f"Gains {{value}}`{LESSON}:{role}`.")
    [value] = [node for node in built.page().findall(nodes.inline) if "lesson-value" in node["classes"]]
    assert value.astext() == text
    assert "value:" not in built.warnings
    assert "sum.ipynb" in built.dependencies()


@pytest.mark.parametrize(
    ("role", "complaint"),
    [
        (f"{LESSON}:no-such", "index.md:3: WARNING: value: lesson fusion/sum stored no number 'no-such'; stored: gain"),
        (f"{LESSON}:dots", "stored no number 'dots'"),
        ("fusion/none:gain", "there is no lesson 'fusion/none'"),
        (LESSON, "is not of the form chapter/lesson:key"),
        (f"{LESSON}:gain|.2q", "Unknown format code 'q'"),
    ],
)
def test_an_unknown_value_is_a_warning_that_names_what_is_there(
    tmp_path: Path, build: Build, role: str, complaint: str
):
    write_notebook(tmp_path)
    assert complaint in build(f"Gains {{value}}`{role}`.").warnings


def test_a_stored_nan_is_a_warning(tmp_path: Path, build: Build):
    bad = number_output(
        "claim", "bad", float("nan"), "✓ bad: nan (bound: at least 0)", at_least=0.0, at_most=None, unit=""
    )
    write_notebook(tmp_path, (prose("# T"), code("x", bad)))
    assert "the stored number is nan" in build(f"{{value}}`{LESSON}:bad`").warnings


def test_numbers_are_shown_as_the_lesson_printed_them_with_a_quiet_bound(tmp_path: Path, build: Build):
    write_notebook(tmp_path)
    page = build("\n\n".join(f"```{{lesson-number}} {LESSON}:{key}\n```" for key in ("gain", "loss", "sum"))).page()
    shown = {node.astext(): node["classes"] for node in page.findall(nodes.paragraph)}
    assert shown == {
        "gain: 0.208 (bound: at least 0.15)": ["lesson-claim"],
        "time lost: -3 s (bound: at most 0 s)": ["lesson-claim"],
        "the sum is 2.5": ["lesson-exact"],
    }
    quiet = [node.astext() for node in page.findall(nodes.inline) if "claim-bound" in node["classes"]]
    assert quiet == [" (bound: at least 0.15)", " (bound: at most 0 s)"]


def test_a_number_that_was_not_stored_is_a_warning(tmp_path: Path, build: Build):
    write_notebook(tmp_path)
    built = build(f"```{{lesson-number}} {LESSON}:no-such\n```")
    assert "WARNING: lesson-number:" in built.warnings


# -------------------------------------------------------------------------------------------------------- figures


def test_a_figure_has_image_caption_alternative_text_and_number(tmp_path: Path, build: Build):
    write_notebook(tmp_path)
    built = build(f"```{{lesson-figure}} {LESSON}:dots\n:name: here\n```\n\nSee {{numref}}`here`.")
    [figure] = built.page().findall(nodes.figure)
    image = figure.next_node(nodes.image)
    assert image["alt"] == 'A "dot" & <nothing> else.'
    assert (tmp_path / image["uri"].lstrip("/")).read_bytes() == base64.b64decode(PIXEL)
    caption = figure.next_node(nodes.caption)
    assert caption.astext() == "Dots of size k^2."
    assert caption.next_node(nodes.math).astext() == "k^2"
    assert built.app.env.toc_fignumbers["index"]["figure"] == {"here": (1,)}
    assert "See Fig. 1." in built.page().astext()
    assert "sum.ipynb" in built.dependencies()


def test_a_figure_may_get_another_caption(tmp_path: Path, build: Build):
    write_notebook(tmp_path)
    built = build(f"```{{lesson-figure}} {LESSON}:dots\n:caption: *Other* words.\n```")
    assert next(built.page().findall(nodes.caption)).astext() == "Other words."


@pytest.mark.parametrize(
    ("outputs", "complaint"),
    [
        ((), "stored no figure 'dots'; stored: none"),
        ((figure_output("dots", caption=" "),), "figure 'dots' of sum.ipynb has no caption"),
        ((figure_output("dots", alt=""),), "figure 'dots' of sum.ipynb has no alt"),
        ((DOTS, DOTS), "stores two figures 'dots'"),
        (({**DOTS, "data": {"image/svg+xml": "<svg/>"}},), "holds neither image/png nor image/gif"),
    ],
)
def test_a_figure_that_is_missing_or_faulty_is_a_warning(
    tmp_path: Path, build: Build, outputs: tuple[dict, ...], complaint: str
):
    write_notebook(tmp_path, (prose("# T"), code("x", *outputs)))
    built = build(f"```{{lesson-figure}} {LESSON}:dots\n```")
    assert "index.md:3: WARNING: lesson-figure:" in built.warnings
    assert complaint in built.warnings


def test_images_have_readable_names():
    assert figures.file_name("fusion/weighted_sum:norm-ratio", ".png") == "fusion-weighted_sum-norm-ratio.png"


# ------------------------------------------------------------------------------------------------------ notebooks


def test_a_notebook_gets_its_cost_and_loses_its_colab_cell():
    cells = notebooks.prepare({"cells": list(CELLS), "metadata": {}}, LESSON)["cells"]
    assert cells[0]["source"] == CELLS[0]["source"]
    assert cells[1]["source"] == f"```{{lesson-cost}} {LESSON}\n```"
    assert not any("colab" in cell["metadata"].get("tags", []) for cell in cells)
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_figures_and_numbers_become_cells_in_the_order_of_the_outputs():
    cells = notebooks.split(CELLS[2], LESSON)
    assert [cell["cell_type"] for cell in cells] == ["code", "markdown", "code", "markdown", "markdown", "markdown"]
    assert [cell["source"].split()[1] for cell in cells if cell["cell_type"] == "markdown"] == [
        f"{LESSON}:dots", f"{LESSON}:gain", f"{LESSON}:loss", f"{LESSON}:sum",
    ]  # fmt: skip
    kept = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert [output["text"] for output in kept] == ["before\n", "after\n"]
    hidden = ["remove-input" in cell["metadata"].get("tags", []) for cell in cells if cell["cell_type"] == "code"]
    assert hidden == [False, True], "the code is shown once"


def test_hidden_cells_in_a_row_open_together():
    hidden = {"tags": ("hide-input",)}
    cells = [code("a = 1", **hidden), code("b = 2", **hidden), code("c()", DOTS, **hidden), code("d = 4", **hidden)]
    assert [cell["source"] for cell in notebooks.together(cells)] == ["a = 1\n\n\nb = 2\n\n\nc()", "d = 4"]
    assert notebooks.together(cells)[0]["outputs"] == [DOTS]
    apart = [code("a = 1"), code("b = 2", **hidden), prose("words"), code("c()", **hidden)]
    assert notebooks.together(apart) == apart


def test_a_cell_without_outputs_stays_as_it_is():
    assert notebooks.split(code("x = 1"), LESSON) == [code("x = 1")]
    assert [cell["cell_type"] for cell in notebooks.split(CELLS[3], LESSON)] == ["code", "markdown"]


def test_a_lesson_builds_without_warning_and_shows_everything(tmp_path: Path, build: Build):
    write_notebook(tmp_path)
    (tmp_path / costs.COSTS).write_text("lesson,cpu_seconds,peak_mb,budget_seconds\nfusion/sum,31.4,812,100\n")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "costs.md").write_text("# Costs\n", encoding="utf-8")
    built = build(f"```{{toctree}}\nnotebooks/{LESSON}\nbook/costs\n```")
    assert "WARNING" not in built.warnings, built.warnings
    page = built.page(f"notebooks/{LESSON}")
    assert "Cost. 31 s of processor time and 0.8 GB of memory, measured." in page.astext()
    assert len(list(page.findall(nodes.figure))) == 2
    assert "costs.csv" in built.dependencies(f"notebooks/{LESSON}")
    # The label of a figure is its address, so that other pages can name it.
    assert f"{LESSON}:dots" in built.app.env.domains["std"].labels


# ------------------------------------------------------------------------------------------------------- exercises

TITLE = prose("# Exercises: sums\n\nWrite sums.")
ANSWER = "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b\n    ### END SOLUTION"
STUB = f"def add(a, b):\n    # YOUR CODE HERE\n    raise {NotImplementedError.__name__}()"
SAID = "fusion/add: passed\n  ✓ it is the sum"
PASSED = {
    "output_type": "display_data", "metadata": {},
    "data": {"text/plain": SAID, "application/vnd.mmcourse.check+json": {"laws": []}},
}  # fmt: skip
SOLVED = (
    TITLE, code("data()", stream("some rows\n"), DOTS), code(ANSWER), code('check("fusion/add", add)', PASSED),
    code('progress("fusion")', stream("1 of 1 solved\n")),
)  # fmt: skip
BLANK = tuple(
    {**cell, "outputs": [], "source": cell["source"].replace(ANSWER, STUB)} if "outputs" in cell else cell
    for cell in SOLVED
)


def write_exercises(root: Path, solved: tuple[dict, ...] | None = SOLVED) -> None:
    write_notebook(root, BLANK).rename(root / "notebooks" / "fusion" / "exercises.ipynb")
    if solved is not None:
        write_notebook(root, solved).rename(root / "notebooks" / "fusion" / "solutions.ipynb")
    (root / costs.COSTS).write_text("lesson,cpu_seconds,peak_mb,budget_seconds\nfusion/solutions,3,400,100\n")
    (root / "book").mkdir(exist_ok=True)
    (root / "book" / "costs.md").write_text("# Costs\n\n```{lesson-costs}\n```\n", encoding="utf-8")


PAGES = "```{toctree}\nnotebooks/fusion/exercises\nbook/costs\n```"


def test_below_each_stub_and_its_check_the_solution_is_folded():
    cells = exercises.with_solutions(list(BLANK), list(SOLVED))
    assert [cell["source"] for cell in cells] == [
        TITLE["source"], "data()", STUB, 'check("fusion/add", add)', "def add(a, b):\n    return a + b",
        'progress("fusion")',
    ]  # fmt: skip
    assert [cell.get("outputs", []) for cell in cells] == [[], SOLVED[1]["outputs"], [], [], [PASSED], []]
    folded = [place for place, cell in enumerate(cells) if "hide-cell" in cell["metadata"].get("tags", [])]
    assert folded == [4]


def test_a_page_of_exercises_builds_without_warning(tmp_path: Path, build: Build):
    write_exercises(tmp_path)
    built = build(PAGES)
    assert "WARNING" not in built.warnings, built.warnings
    page = built.page("notebooks/fusion/exercises")
    blocks = [block.astext().rstrip() for block in page.findall(nodes.literal_block)]
    assert blocks == [
        "data()", "some rows", STUB, 'check("fusion/add", add)', "def add(a, b):\n    return a + b",
        SAID, 'progress("fusion")',
    ]  # fmt: skip
    [folded] = [node for node in page.findall(nodes.container) if node.get("hide_mode") == "all"]
    assert (folded["prompt_show"], folded["prompt_hide"]) == ("Solution", "Hide the solution")
    assert "Cost. 3 s of processor time and 0.4 GB of memory with the solutions, measured." in page.astext()
    assert "fusion/solutions:dots" in built.app.env.domains["std"].labels
    assert "solutions.ipynb" in built.dependencies("notebooks/fusion/exercises")


@pytest.mark.parametrize("solved", [None, SOLVED[:-1]], ids=["none", "of other cells"])
def test_exercises_without_their_solutions_are_a_warning(tmp_path: Path, build: Build, solved: tuple[dict, ...] | None):
    write_exercises(tmp_path, solved)
    assert "no solutions of fusion/exercises, run `make notebooks`" in build(PAGES).warnings


# ----------------------------------------------------------------------------------------------------------- boxes


def boxed(built: Built) -> list[tuple[str, list[str]]]:
    return [(node[0].astext(), node["classes"]) for node in built.page().findall(nodes.admonition)]


@pytest.mark.parametrize("word", list(boxes.BOXES))
def test_a_quote_with_a_known_word_becomes_a_box(build: Build, word: str):
    built = build(f"> **{word}.** Some text.")
    assert boxed(built) == [(word, ["admonition", word.lower(), boxes.BOXES[word]])]
    assert not list(built.page().findall(nodes.block_quote))


def test_a_box_keeps_lists_formulas_code_and_links(build: Build):
    built = build(
        "1. first\n\n   > **Correction.** Not $a$ but *b*.\n   lazy line\n   >\n   > - item $k$\n   >\n   > ```python\n"
        "   > w = 1\n   > ```\n\n2. second"
    )
    [box] = built.page().findall(nodes.admonition)
    assert isinstance(box.parent, nodes.list_item)
    title, paragraph, items, block = box.children
    assert title.astext() == "Correction"
    assert paragraph.astext() == "Not a but b.\nlazy line"
    assert items.next_node(nodes.math).astext() == "k"
    assert block.astext().strip() == "w = 1"


def test_a_box_may_have_its_text_below_its_word(build: Build):
    [box] = build("> **Exercise.**\n>\n> - one\n> - two").page().findall(nodes.admonition)
    assert [type(child) for child in box.children] == [nodes.title, nodes.bullet_list]


@pytest.mark.parametrize(
    "quote", ["> Just a quote.", "> Some **Note.** inside.", "> **Two words.** here.", "> **bold**"]
)
def test_other_quotes_stay_quotes(build: Build, quote: str):
    built = build(quote)
    assert not boxed(built)
    assert "box" not in built.warnings


def test_a_mistyped_box_is_a_warning(build: Build):
    assert "index.md:3: WARNING: unknown box 'Corection'; known: Correction" in build("> **Corection.** Text.").warnings


def test_both_ways_to_write_a_box_look_the_same(build: Build):
    built = build("> **Correction.** A\n\n```{admonition} Correction\n:class: correction\nB\n```")
    first, second = boxed(built)
    assert set(second[1]) | {"admonition"} == set(first[1])


# ----------------------------------------------------------------------------------------------------------- costs


def test_a_lesson_without_a_measured_cost_is_a_warning(build: Build):
    warnings = build(f"```{{lesson-cost}} {LESSON}\n```").warnings
    assert "notebooks/costs.csv has no line for fusion/sum; run `make notebooks`" in warnings


def test_the_table_of_costs_has_a_row_for_each_lesson(tmp_path: Path, build: Build):
    write_notebook(tmp_path, (prose("# The sum"),))
    (tmp_path / costs.COSTS).write_text("lesson,cpu_seconds,peak_mb,budget_seconds\nfusion/sum,0.2,1851,100\n")
    built = build("```{lesson-costs}\n```")
    [body] = built.page().findall(nodes.tbody)
    assert [cell.astext() for cell in body.findall(nodes.entry)] == ["The sum", "1 s", "1.9 GB"]


def test_solutions_stand_below_the_lessons_and_lead_to_their_exercises(tmp_path: Path, build: Build):
    write_exercises(tmp_path)
    write_notebook(tmp_path, (prose("# The sum"),))
    with (tmp_path / costs.COSTS).open("a") as rows:
        rows.write(f"{LESSON},7,900,100\n")
    [body] = build("```{lesson-costs}\n```").page().findall(nodes.tbody)
    assert [cell.astext() for cell in body.findall(nodes.entry)][::3] == ["The sum", "Exercises: sums, solved"]
    assert [link["refuri"] for link in body.findall(nodes.reference)][1] == "notebooks/fusion/exercises"


# ----------------------------------------------------------------------------------------------------- benchmarks

RATIO = {"name": "torch a", "against": "plain | formula", "threads": 2, "ratio": 1.5, "lowest": 1.25, "highest": 2.0}
MEASURED = {
    "machine": {"system": "Linux", "cores": 2, "python": "3.11.7", "processor": "a processor"},
    "versions": {"numpy": "2.4.6"},
    "conditions": {"device": "cpu", "rounds": 11},
    "ratios": [
        RATIO | {"milliseconds": 12345.6, "peer_milliseconds": 0.0123, "megabytes": 0.05, "peer_megabytes": None}
    ],
    "rates": [
        {"name": "b", "unit": "pages", "amount": 60, "per_second": 30.0, "seconds": 2.0, "lowest": 1.0, "highest": 3.0}
    ],
}


def test_benchmarks_are_written_as_they_were_stored(tmp_path: Path, build: Build):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / benchmarks.RESULTS).write_text(json.dumps(MEASURED), encoding="utf-8")
    built = build("\n\n".join(f"```{{{name}}}\n```" for name in benchmarks.PARTS))
    said = [node.astext() for node in built.page().findall(nodes.paragraph)]
    assert said[0] == (
        "Measured on a processor, 2 cores, Linux, Python 3.11.7, with numpy 2.4.6. Medians of 11 rounds, without a "
        "GPU. Threads: one where nothing else is said. torch a: 2."
    )
    cells = [[cell.astext() for cell in body.findall(nodes.entry)] for body in built.page().findall(nodes.tbody)]
    ratio = ["torch a", "plain | formula", "1.50", "1.25 to 2.00", "12,300 (0.0123)", "0.1 (not told)"]
    assert cells == [ratio, ["b", "30 pages", "60 pages", "2 (1-3)"]]
    assert "results.json" in built.dependencies()


# --------------------------------------------------------------------------------------------------------- records

COVERAGE = """
- {id: S0-01, part: Part, what: "Use of a*b* & <b> | $x$", status: open, chapter: concepts, lesson: first_model}
- {id: S0-02, part: Part, what: Taught, status: taught, page: book/fusion/page, anchor: a-head, shown_by: {claim: gain}}
- {id: S1-01, part: Part, same_as: S0-02, what: Again}
- {id: S1-02, part: Other, what: Read, status: taught, page: book/fusion/page, anchor: a-head, shown_by: {text: words}}
"""
CORRECTIONS = """
- id: C-01
  subject: The $x$
  kind: wrong
  fault: Says $y$
  right: See D-02.
  status: open
  chapter: fusion
- id: D-02
  subject: A name
  kind: wrong
  fault: f
  right: r
  status: shown
  page: book/fusion/page
  anchor: a-head
  shown_by: {figure: dots}
- {id: D-03, subject: A, kind: wrong, fault: f, right: r, status: shown, page: book/top, anchor: top,
   shown_by: {text: words}}
"""


ORPHAN = "---\norphan: true\n---\n"


@pytest.fixture
def registries(tmp_path: Path) -> Path:
    (tmp_path / "book" / "fusion").mkdir(parents=True)
    (tmp_path / "book" / "top.md").write_text(ORPHAN + "# Top\n", encoding="utf-8")
    (tmp_path / "book" / "fusion" / "page.md").write_text(ORPHAN + "# Other page\n\n## A head\n", encoding="utf-8")
    (tmp_path / "book" / "coverage.yml").write_text(COVERAGE, encoding="utf-8")
    (tmp_path / "book" / "corrections.yml").write_text(CORRECTIONS, encoding="utf-8")
    return tmp_path / "book"


def test_coverage_lists_distinct_rows_by_part(registries: Path, build: Build):
    built = build("```{coverage-table}\n```")
    page = built.page()
    assert "3 distinct subjects: 2 taught, 1 planned." in page.astext()
    rows = [[cell.astext() for cell in row.findall(nodes.entry)] for body in page.findall(nodes.tbody) for row in body]
    assert rows == [
        ["Taught", "A head (claim gain)", "S0-02, S1-01"],
        ["Use of a*b* & <b> | $x$", "planned: Concepts, first model", "S0-01"],
        ["Read", "A head", "S1-02"],
    ]
    assert [section[0].astext() for section in page.findall(nodes.section)] == ["Page", "Part", "Other"]
    assert "coverage.yml" in built.dependencies()


def test_corrections_have_anchors_links_and_formulas(registries: Path, build: Build):
    built = build("```{corrections-list}\n```\n\nSee [the first](index.md#c-01).")
    page = built.page()
    terms = {term["ids"][0]: term.parent for term in page.findall(nodes.term)}
    assert list(terms) == ["d-02", "c-01", "d-03"], "by chapter, what is shown first"
    assert "Shown in A head (figure dots)." in terms["d-02"].astext()
    assert "To be shown: Fusion mathematics." in terms["c-01"].astext()
    assert next(terms["c-01"].findall(nodes.reference))["refid"] == "d-02"
    assert [formula.astext() for formula in terms["c-01"].findall(nodes.math)] == ["x", "y"]
    assert "WARNING" not in built.warnings, built.warnings


@pytest.mark.parametrize(("old", "new"), [("a-head", "gone"), ("fusion/page", "fusion/gone")])
def test_a_record_that_leads_nowhere_is_a_warning(registries: Path, build: Build, old: str, new: str):
    (registries / "coverage.yml").write_text(COVERAGE.replace(old, new), encoding="utf-8")
    warnings = build("```{coverage-table}\n```").warnings
    assert "gone" in warnings
    assert "myst.xref_missing" in warnings


# ---------------------------------------------------------------------------------------------------- bibliography

WORKS = r"""
@article{zadeh2017, author={Zadeh, Amir and Chen, Minghai}, title={Tensor Fusion}, journal={Proc.}, year={2017},
  pages={1--9}, volume={3}, number={2}, doi={10.1/x}, checked={looked up}}
@misc{groups2001, author={{Many Groups}}, title={{\"U}ber alles}, year={2001}, eprint={0101.1}, checked={page seen}}
@misc{site2020, author={van der Berg, J. and {\v S}ok, Jean-Luc}, title={A page}, howpublished={Web}, year={2020},
  url={https://example.org/a/}, note={Version 2}, checked={opened}}
"""


def test_the_bibliography_lists_works_by_author_with_their_check(tmp_path: Path, build: Build):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "references.bib").write_text(WORKS, encoding="utf-8")
    built = build("```{bibliography-list}\n```\n\nAs in [Zadeh (2017)](index.md#zadeh2017).")
    items = [(item["ids"], item.astext()) for item in built.page().findall(nodes.list_item)]
    assert [ids for ids, _ in items] == [["groups2001"], ["site2020"], ["zadeh2017"]]
    assert (
        items[2][1] == "Zadeh, A. and Chen, M. (2017). Tensor Fusion. Proc. 3(2), 1–9. doi:10.1/x. Checked: looked up."
    )
    assert items[1][1].startswith("van der Berg, J. and Šok, J.-L. (2020). A page. Web. example.org/a. Version 2. ")
    assert items[0][1].startswith("Many Groups (2001). Über alles. arXiv:0101.1. ")
    assert "WARNING" not in built.warnings, built.warnings
    assert "references.bib" in built.dependencies()


def test_a_link_to_a_work_that_is_not_listed_is_a_warning(tmp_path: Path, build: Build):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "references.bib").write_text(WORKS, encoding="utf-8")
    built = build("```{bibliography-list}\n```\n\nAs in [Nobody](index.md#nobody1999).")
    assert "local id not found in doc 'index': 'nobody1999'" in built.warnings


# ------------------------------------------------------------------------------------------------------ theme mends

HEAD = (
    '<script src="../_static/vendor/fontawesome/6.5.2/js/all.min.js?digest=1"></script>'
    '<link rel="preload" as="font" type="font/woff2" crossorigin href="../fontawesome/fa-brands-400.woff2" />'
    '<div class="bd-sidebar-primary bd-sidebar"><summary><span class="toctree-toggle" role="presentation">'
    '<button class="btn search-button-field search-button__button" title="Search" aria-label="Search" data-x="y">'
    '<div class="pst-scrollable-table-container"><summary aria-label="Toggle hidden content">'
)


def test_each_mend_changes_the_page():
    text, found = theme_mends.mend(HEAD)
    assert found == {mend.pattern for mend in theme_mends.MENDS}
    assert "script" not in text
    assert "brands" not in text
    assert '<summary aria-label="Pages of this chapter">' in text
    assert 'role="complementary" aria-label="Book"' in text
    assert 'title="Search" data-x="y">' in text
    assert text.endswith('<div class="pst-scrollable-table-container" tabindex="0"><summary>')


def test_a_mend_that_finds_nothing_any_more_is_an_error(tmp_path: Path):
    class App:
        outdir = tmp_path
        builder = type("Builder", (), {"format": "html"})

    page = tmp_path / "page.html"
    page.write_text(HEAD, encoding="utf-8")
    theme_mends.mend_pages(App(), None)
    assert "aria-label" in page.read_text(encoding="utf-8")
    page.write_text(HEAD.replace("toctree-toggle", "renamed-by-the-theme"), encoding="utf-8")
    with pytest.raises(theme_mends.ExtensionError, match=r"no page holds .*toctree-toggle"):
        theme_mends.mend_pages(App(), None)


def test_every_module_of_the_extension_is_set_up():
    import coursebook

    here = {path.stem for path in Path(coursebook.__file__).parent.glob("*.py")} - {"__init__", "stored"}
    assert {module.__name__.removeprefix("coursebook.") for module in coursebook.MODULES} == here
    assert {anchors, bibliography, records, values} <= set(coursebook.MODULES)
