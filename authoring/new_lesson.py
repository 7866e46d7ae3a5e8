"""A new lesson that already runs: `python -m authoring.new_lesson chapter/lesson`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

from authoring.files import write_atomically
from authoring.lessons import CHAPTERS, EXERCISES, SOLUTIONS, notebook_path, source_path
from authoring.repository import current_url, with_colab_cell
from mmcourse.lesson import LESSON_NAME

SKELETON = Path(__file__).with_name("skeleton.py")
NAME_IN_SKELETON, TITLE_IN_SKELETON = "chapter/lesson", "Lesson title"
PAGE_TO_WRITE = "Write here, in two sentences, what the chapter asks."
LONGEST_NAME = 58  # a cell's id holds the name and the position in 64 characters


def skeleton_source(lesson: str, url: str) -> str:
    text = SKELETON.read_text(encoding="utf-8").replace(TITLE_IN_SKELETON, titled(lesson.partition("/")[2]))
    return with_colab_cell(text.replace(NAME_IN_SKELETON, lesson), url)


def skeleton_sentences() -> list[str]:
    """What an author replaces: the skeleton's sentences of six words or more, in its prose, claims and captions."""
    lines = [line.strip() for line in SKELETON.read_text(encoding="utf-8").splitlines()]
    said = [line.lstrip("# ") for line in lines if line.startswith(("# ", "caption=", "alt=", "claim("))]
    return [line for line in said if line.count(" ") >= 5 and not line.startswith("$$")]


def with_entry(toc: str, lesson: str) -> tuple[str, str]:
    """Text of _toc.yml with the lesson entered, and the lines: as its chapter's last page, else in a new chapter.

    A chapter's exercises stay its last page.
    """
    lines = toc.splitlines()
    chapter = lesson.partition("/")[0]
    pages = [row for row, line in enumerate(lines) if re.match(rf" *- file: (book|notebooks)/{chapter}/", line)]
    if not pages:
        row, indent = end_of_part(lines, "Course")
        new = [
            f"{indent}- file: book/{chapter}/index",
            f"{indent}  sections:",
            f"{indent}    - file: notebooks/{lesson}",
        ]
    else:
        row, last = pages[-1], lines[pages[-1]]
        indent = " " * (len(last) - len(last.lstrip()))
        new = [f"{indent}- file: notebooks/{lesson}"]
        if last.strip() == f"- file: book/{chapter}/index":
            new = sections(indent, lesson)
        if last.strip() == f"- file: notebooks/{chapter}/{EXERCISES}":
            row -= 1
    return "\n".join([*lines[: row + 1], *new, *lines[row + 1 :]]) + "\n", "\n".join(new)


def sections(indent: str, lesson: str) -> list[str]:
    return [f"{indent}  sections:", f"{indent}    - file: notebooks/{lesson}"]


def end_of_part(lines: list[str], caption: str) -> tuple[int, str]:
    """The last line of a part of the book and the indentation of its chapters."""
    starts = [row for row, line in enumerate(lines) if re.match(r" *- caption:", line)]
    begin = next((row for row in starts if lines[row].endswith(caption)), None)
    if begin is None:
        raise SystemExit(f"_toc.yml has no part {caption!r}; enter the lesson by hand")
    end = next((row for row in starts if row > begin), len(lines))
    last = max(row for row in range(begin, end) if lines[row].strip())
    first_page = next(line for line in lines[begin:] if line.lstrip().startswith("- file:"))
    return last, " " * (len(first_page) - len(first_page.lstrip()))


def chapters_of(toc: str) -> set[str]:
    return set(re.findall(r"^ *- file: (?:book|notebooks)/(\w+)/", toc, re.MULTILINE))


def page_text(lesson: str) -> str:
    """The first page of a new chapter."""
    chapter, _, name = lesson.partition("/")
    return (
        f"# {titled(chapter)}\n\n{PAGE_TO_WRITE}\n\n| Question | Answered in |\n|---|---|\n"
        f"| What does {titled(name).lower()} answer? | [the lesson](../../notebooks/{lesson}.ipynb) |\n"
    )


def titled(name: str) -> str:
    return name.replace("_", " ").capitalize()


def main(root: Path, arguments: list[str]) -> None:
    if len(arguments) != 1 or not LESSON_NAME.fullmatch(arguments[0]) or len(arguments[0]) > LONGEST_NAME:
        raise SystemExit(
            f"make lesson: got {' '.join(arguments)!r}, wanted NAME=chapter/lesson "
            f"in small letters, digits and _, at most {LONGEST_NAME} characters: `make lesson NAME=fusion/gates`"
        )
    lesson = arguments[0]
    if lesson.partition("/")[2] in (EXERCISES, SOLUTIONS):
        raise SystemExit(f"make lesson: {lesson} is the name of a chapter's {lesson.partition('/')[2]}; choose another")
    for path in (source_path(root, lesson), notebook_path(root, lesson)):
        if path.exists():
            raise SystemExit(f"make lesson: {path.relative_to(root).as_posix()} exists; nothing was written")
    before, chapter = (root / "_toc.yml").read_text(encoding="utf-8"), lesson.partition("/")[0]
    if chapter not in {*CHAPTERS, *chapters_of(before)}:
        raise SystemExit(
            f"make lesson: there is no chapter {chapter!r}; the course has {', '.join(CHAPTERS)} "
            "(CHAPTERS in authoring/lessons.py)"
        )
    toc, entry = with_entry(before, lesson)
    yaml.safe_load(toc)
    page = root / "book" / chapter / "index.md"
    write_atomically(source_path(root, lesson), skeleton_source(lesson, current_url(root)))
    if chapter not in chapters_of(before) and not page.exists():
        write_atomically(page, page_text(lesson))
        print(f"{page.relative_to(root).as_posix()} is written, the first page of the chapter: {PAGE_TO_WRITE}")
    write_atomically(root / "_toc.yml", toc)
    print(f"notebooks/{lesson}.py is written; it runs as it is: `make notebooks ARGS={lesson}`")
    print(f"entered in _toc.yml:\n{entry}")


if __name__ == "__main__":
    main(Path(__file__).resolve().parents[1], sys.argv[1:])
