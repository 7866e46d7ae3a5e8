"""The registries' own checks find what they are there to find."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.registries.evidence import anchors, problems_of_evidence, problems_of_plan

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": "# Sums\n\n## Widths of `x` must match\n\n```\n## not a heading\n```"},
        {"cell_type": "markdown", "source": ["## Again\n", "\n", "## Again\n", "\n", "#### Too deep"]},
        {
            "cell_type": "code",
            "source": [
                "%pip install x\n",
                "# assert commented == out\n",
                "assert (total ==\n",
                "        2)\n",
                "np.testing.assert_allclose(a, b)",
            ],
            "outputs": [
                {"data": {"application/vnd.mmcourse.claim+json": {"key": "gain", "value": 1.0}}, "metadata": {}},
                {"data": {"application/vnd.mmcourse.exact+json": {"key": "sum", "value": 2.0}}, "metadata": {}},
                {"data": {"image/png": ""}, "metadata": {"mmcourse": {"figure": "picture"}}},
                {"output_type": "stream", "text": ["a refusal that the\n", "lesson prints\n"]},
            ],
        },
    ]
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "notebooks" / "fusion").mkdir(parents=True)
    (tmp_path / "notebooks" / "fusion" / "sums.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    (tmp_path / "notebooks" / "fusion" / "sums.py").write_text("", encoding="utf-8")
    (tmp_path / "book").mkdir()
    prose = "(a-label)=\n# Prose\n\nA sentence that\nshows something.\n"
    (tmp_path / "book" / "prose.md").write_text(prose, encoding="utf-8")
    (tmp_path / "book" / "glossary.md").write_text("# Words\n", encoding="utf-8")
    entry = '- {term: Q-Former, zh: x, says: "The bridge of a certain model."}\n'
    (tmp_path / "book" / "glossary.yml").write_text(entry, encoding="utf-8")
    return tmp_path


def row(**changes: object) -> dict[str, object]:
    place = {"page": "notebooks/fusion/sums", "anchor": "widths-of-x-must-match"}
    return {**place, "shown_by": {"claim": "gain"}, **changes}


@pytest.mark.parametrize(
    "good",
    [
        row(),
        row(anchor="again-1", shown_by={"exact": "sum"}),
        row(shown_by={"figure": "picture"}),
        row(shown_by={"assertion": "(total == 2)"}),
        row(shown_by={"assertion": "assert_allclose(a, b)"}),
        row(shown_by={"text": "a refusal that the lesson prints"}),
        row(page="book/prose", anchor="a-label", shown_by={"text": "A sentence that shows something."}),
        row(page="book/prose", anchor="prose", shown_by={"claim": "fusion/sums:gain"}),
        row(page="book/glossary", anchor="term-q-former", shown_by={"text": "The bridge of a certain model."}),
    ],
    ids=str,
)
def test_what_exists_is_accepted(root: Path, good: dict[str, object]) -> None:
    assert problems_of_evidence(root, good) == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (row(page="notebooks/fusion/none"), "there is no notebooks/fusion/none.ipynb"),
        (row(page="book/none"), "there is no page book/none.md"),
        (row(page="README"), "there is no page README.md"),
        (row(anchor="not-a-heading"), "has no anchor 'not-a-heading'"),
        (row(anchor="too-deep"), "has no anchor 'too-deep'"),
        (row(shown_by={"claim": "sum"}), "stored no claim 'sum'; stored: gain"),
        (row(shown_by={"exact": "gain"}), "stored no exact 'gain'; stored: sum"),
        (row(shown_by={"figure": "gain"}), "stored no figure 'gain'; stored: picture"),
        (row(shown_by={"assertion": "commented == out"}), "no assertion in fusion/sums contains"),
        (row(shown_by={"assertion": "total"}), "too short"),
        (row(page="book/prose", anchor="prose"), "there is no notebooks/prose.ipynb"),
        (
            row(page="book/prose", anchor="prose", shown_by={"text": "Words that stand nowhere."}),
            "neither says nor prints",
        ),
        (row(shown_by={}), "shown_by is {}"),
        (row(shown_by="gain"), "shown_by is 'gain'"),
        ({"page": "book/prose"}, "lacks anchor, shown_by"),
    ],
    ids=str,
)
def test_what_is_missing_is_named(root: Path, bad: dict[str, object], said: str) -> None:
    assert said in "\n".join(problems_of_evidence(root, bad))


def test_headings_count_once_each_over_all_cells() -> None:
    assert anchors(["## A b, c!", "## A b, c!\n\n## $x$ and y"]) == {"a-b-c", "a-b-c-1", "-and-y"}


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"chapter": "fusion", "lesson": "sums"}, "lesson fusion/sums exists"),
        ({"chapter": "fussion"}, "chapter is 'fussion'"),
        ({}, "chapter is None"),
        ({"chapter": "fusion", "page": "book/prose"}, "is open and has page"),
    ],
    ids=str,
)
def test_a_plan_that_cannot_be_kept_is_named(root: Path, plan: dict[str, object], said: str) -> None:
    assert said in "\n".join(problems_of_plan(root, plan))


def test_a_plan_for_later_is_accepted(root: Path) -> None:
    assert problems_of_plan(root, {"chapter": "scale"}) == []
    assert problems_of_plan(root, {"chapter": "fusion", "lesson": "gates"}) == []
