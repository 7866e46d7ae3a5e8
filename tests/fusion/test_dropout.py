"""Laws of modality dropout: the distribution over subsets, one draw in three halves, what is dropped is gone."""

import copy
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from scipy.stats import chisquare

import mmcourse.fusion.keras
import mmcourse.fusion.keras.dropout
import mmcourse.fusion.torch
import mmcourse.fusion.torch.dropout
from mmcourse.data import subset_chances
from mmcourse.errors import MaskError, ModalityError, NotFiniteError, ShapeError, UnknownModalityError
from mmcourse.fusion.numpy import modality_dropout
from tests.fusion.halves import CONCEPTS, NAMES, TRAINABLE, Arrays, Case, Keras, Torch

RATES = {"text": 0.5, "image": 0.2, "speech": 0.7, "depth": 0.0}
DIMS = {"text": 3, "image": 2, "speech": 4, "depth": 2}
over_halves = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
over_counts = pytest.mark.parametrize("count", [1, 2, 3, 4])


def names(count: int) -> tuple[str, ...]:
    return NAMES[:count]


def few(mapping: Mapping[str, Any], count: int) -> dict[str, Any]:
    return {name: mapping[name] for name in names(count)}


def drawn(count: int, batch: int, seed: int = 0) -> tuple[Arrays, Arrays, Arrays]:
    """Features with NaN where missing, uniforms, and a mask in which every row has something."""
    rng = np.random.default_rng([seed, count])
    mask = {name: rng.random(batch) < 0.6 for name in names(count)}
    nothing = ~np.any(list(mask.values()), axis=0)
    mask[names(count)[-1]] |= nothing
    features = {name: np.where(mask[name][:, None], rng.normal(size=(batch, DIMS[name])), np.nan) for name in mask}
    return features, {name: rng.random(batch) for name in mask}, mask


def columns(mask: Mapping[str, Any]) -> np.ndarray:
    return np.stack([np.asarray(here) for here in mask.values()], axis=1)


def dropout(half: Any, count: int, seed: int = 0, rates: Any = RATES) -> Any:
    rates = few(rates, count) if isinstance(rates, Mapping) else rates
    if half is Torch:
        generator = torch.Generator().manual_seed(seed)
        return mmcourse.fusion.torch.ModalityDropout(few(DIMS, count), rates=rates, generator=generator)
    return mmcourse.fusion.keras.ModalityDropout(few(DIMS, count), rates=rates, seed=seed, dtype="float64")


def call(half: Any, module: Any, features: Arrays, mask: Arrays | None = None, training: bool = True) -> Any:
    if half is Torch:
        x, here = module.train(training)(Torch.convert(features), Torch.convert(mask))
    else:
        x, here = module(features, mask=mask, training=training)
    return {m: np.asarray(rows) for m, rows in x.items()}, {m: np.asarray(rows) for m, rows in here.items()}


def assert_distributed(mask: Arrays, present: Mapping[str, bool], rates: Mapping[str, float]) -> None:
    """The subsets that are left against P(S), by chi-square; a right draw fails for one seed in ten thousand."""
    chances = subset_chances({m: rate for m, rate in rates.items() if present[m]})
    codes = columns(mask) @ 2 ** np.arange(len(mask))
    counts = dict.fromkeys(chances, 0)
    for code, number in zip(*np.unique(codes, return_counts=True), strict=True):
        counts[tuple(m for i, m in enumerate(mask) if int(code) >> i & 1)] += int(number)  # KeyError: not possible
    possible = [subset for subset in chances if chances[subset] > 0]
    assert sum(counts[subset] for subset in possible) == len(codes)
    if len(possible) > 1:
        expected = [chances[subset] * len(codes) for subset in possible]
        assert chisquare([counts[subset] for subset in possible], expected).pvalue > 1e-4


# ------------------------------------------------------------------------------------------------- distribution


@over_counts
def test_the_formula_draws_the_distribution_that_it_names(count: int) -> None:
    batch = 40_000
    rng = np.random.default_rng(count)
    for hide in [None, *(names(count)[i] for i in range(count) if count > 1)]:
        present = {m: m != hide for m in names(count)}
        mask = {m: np.full(batch, present[m]) for m in present}
        features = {m: np.ones((batch, 1)) for m in present}
        uniforms = {m: rng.random(batch) for m in present}
        _, kept = modality_dropout(features, few(RATES, count), uniforms, mask)
        assert_distributed(kept, present, few(RATES, count))


@over_halves
@over_counts
def test_the_layers_draw_the_distribution_that_they_name(count: int, half: Any) -> None:
    features = {m: np.ones((20_000, DIMS[m])) for m in names(count)}
    _, kept = call(half, dropout(half, count), features)
    assert_distributed(kept, dict.fromkeys(kept, True), few(RATES, count))


def test_the_distribution_is_that_of_drawing_again_where_nothing_is_left() -> None:
    rates = few(RATES, 3)
    dropped = np.random.default_rng(0).random((60_000, 3)) < list(rates.values())
    kept = ~dropped[~dropped.all(axis=1)]
    assert_distributed(dict(zip(rates, kept.T, strict=True)), dict.fromkeys(rates, True), rates)


def test_subset_chances_by_hand() -> None:
    assert subset_chances({"a": 0.5, "b": 0.5}) == pytest.approx({("a",): 1 / 3, ("b",): 1 / 3, ("a", "b"): 1 / 3})
    assert subset_chances({"a": 0.9}) == {("a",): 1}
    assert subset_chances({"a": 0.2, "b": 0.5}) == pytest.approx(
        {("a",): 0.8 * 0.5 / 0.9, ("b",): 0.2 * 0.5 / 0.9, ("a", "b"): 0.8 * 0.5 / 0.9}
    )


# ------------------------------------------------------------------------------------------------- three halves


@over_counts
def test_the_same_numbers_drop_the_same_in_three_halves(count: int) -> None:
    features, uniforms, mask = drawn(count, 200)
    _, kept = modality_dropout(features, few(RATES, count), uniforms, mask)
    present, u, rates = columns(mask), columns(uniforms), list(few(RATES, count).values())
    in_torch = mmcourse.fusion.torch.dropout.keep(torch.tensor(present), rates, torch.tensor(u))
    in_keras = mmcourse.fusion.keras.dropout.keep(tf.constant(present), rates, tf.constant(u))
    np.testing.assert_array_equal(in_torch.numpy(), columns(kept))
    np.testing.assert_array_equal(in_keras.numpy(), columns(kept))


def test_all_three_give_zeros_where_missing_and_the_rows_themselves_elsewhere() -> None:
    features, uniforms, mask = drawn(3, 50)
    outputs = [modality_dropout(features, few(RATES, 3), uniforms, mask)]
    outputs += [call(half, dropout(half, 3), features, mask) for half in TRAINABLE]
    for x, kept in outputs:
        assert list(x) == list(kept) == list(names(3))
        assert columns(kept).any(axis=1).all()
        assert not (columns(kept) & ~columns(mask)).any()
        for m in x:
            np.testing.assert_array_equal(x[m][kept[m]], features[m][kept[m]])
            np.testing.assert_array_equal(x[m][~kept[m]], 0)


# ---------------------------------------------------------------------------------------------------------- laws


@over_halves
def test_the_same_seed_drops_the_same_and_the_next_call_something_else(half: Any) -> None:
    features = {m: np.ones((100, DIMS[m])) for m in names(3)}
    one, other, third = dropout(half, 3), dropout(half, 3), dropout(half, 3, seed=1)
    first = columns(call(half, one, features)[1])
    np.testing.assert_array_equal(first, columns(call(half, other, features)[1]))
    assert (first != columns(call(half, one, features)[1])).any()
    assert (first != columns(call(half, third, features)[1])).any()


@over_halves
@pytest.mark.parametrize("masked", [False, True], ids=["complete", "masked"])
def test_in_evaluation_nothing_changes_and_nothing_is_drawn(masked: bool, half: Any) -> None:
    features, _, mask = drawn(3, 50)
    if not masked:
        features, mask = {m: np.nan_to_num(x) for m, x in features.items()}, None
    module = dropout(half, 3)
    x, kept = call(half, module, features, mask, training=False)
    for m in features:
        np.testing.assert_array_equal(x[m], features[m])
        np.testing.assert_array_equal(kept[m], mask[m] if mask else np.ones(50, bool))
    whole = {m: np.nan_to_num(rows) for m, rows in features.items()}
    fresh = call(half, dropout(half, 3), whole)[1]
    np.testing.assert_array_equal(columns(call(half, module, whole)[1]), columns(fresh))


def test_keras_drops_nothing_unless_it_is_told_to_train() -> None:
    features, _, mask = drawn(3, 50)
    _, kept = dropout(Keras, 3)(features, mask=mask)
    np.testing.assert_array_equal(columns(kept), columns(mask))


@over_halves
def test_one_modality_alone_and_rate_zero_are_never_dropped(half: Any) -> None:
    x = {"text": np.ones((500, 3))}
    assert call(half, dropout(half, 1, rates=0.99), x)[1]["text"].all()
    features = {m: np.ones((500, DIMS[m])) for m in names(4)}
    kept = call(half, dropout(half, 4), features)[1]
    assert kept["depth"].all()
    assert not kept["text"].all()
    assert columns(call(half, dropout(half, 4, rates=0.0), features)[1]).all()


def test_in_torch_a_dropped_row_has_no_gradient_and_a_kept_row_has_its_own() -> None:
    features, _, mask = drawn(3, 40)
    inputs = {m: x.requires_grad_() for m, x in Torch.convert(features).items()}
    x, kept = dropout(Torch, 3).train()(inputs, Torch.convert(mask))
    sum((rows**2).sum() for rows in x.values()).backward()
    for m, rows in inputs.items():
        wanted = np.where(kept[m].numpy()[:, None], 2 * features[m], 0)
        np.testing.assert_array_equal(rows.grad.numpy(), wanted)


def test_in_keras_a_dropped_row_has_no_gradient_and_a_kept_row_has_its_own() -> None:
    features, _, mask = drawn(3, 40)
    inputs = {m: tf.Variable(x) for m, x in features.items()}
    with tf.GradientTape() as tape:
        x, kept = dropout(Keras, 3)({m: v.value() for m, v in inputs.items()}, mask=mask, training=True)
        loss = sum(tf.reduce_sum(rows**2) for rows in x.values())
    for m, gradient in tape.gradient(loss, inputs).items():
        wanted = np.where(kept[m].numpy()[:, None], 2 * features[m], 0)
        np.testing.assert_array_equal(gradient.numpy(), wanted)


@over_halves
@pytest.mark.parametrize("concept", CONCEPTS)
def test_any_fusion_can_follow(concept: str, half: Any) -> None:
    """What was dropped is missing for the fusion: the same as the features that came, under the mask that is left."""
    count = CONCEPTS[concept].counts((3,))[0]
    case = Case(concept, count, CONCEPTS[concept].choices[-1] | {"out_dim": 5}, widths=few(DIMS, count))
    fusion, (features, _, mask) = half.build(case), drawn(count, 30)
    x, kept = call(half, dropout(half, count), features, mask)
    np.testing.assert_array_equal(half.call(fusion, x, kept), half.call(fusion, features, kept))


def test_a_torch_module_is_copied_with_its_generator() -> None:
    features = {m: np.ones((100, DIMS[m])) for m in names(3)}
    module = dropout(Torch, 3)
    twin = copy.deepcopy(module)
    np.testing.assert_array_equal(columns(call(Torch, module, features)[1]), columns(call(Torch, twin, features)[1]))


def test_a_keras_layer_is_made_again_from_its_configuration() -> None:
    layer = dropout(Keras, 3)
    again = mmcourse.fusion.keras.ModalityDropout.from_config(layer.get_config())
    features = {m: np.ones((100, DIMS[m])) for m in names(3)}
    assert again.rates == layer.rates
    np.testing.assert_array_equal(columns(call(Keras, layer, features)[1]), columns(call(Keras, again, features)[1]))


def test_in_a_keras_model_it_drops_while_fitting_and_not_while_predicting() -> None:
    dims = few(DIMS, 2)
    inputs = {m: keras.Input((dim,), name=m) for m, dim in dims.items()}
    x, mask = mmcourse.fusion.keras.ModalityDropout(dims, rates=0.5, seed=0)(inputs)
    fused = mmcourse.fusion.keras.ConcatenationFusion(dims)(x, mask=mask)
    ones = keras.initializers.Ones()
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer=ones)(fused))
    rows = {m: np.ones((64, dim), np.float32) for m, dim in dims.items()}
    np.testing.assert_array_equal(model.predict(rows, verbose=0), 5)
    assert set(np.unique(model(rows, training=True))) == {2.0, 3.0, 5.0}  # the image, the text, both
    model.compile(keras.optimizers.SGD(0.0), "mse")
    losses = [model.fit(rows, np.full((64, 1), 5.0), verbose=0).history["loss"][0] for _ in range(2)]
    assert losses[0] != losses[1] > 0


# ----------------------------------------------------------------------------------------------------- bad input


@over_halves
@pytest.mark.parametrize(
    ("rates", "error", "message"),
    [
        (1.0, ModalityError, "text: got rate 1.0, wanted at least 0 and below 1"),
        ({"text": 0.1, "image": -0.1}, ModalityError, "image: got rate -0.1, wanted at least 0 and below 1"),
        ({"text": 0.1, "image": float("nan")}, ModalityError, "image: got rate nan"),
        ({"text": 0.1}, UnknownModalityError, "image: got no rate, wanted an entry for each of text, image"),
        ({"text": 0.1, "image": 0.1, "sound": 0.1}, UnknownModalityError, "sound: got rate of an unknown modality"),
    ],
)
def test_refuses_rates(rates: Any, error: type[ModalityError], message: str, half: Any) -> None:
    module = getattr(mmcourse.fusion, half.name).ModalityDropout
    with pytest.raises(error) as caught:
        module({"text": 3, "image": 2}, rates=rates)
    assert str(caught.value).startswith(f"modality dropout: {message}")


@over_halves
def test_refuses_what_every_fusion_refuses(half: Any) -> None:
    features, _, mask = drawn(2, 10)
    whole = {m: np.nan_to_num(x) for m, x in features.items()}
    nothing = {m: here & (np.arange(10) != 4) for m, here in mask.items()}
    module = dropout(half, 2)
    for training in (False, True):
        with pytest.raises(MaskError, match=r"text, image: got no modality present in rows \[4\]"):
            call(half, module, features, nothing, training=training)
        with pytest.raises(NotFiniteError, match="modality dropout: "):
            call(half, module, features, None, training=training)
        with pytest.raises(UnknownModalityError, match="sound: got features of an unknown modality"):
            call(half, module, whole | {"sound": np.ones((10, 2))}, None, training=training)
        with pytest.raises(UnknownModalityError, match="sound: got mask of an unknown modality"):
            call(half, module, whole, {"sound": np.ones(10, bool)}, training=training)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"rates": {"text": 0.5, "image": 1.0}}, ModalityError, "image: got rate 1.0"),
        ({"uniforms": {"text": np.zeros(4)}}, UnknownModalityError, "image: got no random numbers"),
        ({"uniforms": {"text": np.zeros(4), "image": np.zeros(3)}}, ShapeError, "image: got random numbers of shape"),
        ({"uniforms": {"text": np.zeros(4), "image": np.ones(4)}}, ModalityError, "image: got random numbers from 1.0"),
        ({"features": {"text": np.zeros((4, 2))}}, UnknownModalityError, "image: got no features"),
    ],
)  # fmt: skip
def test_the_formula_refuses(changes: dict[str, Any], error: type[ModalityError], message: str) -> None:
    both = {"text": np.zeros(4), "image": np.zeros(4)}
    arguments = {
        "features": {m: np.zeros((4, 2)) for m in both}, "rates": dict.fromkeys(both, 0.5), "uniforms": both,
    } | changes  # fmt: skip
    with pytest.raises(error) as caught:
        modality_dropout(**arguments)
    assert str(caught.value).startswith(f"modality dropout: {message}")
