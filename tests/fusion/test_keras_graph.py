"""Keras layers in a graph: model.fit, tf.function, XLA. Nothing goes unchecked in silence."""

import runpy
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mmcourse.checks import keras as values
from mmcourse.errors import NotFiniteError, ShapeError
from mmcourse.fusion.keras import WeightedSumFusion
from mmcourse.parity import relative_error
from tests.fusion.halves import Arrays, Keras, of_each_concept

DIMS = {"text": 4, "image": 3}
ROWS = 12
CASES = of_each_concept(DIMS, dtype="float32")
over_concepts = pytest.mark.parametrize("where", CASES)
PRESENT = {name: np.ones(ROWS, bool) for name in DIMS}


def whole() -> Arrays:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(ROWS, width)).astype(np.float32) for name, width in DIMS.items()}


def spoiled(*rows: int) -> Arrays:
    features = whole()
    features["image"][list(rows), 1] = np.nan
    return features


def without(*rows: int) -> np.ndarray:
    return ~np.isin(np.arange(ROWS), rows)


def graph(layer: keras.Layer, **options: Any) -> Callable[[Arrays, Arrays], tf.Tensor]:
    """The layer as a graph that knows no batch size beforehand."""
    signature = (
        {name: tf.TensorSpec((None, width), layer.compute_dtype, name) for name, width in DIMS.items()},
        {name: tf.TensorSpec((None,), tf.bool, f"{name}_mask") for name in DIMS},
    )
    return tf.function(lambda features, mask: layer(features, mask=mask), input_signature=signature, **options)


def model(layer: keras.Layer) -> keras.Model:
    features = {name: keras.Input((width,), name=name) for name, width in DIMS.items()}
    mask = {name: keras.Input((), dtype="bool", name=f"{name}_mask") for name in DIMS}
    logits = keras.layers.Dense(1)(layer(features, mask=mask))
    return keras.Model({"features": features, "mask": mask}, logits)


VALUE_FAULTS = {
    "NaN": (
        spoiled(3, 7),
        PRESENT,
        "NotFiniteError: {where}: image: got NaN or infinity in rows [3, 7], wanted finite",
    ),
    "NaN in many rows": (
        spoiled(*range(6)),
        PRESENT,
        "image: got NaN or infinity in rows [0, 1, 2, 3, 4, ...], wanted",
    ),
    "NaN beside a missing row": (spoiled(4, 6), PRESENT | {"image": without(4)}, "got NaN or infinity in rows [6], "),
    "all missing": (
        whole(),
        {"text": without(1, 4), "image": without(2, 4)},
        "MaskError: {where}: text, image: got no modality present in rows [4], wanted at least one in every row",
    ),
    "unequal batch": (
        whole() | {"image": np.zeros((1, 3), np.float32)},
        PRESENT,
        "ShapeError: {where}: image: got batch size 1, wanted 12",
    ),
    "mask of length 1": (
        whole(),
        PRESENT | {"image": np.ones(1, bool)},
        "MaskError: {where}: image: got mask of shape (1,), wanted (12,)",
    ),
    "empty batch": (
        {name: x[:0] for name, x in whole().items()},
        {name: here[:0] for name, here in PRESENT.items()},
        "EmptyBatchError: {where}: text: got batch size 0, wanted at least 1",
    ),
}


@over_concepts
def test_a_graph_computes_what_eager_execution_computes(where: str) -> None:
    layer = Keras.build(CASES[where])
    mask = PRESENT | {"image": without(4)}
    assert relative_error(graph(layer)(spoiled(4), mask), Keras.call(layer, spoiled(4), mask)) <= 1e-6


@over_concepts
def test_a_graph_refuses_with_the_same_words(where: str) -> None:
    run = graph(Keras.build(CASES[where]))
    for features, mask, message in VALUE_FAULTS.values():
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            run(features, mask)
        assert message.format(where=where) in str(caught.value)


def test_a_missing_row_of_nan_has_no_influence_in_fit() -> None:
    histories = []
    mask = PRESENT | {"image": without(4, 5)}
    for filling in (0.0, np.nan):
        keras.utils.set_random_seed(0)
        features = whole()
        features["image"][[4, 5]] = filling
        network = model(Keras.build(CASES["gated fusion"]))
        network.compile("sgd", "mse")
        inputs = {"features": features, "mask": mask}
        histories.append(network.fit(inputs, np.ones(ROWS), epochs=3, batch_size=5, verbose=0).history["loss"])
    assert histories[0] == histories[1]
    assert histories[0][0] > histories[0][-1]


@over_concepts
def test_fit_refuses_values(where: str) -> None:
    network = model(Keras.build(CASES[where]))
    network.compile("sgd", "mse")
    inputs = {"features": spoiled(3), "mask": PRESENT}
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"NotFiniteError: {where}: image: got NaN or infinity"):
        network.fit(inputs, np.ones(ROWS), batch_size=ROWS, verbose=0)


def test_a_network_that_does_not_fit_is_refused_when_it_is_put_together() -> None:
    layer = WeightedSumFusion(DIMS, out_dim=5)
    wrong = {(8,): "got width 8, wanted 3", (3, 1): "got shape (batch, 3, 1), wanted (batch, 3)"}
    for shape, message in wrong.items():
        with pytest.raises(ShapeError) as caught:
            layer({"text": keras.Input((4,)), "image": keras.Input(shape)})
        assert str(caught.value) == f"weighted sum: image: {message}"


def test_keras_compiles_without_xla_where_values_are_checked() -> None:
    network = model(WeightedSumFusion(DIMS, out_dim=5))
    with pytest.warns(UserWarning, match="doesn't support `jit_compile=True`"):
        network.compile("sgd", "mse", jit_compile=True)
    assert not network.jit_compile
    with pytest.raises(tf.errors.InvalidArgumentError, match="got NaN or infinity"):
        network.fit({"features": spoiled(3), "mask": PRESENT}, np.ones(ROWS), verbose=0)


def test_forced_xla_fails_aloud_where_values_are_checked() -> None:
    run = graph(WeightedSumFusion(DIMS, out_dim=5), jit_compile=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"unsupported operations.*XLA"):
        run(whole(), PRESENT)


@over_concepts
def test_xla_computes_the_same_where_values_are_not_checked(where: str) -> None:
    layer = Keras.build(CASES[where], check_values=False)
    assert layer.supports_jit
    mask = PRESENT | {"image": without(4)}
    output = graph(layer, jit_compile=True)(spoiled(4), mask)
    assert relative_error(output, Keras.call(layer, spoiled(4), mask)) <= 1e-6


@pytest.mark.filterwarnings("ignore:Layer .* looks like it has unbuilt state")
def test_errors_keep_their_class_inside_a_model() -> None:
    class Classifier(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.fusion = WeightedSumFusion(DIMS, out_dim=5)

        def call(self, features: Any) -> Any:
            return self.fusion(features)

    with pytest.raises(NotFiniteError, match=r"weighted sum: image: got NaN or infinity in rows \[3\]"):
        Classifier()(spoiled(3))
    with pytest.raises(ShapeError, match="weighted sum: image: got width 8, wanted 3"):
        Classifier()({"text": keras.Input((4,)), "image": keras.Input((8,))})


def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ImportError, match="needs Keras on TensorFlow, not KERAS_BACKEND=torch"):
        runpy.run_path(values.__file__)
