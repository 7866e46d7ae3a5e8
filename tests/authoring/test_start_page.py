"""The page that lists every lesson, and the cover that a lesson's figure gives."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat
import pytest

from authoring import cover, notebooks
from authoring.convert import HEADER, read_notebook, to_text
from authoring.cover import COVER, cover_image, cover_path, write_cover
from authoring.lessons import lesson_names, notebook_path, source_path
from authoring.start_page import in_order_of_the_book, start_page_path, start_page_text, write_start_page

LESSON = "trial/mean"
TOC = (
    "root: book/index\nparts:\n  - caption: Course\n    chapters:\n"
    "      - file: book/late/index\n        sections:\n          - file: notebooks/late/b\n"
    "          - file: book/late/p\n          - file: notebooks/late/a\n      - file: notebooks/early/c\n"
)


def write_lesson(root: Path, name: str, opening: str) -> None:
    path = source_path(root, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{HEADER}# %% [markdown]\n{opening}\n\n# %%\nx = 1\n", encoding="utf-8")


def test_every_lesson_stands_under_its_chapter_in_the_order_of_the_book(empty: Path) -> None:
    for name in ("early/c", "early/exercises", "early/unlisted", "late/a", "late/b"):
        write_lesson(empty, name, f"# Title of {name}\n#\n# What one can do\n# with $x$.\n#\n# **Before this:** none.")
    (empty / "_toc.yml").write_text(TOC, encoding="utf-8")
    page = empty / "book" / "late" / "index.md"
    page.parent.mkdir(parents=True)
    page.write_text("---\ntitle: x\n---\n# Later things\n", encoding="utf-8")
    assert in_order_of_the_book(empty) == ["late/b", "late/a", "early/c", "early/unlisted", "early/exercises"]
    text = start_page_text(empty)
    assert [line for line in text.splitlines() if line.startswith(("## ", "- "))] == [
        "## Later things",
        "- [Title of late/b](late/b.ipynb): What one can do with $x$.",
        "- [Title of late/a](late/a.ipynb): What one can do with $x$.",
        "## Early",
        "- [Title of early/c](early/c.ipynb): What one can do with $x$.",
        "- [Title of early/unlisted](early/unlisted.ipynb): What one can do with $x$.",
        "- [Title of early/exercises](../my/early.ipynb): What one can do with $x$.",
    ]


def test_the_start_page_is_no_lesson(empty: Path) -> None:
    write_lesson(empty, "a/b", "# Title")
    write_start_page(empty)
    assert start_page_path(empty).is_file()
    assert lesson_names(empty) == ["a/b"]


def test_make_notebooks_writes_the_page_and_a_new_sentence_into_it(repository: Path) -> None:
    page = start_page_path(repository).read_text(encoding="utf-8")
    assert f"- [Mean]({LESSON}.ipynb): One sentence: what the reader will be able to do.\n" in page
    source = source_path(repository, LESSON)
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("One sentence: what", "Another: what"), encoding="utf-8")
    assert notebooks.main(repository, []) == 0
    assert start_page_path(repository).read_text(encoding="utf-8") == page.replace(
        "One sentence: what", "Another: what"
    )


def store_figure(root: Path, lesson: str, name: str, image: bytes) -> None:
    output = nbformat.v4.new_output(
        "display_data",
        {"image/png": base64.b64encode(image).decode(), "text/plain": "Figure: x"},
        metadata={"mmcourse": {"figure": name}},
    )
    other = nbformat.v4.new_output("stream", name="stdout", text="x\n")
    cell = nbformat.v4.new_code_cell("x", outputs=[other, output], execution_count=1)
    notebook_path(root, lesson).parent.mkdir(exist_ok=True)
    notebook_path(root, lesson).write_text(to_text(nbformat.v4.new_notebook(cells=[cell])), encoding="utf-8")


def test_the_cover_is_the_figure_named(empty: Path) -> None:
    write_cover(empty)
    assert not cover_path(empty).exists(), "a lesson that is not stored gives no cover"
    store_figure(empty, *COVER, b"\x89PNG one")
    write_cover(empty)
    assert cover_path(empty).read_bytes() == cover_image(empty) == b"\x89PNG one"
    store_figure(empty, *COVER, b"\x89PNG two")
    assert cover_path(empty).read_bytes() != cover_image(empty)


def test_a_cover_that_no_figure_has_is_refused(empty: Path) -> None:
    store_figure(empty, COVER[0], "another", b"x")
    with pytest.raises(SystemExit, match=rf"{COVER[0]} has no figure '{COVER[1]}'"):
        write_cover(empty)


def test_make_notebooks_writes_the_cover(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cover, "COVER", (LESSON, "errors"))
    assert notebooks.main(repository, []) == 0
    (figure,) = [
        output.data["image/png"]
        for cell in read_notebook(repository, LESSON).cells
        for output in cell.get("outputs", [])
        if output.get("metadata", {}).get("mmcourse", {}).get("figure") == "errors"
    ]
    assert cover_path(repository).read_bytes() == base64.b64decode(figure)
