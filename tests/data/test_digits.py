"""Laws of the digits with words: chance from the seed alone, parts apart, typos at the asked rate."""

from itertools import product

import numpy as np
import pytest
from sklearn.datasets import load_digits

from mmcourse.data import DigitsWithWords, digits_with_words, keyboard_typos, letter_counts
from mmcourse.data.digits import ALPHABET, NEIGHBOURS, WORDS
from mmcourse.errors import EmptyBatchError

DIALS = {"typo_rate": 0.3, "pixel_noise": 0.2, "seed": 0}


def same(a, b):
    return np.array_equal(a.features["image"], b.features["image"]) and a.words == b.words


def close_to(share, chance, draws):
    """Within four standard deviations of a binomial share: a right rate fails once in 16,000."""
    return abs(share - chance) <= 4 * np.sqrt(chance * (1 - chance) / draws)


def test_the_seed_decides_everything_and_the_order_of_calls_nothing():
    first = digits_with_words("test", **DIALS)
    digits_with_words("train", **DIALS)
    np.random.default_rng().random(3)
    assert same(digits_with_words("test", **DIALS), first)
    assert not same(digits_with_words("test", **{**DIALS, "seed": 1}), first)


def test_one_dial_leaves_what_the_others_made():
    first = digits_with_words("test", **DIALS)
    assert digits_with_words("test", **{**DIALS, "pixel_noise": 0.4}).words == first.words
    calmer = digits_with_words("test", **{**DIALS, "typo_rate": 0.1})
    assert np.array_equal(calmer.features["image"], first.features["image"])


def test_parts_are_the_file_cut_in_two():
    pixels, labels = load_digits(return_X_y=True)
    train, test = (digits_with_words(part, typo_rate=0, seed=0) for part in ("train", "test"))
    assert (len(train), len(test)) == (1200, 597)
    assert np.array_equal(np.concatenate([train.features["image"], test.features["image"]]) * 16, pixels)
    assert np.array_equal(np.concatenate([train.labels, test.labels]), labels)


def test_no_image_is_in_both_parts_and_no_noise_is_shared():
    train, test = (digits_with_words(part, typo_rate=0, seed=0).features["image"] for part in ("train", "test"))
    assert not {row.tobytes() for row in train} & {row.tobytes() for row in test}
    noisy_train, noisy_test = (
        digits_with_words(part, typo_rate=0, pixel_noise=0.01, seed=0).features["image"] for part in ("train", "test")
    )
    inside = (train[:597] > 0.1) & (train[:597] < 0.9) & (test > 0.1) & (test < 0.9)  # where nothing is clipped
    noise = [(noisy_train[:597] - train[:597])[inside], (noisy_test - test)[inside]]
    assert abs(np.corrcoef(noise)[0, 1]) < 4 / np.sqrt(inside.sum())


def test_a_limit_takes_equally_many_of_each_class_from_the_whole_part():
    whole, some = digits_with_words("train", **DIALS), digits_with_words("train", **DIALS, limit=200)
    assert isinstance(some, DigitsWithWords)
    assert np.bincount(some.labels).tolist() == [20] * 10
    rows = {
        row.tobytes(): (label, word)
        for row, label, word in zip(whole.features["image"], whole.labels, whole.words, strict=True)
    }
    assert all(
        rows[row.tobytes()] == (label, word)
        for row, label, word in zip(some.features["image"], some.labels, some.words, strict=True)
    )


def test_a_smaller_limit_takes_a_subset_and_the_seed_chooses_it():
    large, small, other = (
        {row.tobytes() for row in digits_with_words("train", typo_rate=0, seed=seed, limit=limit).features["image"]}
        for seed, limit in ((0, 300), (0, 100), (1, 100))
    )
    assert small < large
    assert len(small & other) < 50


def test_pixels_are_scaled_and_noise_stays_in_range():
    clean = digits_with_words("test", typo_rate=0, seed=0).features["image"]
    assert (clean.min(), clean.max()) == (0, 1)
    noisy = digits_with_words("test", typo_rate=0, pixel_noise=0.5, seed=0).features["image"]
    assert (noisy.min(), noisy.max()) == (0, 1)
    small = digits_with_words("test", typo_rate=0, pixel_noise=0.02, seed=0).features["image"]
    inside = (clean > 0.1) & (clean < 0.9)  # five standard deviations from being clipped
    assert np.std((small - clean)[inside]) == pytest.approx(0.02, rel=0.02)


def test_views_agree_with_the_features():
    data = digits_with_words("train", **DIALS, limit=50)
    assert np.array_equal(data.images.reshape(50, 64), data.features["image"])
    assert np.array_equal(letter_counts(data.words), data.features["text"])
    assert data.classes == WORDS
    taken = data.take([7, 3])
    assert taken.words == (data.words[7], data.words[3])
    assert np.array_equal(taken.images, data.images[[7, 3]])


def test_without_typos_the_word_is_the_digit():
    data = digits_with_words("test", typo_rate=0, seed=0)
    assert data.words == tuple(WORDS[label] for label in data.labels)


def test_rate_zero_is_the_identity_and_rate_one_changes_every_word():
    rng = np.random.default_rng(0)
    hard = ("a", "aa", "eee", "abab", "queue", *WORDS)
    for word in hard:
        for _ in range(200):
            assert keyboard_typos(word, 0, rng) == word
            assert keyboard_typos(word, 1, rng) != word


def test_only_letters_result_and_never_an_empty_word():
    rng = np.random.default_rng(0)
    typed = [
        keyboard_typos(word, rate, rng) for word in ("a", "on", *WORDS) for rate in (0.1, 0.5, 1) for _ in range(200)
    ]
    assert all(word and set(word) <= set(ALPHABET) for word in typed)


@pytest.mark.parametrize(("word", "rate"), list(product(("a", "ee", "three", "seven"), (0.05, 0.3, 0.8))))
def test_a_word_stays_right_when_no_letter_is_hit(word, rate):
    rng = np.random.default_rng(0)
    draws = 4000
    right = np.mean([keyboard_typos(word, rate, rng) == word for _ in range(draws)])
    assert close_to(right, (1 - rate) ** len(word), draws)


def test_the_four_kinds_of_typo_come_with_equal_chances():
    rng = np.random.default_rng(0)
    word = "abcdefgh"
    typed = [keyboard_typos(word, 0.01, rng) for _ in range(60_000)]
    shares = dict.fromkeys(("dropped", "doubled", "swapped", "replaced"), 0)
    for other in typed:
        if other != word:
            kind = {7: "dropped", 9: "doubled"}.get(len(other), "swapped" if set(other) == set(word) else "replaced")
            shares[kind] += 1
    total = sum(shares.values())
    # The last of the eight letters has none to be swapped with: its chances are thirds.
    third = (7 / 4 + 1 / 3) / 8
    expected = {"dropped": third, "doubled": third, "swapped": 7 / 32, "replaced": third}
    for kind, share in expected.items():
        assert shares[kind] / total == pytest.approx(share, abs=0.035), kind  # 3.5% of changed words have two typos


def test_neighbours_touch_each_other_on_the_keyboard():
    assert all(letter in NEIGHBOURS[other] for letter in ALPHABET for other in NEIGHBOURS[letter])
    assert all(letter not in NEIGHBOURS[letter] and NEIGHBOURS[letter] for letter in ALPHABET)
    assert set(NEIGHBOURS["g"]) == set("tyfhvb")
    assert set(NEIGHBOURS["q"]) == set("wa")


def test_letter_counts_forget_the_order_alone():
    counts = letter_counts(["three", "there", "a"])
    assert np.array_equal(counts[0], counts[1])
    assert counts.shape == (3, 26)
    assert counts.sum(axis=1).tolist() == [5, 5, 1]
    assert counts[0, ALPHABET.index("e")] == 2


REFUSED = {
    "part": (("valid", {}), 'part: got \'valid\', wanted "train" or "test"'),
    "typo rate above 1": (("train", {"typo_rate": 1.5}), "typo_rate: got 1.5, wanted a number from 0 to 1"),
    "typo rate below 0": (("train", {"typo_rate": -0.1}), "typo_rate: got -0.1"),
    "typo rate NaN": (("train", {"typo_rate": np.nan}), "typo_rate: got nan"),
    "noise below 0": (("train", {"pixel_noise": -1}), "pixel_noise: got -1, wanted a number >= 0"),
    "noise NaN": (("train", {"pixel_noise": np.nan}), "pixel_noise: got nan"),
    "limit not a multiple": (("train", {"limit": 25}), "limit: got 25, wanted a multiple of 10 from 10 to 1170"),
    "limit too large": (("train", {"limit": 1180}), "limit: got 1180, wanted a multiple of 10 from 10 to 1170"),
    "limit zero": (("train", {"limit": 0}), "limit: got 0, wanted"),
    "limit of the test part": (("test", {"limit": 100}), "limit: got 100 for the test part, wanted None"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(call, message):
    part, dials = call
    with pytest.raises(ValueError, match=message):
        digits_with_words(part, **{**DIALS, **dials})


def test_refuses_to_take_nothing():
    with pytest.raises(EmptyBatchError, match="got no indices, wanted at least 1"):
        digits_with_words("test", **DIALS).take([])


@pytest.mark.parametrize("word", ["", "One", "null1", "drei vier", "schön"])
def test_refuses_what_is_no_word(word):
    with pytest.raises(ValueError, match="wanted a word of the letters a to z"):
        letter_counts([word])
    with pytest.raises(ValueError, match="wanted a word of the letters a to z"):
        keyboard_typos(word, 0.1, np.random.default_rng(0))
