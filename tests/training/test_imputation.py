"""Laws of imputation: what is present stays, what is put in is zero, mean or regression."""

import numpy as np
import pytest

from mmcourse.data import PairedData, masked
from mmcourse.errors import MaskError, ShapeError, UnknownModalityError
from mmcourse.training import fill_zeros, mean_imputer, ridge_imputer
from mmcourse.training.imputation import Fill

WIDTHS = {"text": 3, "image": 2, "audio": 4}
N = 60


def whole(seed: int = 0) -> PairedData:
    """The image is a linear function of the text, the audio of both; all with offsets."""
    rng = np.random.default_rng(seed)
    matrices = np.random.default_rng(7)
    text = rng.normal(size=(N, 3)) + 2
    image = text @ matrices.normal(size=(3, 2)) - 1
    audio = np.hstack([text, image]) @ matrices.normal(size=(5, 4)) + 5
    return PairedData({"text": text, "image": image, "audio": audio}, np.arange(N) % 2, ("no", "yes"))


def lacking(data: PairedData, seed: int = 1) -> PairedData:
    """Text and image never missing together, so that the other can always be told."""
    rng = np.random.default_rng(seed)
    gone = rng.integers(4, size=N)
    audio = (rng.random(N) < 0.5) | (gone < 2)
    return masked(data, {"text": gone != 0, "image": gone != 1, "audio": audio})


FILLS: dict[str, Fill] = {
    "zeros": fill_zeros,
    "means": mean_imputer(lacking(whole())),
    "ridge": ridge_imputer(whole(), penalty=1.0),
}


@pytest.mark.parametrize("name", FILLS)
def test_what_is_present_stays_and_nothing_is_missing_afterwards(name: str) -> None:
    less = lacking(whole(2))
    filled = FILLS[name](less)
    assert filled.mask is None
    for modality in WIDTHS:
        present = less.present(modality)
        np.testing.assert_array_equal(filled.features[modality][present], less.features[modality][present])
        assert np.isfinite(filled.features[modality]).all()
        assert np.isnan(less.features[modality][~present]).all()
    np.testing.assert_array_equal(filled.labels, less.labels)


def test_zeros_and_means() -> None:
    train, less = lacking(whole()), lacking(whole(2))
    for modality in WIDTHS:
        gone = ~less.present(modality)
        mean = train.features[modality][train.present(modality)].mean(axis=0)
        np.testing.assert_array_equal(FILLS["zeros"](less).features[modality][gone], 0)
        np.testing.assert_allclose(FILLS["means"](less).features[modality][gone], np.tile(mean, (gone.sum(), 1)))


def test_ridge_finds_a_linear_function_again_and_tends_to_the_mean_under_a_large_penalty() -> None:
    truth, less = whole(2), lacking(whole(2))
    exact = ridge_imputer(whole(), penalty=0.0)(less)
    for modality in ("image", "audio"):
        np.testing.assert_allclose(exact.features[modality], truth.features[modality], atol=1e-8)
    flat = ridge_imputer(whole(), penalty=1e12)(less)
    for modality in WIDTHS:
        gone = ~less.present(modality)
        mean = whole().features[modality].mean(axis=0)
        np.testing.assert_allclose(flat.features[modality][gone], np.tile(mean, (gone.sum(), 1)), atol=1e-6)


def test_ridge_is_its_normal_equations() -> None:
    train = whole()
    less = masked(whole(2), {"image": np.zeros(N, bool), "audio": np.zeros(N, bool)})
    x, y = train.features["text"], train.features["audio"]
    centred = x - x.mean(axis=0)
    weights = np.linalg.solve(centred.T @ centred + 3.0 * np.eye(3), centred.T @ (y - y.mean(axis=0)))
    wanted = (less.features["text"] - x.mean(axis=0)) @ weights + y.mean(axis=0)
    np.testing.assert_allclose(ridge_imputer(train, penalty=3.0)(less).features["audio"], wanted)


def test_only_rows_of_train_that_have_what_is_needed_are_used() -> None:
    """Rows that lack the text hold NaN there; a regression that used them would fail."""
    filled = ridge_imputer(lacking(whole()), penalty=0.0)(masked(whole(2), {"audio": np.zeros(N, bool)}))
    np.testing.assert_allclose(filled.features["audio"], whole(2).features["audio"], atol=1e-8)


def test_refuses() -> None:
    never = masked(whole(), {"audio": np.zeros(N, bool)})
    with pytest.raises(MaskError, match="mean_imputer: audio: got no row of train, wanted at least one with it"):
        mean_imputer(never)
    with pytest.raises(MaskError, match="ridge_imputer: audio: got no row of train, wanted at least one with text, im"):
        ridge_imputer(never, penalty=1.0)(never)
    with pytest.raises(ValueError, match=r"ridge_imputer: penalty: got -1, wanted a finite number >= 0"):
        ridge_imputer(whole(), penalty=-1)
    narrow = PairedData({**whole().features, "image": np.zeros((N, 5))}, whole().labels, ("no", "yes"))
    for fill in (FILLS["means"], FILLS["ridge"]):
        with pytest.raises(UnknownModalityError, match="audio: got no features"):
            fill(whole().only("text", "image"))
        with pytest.raises(ShapeError, match="image: got width 5, wanted 2"):
            fill(narrow)
