"""One face for NumPy, PyTorch and Keras, so that every test is written once.

A case is a module of one concept with random widths, parameters, features and masks, all from its seed. A half builds
it, calls it, and gives the gradient of sum(output * cotangent) with respect to every parameter and every input; NumPy
by central differences.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import torch

import mmcourse.fusion.keras
import mmcourse.fusion.numpy
import mmcourse.fusion.torch
from mmcourse import parity

CLASSES = {"weighted": "WeightedSumFusion", "gated": "GatedFusion", "concatenation": "ConcatenationFusion"}
NAMES = ("text", "image", "speech", "depth")  # not in alphabetical order: an order must be kept, not made
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """One module and its inputs."""

    concept: str
    count: int
    options: dict[str, Any] = field(default_factory=dict)
    masked: bool = False
    seed: int = 0
    dtype: str = "float64"
    given: Arrays | None = None
    widths: dict[str, int] | None = None

    def __str__(self) -> str:
        words = [self.concept, str(self.count), *(f"{name}={value}" for name, value in self.options.items())]
        return "-".join(words + ["masked"] * self.masked + [self.dtype] * (self.dtype != "float64"))

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.count])

    @cached_property
    def batch(self) -> int:
        return int(self.rng.integers(5, 9))

    @cached_property
    def dims(self) -> dict[str, int]:
        """Random unless given; equal widths where the mathematics asks for them."""
        if self.widths is not None:
            return self.widths
        widths = self.rng.integers(2, 7, size=self.count)
        if self.concept != "concatenation" and "out_dim" not in self.options:
            widths[:] = widths[0]
        return {name: int(width) for name, width in zip(NAMES, widths, strict=False)}

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """{parameter: shape} as the formulas have it, written apart from the modules under test."""
        out, hidden = self.options.get("out_dim"), self.options.get("hidden_size")
        shapes: dict[str, tuple[int, ...]] = {}
        if self.concept == "concatenation":
            return {"kernel": (sum(self.dims.values()), out), "bias": (out,)} if out else {}
        if out:
            shapes |= {f"projections.{name}": (width, out) for name, width in self.dims.items()}
        if self.concept == "weighted":
            return shapes | {f"weights.{name}": () for name in self.dims}
        width = out or next(iter(self.dims.values()))
        return shapes | {"kernel": (width, hidden), "bias": (hidden,), "score": (hidden,)}

    @cached_property
    def parameters(self) -> Arrays:
        """Random, away from every special value with which a module begins, unless given."""
        if self.given is not None:
            return self.given
        rng = np.random.default_rng([self.seed, 1])
        return {name: np.asarray(rng.normal(size=shape), self.dtype) for name, shape in self.shapes.items()}

    @cached_property
    def mask(self) -> Arrays | None:
        """Some rows missing, in each modality if there are several; no row missing altogether, the last complete."""
        if not self.masked:
            return None
        columns = np.random.default_rng([self.seed, 2]).random((self.batch, self.count)) < 0.6
        for row in range(self.batch):
            columns[row, (row + 1) % self.count] = False
            columns[row, row % self.count] = True
        columns[-1] = True
        return dict(zip(self.dims, columns.T, strict=True))

    @cached_property
    def features(self) -> Arrays:
        """Missing rows hold NaN."""
        rng = np.random.default_rng([self.seed, 3])
        features = {name: rng.normal(size=(self.batch, width)).astype(self.dtype) for name, width in self.dims.items()}
        for name, present in (self.mask or {}).items():
            features[name][~present] = np.nan
        return features

    @cached_property
    def cotangent(self) -> np.ndarray:
        rng = np.random.default_rng([self.seed, 4])
        return rng.normal(size=Numpy.call(Numpy.build(self), self.features, self.mask).shape).astype(self.dtype)

    def variant(self, **changes: Any) -> "Case":
        return replace(self, **changes)


def cases(counts: tuple[int, ...] = (1, 2, 3, 4), **changes: Any) -> list[Case]:
    """Every concept with every choice: projections, softmax, mask, one to four modalities."""
    options: list[tuple[str, dict[str, Any]]] = [
        *(("weighted", {"softmax": softmax, **out}) for softmax, out in product((False, True), ({}, {"out_dim": 5}))),
        *(("gated", {"hidden_size": 3, **out}) for out in ({}, {"out_dim": 5})),
        *(("concatenation", out) for out in ({}, {"out_dim": 5})),
    ]
    return [
        Case(concept, count, chosen, masked, seed, **changes)
        for seed, ((concept, chosen), count, masked) in enumerate(product(options, counts, (False, True)))
    ]


class Numpy:
    """The formulas; a module is the case itself, its parameters are arguments."""

    name = "numpy"

    @staticmethod
    def build(case: Case) -> Case:
        return case

    @staticmethod
    def call(case: Case, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> np.ndarray:
        return Numpy.formula(case, case.parameters, features, mask)

    @staticmethod
    def formula(case: Case, parameters: Arrays, features: Mapping[str, Any], mask: Any = None) -> np.ndarray:
        arguments = parity.numpy_arguments(parameters)
        if case.concept == "weighted":
            softmax = case.options.get("softmax", False)
            return mmcourse.fusion.numpy.weighted_sum(features, softmax=softmax, mask=mask, **arguments)
        if case.concept == "gated":
            return mmcourse.fusion.numpy.gated_fusion(features, mask=mask, **arguments)
        return mmcourse.fusion.numpy.concatenation(features, list(case.dims), mask=mask, **arguments)

    @staticmethod
    def gate(case: Case, features: Arrays, mask: Arrays | None) -> np.ndarray:
        arguments = parity.numpy_arguments(case.parameters)
        _, gate = mmcourse.fusion.numpy.gated_fusion(features, mask=mask, return_weights=True, **arguments)
        return np.stack([gate[name] for name in case.dims], axis=1)

    @staticmethod
    def gradients(case: Case, features: Arrays, mask: Arrays | None, cotangent: np.ndarray) -> Arrays:
        inputs = {f"features.{name}": x for name, x in features.items()}

        def loss(point: Arrays) -> float:
            parameters = {name: array for name, array in point.items() if name in case.parameters}
            moved = {name: point[f"features.{name}"] for name in features}
            return float((Numpy.formula(case, parameters, moved, mask) * cotangent).sum())

        return parity.central_differences(loss, case.parameters | inputs)


class Torch:
    name = "torch"

    @staticmethod
    def new(concept: str, dims: Mapping[str, int], **options: Any) -> torch.nn.Module:
        return getattr(mmcourse.fusion.torch, CLASSES[concept])(dims, **options)

    @staticmethod
    def build(case: Case, **options: Any) -> torch.nn.Module:
        module = Torch.new(case.concept, case.dims, **case.options | options)
        module.to(getattr(torch, case.dtype))
        parity.numpy_to_torch(case.parameters, module)
        return module

    @staticmethod
    def convert(arrays: Any) -> Any:
        """Arrays of a mapping as tensors; everything else as it is."""
        if isinstance(arrays, Mapping):
            return {name: Torch.convert(array) for name, array in arrays.items()}
        return torch.tensor(arrays) if isinstance(arrays, np.ndarray) else arrays

    @staticmethod
    def call(module: Any, features: Any, mask: Any = None) -> np.ndarray:
        return module(Torch.convert(features), Torch.convert(mask)).detach().numpy()

    @staticmethod
    def gate(module: Any, features: Arrays, mask: Arrays | None) -> np.ndarray:
        return module.gate(Torch.convert(features), Torch.convert(mask)).detach().numpy()

    @staticmethod
    def gradients(module: Any, features: Arrays, mask: Arrays | None, cotangent: np.ndarray) -> Arrays:
        inputs = {name: x.requires_grad_() for name, x in Torch.convert(features).items()}
        wanted = dict(module.named_parameters()) | {f"features.{name}": x for name, x in inputs.items()}
        output = module(inputs, Torch.convert(mask))
        found = torch.autograd.grad((output * torch.tensor(cotangent)).sum(), list(wanted.values()))
        return {name: gradient.numpy() for name, gradient in zip(wanted, found, strict=True)}

    @staticmethod
    def step(module: Any, gradients: Arrays) -> None:
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                parameter -= 0.1 * torch.tensor(gradients[name])


class Keras:
    name = "keras"

    @staticmethod
    def new(concept: str, dims: Mapping[str, int], **options: Any) -> keras.Layer:
        return getattr(mmcourse.fusion.keras, CLASSES[concept])(dims, **options)

    @staticmethod
    def build(case: Case, **options: Any) -> keras.Layer:
        layer = Keras.new(case.concept, case.dims, **{"dtype": case.dtype} | case.options | options)
        parity.numpy_to_keras(case.parameters, layer)
        return layer

    @staticmethod
    def call(layer: Any, features: Any, mask: Any = None) -> np.ndarray:
        return layer(features, mask=mask).numpy()

    @staticmethod
    def gate(layer: Any, features: Arrays, mask: Arrays | None) -> np.ndarray:
        return layer.gate(features, mask).numpy()

    @staticmethod
    def gradients(layer: Any, features: Arrays, mask: Arrays | None, cotangent: np.ndarray) -> Arrays:
        inputs = {name: tf.Variable(x) for name, x in features.items()}
        wanted = {variable.name: variable.value for variable in layer.trainable_variables}
        wanted |= {f"features.{name}": x for name, x in inputs.items()}
        with tf.GradientTape() as tape:
            output = layer({name: tf.convert_to_tensor(x) for name, x in inputs.items()}, mask=mask)
            loss = tf.reduce_sum(output * cotangent)
        found = tape.gradient(loss, list(wanted.values()))
        return {name: gradient.numpy() for name, gradient in zip(wanted, found, strict=True)}

    @staticmethod
    def step(layer: Any, gradients: Arrays) -> None:
        for variable in layer.trainable_variables:
            variable.assign_sub(0.1 * gradients[variable.name])


HALVES = (Numpy, Torch, Keras)
TRAINABLE = (Torch, Keras)
