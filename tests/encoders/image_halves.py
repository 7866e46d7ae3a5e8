"""One face for NumPy, PyTorch and Keras, so that every test of the encoders of pictures is written once.

A case is a module with its options, random parameters and pictures, all from its seed. A half builds it, calls it, and
gives the gradient of sum(output * cotangent) with respect to every trained parameter and to the pictures; NumPy gives
slopes along random directions, by central differences.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import torch

import mmcourse.encoders.keras
import mmcourse.encoders.numpy
import mmcourse.encoders.torch
from mmcourse import parity
from tests.descent import keras_step, torch_gradients, torch_step

Arrays = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]
CLASSES = {
    "convolution": "Convolution",
    "batch_norm": "BatchNorm",
    "residual_block": "ResidualBlock",
    "resnet": "ResNet",
    "patch_embedding": "PatchEmbedding",
    "vision_transformer": "VisionTransformer",
}
FORMULA_OPTIONS = {
    "convolution": ("stride", "padding", "dilation", "groups"),
    "batch_norm": ("momentum", "epsilon"),
    "residual_block": ("stride",),
    "resnet": ("small_pictures",),
    "patch_embedding": (),
    "vision_transformer": ("heads", "size", "interpolate", "epsilon"),
}
WITH_BATCH_NORM = ("batch_norm", "residual_block", "resnet")
STATISTICS = ("running_mean", "running_variance")


@dataclass(frozen=True)
class Case:
    """One module and its pictures."""

    concept: str
    options: dict[str, Any]
    images_shape: tuple[int, int, int, int]
    training: bool = False
    seed: int = 0
    dtype: str = "float64"
    name: str = ""
    given: Arrays | None = field(default=None, repr=False)

    def __str__(self) -> str:
        words = [self.concept, self.name, "training" * self.training, self.dtype * (self.dtype != "float64")]
        return "-".join(word for word in words if word)

    @cached_property
    def shapes(self) -> Shapes:
        """{parameter: shape} as the formulas have it, written apart from the modules under test."""
        return dict(SHAPES[self.concept](**self.options))

    @cached_property
    def parameters(self) -> Arrays:
        """Random, away from every special value with which a module begins, unless given."""
        if self.given is not None:
            return self.given
        rng = np.random.default_rng([self.seed, 1])
        drawn = {}
        for name, shape in self.shapes.items():
            part = name.rpartition(".")[2]
            if part == "running_variance":
                values = rng.uniform(0.5, 2, shape)
            elif part == "kernel":
                inputs = np.prod(shape[1:]) if len(shape) == 4 else shape[0]
                values = rng.normal(size=shape) / np.sqrt(inputs)
            else:
                values = rng.normal(size=shape) + (part == "scale")
            drawn[name] = values.astype(self.dtype)
        return drawn

    @property
    def trained(self) -> list[str]:
        return [name for name in self.parameters if not name.endswith(STATISTICS)]

    @cached_property
    def images(self) -> np.ndarray:
        return np.random.default_rng([self.seed, 2]).normal(size=self.images_shape).astype(self.dtype)

    @cached_property
    def cotangent(self) -> np.ndarray:
        shape = Numpy.call(Numpy.build(self), self.images).shape
        return np.random.default_rng([self.seed, 3]).normal(size=shape).astype(self.dtype)

    def variant(self, **changes: Any) -> "Case":
        return replace(self, **changes)


def convolution_shapes(
    *, in_channels: int, out_channels: int, kernel_size: Any, groups: int = 1, bias: bool = True, **_: Any
) -> Iterator[tuple[str, tuple[int, ...]]]:
    size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    yield "kernel", (out_channels, in_channels // groups, *size)
    if bias:
        yield "bias", (out_channels,)


def batch_norm_shapes(*, channels: int, **_: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name in ("scale", "bias", *STATISTICS):
        yield name, (channels,)


def part_shapes(name: str, before: int, after: int, size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A convolution without a bias, and its batch norm."""
    yield f"{name}.convolution.kernel", (after, before, size, size)
    for norm, shape in batch_norm_shapes(channels=after):
        yield f"{name}.norm.{norm}", shape


def residual_block_shapes(
    *, in_channels: int, out_channels: int, stride: int = 1
) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from part_shapes("first", in_channels, out_channels, 3)
    yield from part_shapes("second", out_channels, out_channels, 3)
    if stride > 1 or in_channels != out_channels:
        yield from part_shapes("shortcut", in_channels, out_channels, 1)


def resnet_shapes(
    *, channels: int, widths: Any, depths: Any, small_pictures: bool = False, out_dim: int | None = None
) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from part_shapes("stem", channels, widths[0], 3 if small_pictures else 7)
    number, before = 0, widths[0]
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for index in range(depth):
            stride = 2 if stage > 0 and index == 0 else 1
            for name, shape in residual_block_shapes(in_channels=before, out_channels=width, stride=stride):
                yield f"blocks.{number}.{name}", shape
            number, before = number + 1, width
    if out_dim is not None:
        yield from {"head.kernel": (widths[-1], out_dim), "head.bias": (out_dim,)}.items()


def patch_embedding_shapes(*, patch_size: Any, dim: int, channels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    size = patch_size if isinstance(patch_size, tuple) else (patch_size, patch_size)
    yield from {"kernel": (dim, channels, *size), "bias": (dim,)}.items()


def vision_transformer_shapes(
    *,
    size: Any,
    patch_size: Any,
    channels: int,
    dim: int,
    layers: int,
    hidden_size: int,
    out_dim: int | None = None,
    positions: str = "learned",
    **_: Any,
) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name, shape in patch_embedding_shapes(patch_size=patch_size, dim=dim, channels=channels):
        yield f"patches.{name}", shape
    yield "class_token", (dim,)
    if positions == "learned":
        sides = [s // p for s, p in zip(np.broadcast_to(size, 2), np.broadcast_to(patch_size, 2), strict=True)]
        yield "positions", (1 + int(sides[0] * sides[1]), dim)
    for layer in range(layers):
        start = f"encoder.layers.{layer}"
        for part in ("query", "key", "value", "out"):
            yield f"{start}.attention.{part}.kernel", (dim, dim)
            yield f"{start}.attention.{part}.bias", (dim,)
        for part, before, after in (("hidden", dim, hidden_size), ("out", hidden_size, dim)):
            yield f"{start}.feed_forward.{part}.kernel", (before, after)
            yield f"{start}.feed_forward.{part}.bias", (after,)
        for part in ("attention_norm", "feed_forward_norm"):
            yield from {f"{start}.{part}.scale": (dim,), f"{start}.{part}.bias": (dim,)}.items()
    yield from {"encoder.final_norm.scale": (dim,), "encoder.final_norm.bias": (dim,)}.items()
    if out_dim is not None:
        yield from {"head.kernel": (dim, out_dim), "head.bias": (out_dim,)}.items()


SHAPES = {concept: globals()[f"{concept}_shapes"] for concept in CLASSES}


def part_cases(**changes: Any) -> list[Case]:
    """Convolutions with every option, batch norms and residual blocks of small random sizes."""
    convolutions: dict[str, tuple[dict[str, Any], tuple[int, int, int, int]]] = {
        "plain": ({"in_channels": 2, "out_channels": 3, "kernel_size": 3}, (2, 2, 5, 4)),
        "strided": ({"in_channels": 1, "out_channels": 2, "kernel_size": 3, "stride": 2, "padding": 1}, (3, 1, 6, 5)),
        "dilated": (
            {"in_channels": 2, "out_channels": 2, "kernel_size": (2, 3), "dilation": (3, 2), "padding": (0, 2)},
            (2, 2, 6, 5),
        ),
        "grouped": ({"in_channels": 4, "out_channels": 6, "kernel_size": 1, "groups": 2, "bias": False}, (2, 4, 3, 3)),
        "everything": (
            {
                "in_channels": 4,
                "out_channels": 2,
                "kernel_size": (3, 2),
                "stride": (2, 1),
                "padding": (1, 2),
                "dilation": (1, 2),
                "groups": 2,
            },
            (2, 4, 5, 4),
        ),
    }
    cases = [
        Case("convolution", options, shape, seed=seed, name=name)
        for seed, (name, (options, shape)) in enumerate(convolutions.items())
    ]
    cases += [
        Case("patch_embedding", {"patch_size": (2, 3), "dim": 4, "channels": 2}, (2, 2, 4, 6)),
        *(Case("batch_norm", {"channels": 3}, (3, 3, 2, 4), training) for training in (False, True)),
    ]
    for training in (False, True):
        blocks = {"same": {"in_channels": 2, "out_channels": 2}, "wider": {"in_channels": 2, "out_channels": 3}}
        blocks["strided"] = {"in_channels": 2, "out_channels": 2, "stride": 2}
        cases += [
            Case("residual_block", options, (2, 2, 5, 4), training, name=name) for name, options in blocks.items()
        ]
    return [case.variant(**changes) for case in cases]


def network_cases(**changes: Any) -> list[Case]:
    """Residual networks of both stems, and vision Transformers of both positions."""
    small = {"channels": 1, "widths": (3, 4), "depths": (1, 1), "small_pictures": True, "out_dim": 2}
    large = {"channels": 2, "widths": (3, 4), "depths": (2, 1)}
    cases = [
        *(Case("resnet", small, (3, 1, 6, 5), training, seed=3, name="small") for training in (False, True)),
        *(Case("resnet", large, (2, 2, 17, 14), training, seed=4, name="large") for training in (False, True)),
    ]
    transformer = {"patch_size": 2, "channels": 1, "dim": 4, "layers": 2, "heads": 2, "hidden_size": 6}
    fixed = transformer | {"size": 4, "positions": "sine-cosine"}
    cases += [
        Case("vision_transformer", transformer | {"size": (4, 6), "out_dim": 3}, (2, 1, 4, 6), name="learned"),
        Case("vision_transformer", fixed, (2, 1, 4, 4), seed=1, name="fixed"),
        Case("vision_transformer", transformer | {"size": 4, "interpolate": True}, (2, 1, 6, 8), name="interpolated"),
        Case("vision_transformer", fixed | {"interpolate": True}, (2, 1, 2, 6), name="fixed-interpolated"),
    ]
    return [case.variant(**changes) for case in cases]


class Numpy:
    """The formulas; a module is the case itself, its parameters are arguments."""

    name = "numpy"

    @staticmethod
    def build(case: Case) -> Case:
        return case

    @staticmethod
    def call(case: Case, images: Any, **options: Any) -> np.ndarray:
        return Numpy.formula(case, case.parameters, images, **options)

    @staticmethod
    def formula(case: Case, parameters: Arrays, images: Any, **options: Any) -> Any:
        options |= {name: case.options[name] for name in FORMULA_OPTIONS[case.concept] if name in case.options}
        if case.concept in WITH_BATCH_NORM:
            options["training"] = case.training
        formula = getattr(mmcourse.encoders.numpy, case.concept)
        return formula(images, **parity.numpy_arguments(parameters), **options)

    @staticmethod
    def slopes(case: Case, directions: Arrays) -> Arrays:
        """The slope of sum(output * cotangent) as one array after the other moves along its direction."""
        arrays = case.parameters | {"images": case.images}

        def loss(steps: Arrays) -> float:
            moved = {name: arrays[name] + step * directions[name] for name, step in steps.items()}
            parameters = {name: moved.get(name, array) for name, array in case.parameters.items()}
            return float((Numpy.formula(case, parameters, moved["images"]) * case.cotangent).sum())

        return parity.central_differences(loss, dict.fromkeys(directions, 0.0))


class Torch:
    name = "torch"

    @staticmethod
    def new(concept: str, **options: Any) -> torch.nn.Module:
        return getattr(mmcourse.encoders.torch, CLASSES[concept])(**options)

    @staticmethod
    def build(case: Case, **options: Any) -> torch.nn.Module:
        module = Torch.new(case.concept, **case.options | options).to(getattr(torch, case.dtype))
        parity.numpy_to_torch(case.parameters, module)
        return module.train(case.training)

    @staticmethod
    def call(module: Any, images: Any) -> np.ndarray:
        return module(torch.tensor(images) if isinstance(images, np.ndarray) else images).detach().numpy()

    @staticmethod
    def gradients(module: Any, images: np.ndarray, cotangent: np.ndarray) -> Arrays:
        x = torch.tensor(images, requires_grad=True)
        wanted = dict(module.named_parameters()) | {"images": x}
        return torch_gradients((module(x) * torch.tensor(cotangent)).sum(), wanted)

    step = staticmethod(torch_step)


class Keras:
    name = "keras"

    @staticmethod
    def new(concept: str, **options: Any) -> keras.Layer:
        return getattr(mmcourse.encoders.keras, CLASSES[concept])(**options)

    @staticmethod
    def build(case: Case, **options: Any) -> keras.Layer:
        layer = Keras.new(case.concept, **{"dtype": case.dtype} | case.options | options)
        parity.numpy_to_keras(case.parameters, layer)
        layer.mode = {"training": case.training} if case.concept in WITH_BATCH_NORM else {}
        return layer

    @staticmethod
    def call(layer: Any, images: Any) -> np.ndarray:
        return layer(images, **layer.mode).numpy()

    @staticmethod
    def gradients(layer: Any, images: np.ndarray, cotangent: np.ndarray) -> Arrays:
        x = tf.Variable(images)
        variables = parity.keras_variables(layer)
        wanted = {name: variable.value for name, variable in variables.items() if variable.trainable}
        wanted["images"] = x
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(tf.convert_to_tensor(x), **layer.mode) * cotangent)
        found = tape.gradient(loss, list(wanted.values()))
        return {name: gradient.numpy() for name, gradient in zip(wanted, found, strict=True)}

    @staticmethod
    def step(layer: Any, gradients: Arrays) -> None:
        keras_step({name: v for name, v in parity.keras_variables(layer).items() if v.trainable}, gradients)


HALVES = (Numpy, Torch, Keras)
TRAINABLE = (Torch, Keras)
