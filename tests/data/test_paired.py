"""Laws of PairedData: what it keeps together, and what it refuses."""

import numpy as np
import pytest

from mmcourse import errors
from mmcourse.data import PairedData, controlled_pairs, digits_with_words, root_mean_square_norms


def paired(n=6, *, mask=None, **changes):
    """Row i of every modality holds the number i, so that it can be recognised after any rearrangement."""
    rows = np.arange(n, dtype=float)[:, None]
    fields = {
        "features": {"image": np.repeat(rows, 3, axis=1), "text": np.repeat(rows, 2, axis=1)},
        "labels": np.arange(n) % 3,
        "classes": ("a", "b", "c"),
        "mask": mask,
    }
    return PairedData(**{**fields, **changes})


def numbers(data, name):
    return data.features[name][:, 0].tolist()


def test_length_and_widths():
    data = paired()
    assert len(data) == 6
    assert data.widths == {"image": 3, "text": 2}


def test_width_is_the_last_axis_of_sequences_and_pictures():
    data = paired(features={"video": np.zeros((6, 5, 4, 7))})
    assert data.widths == {"video": 7}


@pytest.mark.parametrize("indices", [[3, 1], np.array([3, 1]), slice(1, 4, 2)])
def test_take_keeps_rows_labels_and_masks_together(indices):
    present = np.array([True, True, False, False, True, True])
    taken = paired(mask={"text": present}).take(indices)
    expected = np.arange(6)[indices]
    assert numbers(taken, "image") == numbers(taken, "text") == expected.tolist()
    assert taken.labels.tolist() == (expected % 3).tolist()
    assert taken.present("text").tolist() == present[expected].tolist()


def test_take_by_boolean_takes_the_true_rows():
    assert numbers(paired().take(np.arange(6) > 3), "image") == [4, 5]


def test_only_keeps_the_named_modalities_and_their_masks():
    everywhere = np.ones(6, dtype=bool)
    data = paired(mask={"image": everywhere, "text": everywhere}).only("text")
    assert list(data.features) == ["text"] == list(data.mask)
    assert paired(mask={"image": everywhere}).only("text").mask is None


def test_only_refuses_to_leave_a_row_with_nothing():
    data = paired(mask={"text": np.arange(6) != 4})
    assert len(data.only("image")) == 6
    with pytest.raises(errors.MaskError, match="text: got nothing present in row 4"):
        data.only("text")


def test_shuffled_permutes_one_modality_and_nothing_else():
    data = paired(40)
    shuffled = data.shuffled("image", seed=0)
    assert numbers(shuffled, "image") != numbers(data, "image")
    assert sorted(numbers(shuffled, "image")) == numbers(data, "image")
    assert numbers(shuffled, "text") == numbers(data, "text")
    assert shuffled.labels.tolist() == data.labels.tolist()
    assert numbers(data, "image") == list(range(40)), "the data themselves stay as they are"


def test_shuffled_is_decided_by_its_seed_alone():
    data = paired(40)
    first = numbers(data.shuffled("image", seed=1), "image")
    np.random.default_rng().random(3)
    assert numbers(data.shuffled("image", seed=1), "image") == first
    assert numbers(data.shuffled("image", seed=2), "image") != first


def test_shuffled_leaves_missing_rows_where_they_are():
    present = np.arange(40) % 4 > 0
    data = paired(40, mask={"image": present, "text": ~present})
    data.features["image"][~present] = np.nan
    shuffled = data.shuffled("image", seed=0)
    assert np.isnan(shuffled.features["image"][~present]).all()
    assert sorted(shuffled.features["image"][present, 0]) == np.flatnonzero(present).tolist()
    assert shuffled.present("image").tolist() == present.tolist()


def test_scaled_multiplies_the_named_modality_and_nothing_else():
    present = np.arange(6) != 4
    data = paired(mask={"text": present})
    scaled = data.scaled({"image": -2.5})
    np.testing.assert_array_equal(scaled.features["image"], -2.5 * data.features["image"])
    np.testing.assert_array_equal(scaled.features["text"], data.features["text"])
    assert scaled.labels.tolist() == data.labels.tolist()
    assert scaled.classes == data.classes
    assert scaled.present("text").tolist() == present.tolist()
    assert numbers(data, "image") == list(range(6)), "the data themselves stay as they are"


def test_scaled_keeps_the_precision_of_the_features():
    scaled = paired(features={"image": np.ones((6, 3), np.float32)}).scaled({"image": 2.0})
    assert scaled.features["image"].dtype == np.float32


def test_scaled_keeps_the_fields_of_a_subclass():
    digits = digits_with_words("train", typo_rate=0.3, seed=0, limit=20)
    scaled = digits.scaled({"image": 3.0})
    assert type(scaled) is type(digits)
    assert scaled.words == digits.words
    np.testing.assert_array_equal(scaled.images, 3.0 * digits.images)
    pairs = controlled_pairs("redundant", 10, separation={"a": 1.0, "b": 2.0}, widths={"a": 3, "b": 2}, seed=0)
    assert pairs.scaled({"b": 0.5}).bayes_accuracy == pairs.bayes_accuracy


def test_the_norm_of_known_rows():
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    norms = root_mean_square_norms(paired(features={"image": rows, "text": np.ones((6, 4))}))
    assert norms == pytest.approx({"image": np.sqrt((25 + 1 + 2 + 4) / 6), "text": 2.0})


@pytest.mark.parametrize("factor", [3.0, -0.25, 0.0])
def test_scaling_by_c_scales_the_norm_by_its_magnitude(factor):
    rng = np.random.default_rng(0)
    data = paired(features={"image": rng.normal(size=(6, 3)), "text": rng.normal(size=(6, 2))})
    before, after = root_mean_square_norms(data), root_mean_square_norms(data.scaled({"image": factor}))
    assert after["image"] == pytest.approx(abs(factor) * before["image"], rel=1e-12)
    assert after["text"] == before["text"]


def test_missing_rows_do_not_count_in_the_norm():
    present = np.arange(6) % 3 > 0
    rows = np.random.default_rng(0).normal(size=(6, 3))
    filled = np.where(present[:, None], rows, np.nan)
    features = {"image": filled, "text": np.ones((6, 2))}
    data = paired(features=features, mask={"image": present})
    alone = paired(features={"image": rows}).take(present)
    for factor in (1.0, 2.0):
        norms = root_mean_square_norms(data.scaled({"image": factor}))
        assert norms["image"] == pytest.approx(root_mean_square_norms(alone.scaled({"image": factor}))["image"])


def test_a_missing_row_may_hold_anything():
    rows = np.full((6, 3), np.nan)
    rows[0] = 1.0
    data = paired(features={"image": rows, "text": np.zeros((6, 2))}, mask={"image": np.arange(6) == 0})
    assert len(data) == 6


def test_editing_the_mapping_that_was_passed_changes_nothing():
    features = {"image": np.zeros((6, 3))}
    data = paired(features=features)
    features["text"] = np.zeros((6, 2))
    assert list(data.features) == ["image"]


UINT8 = {"image": np.zeros((6, 3), dtype=np.uint8)}
NAN = {"image": np.zeros((6, 3)), "text": np.where(np.arange(12).reshape(6, 2) == 5, np.nan, 0.0)}
REFUSED = {
    "rows unlike labels": ({"features": {"image": np.zeros((5, 3))}}, errors.ShapeError, "image: got 5 rows, wanted 6"),
    "one axis": (
        {"features": {"image": np.zeros(6)}},
        errors.ShapeError,
        r"image: got shape \(6,\), wanted \(n, dim\)",
    ),
    "no modality": ({"features": {}}, errors.EmptyBatchError, "features: got no modality"),
    "no rows": ({"labels": np.zeros(0, dtype=int)}, errors.EmptyBatchError, "labels: got 0 rows, wanted at least 1"),
    "unscaled image": ({"features": UINT8}, errors.DtypeError, "image: got dtype uint8, wanted floats .*image / 255"),
    "NaN": ({"features": NAN}, errors.NotFiniteError, "text: got NaN or infinity in row 2"),
    "label axes": ({"labels": np.zeros((6, 1), dtype=int)}, errors.ShapeError, r"labels: got shape \(6, 1\)"),
    "float labels": ({"labels": np.zeros(6)}, errors.DtypeError, "labels: got dtype float64, wanted integers"),
    "label too large": ({"labels": np.array([0, 1, 3, 0, 0, 0])}, errors.ModalityError, "labels: got 3 in row 2"),
    "label below 0": ({"labels": np.array([0, -1, 2, 0, 0, 0])}, errors.ModalityError, "labels: got -1 in row 1"),
    "unknown mask": (
        {"mask": {"audio": np.ones(6, bool)}},
        errors.UnknownModalityError,
        "audio: got a mask for it, wanted one of image, text",
    ),
    "mask of numbers": ({"mask": {"text": np.ones(6)}}, errors.MaskError, "text: got mask dtype float64, wanted bool"),
    "mask shape": (
        {"mask": {"text": np.ones(5, bool)}},
        errors.MaskError,
        r"text: got mask shape \(5,\), wanted \(6,\)",
    ),
    "all missing": (
        {"mask": {"image": np.arange(6) > 1, "text": np.arange(6) > 2}},
        errors.MaskError,
        "image, text: got nothing present in row 0, 1",
    ),
}


@pytest.mark.parametrize(("changes", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(changes, error, message):
    with pytest.raises(error, match=f"^PairedData: {message}"):
        paired(**changes)


@pytest.mark.parametrize(
    "use",
    [
        lambda data: data.only("audio"),
        lambda data: data.shuffled("audio", 0),
        lambda data: data.present("audio"),
        lambda data: data.scaled({"image": 2.0, "audio": 2.0}),
    ],
)
def test_refuses_an_unknown_modality(use):
    with pytest.raises(errors.UnknownModalityError, match="audio: got 'audio', wanted one of image, text"):
        use(paired())


@pytest.mark.parametrize("factor", [np.nan, np.inf, -np.inf])
def test_refuses_a_factor_that_is_not_finite(factor):
    with pytest.raises(errors.NotFiniteError, match=f"scaled: text: got factor {factor}, wanted a finite number"):
        paired().scaled({"image": 1.0, "text": factor})


def test_refuses_to_take_nothing():
    with pytest.raises(errors.EmptyBatchError, match="got no indices"):
        paired().take([])
    with pytest.raises(errors.EmptyBatchError, match="got 0 rows"):
        paired().take(slice(6, None))
