"""Laws of the glyphs: one scale and baseline, twins in one group, splits by combination that leak nothing."""

import hashlib
import os
import subprocess
import sys
import unicodedata
from collections import defaultdict
from functools import cache

import numpy as np
import pytest
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from mmcourse.data import Glyphs, glyphs, letter_and_marks, words
from mmcourse.data.glyph_drawing import FONTS, drawn
from mmcourse.data.glyph_names import is_marked_letter
from mmcourse.data.glyphs import _resampling
from mmcourse.errors import DtypeError, EmptyBatchError, ModalityError, NotFiniteError, ShapeError

EVERY = ("sans", "bold", "serif", "mono")
SPLITS = [(styles, seed) for styles in (("sans",), EVERY) for seed in range(4)]
over_splits = pytest.mark.parametrize(("styles", "seed"), SPLITS, ids=lambda value: str(value))


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    """Never the reader's own cache: what is tested is drawn by this code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMCOURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        drawn.cache_clear()
        yield
        drawn.cache_clear()


@cache
def data(styles=("sans",)) -> Glyphs:
    return glyphs(styles)


def picture(character, found=None):
    found = found or data()
    return found.images[found.characters.index(character)]


def rows_with_ink(image):
    return np.flatnonzero((image > 0.5).any(axis=1))


def spread(images, axis):
    """Standard deviation of the places of the ink along an axis, in pixels: (n,)."""
    ink = images.sum(axis=3 - axis, dtype=float)
    ink /= ink.sum(axis=1, keepdims=True)
    places = np.arange(ink.shape[1])
    return np.sqrt(ink @ places**2 - (ink @ places) ** 2)


def looks(images):
    return [image.tobytes() for image in images]


def digest(images):
    return hashlib.sha256(images.tobytes()).hexdigest()


# What is there ------------------------------------------------------------------------------------------------------


def test_every_style_has_thousands_of_characters_once_each():
    everything = data(EVERY)
    for style, least in {"sans": 5600, "bold": 5600, "serif": 3200, "mono": 3200}.items():
        here = [c for c, s in zip(everything.characters, everything.styles, strict=True) if s == style]
        assert len(here) >= least
        assert here == sorted(set(here))


def test_names_are_those_of_unicode():
    assert data().names == tuple(unicodedata.name(character) for character in data().characters)


def test_every_character_that_has_a_name_and_an_outline_is_there():
    font = FT2Font(f"{get_data_path()}/fonts/ttf/{FONTS['sans']}.ttf")
    named = [code for code in sorted(font.get_charmap()) if unicodedata.name(chr(code), "")]
    assert "".join(data().characters) == "".join(chr(code) for code in named if font.load_char(code).width > 0)
    assert " " not in data().characters


def test_pictures_are_ink_between_zero_and_one_and_none_is_empty():
    images = data(EVERY).images
    assert images.dtype == np.float32
    assert images.shape[1:] == (20, 20)
    assert images.min() == 0
    assert images.max() == 1
    assert images.max(axis=(1, 2)).min() > 0


# Scale and place ----------------------------------------------------------------------------------------------------


def test_size_and_place_keep_their_meaning():
    small, large, ring = (rows_with_ink(picture(character)) for character in "oO°")
    assert small[-1] == large[-1], "o and O stand on one baseline"
    assert len(small) < len(large)
    assert ring[-1] < small[-1]
    comma, apostrophe = (rows_with_ink(picture(character)) for character in ",'")
    assert apostrophe[-1] < comma[0]
    left, right = picture("▌"), picture("▐")
    assert left[:, :8].sum() > 10 * left[:, 12:].sum()
    assert np.abs(left - right[:, ::-1]).max() < 0.2, "the half blocks are mirror images"


def test_a_larger_picture_shows_the_same_with_more_paper_around():
    """The middle of a picture of 40 pixels is the picture of 20, but for characters that do not fit into the latter."""
    wide = glyphs(("serif",), size=40, font_size=14).images
    narrow = data(("serif",)).images
    outside = wide.copy()
    outside[:, 10:30, 10:30] = 0
    fits = outside.max(axis=(1, 2)) == 0
    assert np.array_equal(wide[fits, 10:30, 10:30], narrow[fits])
    assert 0 < (~fits).sum() < 20
    # What does not fit is whole, but smaller: it has shrunk by one factor in both directions, and not been cut.
    shrunk = [spread(narrow[~fits], axis) / spread(wide[~fits], axis) for axis in (1, 2)]
    assert np.max(shrunk) < 1
    assert shrunk[0] == pytest.approx(shrunk[1], rel=0.03)


def test_the_font_grows_with_the_picture_unless_told_otherwise():
    usual = picture("O", data(("mono",))).sum()
    assert picture("O", glyphs(("mono",), size=30)).sum() == pytest.approx(1.5**2 * usual, rel=0.03)
    assert picture("O", glyphs(("mono",), size=30, font_size=14)).sum() == pytest.approx(usual, rel=0.01)


def test_a_mark_without_advance_stands_in_the_middle():
    across = picture("\N{COMBINING DOT ABOVE}").sum(axis=0)
    assert across @ np.arange(20) / across.sum() == pytest.approx(9.5, abs=0.2)


# The same every time ------------------------------------------------------------------------------------------------


def test_the_bytes_are_the_same_from_memory_from_disk_and_drawn_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCOURSE_CACHE", str(tmp_path))
    drawn.cache_clear()
    anew = digest(glyphs(("mono",)).images)
    assert digest(glyphs(("mono",)).images) == anew
    drawn.cache_clear()
    monkeypatch.setattr("mmcourse.data.glyph_drawing._draw", None)  # from here on nothing can be drawn
    assert digest(glyphs(("mono",)).images) == anew


def test_another_process_draws_the_same_bytes(tmp_path):
    code = "import hashlib; from mmcourse.data import glyphs; g = glyphs(('mono',)); "
    code += "print(hashlib.sha256(g.images.tobytes()).hexdigest(), hashlib.sha256(g.group.tobytes()).hexdigest())"
    environment = os.environ | {"MMCOURSE_CACHE": str(tmp_path), "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [digest(data(("mono",)).images), digest(data(("mono",)).group)]


def test_a_font_size_that_changes_the_pictures_is_never_answered_from_the_cache():
    assert digest(glyphs(("mono",), font_size=14).images) == digest(data(("mono",)).images)
    assert digest(glyphs(("mono",), font_size=13).images) != digest(data(("mono",)).images)


def test_who_writes_into_the_pictures_writes_into_a_copy():
    spoiled = glyphs()
    spoiled.images[:] = 0.5
    spoiled.group[:] = 0
    assert digest(glyphs().images) == digest(data().images)
    assert digest(glyphs().group) == digest(data().group)


# Groups -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("styles", [("sans",), EVERY], ids=str)
def test_groups_are_the_connected_parts_of_same_character_or_same_picture(styles):
    found = data(styles)
    edges = []
    for keys in (found.characters, looks(found.images)):
        rows = defaultdict(list)
        for row, key in enumerate(keys):
            rows[key].append(row)
        edges += [(members[0], row) for members in rows.values() for row in members]
    here, there = np.array(edges).T
    count, label = connected_components(coo_matrix((np.ones(len(here)), (here, there)), shape=(len(found),) * 2))
    assert len(set(zip(found.group.tolist(), label.tolist(), strict=True))) == count == found.group.max() + 1


def test_a_style_in_which_two_characters_are_equal_joins_them_in_all():
    def joined(found, a, b):
        return found.group[found.characters.index(a)] == found.group[found.characters.index(b)]

    comma, quotation_mark = ",", "\N{SINGLE LOW-9 QUOTATION MARK}"
    assert not joined(data(), comma, quotation_mark)
    assert joined(data(("mono",)), comma, quotation_mark)
    assert joined(data(EVERY), comma, quotation_mark)
    assert joined(data(), "\N{LATIN CAPITAL LETTER A}", "\N{CYRILLIC CAPITAL LETTER A}")
    assert not joined(data(EVERY), "o", "O")


# Splits -------------------------------------------------------------------------------------------------------------


@cache
def split(styles, seed):
    return data(styles).split(seed)


@over_splits
def test_every_row_is_on_one_side(styles, seed):
    whole, parts = data(styles), split(styles, seed)
    rows = [{*zip(part.characters, part.styles, strict=True)} for part in parts]
    assert not rows[0] & rows[1]
    assert rows[0] | rows[1] == {*zip(whole.characters, whole.styles, strict=True)}


@over_splits
def test_no_group_no_character_and_no_picture_is_on_both_sides(styles, seed):
    train, test = split(styles, seed)
    assert not set(train.group) & set(test.group)
    assert not set(train.characters) & set(test.characters)
    assert not set(looks(train.images)) & set(looks(test.images))


@over_splits
def test_as_many_letters_with_marks_are_held_out_as_asked(styles, seed):
    test = split(styles, seed)[1]
    assert len(set(test.characters)) == 100
    assert all(map(is_marked_letter, test.names))


@over_splits
def test_every_word_of_a_held_out_name_occurs_in_training(styles, seed):
    train, test = split(styles, seed)
    assert set(test.vocabulary) <= set(train.vocabulary)


@over_splits
def test_every_letter_and_every_mark_is_seen_in_two_other_pictures_at_least(styles, seed):
    train, test = split(styles, seed)
    letters, marks = defaultdict(set), defaultdict(set)
    combinations = set()
    for name, group in zip(train.names, train.group, strict=True):
        base, with_marks = letter_and_marks(name)
        if is_marked_letter(name):
            combinations.add((base, with_marks))
            letters[base].add(group)
            for mark in with_marks:
                marks[mark].add(group)
    for name in test.names:
        base, with_marks = letter_and_marks(name)
        assert (base, with_marks) not in combinations
        assert len(letters[base]) >= 2, name
        assert min(len(marks[mark]) for mark in with_marks) >= 2, name


def test_the_seed_alone_decides_and_not_the_order_of_rows():
    whole = data()
    expected = set(split(("sans",), 0)[1].characters)
    np.random.default_rng().random(3)
    shuffled = whole.take(np.random.default_rng(5).permutation(len(whole)))
    assert set(shuffled.split(0)[1].characters) == expected
    assert len(set(split(("sans",), 1)[1].characters) & expected) < 50


def test_more_are_held_out_where_more_are_asked_for():
    assert len(data().split(0, held_out=1)[1]) == 1
    train, test = data().split(0, held_out=300)
    assert len(test) == 300
    assert set(test.vocabulary) <= set(train.vocabulary)


def test_never_more_are_held_out_than_asked_though_twins_come_together():
    names = [
        f"{a} LETTER {b} WITH {c}" for b in "ABCD" for c in ("TAIL", "HOOK", "DOT", "HORN") for a in ("OLD", "NEW")
    ]
    characters = tuple(map(chr, range(65, 65 + len(names))))
    pairs = np.arange(len(names)) // 2
    twins = Glyphs(np.zeros((len(names), 8, 8)), characters, tuple(names), ("sans",) * len(names), pairs)
    assert len(twins.split(0, held_out=4)[1]) == 4
    with pytest.raises(ValueError, match="held_out: got 3, wanted at most 2"):
        twins.split(0, held_out=3)


# Augmentation -------------------------------------------------------------------------------------------------------


def test_without_shift_and_scale_nothing_changes():
    still = data().jittered(np.random.default_rng(0), shift=0, scale=0)
    assert np.array_equal(still.images, data().images)


def test_jitter_depends_on_the_generator_and_on_nothing_else():
    first, same, other = (data().jittered(np.random.default_rng(seed)).images for seed in (0, 0, 1))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_jitter_changes_the_pictures_alone():
    moved = data().jittered(np.random.default_rng(0))
    assert moved.names == data().names
    assert np.array_equal(moved.group, data().group)
    assert moved.images.dtype == np.float32
    assert moved.images.min() >= 0
    assert moved.images.max() <= 1 + 1e-6


def test_a_shift_moves_every_picture_on_its_own_and_never_further_than_asked():
    dots = Glyphs(np.zeros((500, 9, 9), np.float32), ("·",) * 500, ("DOT",) * 500, ("sans",) * 500, np.zeros(500, int))
    dots.images[:, 4, 4] = 1
    moved = dots.jittered(np.random.default_rng(0), shift=2, scale=0).images
    assert moved.sum(axis=(1, 2)) == pytest.approx(1, abs=1e-5), "no ink is lost inside"
    places = [moved.sum(axis=other) @ np.arange(9) - 4 for other in (2, 1)]
    for place in places:
        assert 1.9 < place.max() <= 2 + 1e-5
        assert -2 - 1e-5 <= place.min() < -1.9
        assert np.std(place) == pytest.approx(2 / np.sqrt(3), rel=0.1)
    assert abs(np.corrcoef(places)[0, 1]) < 0.2


def test_a_shift_by_whole_pixels_moves_them_and_the_edge_brings_no_ink():
    image = np.random.default_rng(0).random((6, 6)).astype(np.float32)
    moved = _resampling(6, np.array([2.0]), np.ones(1))[0] @ image
    assert np.array_equal(moved[2:], image[:4])
    assert not moved[:2].any()


def test_a_scale_changes_the_length_of_a_bar_by_its_factor():
    bar = np.zeros(41)
    bar[10:31] = 1
    for factor in (0.8, 1, 1.25):
        assert (_resampling(41, np.zeros(1), np.array([factor]))[0] @ bar).sum() == pytest.approx(21 * factor, rel=0.03)


def test_scale_makes_some_pictures_larger_and_some_smaller():
    disc = Glyphs(np.zeros((300, 21, 21), np.float32), ("●",) * 300, ("D",) * 300, ("sans",) * 300, np.zeros(300, int))
    disc.images[:, 6:15, 6:15] = 1
    ink = disc.jittered(np.random.default_rng(0), shift=0, scale=0.2).images.sum(axis=(1, 2)) / 81
    assert ink.min() == pytest.approx(np.exp(-0.4), rel=0.1)
    assert ink.max() == pytest.approx(np.exp(0.4), rel=0.1)


# Rows ---------------------------------------------------------------------------------------------------------------


def test_taking_rows_takes_them_from_every_field():
    rows = [7, 3, 3]
    some = data().take(rows)
    assert np.array_equal(some.images, data().images[rows])
    assert some.characters == tuple(data().characters[row] for row in rows)
    assert some.names == tuple(map(unicodedata.name, some.characters))
    assert some.styles == ("sans",) * 3
    assert np.array_equal(some.group, data().group[rows])
    bold = data(EVERY).take(np.array(data(EVERY).styles) == "bold")
    assert set(bold.styles) == {"bold"}
    assert data().take(slice(2, 5)).characters == data().characters[2:5]


def test_one_per_character_has_every_name_once():
    answers = data(EVERY).one_per_character()
    assert len(set(answers.names)) == len(answers)
    assert set(answers.names) == set(data(EVERY).names)
    assert set(answers.group) == set(data(EVERY).group)


def test_a_look_at_the_data_says_what_they_are():
    some = data(EVERY).take([data().characters.index(character) for character in "AaА"])
    assert repr(some) == "Glyphs(3 pictures of 20x20 pixels; 3 characters in 2 groups; sans)"


def test_the_vocabulary_is_the_words_of_the_names():
    some = data().take([0, 1])
    assert some.vocabulary == tuple(sorted(set(words(some.names[0])) | set(words(some.names[1]))))


# Bad input ----------------------------------------------------------------------------------------------------------

REFUSED = {
    "unknown style": ((("italic",), {}), "styles: got 'italic', wanted one of sans, bold, serif, mono"),
    "a text for styles": (("sans", {}), "styles: got 'sans', wanted a sequence"),
    "no style": (((), {}), r"styles: got \(\), wanted a sequence"),
    "style twice": ((("sans", "sans"), {}), "wanted each once"),
    "picture too small": ((("sans",), {"size": 4}), "size: got 4, wanted at least 8 pixels"),
    "font too small": ((("sans",), {"font_size": 0}), "font_size: got 0, wanted 4 to 20 pixels"),
    "font larger than the picture": ((("sans",), {"font_size": 21}), "font_size: got 21, wanted 4 to 20"),
    "font size NaN": ((("sans",), {"font_size": np.nan}), "font_size: got nan"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(call, message):
    styles, dials = call
    with pytest.raises(ValueError, match=message):
        glyphs(styles, **dials)


@pytest.mark.parametrize(
    ("field", "value", "error", "message"),
    [
        ("images", np.zeros((2, 3)), ShapeError, r"images: got shape \(2, 3\), wanted \(n, size, size\)"),
        ("images", np.zeros((2, 3, 4)), ShapeError, r"images: got shape \(2, 3, 4\)"),
        ("images", np.zeros((2, 3, 3), np.uint8), DtypeError, "images: got dtype uint8, wanted floats"),
        ("images", np.zeros((0, 3, 3)), EmptyBatchError, "images: got 0 rows"),
        ("characters", ("a",), ShapeError, "characters: got 1 rows, wanted 2, one for each image"),
        ("names", ("A", "B", "C"), ShapeError, "names: got 3 rows"),
        ("styles", (), ShapeError, "styles: got 0 rows"),
        ("group", np.zeros(1, int), ShapeError, "group: got 1 rows"),
    ],
)
def test_refuses_fields_that_do_not_fit(field, value, error, message):
    fields = {
        "images": np.zeros((2, 3, 3)),
        "characters": ("a", "b"),
        "names": ("A", "B"),
        "styles": ("sans", "sans"),
        "group": np.arange(2),
    }
    Glyphs(**fields)
    with pytest.raises(error, match=message):
        Glyphs(**{**fields, field: value})


def test_refuses_to_take_nothing():
    with pytest.raises(EmptyBatchError, match="got no indices, wanted at least 1"):
        data().take([])


def test_refuses_to_hold_out_nothing_or_more_than_there_is():
    with pytest.raises(ValueError, match="held_out: got 0, wanted at least 1"):
        data().split(0, held_out=0)
    with pytest.raises(ValueError, match=r"held_out: got 5000, wanted at most \d+, what these pictures allow"):
        data().split(0, held_out=5000)


@pytest.mark.parametrize("dials", [{"shift": -1}, {"scale": np.nan}, {"shift": np.inf}], ids=str)
def test_refuses_to_jitter_without_bounds(dials):
    with pytest.raises(NotFiniteError, match="wanted a finite number >= 0") as refused:
        data().jittered(np.random.default_rng(0), **dials)
    assert isinstance(refused.value, ModalityError)
    assert refused.value.modality in dials
