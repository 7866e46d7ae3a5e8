"""notebooks/start_here.md: the page at which `make lab` opens, with every lesson and the learner's own exercises."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import yaml

from authoring.convert import read_source
from authoring.files import write_atomically
from authoring.lessons import exercises_names, is_exercises, lesson_names

OPENING = """\
# Start here

Open a lesson and run its cells from the top: *Run*, *Run All Cells*. What you see at first is the run that the book
shows; a claim then prints your number beside it. To start again from the lesson as it came, use `git restore`.

The exercises are your own copies in the folder `my`, which nothing writes over. `make grade` says how far you are.
"""


def start_page_path(root: Path) -> Path:
    return root / "notebooks" / "start_here.md"


def title_and_sentence(root: Path, lesson: str) -> tuple[str, str]:
    """The heading of a lesson and the paragraph under it, on one line."""
    texts = [cell.source for cell in read_source(root, lesson).cells if cell.cell_type == "markdown"]
    title, _, rest = (texts or [lesson])[0].partition("\n")
    return title.removeprefix("# "), " ".join(rest.strip().partition("\n\n")[0].split())


def in_order_of_the_book(root: Path) -> list[str]:
    """Every lesson and every chapter's exercises; those of _toc.yml first, in its order, each chapter in one piece."""
    toc = yaml.safe_dump(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")), sort_keys=False)
    listed = re.findall(r"file: notebooks/(\S+)", toc)
    known = [*lesson_names(root), *exercises_names(root)]
    names = [name for name in listed if name in known] + [name for name in known if name not in listed]
    chapters = list(dict.fromkeys(name.partition("/")[0] for name in names))
    return sorted(names, key=lambda name: chapters.index(name.partition("/")[0]))


def chapter_title(root: Path, chapter: str) -> str:
    """The first heading of the chapter's page in the book; its name where it has none."""
    page = root / "book" / chapter / "index.md"
    heading = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE) if page.is_file() else None
    return heading[1] if heading else chapter.replace("_", " ").capitalize()


def address(name: str) -> str:
    """Where the page leads: a lesson lies below notebooks/, a learner's copy of the exercises in my/."""
    return f"../my/{name.partition('/')[0]}.ipynb" if is_exercises(name) else f"{name}.ipynb"


def start_page_text(root: Path) -> str:
    parts = [OPENING]
    for chapter, lessons in groupby(in_order_of_the_book(root), key=lambda name: name.partition("/")[0]):
        entries = [(lesson, *title_and_sentence(root, lesson)) for lesson in lessons]
        links = [f"- [{title}]({address(lesson)}): {sentence}\n" for lesson, title, sentence in entries]
        parts.append(f"## {chapter_title(root, chapter)}\n\n{''.join(links)}")
    return "\n".join(parts)


def write_start_page(root: Path) -> None:
    write_atomically(start_page_path(root), start_page_text(root))
