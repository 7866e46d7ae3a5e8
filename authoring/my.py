"""my/<chapter>.ipynb: the learner's own copy of a chapter's exercises, made once and never written over.

`make lab` runs `python -m authoring.my` before it opens JupyterLab.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from authoring.dialect import CODE, FENCE, MATH
from authoring.exercises import checked
from authoring.files import write_atomically
from authoring.lessons import exercises_names, notebook_path

LINK = re.compile(r"(?:\]\(|^ {0,3}\[[^\]\n]+\]:[ \t]*)<?(?P<target>[^\s()<>]+)", re.MULTILINE)
ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/#]")  # another host, the root of this one, this page


def copy_path(root: Path, chapter: str) -> Path:
    return root / "my" / f"{chapter}.ipynb"


def rebased(text: str, before: str, after: str) -> str:
    """Markdown whose relative links, written for the folder `before`, lead to the same places from `after`."""
    verbatim = [found.span() for pattern in (FENCE, CODE, MATH) for found in pattern.finditer(text)]

    def moved(link: re.Match[str]) -> str:
        target = link["target"]
        if ELSEWHERE.match(target) or any(start <= link.start("target") < end for start, end in verbatim):
            return link[0]
        path, mark, anchor = target.partition("#")
        there = posixpath.relpath(posixpath.normpath(posixpath.join(before, path)), after)
        return link[0].removesuffix(target) + there + mark + anchor

    return LINK.sub(moved, text)


def copy_text(root: Path, name: str) -> str:
    """The text of a new copy of `chapter/exercises`."""
    notebook = nbformat.read(notebook_path(root, name), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = rebased(cell.source, f"notebooks/{name.partition('/')[0]}", "my")
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def exercises_in(notebook: NotebookNode) -> list[str]:
    return [name for cell in notebook.cells if (name := checked(cell))]


def lacking(root: Path, name: str, copy: Path) -> list[str]:
    """The course's exercises that a copy has no check of. Raises ValueError where the copy is no notebook."""
    try:
        own = exercises_in(nbformat.v4.reads(copy.read_text(encoding="utf-8")))
    except (OSError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(str(error)) from error
    return [each for each in exercises_in(nbformat.read(notebook_path(root, name), as_version=4)) if each not in own]


def make_copies(root: Path) -> Iterator[str]:
    """Make what is missing in my/; yields what the learner should know, one line a chapter."""
    for name in exercises_names(root):
        chapter = name.partition("/")[0]
        copy = copy_path(root, chapter)
        place = copy.relative_to(root).as_posix()
        if not os.path.lexists(copy):
            if notebook_path(root, name).is_file():
                write_atomically(copy, copy_text(root, name))
                yield f"{place}: made, your copy of the exercises"
            continue
        try:
            missing = lacking(root, name, copy)
        except ValueError:
            yield f"{place}: cannot be read as a notebook; it stays as it is (move it away for a new copy)"
            continue
        if missing:
            yield f"{place}: the course also has {', '.join(missing)}; copy the cells from notebooks/{name}.ipynb"


def main(root: Path) -> None:
    for line in make_copies(root):
        print(line, flush=True)


if __name__ == "__main__":
    main(Path(__file__).resolve().parents[1])
