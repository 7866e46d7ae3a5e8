"""Fusion: PyTorch against its plain formula, the cost of checking values, Keras against PyTorch."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf
import torch
from torch import Tensor

from benchmarks.runner import Call, Case
from mmcourse import parity
from mmcourse.fusion import keras as fusion_keras
from mmcourse.fusion import torch as fusion_torch

SIZES: dict[str, dict[str, Any]] = {
    "small": {"batch": 64, "dims": {"image": 64, "text": 26}, "out": 32},  # a step of the digits lesson
    "large": {"batch": 256, "dims": {"image": 512, "text": 256, "audio": 128}, "out": 256},
}
TOLERANCE = 1e-4  # a weight's gradient sums 65,536 float32 products of both signs
Tensors = Mapping[str, Tensor]
Formula = Callable[[Tensors, Tensors, Tensors | None], Tensor]


def weighted_sum(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    return sum(parameters[f"weights.{m}"] * h for m, h in projected(parameters, x).items())  # missing rows are zero


def gate(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    h = projected(parameters, x)
    s = {m: torch.tanh(h[m] @ parameters["kernel"] + parameters["bias"]) @ parameters["score"] for m in x}
    if mask is not None:
        s = {m: s[m].masked_fill(~mask[m], -torch.inf) for m in x}
    a = torch.softmax(torch.stack(list(s.values()), dim=1), dim=1)
    return sum(a[:, i, None] * h[m] for i, m in enumerate(x))


def unit(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    h, joined = projected(parameters, x), torch.cat(list(x.values()), dim=1)
    z = {m: torch.sigmoid(joined @ parameters[f"kernels.{m}"] + parameters[f"biases.{m}"]) for m in x}
    return sum(z[m] * torch.tanh(h[m]) for m in x)  # the tanh of a missing row is zero


def concatenation(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    return torch.cat(list(x.values()), dim=1) @ parameters["kernel"] + parameters["bias"]


def projected(parameters: Tensors, x: Tensors) -> dict[str, Tensor]:
    return {m: x[m] @ parameters[f"projections.{m}"] for m in x}


# {class: its options, its formula as one would write it on the spot}
FUSIONS: dict[str, tuple[dict[str, Any], Formula]] = {
    "WeightedSumFusion": ({}, weighted_sum),
    "GatedFusion": ({"hidden_size": 64}, gate),
    "GatedMultimodalUnit": ({}, unit),
    "ConcatenationFusion": ({}, concatenation),
}


class Problem:
    """One module of one size with its inputs."""

    def __init__(self, name: str, size: str, masked: bool = False) -> None:
        torch.manual_seed(0)
        self.name, self.dims, batch = name, SIZES[size]["dims"], SIZES[size]["batch"]
        options, self.formula = FUSIONS[name]
        self.options = options | {"out_dim": SIZES[size]["out"]}
        self.features = {m: torch.randn(batch, width) for m, width in self.dims.items()}
        self.mask = {m: torch.arange(batch) % 4 != i for i, m in enumerate(self.dims)} if masked else None
        self.cotangent = torch.randn(batch, SIZES[size]["out"])
        self.module = self.new()

    def new(self, **options: Any) -> torch.nn.Module:
        torch.manual_seed(0)
        return getattr(fusion_torch, self.name)(self.dims, **self.options | options)

    def with_module(self, module: torch.nn.Module) -> Call:
        parameters = dict(module.named_parameters())
        return lambda: self._backward(module(self.features, self.mask), parameters)

    def with_formula(self) -> Call:
        parameters = dict(self.module.named_parameters())
        return lambda: self._backward(self.formula(parameters, self._present(), self.mask), parameters)

    def _present(self) -> Tensors:
        """The features, missing rows set to zero."""
        if self.mask is None:
            return self.features
        return {m: torch.where(self.mask[m][:, None], x, 0.0) for m, x in self.features.items()}

    def _backward(self, output: Tensor, parameters: Tensors) -> dict[str, Tensor]:
        gradients = torch.autograd.grad(output, list(parameters.values()), self.cotangent)
        return {"output": output.detach(), **dict(zip(parameters, gradients, strict=True))}

    def with_keras(self) -> Call:
        layer = getattr(fusion_keras, self.name)(self.dims, **self.options)
        parity.transfer(self.module, layer)
        features = {m: tf.constant(x.numpy()) for m, x in self.features.items()}
        cotangent = tf.constant(self.cotangent.numpy())
        variables = {variable.name: variable.value for variable in layer.trainable_variables}

        @tf.function
        def step() -> dict[str, tf.Tensor]:
            with tf.GradientTape() as tape:
                output = layer(features)
            gradients = tape.gradient(output, list(variables.values()), cotangent)
            return {"output": output, **dict(zip(variables, gradients, strict=True))}

        return step


def cases() -> Iterator[Case]:
    """Forward and backward throughout."""
    for name in FUSIONS:
        for size, masked in (("small", False), ("large", False), ("large", True)):
            problem = Problem(name, size, masked)
            title = f"torch {name}, {size}{', masked' if masked else ''}"
            yield Case(title, "plain formula", problem.with_module(problem.module), problem.with_formula(), TOLERANCE)
    for name in FUSIONS:
        for size in SIZES:
            problem = Problem(name, size)
            unchecked = problem.with_module(problem.new(check_values=False))
            yield Case(
                f"torch {name}, {size}", "check_values=False", problem.with_module(problem.module), unchecked, TOLERANCE
            )
    for name in FUSIONS:
        problem = Problem(name, "large")
        yield Case(
            f"keras {name}, large", "torch", problem.with_keras(), problem.with_module(problem.module), TOLERANCE
        )
