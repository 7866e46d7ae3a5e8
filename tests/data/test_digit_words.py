"""Laws of the digits' words: one for each digit and language, mistyped Chinese at the asked rate."""

import unicodedata

import numpy as np
import pytest

from mmcourse.data.digit_words import (
    CHARACTERS,
    DIGIT_WORDS,
    HOMOPHONES,
    LANGUAGES,
    character_counts,
    homophone_typos,
    word_counts,
)
from mmcourse.data.digits import letter_counts


def test_every_language_has_ten_words_and_the_chinese_ones_are_the_numerals():
    assert set(DIGIT_WORDS) == set(LANGUAGES)
    assert all(len(set(words)) == 10 for words in DIGIT_WORDS.values())
    # 零 has no numeric value in Unicode; the others do.
    assert [unicodedata.numeric(word, 0) for word in DIGIT_WORDS["chinese"]] == list(range(10))


def test_no_character_belongs_to_two_digits():
    assert len(set(CHARACTERS)) == len(CHARACTERS) == 50


def test_rate_zero_is_the_identity_and_rate_one_takes_another_of_the_same_syllable():
    rng = np.random.default_rng(0)
    for digit in HOMOPHONES:
        assert {homophone_typos(digit, 0, rng) for _ in range(50)} == {digit}
        assert {homophone_typos(digit, 1, rng) for _ in range(200)} == set(HOMOPHONES[digit])


def test_a_character_is_hit_at_the_asked_rate_and_the_others_come_with_equal_chances():
    rng = np.random.default_rng(0)
    typed = [homophone_typos("四", 0.3, rng) for _ in range(8000)]
    for character, chance in [("四", 0.7), *((other, 0.3 / 4) for other in HOMOPHONES["四"])]:
        assert abs(typed.count(character) / 8000 - chance) < 4 * np.sqrt(chance * (1 - chance) / 8000)


def test_one_rate_changes_only_what_is_hit():
    """The same stream of chance at a higher rate keeps what was mistyped at the lower one."""
    low, high = (
        [homophone_typos(digit, rate, rng) for digit in HOMOPHONES for _ in range(20)]
        for rate, rng in ((0.2, np.random.default_rng(1)), (0.6, np.random.default_rng(1)))
    )
    digits = [digit for digit in HOMOPHONES for _ in range(20)]
    assert all(b == a for a, b, digit in zip(low, high, digits, strict=True) if a != digit)


def test_counts():
    assert np.array_equal(
        character_counts(["一", "衣衣"])[:, [CHARACTERS.index("一"), CHARACTERS.index("衣")]], [[1, 0], [0, 2]]
    )
    assert character_counts([]).shape == (0, 50)
    assert np.array_equal(word_counts(["one"], "english"), letter_counts(["one"]))
    assert np.array_equal(word_counts(["一"], "chinese"), character_counts(["一"]))


@pytest.mark.parametrize("word", ["", "one", "十", "一 "])
def test_refuses_what_is_no_chinese_digit(word):
    with pytest.raises(ValueError, match="wanted a word of the characters"):
        character_counts([word])
    with pytest.raises(ValueError, match="wanted one of 零一二三四五六七八九"):
        homophone_typos(word, 0.1, np.random.default_rng(0))


@pytest.mark.parametrize("rate", [-0.1, 1.1, np.nan])
def test_refuses_a_rate_out_of_range(rate):
    with pytest.raises(ValueError, match=r"typo_rate: got .*, wanted a number from 0 to 1"):
        homophone_typos("一", rate, np.random.default_rng(0))
