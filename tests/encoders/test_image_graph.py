"""The encoders of pictures in a Keras graph, in training, and saved and loaded. Nothing goes unchecked in silence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from mmcourse import parity
from mmcourse.encoders.keras import ResNet, ResNet18, VisionTransformer
from mmcourse.errors import ShapeError
from mmcourse.parity import relative_error
from tests.encoders.image_halves import WITH_BATCH_NORM, Case, Keras, Torch, network_cases, part_cases

SINGLE = {"dtype": "float32", "training": False}
PARTS = {str(case): case for case in part_cases(**SINGLE)}
NETWORKS = {str(case): case for case in network_cases(**SINGLE)}
EVERY = PARTS | NETWORKS
SOME = (
    "convolution-everything-float32",
    "batch_norm-float32",
    "residual_block-wider-float32",
    "patch_embedding-float32",
    "resnet-small-float32",
    "vision_transformer-learned-float32",
)
over_some = pytest.mark.parametrize("name", SOME)


def graph(layer: Any, size: tuple[int | None, ...], **options: Any) -> Callable[[Any], Any]:
    """The layer as a graph that knows no batch size beforehand."""
    signature = [tf.TensorSpec((None, *size), layer.compute_dtype)]
    return tf.function(lambda images: layer(images, **layer.mode), input_signature=signature, **options)


@over_some
def test_a_graph_computes_what_eager_execution_computes(name: str) -> None:
    case = EVERY[name]
    layer = Keras.build(case)
    got = graph(layer, case.images_shape[1:])(case.images)
    assert relative_error(got, Keras.call(layer, case.images)) <= 1e-5


@pytest.mark.parametrize("name", ["resnet-large-float32", "vision_transformer-learned-float32"])
def test_a_graph_refuses_with_the_same_words(name: str) -> None:
    case = EVERY[name]
    layer = Keras.build(case)
    run = graph(layer, case.images_shape[1:])
    spoiled = case.images.copy()
    spoiled[1, 0, 1, 2] = np.nan
    where = layer.where
    for images, message in (
        (spoiled, f"NotFiniteError: {where}: image: got NaN or infinity in rows [1], wanted finite numbers"),
        (case.images[:0], f"EmptyBatchError: {where}: image: got batch size 0, wanted at least 1"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            run(images)
        assert message in str(caught.value)


def test_a_graph_of_a_norm_refuses_one_value_per_channel() -> None:
    for case in (
        Case("batch_norm", {"channels": 2}, (2, 2, 4, 4), training=True, dtype="float32"),
        EVERY["resnet-large-float32"].variant(training=True),
    ):
        layer = Keras.build(case)
        run = graph(layer, (2, None, None))
        with pytest.raises(tf.errors.InvalidArgumentError, match="image: got 1 value per channel in training, wanted"):
            run(np.ones((1, 2, 1, 1), np.float32))
        for name, array in parity.parameters(layer).items():
            np.testing.assert_array_equal(array, case.parameters[name], err_msg=name)
        run(np.ones((2, 2, 1, 1), np.float32))


def test_height_and_width_may_be_unknown_where_nothing_depends_on_them() -> None:
    case = EVERY["resnet-large-float32"]
    layer = Keras.build(case)
    assert relative_error(graph(layer, (2, None, None))(case.images), Keras.call(layer, case.images)) <= 1e-5
    willing = Keras.build(EVERY["vision_transformer-interpolated-float32"])
    with pytest.raises(ShapeError, match="image: got a height that is known only when the graph runs, wanted one kno"):
        willing(keras.Input((1, None, 8)))


@over_some
def test_a_network_knows_the_shape_of_its_output_before_it_runs(name: str) -> None:
    case = EVERY[name]
    layer = Keras.build(case)
    symbolic = layer(keras.Input(case.images_shape[1:], dtype=case.dtype))
    assert symbolic.shape == (None, *Keras.call(layer, case.images).shape[1:])


def test_a_network_that_does_not_fit_is_refused_when_it_is_put_together() -> None:
    for layer, shape, message in (
        (ResNet(widths=(2,), depths=(1,)), (28, 28, 3), "got shape (batch, 28, 28, 3), channels last, wanted channels"),
        (ResNet(widths=(2,), depths=(1,)), (1, 28, 28), "got 1 channel (grey), wanted 3 channels"),
        (VisionTransformer(size=8, patch_size=4, dim=4, layers=1, heads=1), (3, 8, 12), "got width 12, wanted 8"),
    ):
        with pytest.raises(ShapeError) as caught:
            layer(keras.Input(shape))
        assert message in str(caught.value)


def test_fit_learns_and_moves_the_running_statistics() -> None:
    case = EVERY["resnet-small-float32"]
    keras.utils.set_random_seed(0)
    layer = Keras.build(case)
    images = np.random.default_rng(0).normal(size=(16, *case.images_shape[1:])).astype(np.float32)
    images[::2] += 1
    labels = np.arange(16) % 2
    model = keras.Sequential([keras.Input(case.images_shape[1:]), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), keras.losses.BinaryCrossentropy(from_logits=True))
    history = model.fit(images, labels, epochs=8, batch_size=8, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
    after = parity.parameters(layer)
    for name, array in after.items():
        assert not np.array_equal(array, case.parameters[name]), name
    images[3, 0, 0, 0] = np.nan
    with pytest.raises(tf.errors.InvalidArgumentError, match="NotFiniteError: resnet: image: got NaN or infinity"):
        model.fit(images, labels, batch_size=16, verbose=0)
    for name, array in parity.parameters(layer).items():
        np.testing.assert_array_equal(array, after[name], err_msg=name)


def test_xla_computes_the_same_where_values_are_not_checked() -> None:
    case = EVERY["convolution-everything-float32"]
    layer = Keras.build(case, check_values=False)
    assert layer.supports_jit
    assert not Keras.build(case).supports_jit
    got = graph(layer, case.images_shape[1:], jit_compile=True)(tf.constant(case.images))
    assert relative_error(got, Keras.call(layer, case.images)) <= 1e-5


# Keras converts its own variables in `save` by a call of NumPy 1's time.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@over_some
def test_saved_and_loaded_layers_compute_the_same(name: str, tmp_path: Path) -> None:
    case = EVERY[name]
    layer = Keras.build(case)
    inputs = keras.Input(case.images_shape[1:], dtype=case.dtype)
    keras.Model(inputs, layer(inputs)).save(tmp_path / "encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "encoder.keras")
    np.testing.assert_array_equal(loaded(case.images).numpy(), Keras.call(layer, case.images))


@over_some
def test_a_layer_from_its_configuration(name: str) -> None:
    case = EVERY[name]
    layer = Keras.build(case, check_values=False)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert {name: array.shape for name, array in parity.parameters(again).items()} == case.shapes
    assert len(again.trainable_variables) == len(layer.trainable_variables)


def test_resnet18_from_its_configuration() -> None:
    layer = ResNet18(widths=(2, 2, 2, 2), small_pictures=True, out_dim=3)
    again = ResNet18.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert parity.parameters(again).keys() == parity.parameters(layer).keys()


@over_some
def test_torch_state_dict_round_trip(name: str, tmp_path: Path) -> None:
    case = EVERY[name]
    module = Torch.build(case)
    torch.save(module.state_dict(), tmp_path / "encoder.pt")
    fresh = Torch.new(case.concept, **case.options).eval()
    fresh.load_state_dict(torch.load(tmp_path / "encoder.pt", weights_only=True))
    np.testing.assert_array_equal(Torch.call(fresh, case.images), Torch.call(module, case.images))
    assert (case.concept in WITH_BATCH_NORM) == any(name.endswith("running_mean") for name in module.state_dict())
