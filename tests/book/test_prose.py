"""Pages of prose keep to the rule of lessons: a number of ours comes from a run."""

from authoring.book import ROOT
from authoring.dialect import number_faults
from tests.faults import require_none


def test_no_page_has_a_number_typed_by_hand() -> None:
    faults = {}
    for path in sorted((ROOT / "book").rglob("*.md")):
        for line, fault in number_faults(path.read_text(encoding="utf-8")):
            faults[f"{path.relative_to(ROOT).as_posix()}:{line}"] = [fault]
    require_none(faults)
