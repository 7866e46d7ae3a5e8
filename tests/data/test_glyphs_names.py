"""Laws of names: nothing is lost when they are taken apart, and a bag of words loses their order alone."""

import unicodedata
from collections import Counter

import pytest

from mmcourse.data import letter_and_marks, same_words, vocabulary, words
from mmcourse.data.glyph_names import is_marked_letter

NAMES = [name for code in range(0x3000) if (name := unicodedata.name(chr(code), ""))]

PARTS = {
    "LATIN SMALL LETTER W": ("LATIN SMALL LETTER W", ()),
    "LATIN SMALL LETTER W WITH DIAERESIS": ("LATIN SMALL LETTER W", ("DIAERESIS",)),
    "LATIN CAPITAL LETTER U WITH DIAERESIS AND MACRON": ("LATIN CAPITAL LETTER U", ("DIAERESIS", "MACRON")),
    "GREEK SMALL LETTER ALPHA WITH PSILI AND VARIA AND YPOGEGRAMMENI": (
        "GREEK SMALL LETTER ALPHA",
        ("PSILI", "VARIA", "YPOGEGRAMMENI"),
    ),
    "ARABIC LETTER ALEF WITH MADDA ABOVE FINAL FORM": ("ARABIC LETTER ALEF FINAL FORM", ("MADDA ABOVE",)),
    "ARABIC LETTER YEH WITH HAMZA ABOVE INITIAL FORM": ("ARABIC LETTER YEH INITIAL FORM", ("HAMZA ABOVE",)),
    "ARABIC LETTER YEH WITH HAMZA ABOVE MEDIAL FORM": ("ARABIC LETTER YEH MEDIAL FORM", ("HAMZA ABOVE",)),
    "ARABIC LETTER WAW WITH HAMZA ABOVE ISOLATED FORM": ("ARABIC LETTER WAW ISOLATED FORM", ("HAMZA ABOVE",)),
    "LATIN CAPITAL LETTER D WITH SMALL LETTER Z WITH CARON": (
        "LATIN CAPITAL LETTER D",
        ("SMALL LETTER Z WITH CARON",),
    ),
    "CIRCLE WITH LEFT HALF BLACK": ("CIRCLE", ("LEFT HALF BLACK",)),
    "COPTIC SMALL LETTER DALDA": ("COPTIC SMALL LETTER DALDA", ()),
    "TOP HALF BLACK AND WHITE": ("TOP HALF BLACK AND WHITE", ()),
}


@pytest.mark.parametrize(("name", "parts"), PARTS.items(), ids=PARTS)
def test_a_name_is_its_letter_and_the_marks_on_it(name, parts):
    assert letter_and_marks(name) == parts


def test_words_in_order_are_the_name():
    assert all(" ".join(words(name)) == name for name in NAMES)


def test_no_word_is_lost_but_with_and_and():
    for name in NAMES:
        base, marks = letter_and_marks(name)
        joints = ["WITH", *["AND"] * (len(marks) - 1)] if marks else []
        assert Counter(words(" ".join((base, *marks)))) + Counter(joints) == Counter(words(name)), name


def test_a_marked_letter_is_a_letter_and_has_marks():
    assert is_marked_letter("LATIN SMALL LETTER W WITH DIAERESIS")
    assert not is_marked_letter("LATIN SMALL LETTER W")
    assert not is_marked_letter("CIRCLE WITH LEFT HALF BLACK")
    assert not is_marked_letter("BLACK-LETTER CIRCLE WITH DOT")


def test_the_vocabulary_has_every_word_once_in_order():
    assert vocabulary(["B A", "A C", "B-A"]) == ("A", "B", "B-A", "C")


def test_a_bag_of_words_cannot_tell_orders_apart():
    tips = ("LEFTWARDS ARROW WITH TIP UPWARDS", "UPWARDS ARROW WITH TIP LEFTWARDS")
    assert same_words(["PLUS SIGN", tips[1], tips[0], "UPWARDS ARROW"]) == (tips,)


def test_a_word_said_twice_and_a_name_said_twice_make_no_family():
    assert same_words(["A B", "A A B", "A B B", "C", "C"]) == ()


def test_families_are_all_names_of_the_same_words():
    families = same_words(NAMES)
    assert len(families) > 20
    for family in families:
        assert len(family) > 1
        assert len({tuple(sorted(words(name))) for name in family}) == 1
    inside = {name for family in families for name in family}
    alone = Counter(tuple(sorted(words(name))) for name in set(NAMES) - inside)
    assert max(alone.values()) == 1


@pytest.mark.parametrize("name", ["", " ", "A  B", " A", "A ", "A\tB"])
def test_refuses_what_is_no_name(name):
    with pytest.raises(ValueError, match="wanted words with one space between two of them"):
        words(name)
