"""`make lesson`: a skeleton and its place in the book. (That it runs and keeps the rules is in test_notebooks.)"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from authoring import new_lesson
from authoring.convert import read_source
from authoring.lessons import source_path

LESSON = "trial/second"


def test_the_skeleton_carries_name_title_and_address(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new_lesson.main(empty, [LESSON])
    cells = [cell.source for cell in read_source(empty, LESSON).cells]
    assert cells[0].startswith("# Second\n")
    assert "%pip install --quiet --no-deps git+https://github.com/OWNER/mmcourse\n" in cells[1]
    assert 'setup("trial/second")' in cells[2]
    assert "- file: notebooks/trial/second" in capsys.readouterr().out
    compile(source_path(empty, LESSON).read_text(encoding="utf-8"), "lesson", "exec")


def test_it_stands_after_the_last_page_of_its_chapter(empty: Path) -> None:
    new_lesson.main(empty, [LESSON])
    chapter = yaml.safe_load((empty / "_toc.yml").read_text(encoding="utf-8"))["parts"][0]["chapters"][0]
    assert [page["file"] for page in chapter["sections"]] == ["book/trial/first", "notebooks/trial/second"]


def test_the_exercises_stay_the_last_page_of_the_chapter(empty: Path) -> None:
    toc = empty / "_toc.yml"
    page = "          - file: book/trial/first\n"
    text = toc.read_text(encoding="utf-8").replace(page, f"{page}          - file: notebooks/trial/exercises\n")
    toc.write_text(text, encoding="utf-8")
    new_lesson.main(empty, [LESSON])
    chapter = yaml.safe_load(toc.read_text(encoding="utf-8"))["parts"][0]["chapters"][0]
    assert [page["file"] for page in chapter["sections"]] == [
        "book/trial/first", "notebooks/trial/second", "notebooks/trial/exercises",
    ]  # fmt: skip


def test_a_chapter_without_sections_gets_them(empty: Path) -> None:
    toc = empty / "_toc.yml"
    toc.write_text(
        toc.read_text(encoding="utf-8").replace("        sections:\n          - file: book/trial/first\n", "")
    )
    new_lesson.main(empty, [LESSON])
    chapter = yaml.safe_load(toc.read_text(encoding="utf-8"))["parts"][0]["chapters"][0]
    assert chapter == {"file": "book/trial/index", "sections": [{"file": "notebooks/trial/second"}]}


def test_a_new_chapter_ends_the_course_and_gets_a_page(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new_lesson.main(empty, ["scale/many_parts"])
    course, records = yaml.safe_load((empty / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    assert course["chapters"][0]["file"] == "book/trial/index"
    assert course["chapters"][1:] == [
        {"file": "book/scale/index", "sections": [{"file": "notebooks/scale/many_parts"}]},
    ]
    assert [page["file"] for page in records["chapters"]] == ["book/credits"]
    page = (empty / "book/scale/index.md").read_text(encoding="utf-8")
    assert page.startswith(f"# Scale\n\n{new_lesson.PAGE_TO_WRITE}\n")
    assert "](../../notebooks/scale/many_parts.ipynb)" in page
    assert "book/scale/index.md is written" in capsys.readouterr().out
    new_lesson.main(empty, ["scale/second"])
    assert (empty / "book/scale/index.md").read_text(encoding="utf-8") == page


def test_a_page_that_is_there_is_kept(empty: Path) -> None:
    page = empty / "book/scale/index.md"
    page.parent.mkdir(parents=True)
    page.write_text("# Mine\n", encoding="utf-8")
    new_lesson.main(empty, ["scale/first"])
    assert page.read_text(encoding="utf-8") == "# Mine\n"
    assert "file: book/scale/index" in (empty / "_toc.yml").read_text(encoding="utf-8")


def test_a_chapter_that_the_course_does_not_have_is_refused(empty: Path) -> None:
    before = (empty / "_toc.yml").read_bytes()
    with pytest.raises(SystemExit, match=r"no chapter 'fussion'; the course has concepts, fusion, .*CHAPTERS in auth"):
        new_lesson.main(empty, ["fussion/gates"])
    assert list((empty / "notebooks").iterdir()) == []
    assert (empty / "_toc.yml").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["gates", "Fusion/gates", "fusion/gates.py", "a/b/c", "fusion/the gate", "", "a/" + 60 * "b"]
)
def test_a_bad_name_is_refused(empty: Path, name: str) -> None:
    with pytest.raises(SystemExit, match="wanted NAME=chapter/lesson"):
        new_lesson.main(empty, [name])
    assert list((empty / "notebooks").iterdir()) == []


@pytest.mark.parametrize("name", ["fusion/exercises", "fusion/solutions"])
def test_the_names_of_a_chapters_exercises_are_refused(empty: Path, name: str) -> None:
    with pytest.raises(SystemExit, match=f"{name} is the name of a chapter's"):
        new_lesson.main(empty, [name])
    assert list((empty / "notebooks").iterdir()) == []


@pytest.mark.parametrize("suffix", ["py", "ipynb"])
def test_nothing_is_written_over(empty: Path, suffix: str) -> None:
    path = empty / "notebooks" / f"{LESSON}.{suffix}"
    path.parent.mkdir()
    path.write_text("mine", encoding="utf-8")
    toc = (empty / "_toc.yml").read_bytes()
    with pytest.raises(SystemExit, match=f"notebooks/trial/second.{suffix} exists; nothing was written"):
        new_lesson.main(empty, [LESSON])
    assert path.read_text(encoding="utf-8") == "mine"
    assert (empty / "_toc.yml").read_bytes() == toc
