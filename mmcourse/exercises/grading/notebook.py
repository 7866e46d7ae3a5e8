"""Read a notebook that somebody else wrote: nothing in it is believed, everything that is wrong gets a sentence."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcourse.exercises.grading.steps import checked_in

CONFLICT = re.compile(rb"^(<{7}|>{7})", re.MULTILINE)  # no line of JSON begins so
LARGEST = 50_000_000  # bytes; a notebook with its figures has a hundredth of that


class NotebookError(ValueError):
    """A file that cannot be graded as a notebook; the message says why."""


class UnknownChapterError(NotebookError):
    """A notebook that belongs to no chapter with exercises."""


@dataclass(frozen=True)
class Notebook:
    """sources: of the code cells that hold code, in order;  chapter: what its metadata says, "" for nothing."""

    sources: tuple[str, ...]
    chapter: str = ""


def read(path: Path) -> Notebook:
    """The code of a notebook. Raises NotebookError."""
    content = _content(path)
    cells = content.get("cells")
    if not isinstance(cells, list):
        if "worksheets" in content or content.get("nbformat") in (1, 2, 3):
            raise NotebookError("an old notebook (nbformat 3): open it in JupyterLab and save it, that brings it up")
        raise NotebookError("not a notebook: it has no list of cells")
    code = [_source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    sources = tuple(source for source in code if source.strip())
    if not sources:
        raise NotebookError("no cell of it holds code")
    return Notebook(sources, _stated_chapter(content))


def _content(path: Path) -> dict[str, Any]:
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise NotebookError("a folder, not a notebook")
        if not stat.S_ISREG(about.st_mode):
            raise NotebookError("not a plain file")
        if about.st_size > LARGEST:
            raise NotebookError(f"{about.st_size / 1e6:.0f} MB large, at most {LARGEST / 1e6:.0f} MB are read")
        data = path.read_bytes()
    except OSError as error:
        raise NotebookError(f"cannot be read: {error.strerror or error}") from error
    if not data.strip():
        raise NotebookError("an empty file")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        if CONFLICT.search(data):
            raise NotebookError("it holds git's conflict marks (<<<<<<<): resolve the conflict, then save") from error
        raise NotebookError("the file is damaged or cut off; restore an older version") from error
    if not isinstance(content, dict):
        raise NotebookError("not a notebook: its JSON is not an object")
    return content


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    # A lone half of a surrogate pair is legal in JSON and in no other text.
    return "".join(line for line in lines if isinstance(line, str)).encode("utf-8", "replace").decode("utf-8")


def _stated_chapter(content: dict[str, Any]) -> str:
    about: Any = content
    for name in ("metadata", "mmcourse", "chapter"):
        about = about.get(name) if isinstance(about, dict) else None
    return about if isinstance(about, str) else ""


def chapter_of(path: Path, notebook: Notebook, known: Sequence[str]) -> str:
    """The chapter of a notebook: by its metadata, else its file's name, else the checks that it calls.

    Raises UnknownChapterError with the chapters that are known.
    """
    called = [name.partition("/")[0] for name in map(checked_in, notebook.sources) if name]
    for chapter in (notebook.chapter, path.stem, *called):
        if chapter in known:
            return chapter
    raise UnknownChapterError(f"{path}: of which chapter? Exercises are known for: {listed(known)}")


def listed(names: Collection[str]) -> str:
    return ", ".join(names) or "nothing"
