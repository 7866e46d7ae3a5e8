"""Pages of prose keep to the rule of lessons: a number of ours comes from a run."""

from coursebook.records import CHAPTERS as TITLES

from authoring.book import ROOT
from authoring.dialect import number_faults
from authoring.lessons import CHAPTERS
from authoring.new_lesson import PAGE_TO_WRITE
from tests.faults import require_none


def test_no_page_has_a_number_typed_by_hand() -> None:
    faults = {}
    for path in sorted((ROOT / "book").rglob("*.md")):
        for line, fault in number_faults(path.read_text(encoding="utf-8")):
            faults[f"{path.relative_to(ROOT).as_posix()}:{line}"] = [fault]
    require_none(faults)


def test_no_page_is_still_to_be_written() -> None:
    pages = (ROOT / "book").rglob("*.md")
    unwritten = [path for path in pages if PAGE_TO_WRITE in path.read_text(encoding="utf-8")]
    require_none({path.relative_to(ROOT).as_posix(): [PAGE_TO_WRITE] for path in unwritten})


def test_the_records_know_every_chapter() -> None:
    assert tuple(TITLES) == CHAPTERS
