"""Captions as ids and back."""

import numpy as np
import pytest

from mmcourse.data import CaptionTokens

TOKENS = CaptionTokens(("a", "blue", "circle"))


def test_ids_of_captions() -> None:
    assert (TOKENS.start, TOKENS.end, TOKENS.count) == (4, 5, 6)
    ids = TOKENS.encode(["a blue circle", "circle"])
    assert np.array_equal(ids, [[4, 1, 2, 3, 5], [4, 3, 5, 0, 0]])
    assert TOKENS.decode(ids) == ("a blue circle", "circle")
    assert TOKENS.decode(ids[:, 1:]) == ("a blue circle", "circle")


def test_nothing_is_read_after_the_end() -> None:
    assert TOKENS.decode([[1, 5, 2, 3], [1, 2, 3, 1], [5, 1, 1, 1]]) == ("a", "a blue circle a", "")


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="'red'"):
        TOKENS.encode(["a red circle"])
    with pytest.raises(ValueError, match="no word"):
        CaptionTokens(())
    with pytest.raises(ValueError, match="'a' twice"):
        CaptionTokens(("a", "a"))
    for ids in ([1, 2], [[1.0]], [[6]], [[-1]]):
        with pytest.raises(ValueError, match=r"CaptionTokens.decode: ids: got"):
            TOKENS.decode(ids)
