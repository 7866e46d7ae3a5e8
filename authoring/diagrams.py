"""Draw the diagrams of book/concepts/architectures.yml as SVG: `python -m authoring.diagrams`.

Boxes stand on a grid, arrows run downwards; the file's head says what its fields mean. A ground of its own keeps a
diagram readable on a dark page; what is trained and what is frozen differ in the line as well as in the colour. Narrow
enough that its words can be read on a phone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import yaml

from authoring.files import write_atomically

ROOT = Path(__file__).resolve().parents[1]
SOURCE, FOLDER = "book/concepts/architectures.yml", "book/concepts/diagrams"
WIDTH, MARGIN, ROW, BOX, GAP = 560, 8, 92, 54, 28  # pixels; BOX is a box's height, GAP stands between two columns
FONT, SMALL, LINE, SQUARE, STEP = 17, 15, 21, 15, 19
INK, GROUND = "#222222", "#fdfdfb"
# kind: fill, line, width of the line, dashes, roundness; colours by Okabe and Ito (2008)
LOOKS = {
    "input": ("#ffffff", "#555555", 1.5, "", 27),
    "output": ("#e3f4ee", "#00724f", 2.5, "", 27),
    "trained": ("#dcebf7", "#0072B2", 2.5, "", 6),
    "frozen": ("#efefec", "#666666", 1.8, "6 4", 6),
    "plain": ("#ffffff", "#555555", 1.2, "", 6),
    "loss": ("#fdeee0", "#c04e00", 2.5, "2 3", 6),
}
# Squares of a sequence: fill and line of picture, text, sound and learned query; filled, hollow, barred, dotted
SQUARES = {
    "i": ("#0072B2", "#0072B2"),
    "t": ("#ffffff", "#c04e00"),
    "s": ("#9fd9c5", "#00724f"),
    "q": ("#ffffff", "#333333"),
}


@dataclass(frozen=True)
class Box:
    kind: str
    lines: tuple[str, ...]
    x: float  # centre
    top: float
    width: float

    @property
    def bottom(self) -> float:
        return self.top + BOX

    @property
    def middle(self) -> float:
        return self.top + (6 + SQUARE / 2 if self.kind == "tokens" else BOX / 2)


class DiagramError(ValueError):
    """A description that cannot be drawn; the message names the diagram and the box."""


def column_width(columns: int) -> float:
    return (WIDTH - 2 * MARGIN) / columns


def place(name: str, columns: int, about: dict[str, Any]) -> Box:
    if about["kind"] not in (*LOOKS, "tokens"):
        raise DiagramError(f"{name}: kind {about['kind']!r}, wanted one of {', '.join(LOOKS)}, tokens")
    column, row = about["at"]
    wide = column_width(columns)
    lines = tuple(about["text"].split("/"))
    width = STEP * len(lines[0]) + 8 if about["kind"] == "tokens" else wide * about.get("wide", 1) - GAP
    return Box(about["kind"], lines, MARGIN + wide * (column + 0.5), MARGIN + ROW * row, width)


def text(lines: tuple[str, ...], x: float, middle: float, size: int) -> str:
    first = middle - LINE * (len(lines) - 1) / 2 + size * 0.36
    return "".join(
        f'<text x="{x:g}" y="{first + LINE * number:g}" font-size="{size}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )


def squares(box: Box) -> str:
    """A sequence as a row of squares, with a line that says what it is."""
    letters, *says = box.lines
    left = box.x - STEP * len(letters) / 2
    made = []
    for number, letter in enumerate(letters):
        fill, line = SQUARES[letter]
        dashed = ' stroke-dasharray="3 2"' if letter == "q" else ""
        made.append(
            f'<rect x="{left + STEP * number + 2:g}" y="{box.top + 6:g}" width="{SQUARE}" height="{SQUARE}" '
            f'fill="{fill}" stroke="{line}" stroke-width="2"{dashed}/>'
        )
    return "".join(made) + text(tuple(says), box.x, box.top + BOX - 13, SMALL)


def shape(box: Box) -> str:
    if box.kind == "tokens":
        return squares(box)
    fill, line, width, dashes, round_ = LOOKS[box.kind]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<rect x="{box.x - box.width / 2:g}" y="{box.top:g}" width="{box.width:g}" height="{BOX}" rx="{round_}" '
        f'fill="{fill}" stroke="{line}" stroke-width="{width}"{dashed}/>'
        + text(box.lines, box.x, box.top + BOX / 2, FONT if box.width > 200 else SMALL)
    )


def arrow(start: Box, end: Box, how: str, boxes: Iterable[Box]) -> str:
    both = ' marker-start="url(#tip)"' if how == "both" else ""
    if how == "back":  # along the right side, upwards
        right = max(box.x + box.width / 2 for box in boxes if end.top <= box.top <= start.top) + 12
        path = f"M{start.x + start.width / 2:g} {start.middle:g}H{right:g}V{end.middle:g}H{end.x + end.width / 2 + 4:g}"
    elif start.top == end.top:
        left, right = start.x + start.width / 2, end.x - end.width / 2
        path = f"M{left + 4:g} {start.middle:g}H{right - 4:g}"
    else:
        # Into the target as far to the side as its source stands, so that two arrows do not share a line.
        half = max(0.0, end.width / 2 - 20)
        x = min(max(start.x, end.x - half), end.x + half)
        if abs(x - start.x) > max(0.0, start.width / 2 - 12):
            middle = (start.bottom + end.top) / 2
            path = f"M{start.x:g} {start.bottom:g}V{middle:g}H{x:g}V{end.top - 3:g}"
        else:
            path = f"M{x:g} {start.bottom:g}V{end.top - 3:g}"
    return f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="1.6" marker-end="url(#tip)"{both}/>'


def draw(diagram: dict[str, Any]) -> str:
    """The SVG of one entry of the file. Raises DiagramError."""
    boxes = {
        key: place(f"{diagram['name']}, {key}", diagram["columns"], about) for key, about in diagram["boxes"].items()
    }
    arrows = []
    for start, end, *how in diagram["arrows"]:
        for key in (start, end):
            if key not in boxes:
                raise DiagramError(f"{diagram['name']}: an arrow names {key!r}; boxes: {', '.join(boxes)}")
        arrows.append(arrow(boxes[start], boxes[end], how[0] if how else "", boxes.values()))
    height = max(box.bottom for box in boxes.values()) + MARGIN
    parts = [*arrows, *map(shape, boxes.values())]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}" '
            f'viewBox="0 0 {WIDTH} {height:g}" font-family="Helvetica, Arial, sans-serif" text-anchor="middle" '
            f'fill="{INK}">',
            f"<title>{escape(diagram['caption'])}</title>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>',
            f'<rect width="{WIDTH}" height="{height:g}" rx="8" fill="{GROUND}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def diagrams(root: Path) -> dict[Path, str]:
    """{file: SVG} of every diagram below `root`."""
    rows = yaml.safe_load((root / SOURCE).read_text(encoding="utf-8"))
    return {root / FOLDER / f"{row['name']}.svg": draw(row) for row in rows}


def main() -> int:
    made = diagrams(ROOT)
    for path, svg in made.items():
        write_atomically(path, svg)
    print(f"{len(made)} diagrams in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
