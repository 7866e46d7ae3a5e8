"""The helper of the tests shows every fault, whole."""

import pytest

from tests.faults import require_none


def test_every_fault_has_a_line_and_none_is_cut() -> None:
    long = "x" * 500
    with pytest.raises(AssertionError) as caught:
        require_none({"fusion/gates": iter(["first", long]), "fusion/sums": [], "fusion/more": ["third"]})
    assert str(caught.value).splitlines() == ["", "fusion/gates: first", f"fusion/gates: {long}", "fusion/more: third"]


def test_no_fault_passes() -> None:
    require_none({"fusion/gates": iter([]), "fusion/sums": []})
