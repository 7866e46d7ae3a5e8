"""What does not fit is refused by all three halves with one error that says what came and what was wanted."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import mmcourse.encoders.keras
import mmcourse.encoders.numpy
import mmcourse.encoders.torch
from mmcourse.encoders.image_positions import sine_cosine_positions
from mmcourse.encoders.numpy import batch_norm, convolution, cut_patches, patch_embedding, resnet18, vision_transformer
from mmcourse.errors import DtypeError, EmptyBatchError, ModalityError, NotFiniteError, ShapeError
from mmcourse.parity import numpy_arguments
from tests.encoders.image_halves import HALVES, TRAINABLE, Case, Keras, Numpy, Torch, network_cases

RGB: dict[str, Case] = {
    "convolution": Case("convolution", {"in_channels": 3, "out_channels": 2, "kernel_size": 3}, (6, 3, 8, 8)),
    "batch norm": Case("batch_norm", {"channels": 3}, (6, 3, 8, 8)),
    "residual block": Case("residual_block", {"in_channels": 3, "out_channels": 3}, (6, 3, 8, 8)),
    "resnet": Case("resnet", {"channels": 3, "widths": (2,), "depths": (1,), "small_pictures": True}, (6, 3, 8, 8)),
    "patch embedding": Case("patch_embedding", {"patch_size": 4, "dim": 4, "channels": 3}, (6, 3, 8, 8)),
    "vision transformer": Case(
        "vision_transformer",
        {"size": 8, "patch_size": 4, "channels": 3, "dim": 4, "layers": 1, "heads": 2, "hidden_size": 4},
        (6, 3, 8, 8),
    ),
}
POOLINGS = ("max_pooling", "average_pooling")
POOLED: dict[str, Callable[..., Any]] = {
    "numpy": lambda name, x, *size, **options: getattr(mmcourse.encoders.numpy, name)(x, *size, **options),
    "torch": lambda name, x, *size, **options: getattr(mmcourse.encoders.torch, name)(
        torch.tensor(x), *size, **options
    ),
    "keras": lambda name, x, *size, **options: getattr(mmcourse.encoders.keras, name)(x, *size, **options),
}
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
over_concepts = pytest.mark.parametrize("where", RGB)


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape or (6, 3, 8, 8))


def spoiled(value: float, *rows: int) -> np.ndarray:
    x = pictures()
    x[list(rows), 1, 2, 3] = value
    return x


class Fault(NamedTuple):
    error: type[ModalityError]
    message: str
    images: np.ndarray


SCALED = "wanted a floating one (pixels 0 to 255 are divided by 255 first)"
FAULTS = {
    "a picture alone": Fault(
        ShapeError,
        "got shape (3, 8, 8), wanted (batch, 3, height, width); one picture becomes a batch by images[None]",
        pictures(3, 8, 8),
    ),
    "grey without a channel": Fault(
        ShapeError, "got shape (6, 8, 8), wanted (batch, 3, height, width)", pictures(6, 8, 8)
    ),
    "flat": Fault(ShapeError, "got shape (6, 192), wanted (batch, 3, height, width)", pictures(6, 192)),
    "grey": Fault(ShapeError, "got 1 channel (grey), wanted 3 channels (red, green, blue)", pictures(6, 1, 8, 8)),
    "four channels": Fault(ShapeError, "got 4 channels, wanted 3 channels (red, green, blue)", pictures(6, 4, 8, 8)),
    "channels last": Fault(
        ShapeError,
        "got shape (6, 8, 8, 3), channels last, wanted channels first, (batch, 3, height, width)",
        pictures(6, 8, 8, 3),
    ),
    "bytes": Fault(DtypeError, f"got dtype uint8, {SCALED}", np.zeros((6, 3, 8, 8), np.uint8)),
    "whole numbers": Fault(DtypeError, f"got dtype int64, {SCALED}", np.zeros((6, 3, 8, 8), np.int64)),
    "truth values": Fault(DtypeError, f"got dtype bool, {SCALED}", np.zeros((6, 3, 8, 8), np.bool_)),
    "empty batch": Fault(EmptyBatchError, "got batch size 0, wanted at least 1", pictures(0, 3, 8, 8)),
    "no pixel": Fault(ShapeError, "got shape (6, 3, 0, 8), wanted at least one pixel", pictures(6, 3, 0, 8)),
}
VALUE_FAULTS = {
    "NaN": Fault(NotFiniteError, "got NaN or infinity in rows [1, 4], wanted finite numbers", spoiled(np.nan, 1, 4)),
    "infinity": Fault(NotFiniteError, "got NaN or infinity in rows [0], wanted finite numbers", spoiled(-np.inf, 0)),
}


@over_halves
@over_concepts
def test_pictures_that_do_not_fit_are_refused(where: str, half: Any) -> None:
    module = half.build(RGB[where])
    for fault in (FAULTS | VALUE_FAULTS).values():
        with pytest.raises(ModalityError) as caught:
            half.call(module, fault.images)
        assert str(caught.value) == f"{where}: image: {fault.message}"
        assert type(caught.value) is fault.error


@over_halves
def test_colour_where_grey_is_wanted_is_refused(half: Any) -> None:
    grey = Case("convolution", {"in_channels": 1, "out_channels": 2, "kernel_size": 3}, (2, 1, 8, 8))
    with pytest.raises(ShapeError, match=r"got 3 channels \(red, green, blue\), wanted 1 channel \(grey\)"):
        half.call(half.build(grey), pictures())
    with pytest.raises(ShapeError, match=r"got shape \(6, 8, 8\), .*; grey pictures get their channel by images\[:, N"):
        half.call(half.build(grey), pictures(6, 8, 8))


@over_trainable
@over_concepts
def test_a_dtype_unlike_the_modules_is_refused(where: str, half: Any) -> None:
    with pytest.raises(DtypeError) as caught:
        half.call(half.build(RGB[where]), pictures().astype(np.float32))
    assert str(caught.value) == f"{where}: image: got dtype float32, wanted float64"


@over_concepts
def test_torch_refuses_what_is_no_tensor(where: str) -> None:
    with pytest.raises(DtypeError) as caught:
        Torch.build(RGB[where])(pictures().tolist())
    assert str(caught.value) == f"{where}: image: got list, wanted a torch.Tensor"


@over_trainable
@over_concepts
def test_structure_is_checked_even_without_value_checks_and_nan_stays_in_its_row(where: str, half: Any) -> None:
    module = half.build(RGB[where], check_values=False)
    for fault in FAULTS.values():
        with pytest.raises(ModalityError) as caught:
            half.call(module, fault.images)
        assert str(caught.value) == f"{where}: image: {fault.message}"
    output = half.call(module, spoiled(np.nan, 1, 4)).reshape(6, -1)
    assert np.isnan(output).any(axis=1).tolist() == [False, True, False, False, True, False]


@over_halves
def test_a_kernel_larger_than_the_padded_picture_is_refused(half: Any) -> None:
    options = {"in_channels": 3, "out_channels": 2, "kernel_size": (3, 4), "dilation": 2, "padding": 1}
    case = Case("convolution", options, (2, 3, 8, 8))
    half.call(half.build(case), pictures(2, 3, 3, 5))
    with pytest.raises(ShapeError) as caught:
        half.call(half.build(case), pictures(2, 3, 3, 4))
    assert (
        str(caught.value) == "convolution: image: got width 4 and padding 2 x 1, wanted at least the kernel's reach, 7"
    )


@over_halves
def test_one_value_per_channel_has_no_variance(half: Any) -> None:
    for name in ("batch norm", "residual block", "resnet"):
        module = half.build(RGB[name].variant(training=True))
        half.call(module, pictures(2, 3, 1, 1))
        with pytest.raises(ShapeError) as caught:
            half.call(module, pictures(1, 3, 1, 1))
        assert str(caught.value) == "batch norm: image: got 1 value per channel in training, wanted at least 2"
        half.call(half.build(RGB[name]), pictures(1, 3, 1, 1))


@over_halves
def test_patches_must_divide_the_picture(half: Any) -> None:
    with pytest.raises(ShapeError) as caught:
        half.call(half.build(RGB["patch embedding"]), pictures(2, 3, 8, 10))
    assert str(caught.value) == "patch embedding: image: got width 10, wanted a multiple of the patch's 4"


@over_halves
def test_a_vision_transformer_takes_another_size_only_if_it_may_interpolate(half: Any) -> None:
    case = RGB["vision transformer"]
    with pytest.raises(ShapeError) as caught:
        half.call(half.build(case), pictures(2, 3, 12, 8))
    assert str(caught.value) == "vision transformer: image: got height 12, wanted 8 (or interpolate=True)"
    willing = case.variant(options=case.options | {"interpolate": True})
    assert half.call(half.build(willing), pictures(2, 3, 12, 8)).shape == (2, 4)
    with pytest.raises(ShapeError, match="image: got height 10, wanted a multiple of the patch's 4"):
        half.call(half.build(willing), pictures(2, 3, 10, 8))


@pytest.mark.parametrize("half", POOLED)
@pytest.mark.parametrize("name", POOLINGS)
def test_poolings_refuse(name: str, half: str) -> None:
    where = name.replace("_", " ")
    for images, size, options, message in (
        (
            pictures(6, 8, 8),
            2,
            {},
            f"{where}: image: got shape (6, 8, 8), wanted (batch, channels, height, width); grey",
        ),
        (np.zeros((2, 3, 4, 4), np.uint8), 2, {}, f"{where}: image: got dtype uint8, wanted a floating one"),
        (spoiled(np.nan, 2), 2, {}, f"{where}: image: got NaN or infinity in rows [2], wanted finite numbers"),
        (pictures(), 9, {}, f"{where}: image: got height 8, wanted at least the kernel's reach, 9"),
        (pictures(), 3, {"padding": 2}, f"{where}: padding: got 2, wanted at most half of size 3"),
        (pictures(), 0, {}, f"{where}: kernel_size: got 0, wanted a whole number, at least 1, or two of them"),
        (pictures(), 2, {"stride": 0}, f"{where}: stride: got 0, wanted a whole number, at least 1"),
    ):
        with pytest.raises(ModalityError) as caught:
            POOLED[half](name, images, size, **options)
        assert message in str(caught.value)


@pytest.mark.parametrize("half", POOLED)
@pytest.mark.parametrize("name", ["global_max_pooling", "global_average_pooling"])
def test_global_poolings_refuse(name: str, half: str) -> None:
    with pytest.raises(ShapeError, match=rf"{name.replace('_', ' ')}: image: got shape \(6, 3\)"):
        POOLED[half](name, pictures(6, 3))
    with pytest.raises(NotFiniteError, match=r"got NaN or infinity in rows \[2\]"):
        POOLED[half](name, spoiled(np.inf, 2))


CONVOLUTION = {"in_channels": 4, "out_channels": 6, "kernel_size": 3}
TRANSFORMER = {"size": 8, "patch_size": 4, "channels": 3, "dim": 4, "layers": 1, "heads": 2}
WHOLE = "wanted a whole number, at least {least}, or two of them (vertical, horizontal)"


@over_trainable
@pytest.mark.parametrize(
    ("concept", "options", "message"),
    [
        ("convolution", {"in_channels": 0}, "convolution: in_channels: got width 0, wanted a whole number above 0"),
        ("convolution", {"out_channels": 2.5}, "convolution: out_channels: got width 2.5"),
        ("convolution", {"kernel_size": 0}, f"kernel_size: got 0, {WHOLE.format(least=1)}"),
        ("convolution", {"kernel_size": (3, 3, 3)}, f"kernel_size: got (3, 3, 3), {WHOLE.format(least=1)}"),
        ("convolution", {"stride": 0}, f"stride: got 0, {WHOLE.format(least=1)}"),
        ("convolution", {"padding": (0, -1)}, f"padding: got (0, -1), {WHOLE.format(least=0)}"),
        ("convolution", {"padding": "same"}, f"padding: got 'same', {WHOLE.format(least=0)}"),
        ("convolution", {"dilation": 1.5}, f"dilation: got 1.5, {WHOLE.format(least=1)}"),
        ("convolution", {"groups": 3}, "convolution: in_channels: got 4, wanted a multiple of groups 3"),
        ("convolution", {"groups": 4}, "convolution: out_channels: got 6, wanted a multiple of groups 4"),
        ("convolution", {"groups": 0}, "convolution: groups: got 0"),
        ("batch_norm", {"channels": -1}, "batch norm: channels: got width -1"),
        ("batch_norm", {"momentum": 1.5}, "batch norm: momentum: got 1.5, wanted the newest batch's share, 0 to 1"),
        ("batch_norm", {"epsilon": 0.0}, "batch norm: epsilon: got 0.0, wanted a number above 0"),
        ("residual_block", {"in_channels": 0}, "residual block: in_channels: got width 0"),
        ("residual_block", {"stride": 0}, "stride: got 0"),
        ("resnet", {"widths": ()}, "resnet: widths, depths: got 0 widths and 4 depths, wanted one of each for"),
        ("resnet", {"widths": (4, 4)}, "resnet: widths, depths: got 2 widths and 4 depths"),
        ("resnet", {"depths": (1, 0, 1, 1)}, "resnet: depths: got width 0"),
        ("resnet", {"out_dim": 0}, "resnet: out_dim: got width 0"),
        ("patch_embedding", {"patch_size": (4, 0)}, "patch embedding: patch_size: got (4, 0)"),
        ("patch_embedding", {"dim": 0}, "patch embedding: dim: got width 0"),
        (
            "vision_transformer",
            {"size": 10},
            "vision transformer: image: got height 10, wanted a multiple of the patch",
        ),
        ("vision_transformer", {"heads": 3}, "heads: got 3, wanted a divisor of the width 4"),
        ("vision_transformer", {"positions": "fixed"}, "positions: got 'fixed', wanted 'learned' or 'sine-cosine'"),
        (
            "vision_transformer",
            {"positions": "sine-cosine", "dim": 6},
            "sine-cosine positions: dim: got 6, wanted a multiple of 4",
        ),
        ("vision_transformer", {"out_dim": -1}, "vision transformer: out_dim: got width -1"),
    ],
)
def test_modules_refuse_to_be_built(concept: str, options: dict[str, Any], message: str, half: Any) -> None:
    usual = {
        "convolution": CONVOLUTION,
        "batch_norm": {"channels": 3},
        "residual_block": {"in_channels": 2, "out_channels": 2},
        "patch_embedding": {"patch_size": 4, "dim": 4},
        "vision_transformer": TRANSFORMER,
    }
    with pytest.raises(ValueError, match=": got ") as caught:
        half.new(concept, **usual.get(concept, {}) | options)
    assert message in str(caught.value)


X = np.ones((2, 4, 5, 5))
NORM = {name: np.ones(4) for name in ("scale", "bias", "running_mean", "running_variance")}
SMALL = network_cases()[0]


def of_blocks(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The arguments of a small residual network with its blocks changed."""
    arguments = numpy_arguments(SMALL.parameters)
    change(arguments["blocks"])
    return arguments


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: convolution(X, np.ones((2, 4, 3))), "convolution: kernel: got shape (2, 4, 3), wanted (out, channels"),
        (lambda: convolution(X, np.ones((0, 4, 3, 3))), "convolution: kernel: got shape (0, 4, 3, 3), wanted (out"),
        (lambda: convolution(X, np.ones((2, 4, 3, 3)), np.ones(4)), "convolution: bias: got shape (4,), wanted (2,)"),
        (lambda: convolution(X, np.ones((2, 1, 3, 3)), groups=3), "kernel: got 2, wanted a multiple of groups 3"),
        (lambda: convolution(X, np.ones((2, 3, 3, 3)), groups=2), "image: got 4 channels, wanted 6 channels"),
        (lambda: convolution(X, np.ones((2, 4, 3, 3)), stride=-1), "convolution: stride: got -1"),
        (lambda: batch_norm(X, **NORM | {"bias": np.ones(3)}), "batch norm: bias: got shape (3,), wanted (4,)"),
        (lambda: batch_norm(X, **NORM, momentum=-1), "batch norm: momentum: got -1"),
        (lambda: batch_norm(X, **NORM, epsilon=0), "batch norm: epsilon: got 0"),
        (lambda: patch_embedding(X, np.ones((2, 4)), np.ones(2)), "kernel: got shape (2, 4), wanted (dim, channels"),
        (lambda: patch_embedding(X, np.ones((2, 4, 5, 5)), np.ones(3)), "bias: got shape (3,), wanted (2,)"),
        (lambda: cut_patches(X, 2), "patch embedding: image: got height 5, wanted a multiple of the patch's 2"),
        (lambda: sine_cosine_positions((2, 2), 6), "sine-cosine positions: dim: got 6, wanted a multiple of 4"),
        (
            lambda: Numpy.formula(SMALL, of_blocks(lambda blocks: blocks.pop("0")), SMALL.images),
            "resnet: blocks.0: got no parameter, wanted one",
        ),
        (
            lambda: Numpy.formula(SMALL, of_blocks(lambda blocks: blocks["0"]["second"].pop("norm")), SMALL.images),
            "residual block: second.norm: got no parameter, wanted one",
        ),
        (lambda: resnet18(SMALL.images, **of_blocks(dict)), "resnet18: blocks: got 2 with shortcuts ['1'], wanted 8"),
        (
            lambda: vision_transformer(
                RGB["vision transformer"].images,
                **numpy_arguments(RGB["vision transformer"].parameters) | {"positions": np.ones((4, 4))},
                heads=2,
                size=8,
            ),
            "vision transformer: positions: got shape (4, 4), wanted (5, 4)",
        ),
    ],
)  # fmt: skip
def test_formulas_refuse_parameters_that_do_not_fit(attempt: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=": got ") as caught:
        attempt()
    assert message in str(caught.value)


def test_a_refused_batch_leaves_the_running_statistics() -> None:
    for half in TRAINABLE:
        module = half.build(RGB["batch norm"].variant(training=True))
        for images in (spoiled(np.nan, 1), pictures(1, 3, 1, 1)):
            with pytest.raises(ModalityError):
                half.call(module, images)
        statistics = module.running_mean
        np.testing.assert_array_equal(np.asarray(statistics), RGB["batch norm"].parameters["running_mean"])


@over_concepts
def test_torch_autocast_may_mix_dtypes(where: str) -> None:
    module, x = Torch.build(RGB[where].variant(dtype="float32")), torch.tensor(pictures(), dtype=torch.float32)
    with pytest.raises(DtypeError):
        module(x.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = module(x.bfloat16())
        with pytest.raises(DtypeError, match="got dtype uint8"):
            module(x.byte())
    assert float((mixed - module(x)).detach().abs().max()) < 0.1 * float(module(x).detach().abs().max())


@over_concepts
def test_keras_mixed_precision_computes_in_the_smaller_dtype(where: str) -> None:
    case = RGB[where].variant(dtype="float32")
    layer = Keras.build(case, dtype="mixed_float16")
    output = layer(pictures().astype(np.float16))
    assert output.dtype == "float16"
    wanted = Keras.call(Keras.build(case), pictures().astype(np.float32))
    np.testing.assert_allclose(output, wanted, atol=0.03 * np.abs(wanted).max())
    with pytest.raises(DtypeError, match="got dtype float32, wanted float16"):
        layer(pictures().astype(np.float32))
