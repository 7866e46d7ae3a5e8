"""The tables of models, training runs and years, the diagrams, and the role that names a lesson; on small projects."""

from __future__ import annotations

from pathlib import Path

import pytest
from coursebook import dated
from coursebook.bibliography import cited
from docutils import nodes
from pybtex.database import parse_string

from tests.book.project import Build, Built, write_notebook

WORKS = """
@misc{one2021, author={One, Ann}, title={{A}}, howpublished={x}, year={2021}, eprint={2101.00001}, checked={seen}}
@misc{two2023, author={Two, Bo and Three, Cy}, title={{B}},
  howpublished={x}, year={2023}, eprint={2301.00001}, checked={seen}}
@misc{four2024, author={Four, D. and others}, title={{C}},
  howpublished={x}, year={2024}, eprint={2401.00001}, checked={seen}}
"""
MODELS = """
- {name: Alpha, date: 2021-02, organisation: Lab, country: China, in: [image, text], out: [vector], family: two-towers,
   parts: "a_b and <c>", billions: [0.42761, 72], about: both,
   openness: weights, licence: MIT, languages: English, source: one2021}
- {name: Beta, date: 2023-09, organisation: Firm, country: Elsewhere, in: [text], out: [text], family: not published,
   parts: not published, billions: not published, openness: service, licence: none,
   languages: not seen, source: two2023}
"""
RUNS = """
- {name: Alpha, billions: 175, read: "300 billion tokens", tokens: 3.0e+11, computed: 3.14e+23, source: one2021}
- {name: Beta, read: "pairs", computed: "3 days", source: two2023}
"""
YEARS = """
- {year: 2021, era: first, what: "A *thing* happened.", sources: [one2021, two2023]}
- {year: 2024, era: second, what: "Another.", sources: [four2024]}
"""
SHAPES = "- {name: two-towers, caption: They meet in the loss., alt: Two towers side by side.}\n"


@pytest.fixture
def concepts(tmp_path: Path) -> Path:
    folder = tmp_path / "book" / "concepts"
    (folder / "diagrams").mkdir(parents=True)
    (tmp_path / "book" / "references.bib").write_text(WORKS, encoding="utf-8")
    orphan = "---\norphan: true\n---\n"
    (tmp_path / "book" / "bibliography.md").write_text(
        orphan + "# Works\n\n```{bibliography-list}\n```\n", encoding="utf-8"
    )
    (folder / "architectures.md").write_text(orphan + "# Shapes\n\n## Two towers\n", encoding="utf-8")
    for name, text in (("models", MODELS), ("runs", RUNS), ("timeline", YEARS), ("architectures", SHAPES)):
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


def cells(built: Built) -> list[list[str]]:
    return [[entry.astext() for entry in row] for body in built.page().findall(nodes.tbody) for row in body]


def test_a_model_is_a_row_with_its_source_and_its_family(concepts: Path, build: Build):
    built = build("```{models-table} 2021 2021\n```")
    assert cells(built) == [
        [
            "Alpha", "2021-02", "Lab, China", "image, text → vector", "Two towers: a_b and <c>",
            "0.428, 72 billion (both)", "weights; MIT", "English",
        ]
    ]  # fmt: skip
    links = [link["refuri"] for link in built.page().findall(nodes.reference)]
    assert links == ["book/bibliography#one2021", "book/concepts/architectures#two-towers"]
    assert "WARNING" not in built.warnings, built.warnings
    assert {"models.yml", "references.bib"} <= built.dependencies()


def test_what_is_not_published_is_said_and_not_linked(concepts: Path, build: Build):
    [row] = cells(build("```{models-table} 2022 2024\n```"))
    assert row[4:] == ["Not published", "not published", "service", "not seen"]


def test_the_first_column_names_the_rows(concepts: Path, build: Build):
    page = build("```{models-table} 2020 2025\n```").page()
    [table] = page.findall(nodes.table)
    assert "models" in table["classes"]
    assert [column.get("stub") for column in table.findall(nodes.colspec)] == [1] + [None] * 7


def test_runs_show_what_was_stated_beside_the_rule(concepts: Path, build: Build):
    rows = cells(build("```{runs-table}\n```"))
    assert rows[0][3:] == [r"3.14 \times 10^{23}", r"3.15 \times 10^{23}"]
    assert rows[1][1:] == ["—", "pairs", "3 days", "—"]


def test_the_timeline_shows_one_era_with_its_works(concepts: Path, build: Build):
    built = build("```{timeline} first\n```")
    assert cells(built) == [["2021", "A *thing* happened.", "One, 2021; Two and Three, 2023"]]
    assert "WARNING" not in built.warnings, built.warnings


@pytest.mark.parametrize(
    ("key", "said"), [("one2021", "One, 2021"), ("two2023", "Two and Three, 2023"), ("four2024", "Four et al., 2024")]
)
def test_a_work_is_named_as_texts_do(key: str, said: str):
    assert cited(parse_string(WORKS, "bibtex").entries[key]) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.42761, "0.428"), (72, "72"), (0.039, "0.039"), (235, "235"), (1.55, "1.55")]
)
def test_numbers_have_three_digits_and_no_exponent(value: float, said: str):
    assert dated.number(value) == said


# ------------------------------------------------------------------------------------------------ diagrams, lessons


def test_a_diagram_is_a_numbered_figure_with_words_for_those_who_do_not_see_it(concepts: Path, build: Build):
    (concepts / "diagrams" / "two-towers.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    built = build("```{diagram} two-towers\n```")
    [figure] = built.page().findall(nodes.figure)
    assert figure.next_node(nodes.image)["alt"] == "Two towers side by side."
    assert figure.next_node(nodes.caption).astext() == "They meet in the loss."
    assert built.app.env.toc_fignumbers["index"]["figure"]
    assert "architectures.yml" in built.dependencies()


def test_a_diagram_that_was_not_drawn_is_a_warning(concepts: Path, build: Build):
    said = "index.md:3: WARNING: diagram: no two-towers; drawn are: none (python -m authoring.diagrams)"
    assert said in build("```{diagram} two-towers\n```").warnings


def test_a_lesson_is_a_link_as_soon_as_it_stands(tmp_path: Path, build: Build):
    text = "See {lesson}`fusion/sum The sum`."
    assert build(text).page().astext() == "Page\n\nSee The sum (to come)."
    write_notebook(tmp_path, "fusion/sum", [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Sums"}])
    built = build(text)
    [link] = built.page().findall(nodes.reference)
    assert (link.astext(), link["refuri"]) == ("The sum", "notebooks/fusion/sum")
    assert "index.md" not in built.warnings, built.warnings
