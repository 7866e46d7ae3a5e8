"""What a lesson stored when it ran: its figures and its numbers, read from the outputs of its notebook."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

IMAGE_SUFFIXES = {"image/png": ".png", "image/gif": ".gif"}
CLAIM = "application/vnd.mmcourse.claim+json"
EXACT = "application/vnd.mmcourse.exact+json"
CHECK = "application/vnd.mmcourse.check+json"


class StoredError(LookupError):
    """A lesson, figure or number that is asked for and not there; the message names what is there."""


@dataclass(frozen=True)
class Figure:
    image: bytes
    suffix: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Number:
    value: float
    line: str  # as printed in the lesson, with the bound that the number was held to
    is_claim: bool


@dataclass(frozen=True)
class Lesson:
    path: Path
    figures: dict[str, Figure]
    numbers: dict[str, Number]


def where_it_ran(name: str) -> str:
    """The notebook that holds the outputs of a page: its own, of `chapter/exercises` those of `chapter/solutions`."""
    chapter, _, last = name.partition("/")
    return f"{chapter}/solutions" if last == "exercises" else name


def figure_key(output: dict[str, Any]) -> str | None:
    """The name under which an output was stored as a figure, or None for any other output."""
    return output.get("metadata", {}).get("mmcourse", {}).get("figure")


def number_record(output: dict[str, Any]) -> dict[str, Any] | None:
    """What a claim or an exact number stored, or None for any other output."""
    data = output.get("data", {})
    return data.get(CLAIM, data.get(EXACT))


def joined(text: str | list[str]) -> str:
    """A notebook file may hold a text as one string or as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def read_figure(output: dict[str, Any], where: str) -> Figure:
    about = output["metadata"]["mmcourse"]
    for field in ("caption", "alt"):
        if not about.get(field, "").strip():
            raise StoredError(f"{where} has no {field}")
    for kind, suffix in IMAGE_SUFFIXES.items():
        if kind in output["data"]:
            image = base64.b64decode(joined(output["data"][kind]))
            return Figure(image, suffix, about["caption"].strip(), about["alt"].strip())
    raise StoredError(f"{where} holds neither {' nor '.join(IMAGE_SUFFIXES)}")


def read_number(output: dict[str, Any], record: dict[str, Any]) -> Number:
    is_claim = CLAIM in output["data"]
    line = joined(output["data"]["text/plain"]).strip().removeprefix("✓ ")
    return Number(float(record["value"]), line, is_claim)


@lru_cache(maxsize=128)
def _read(path: Path, changed: int) -> Lesson:
    """Read a notebook; `changed` is its time of change, so that an edited file is read again."""
    figures: dict[str, Figure] = {}
    numbers: dict[str, Number] = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            key = figure_key(output)
            if key is not None:
                if key in figures:
                    raise StoredError(f"{path.name} stores two figures {key!r}")
                figures[key] = read_figure(output, f"figure {key!r} of {path.name}")
            record = number_record(output)
            if record is not None:
                if record["key"] in numbers:
                    raise StoredError(f"{path.name} stores two numbers {record['key']!r}")
                numbers[record["key"]] = read_number(output, record)
    return Lesson(path, figures, numbers)


def read_lesson(root: Path, name: str) -> Lesson:
    """Read `notebooks/<name>.ipynb` below `root`. Raises StoredError where there is none or it is malformed."""
    path = root / "notebooks" / f"{name}.ipynb"
    if not path.is_file():
        raise StoredError(f"there is no lesson {name!r} (notebooks/{name}.ipynb)")
    return _read(path, path.stat().st_mtime_ns)


def look_up(root: Path, address: str, kind: str) -> tuple[Lesson, Any]:
    """Find a figure or number by `chapter/lesson:key`; `kind` is "figures" or "numbers"."""
    name, colon, key = address.partition(":")
    if not colon:
        raise StoredError(f"{address!r} is not of the form chapter/lesson:key")
    lesson = read_lesson(root, name)
    stored = getattr(lesson, kind)
    if key not in stored:
        there = ", ".join(sorted(stored)) or "none"
        raise StoredError(f"lesson {name} stored no {kind[:-1]} {key!r}; stored: {there}")
    return lesson, stored[key]
