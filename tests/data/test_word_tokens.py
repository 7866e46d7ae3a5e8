"""Laws of word tokens."""

import numpy as np
import pytest

from mmcourse.data import WordTokens, glyphs, vocabulary

NAMES = ("LATIN SMALL LETTER A WITH ACUTE", "COMMA", "FULL STOP")


def tokens() -> WordTokens:
    return WordTokens(vocabulary(NAMES))


def test_decoding_is_encoding_backwards() -> None:
    assert tokens().decode(tokens().encode(NAMES)) == NAMES


def test_all_names_of_the_glyphs_come_back() -> None:
    data = glyphs()
    known = WordTokens(data.vocabulary)
    ids = known.encode(data.names)
    assert known.decode(ids) == data.names
    assert set(np.unique(ids)) == set(range(len(known) + 1))


def test_ids_count_from_one_in_the_order_of_the_vocabulary() -> None:
    known = WordTokens(("STOP", "FULL"))
    assert len(known) == 2
    assert known.encode(["FULL STOP", "STOP"]).tolist() == [[2, 1], [1, 0]]


def test_rows_are_as_long_as_the_longest_name_and_end_in_zeros() -> None:
    ids = tokens().encode(NAMES)
    assert ids.dtype == np.int64
    assert ids.shape == (3, 6)
    assert (ids != 0).sum(axis=1).tolist() == [6, 1, 2]
    assert (np.diff((ids != 0).astype(int), axis=1) <= 0).all()
    assert tokens().encode(NAMES[1:]).shape == (2, 2)


def test_a_vocabulary_may_come_as_a_list() -> None:
    assert WordTokens(list(vocabulary(NAMES))) == tokens()


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(ValueError, match=r"got 'GRAVE' in 'COMMA GRAVE', wanted words of the 9 in the vocabulary"):
        tokens().encode(["COMMA", "COMMA GRAVE"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "vocabulary: got no word, wanted at least 1"),
        (("A", "B", "A"), "vocabulary: got 'A' twice, wanted each word once"),
        (("A B",), "vocabulary: got 'A B', wanted one word"),
        (("",), "got ''"),
    ],
)
def test_a_vocabulary_that_is_none_is_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WordTokens(words)


@pytest.mark.parametrize("names", [(), [], "COMMA"])
def test_only_a_sequence_of_names_is_encoded(names: object) -> None:
    with pytest.raises(ValueError, match=r"WordTokens.encode: names: got .*, wanted a sequence of names"):
        tokens().encode(names)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 2], r"got int64 \(2,\), wanted whole numbers \(n, length\)"),
        ([[1.0, 2.0]], r"got float64 \(1, 2\), wanted whole numbers"),
        ([[1, 10]], "got 1 to 10, wanted 0 to 9"),
        ([[-1, 3]], "got -1 to 3, wanted 0 to 9"),
    ],
)
def test_ids_that_are_none_are_not_decoded(ids: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tokens().decode(ids)
