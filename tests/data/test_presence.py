"""Laws of subsets and of hiding modalities."""

from itertools import product

import numpy as np
import pytest

from mmcourse.data import PairedData, controlled_pairs, masked, subset_chances, subset_mask, subsets
from mmcourse.errors import MaskError, ModalityError, UnknownModalityError

RATES = {"text": 0.3, "image": 0.5, "audio": 0.2}


def data(missing: dict[str, float] | None = None) -> PairedData:
    widths = {"text": 3, "image": 2}
    separation = dict.fromkeys(widths, 1.0)
    return controlled_pairs("redundant", 50, separation=separation, widths=widths, missing=missing, seed=0)


def test_the_subsets_of_three() -> None:
    assert subsets("cab") == [("c",), ("a",), ("b",), ("c", "a"), ("c", "b"), ("a", "b"), ("c", "a", "b")]
    for count in range(1, 6):
        assert len(set(subsets(map(str, range(count))))) == 2**count - 1


def test_the_chances_are_those_of_independent_absence_given_that_something_is_there() -> None:
    joint: dict[tuple[str, ...], float] = {}
    for absent in product([False, True], repeat=3):
        left = tuple(name for name, gone in zip(RATES, absent, strict=True) if not gone)
        chances = [rate if gone else 1 - rate for rate, gone in zip(RATES.values(), absent, strict=True)]
        joint[left] = float(np.prod(chances))
    nothing = joint.pop(())
    assert subset_chances(RATES) == pytest.approx({left: chance / (1 - nothing) for left, chance in joint.items()})
    assert sum(subset_chances(RATES).values()) == pytest.approx(1)


def test_a_mask_for_every_subset() -> None:
    for subset in subsets(RATES):
        mask = subset_mask(RATES, subset, 4)
        assert list(mask) == list(RATES)
        for name, present in mask.items():
            np.testing.assert_array_equal(present, np.full(4, name in subset))


def test_hidden_rows_are_nan_and_the_rest_stays() -> None:
    whole = data()
    mask = {"text": np.arange(50) % 3 > 0}
    less = masked(whole, mask)
    assert type(less) is type(whole)
    np.testing.assert_array_equal(less.present("text"), mask["text"])
    assert less.present("image").all()
    np.testing.assert_array_equal(np.isnan(less.features["text"]).all(axis=1), ~mask["text"])
    np.testing.assert_array_equal(less.features["text"][mask["text"]], whole.features["text"][mask["text"]])
    assert np.isfinite(whole.features["text"]).all()


def test_what_was_missing_stays_missing() -> None:
    less = data(missing={"text": 0.5})
    before = less.present("text")
    even = np.arange(50) % 2 == 0
    np.testing.assert_array_equal(masked(less, {"text": even}).present("text"), before & even)
    np.testing.assert_array_equal(masked(less, {}).present("text"), before)


@pytest.mark.parametrize("rate", [-0.5, 1.0, float("nan")])
def test_chances_want_rates_with_which_something_is_left(rate: float) -> None:
    with pytest.raises(ModalityError, match=f"subset_chances: text: got rate {rate}, wanted at least 0 and below 1"):
        subset_chances({"image": 0.5, "text": rate})


def test_refuses() -> None:
    with pytest.raises(UnknownModalityError, match="subset_mask: sound: got subset of an unknown modality"):
        subset_mask(RATES, ["sound"], 3)
    with pytest.raises(MaskError, match="subset_mask: text, image, audio: got an empty subset"):
        subset_mask(RATES, [], 3)
    with pytest.raises(UnknownModalityError, match="masked: sound: got mask of an unknown modality"):
        masked(data(), {"sound": np.ones(50, bool)})
    with pytest.raises(MaskError):
        masked(data(), dict.fromkeys(("text", "image"), np.zeros(50, bool)))
    with pytest.raises(MaskError, match=r"masked: text: got mask of shape \(49,\), wanted \(50,\)"):
        masked(data(), {"text": np.ones(49, bool)})
