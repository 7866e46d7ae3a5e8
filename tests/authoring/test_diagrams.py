"""The diagrams: what is committed is what the description says, and it can be read."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from authoring import diagrams

ROWS = yaml.safe_load((diagrams.ROOT / diagrams.SOURCE).read_text(encoding="utf-8"))
WIDEST_LETTER = 0.56  # of the font's size, on the average over a line of Helvetica or Arial
SMALLEST_ON_A_PHONE = 9  # pixels, where the diagram is 340 wide


def boxes(row: dict[str, Any]) -> dict[str, diagrams.Box]:
    return {key: diagrams.place(row["name"], row["columns"], about) for key, about in row["boxes"].items()}


def test_what_is_committed_is_what_is_described():
    drawn = diagrams.diagrams(diagrams.ROOT)
    folder = diagrams.ROOT / diagrams.FOLDER
    assert set(folder.glob("*.svg")) == set(drawn)
    for path, svg in drawn.items():
        assert path.read_text(encoding="utf-8") == svg, f"{path.name} is out of date: python -m authoring.diagrams"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_diagram_is_whole(row: dict[str, Any]):
    root = ElementTree.fromstring(diagrams.draw(row))
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert len(row["alt"]) > 80
    assert not re.search(r"(https?:)?//(?!www\.w3\.org)", diagrams.draw(row)), "a diagram loads nothing"
    reached = {key for start, end, *_ in row["arrows"] for key in (start, end)}
    assert reached == set(row["boxes"]), "every box is joined to another"
    kinds = {about["kind"] for about in row["boxes"].values()}
    assert "trained" in kinds


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_boxes_stay_apart_and_hold_their_words(row: dict[str, Any]):
    placed = boxes(row)
    for (one, a), (other, b) in combinations(placed.items(), 2):
        apart = abs(a.x - b.x) >= (a.width + b.width) / 2 or a.bottom <= b.top or b.bottom <= a.top
        assert apart, f"{one} lies on {other}"
    for key, box in placed.items():
        assert box.x - box.width / 2 >= 0, key
        assert box.x + box.width / 2 <= diagrams.WIDTH, key
        if box.kind != "tokens":
            size = diagrams.FONT if box.width > 200 else diagrams.SMALL
            for line in box.lines:
                assert len(line) * size * WIDEST_LETTER <= box.width - 4, f"{key}: {line!r} is too long"


def test_words_can_be_read_on_a_phone():
    assert diagrams.SMALL * 340 / diagrams.WIDTH >= SMALLEST_ON_A_PHONE


def test_trained_and_frozen_differ_in_more_than_colour():
    looks = [diagrams.LOOKS[kind][2:4] for kind in ("trained", "frozen", "loss")]
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"arrows": [["a", "b"]]}, "x: an arrow names 'b'; boxes: a"),
        ({"boxes": {"a": {"at": [0, 0], "kind": "blue", "text": "a"}}}, "x, a: kind 'blue', wanted one of"),
    ],
)
def test_a_description_that_cannot_be_drawn_is_named(change: dict[str, Any], said: str):
    row = {
        "name": "x",
        "columns": 1,
        "caption": "c",
        "alt": "d",
        "arrows": [],
        "boxes": {"a": {"at": [0, 0], "kind": "input", "text": "a"}},
    }
    with pytest.raises(diagrams.DiagramError, match=re.escape(said)):
        diagrams.draw({**row, **change})
