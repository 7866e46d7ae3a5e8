"""Fusion: PyTorch against its plain formula, the cost of checking values, Keras against PyTorch."""

import math
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
# Kernels of products have a number for each choice of features: a large size of their own.
LARGE_PRODUCTS: dict[str, Any] = {"batch": 64, "dims": {"image": 128, "text": 64, "audio": 32}, "out": 32}
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


def early(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    hidden = torch.tanh(torch.cat(list(x.values()), dim=1) @ parameters["kernel"] + parameters["bias"])
    return hidden @ parameters["head"] + parameters["head_bias"]


def late(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    said = {m: (z + parameters[f"head_biases.{m}"]).log_softmax(dim=1) for m, z in paths(parameters, x).items()}
    # A uniform prior is a constant, which the normalisation takes out.
    return added(said, mask).log_softmax(dim=1)


def hybrid(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    return early(parameters, x, mask) + added(paths(parameters, x), mask)


def paths(parameters: Tensors, x: Tensors) -> dict[str, Tensor]:
    return {
        m: torch.tanh(x[m] @ parameters[f"kernels.{m}"] + parameters[f"biases.{m}"]) @ parameters[f"heads.{m}"]
        for m in x
    }


def added(logits: dict[str, Tensor], mask: Tensors | None) -> Tensor:
    return sum(z if mask is None else torch.where(mask[m][:, None], z, 0.0) for m, z in logits.items())


def bilinear(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    first, second = x.values()
    return torch.einsum("bi,ijo,bj->bo", first, parameters["kernel"], second) + parameters["bias"]


def multiplicative(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    return bilinear(parameters, x, mask) + sum(h @ parameters[f"linear.{m}"] for m, h in x.items())


def tensor(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    """The outer product is made, as in the paper."""
    product = None
    for values in with_constants(x).values():
        product = values if product is None else torch.bmm(product[:, :, None], values[:, None]).flatten(1)
    return product @ parameters["kernel"].flatten(0, -2)


def low_rank(parameters: Tensors, x: Tensors, mask: Tensors | None) -> Tensor:
    projected = [torch.einsum("bd,rdo->rbo", h, parameters[f"factors.{m}"]) for m, h in with_constants(x).items()]
    return (parameters["weights"][:, None, None] * math.prod(projected)).sum(dim=0) + parameters["bias"]


def with_constants(x: Tensors) -> dict[str, Tensor]:
    return {m: torch.cat([torch.ones(len(h), 1), h], dim=1) for m, h in x.items()}


def projected(parameters: Tensors, x: Tensors) -> dict[str, Tensor]:
    return {m: x[m] @ parameters[f"projections.{m}"] for m in x}


# {class: its options, its formula as one would write it on the spot}
FUSIONS: dict[str, tuple[dict[str, Any], Formula]] = {
    "WeightedSumFusion": ({}, weighted_sum),
    "GatedFusion": ({"hidden_size": 64}, gate),
    "GatedMultimodalUnit": ({}, unit),
    "ConcatenationFusion": ({}, concatenation),
    "EarlyFusion": ({"hidden_size": 64}, early),
    "LateFusion": ({"hidden_size": 64}, late),
    "HybridFusion": ({"hidden_size": 64}, hybrid),
    "BilinearFusion": ({}, bilinear),
    "MultiplicativeFusion": ({}, multiplicative),
    "TensorFusion": ({}, tensor),
    "LowRankFusion": ({"rank": 16}, low_rank),
}
OF_TWO = {"BilinearFusion", "MultiplicativeFusion"}


def size_of(name: str, size: str) -> dict[str, Any]:
    """The size at which a class is measured: two modalities where it takes two."""
    chosen = LARGE_PRODUCTS if size == "large" and name in OF_TWO | {"TensorFusion"} else SIZES[size]
    dims = dict(list(chosen["dims"].items())[: 2 if name in OF_TWO else None])
    return {**chosen, "dims": dims}


class Problem:
    """One module of one size with its inputs."""

    def __init__(self, name: str, size: str, masked: bool = False) -> None:
        torch.manual_seed(0)
        measured = size_of(name, size)
        self.name, self.dims, batch = name, measured["dims"], measured["batch"]
        options, self.formula = FUSIONS[name]
        self.options = options | {"out_dim": measured["out"]}
        self.features = {m: torch.randn(batch, width) for m, width in self.dims.items()}
        self.mask = {m: torch.arange(batch) % 4 != i for i, m in enumerate(self.dims)} if masked else None
        self.cotangent = torch.randn(batch, measured["out"])
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
