"""One face for NumPy, PyTorch and Keras, so that every test of attention between sequences is written once.

A case has random widths, parameters, sequences and masks, all from its seed; masked steps hold NaN. A half builds it,
calls it on {"queries": …, "keys": …} (pooling has no queries, it has learned them), and gives the gradient of
sum(output * cotangent) with respect to every parameter and every sequence; NumPy by central differences.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import torch

import mmcourse.fusion.keras
import mmcourse.fusion.numpy
import mmcourse.fusion.torch
from mmcourse import parity
from tests.descent import keras_step, torch_gradients, torch_step

CLASSES = {"cross_attention": "CrossAttention", "attention_pooling": "AttentionPooling"}
Arrays = dict[str, np.ndarray]
Masks = dict[str, np.ndarray] | None


@dataclass(frozen=True)
class Case:
    """One attention and its inputs."""

    concept: str = "cross_attention"
    dim: int = 4
    key_dim: int = 3
    heads: int = 2
    masked: bool = False
    seed: int = 0
    dtype: str = "float64"

    def __str__(self) -> str:
        words = [self.concept, str(self.dim), str(self.key_dim), str(self.heads)]
        return "-".join(words + ["masked"] * self.masked + [self.dtype] * (self.dtype != "float64"))

    batch, queries, keys = 3, 4, 5

    @property
    def pooling(self) -> bool:
        return self.concept == "attention_pooling"

    @property
    def options(self) -> dict[str, Any]:
        sizes = {"dim": self.dim, "key_dim": self.key_dim, "heads": self.heads}
        return sizes | ({"count": self.queries} if self.pooling else {})

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """{parameter: shape} as the formulas have it, written apart from the modules under test."""
        first = {"queries": (self.queries, self.dim)} if self.pooling else part("query", self.dim, self.dim)
        inner = part("key", self.key_dim, self.dim) | part("value", self.key_dim, self.dim)
        return first | inner | part("out", self.dim, self.dim)

    @cached_property
    def parameters(self) -> Arrays:
        """Small enough that no weight of attention is nothing but rounding."""
        rng = np.random.default_rng([self.seed, 1])
        return {name: rng.normal(size=shape, scale=0.5).astype(self.dtype) for name, shape in self.shapes.items()}

    @cached_property
    def mask(self) -> Masks:
        """Rows: all keys present, some, and for cross-attention none; queries are masked apart."""
        if not self.masked:
            return None
        keys = ["11111", "01101", "00010" if self.pooling else "00000"]
        rows = {"keys": keys} | ({} if self.pooling else {"queries": ["1111", "1010", "0111"]})
        return {name: np.array([[step == "1" for step in row] for row in r]) for name, r in rows.items()}

    @cached_property
    def inputs(self) -> Arrays:
        rng = np.random.default_rng([self.seed, 2])
        x = {"queries": rng.normal(size=(self.batch, self.queries, self.dim)).astype(self.dtype)}
        x = {} if self.pooling else x
        x["keys"] = rng.normal(size=(self.batch, self.keys, self.key_dim)).astype(self.dtype)
        for name, here in (self.mask or {}).items():
            x[name][~here] = np.nan
        return x

    def filled(self, value: float) -> Arrays:
        return {
            name: np.where(self.mask[name][..., None], x, value) if self.mask else x for name, x in self.inputs.items()
        }

    @cached_property
    def cotangent(self) -> np.ndarray:
        rng = np.random.default_rng([self.seed, 3])
        return rng.normal(size=(self.batch, self.queries, self.dim)).astype(self.dtype)

    @cached_property
    def gets(self) -> np.ndarray:
        """Which queries (batch, q) get something."""
        if self.mask is None or self.pooling:
            return np.ones((self.batch, self.queries), bool)
        return self.mask["queries"] & self.mask["keys"].any(axis=1, keepdims=True)

    def variant(self, **changes: Any) -> "Case":
        return replace(self, **changes)


def part(name: str, dim: int, out: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.kernel": (dim, out), f"{name}.bias": (out,)}


PLAIN = [
    Case(),
    Case(dim=6, key_dim=6, heads=1, seed=1),
    Case("attention_pooling", seed=2),
    Case("attention_pooling", dim=6, key_dim=2, heads=3, seed=3),
]
CASES = PLAIN + [case.variant(masked=True, seed=10 + case.seed) for case in PLAIN]
MASKED = [case for case in CASES if case.masked]


def arguments(case_or_inputs: Arrays, mask: Masks) -> tuple[list[Any], dict[str, Any]]:
    """Sequences by place, masks by the name under which they are given."""
    names = {"keys": "mask", "queries": "query_mask"}
    return list(case_or_inputs.values()), {names[name]: here for name, here in (mask or {}).items()}


class Numpy:
    name = "numpy"

    @staticmethod
    def build(case: Case) -> Case:
        return case

    @staticmethod
    def call(case: Case, inputs: Arrays, mask: Masks = None, parameters: Arrays | None = None, **more: Any) -> Any:
        sequences, masks = arguments(inputs, mask)
        given = parity.numpy_arguments(case.parameters if parameters is None else parameters)
        return getattr(mmcourse.fusion.numpy, case.concept)(*sequences, heads=case.heads, **masks, **given, **more)

    @staticmethod
    def weights(case: Case, inputs: Arrays, mask: Masks = None) -> np.ndarray:
        return Numpy.call(case, inputs, mask, return_weights=True)[1]

    @staticmethod
    def gradients(case: Case, inputs: Arrays, mask: Masks, cotangent: np.ndarray) -> Arrays:
        def loss(point: Arrays) -> float:
            x = {name: point[f"{name} given"] for name in inputs}
            return float((Numpy.call(case, x, mask, {n: point[n] for n in case.parameters}) * cotangent).sum())

        return parity.central_differences(loss, case.parameters | {f"{n} given": x for n, x in inputs.items()})


class Torch:
    name = "torch"

    @staticmethod
    def build(case: Case, **options: Any) -> torch.nn.Module:
        module = getattr(mmcourse.fusion.torch, CLASSES[case.concept])(**case.options | options)
        module = module.to(getattr(torch, case.dtype))
        parity.transfer(case.parameters, module)
        return module

    @staticmethod
    def convert(array: Any) -> Any:
        return torch.tensor(array) if isinstance(array, np.ndarray) else array

    @staticmethod
    def result(method: Any, inputs: dict[str, Any], mask: Masks) -> torch.Tensor:
        sequences, masks = arguments(inputs, mask)
        return method(*map(Torch.convert, sequences), **{name: Torch.convert(m) for name, m in masks.items()})

    @staticmethod
    def call(module: Any, inputs: Arrays, mask: Masks = None) -> np.ndarray:
        return Torch.result(module, inputs, mask).detach().numpy()

    @staticmethod
    def weights(module: Any, inputs: Arrays, mask: Masks = None) -> np.ndarray:
        return Torch.result(module.attention_weights, inputs, mask).detach().numpy()

    @staticmethod
    def gradients(module: Any, inputs: Arrays, mask: Masks, cotangent: np.ndarray) -> Arrays:
        x = {name: torch.tensor(array).requires_grad_() for name, array in inputs.items()}
        wanted = dict(module.named_parameters()) | {f"{name} given": tensor for name, tensor in x.items()}
        loss = (Torch.result(module, x, mask) * torch.tensor(cotangent)).sum()
        return torch_gradients(loss, wanted)

    step = staticmethod(torch_step)


class Keras:
    name = "keras"

    @staticmethod
    def build(case: Case, **options: Any) -> keras.Layer:
        layer = getattr(mmcourse.fusion.keras, CLASSES[case.concept])(**{"dtype": case.dtype} | case.options | options)
        parity.transfer(case.parameters, layer)
        return layer

    @staticmethod
    def result(method: Any, inputs: dict[str, Any], mask: Masks) -> tf.Tensor:
        sequences, masks = arguments(inputs, mask)
        return method(*sequences, **masks)

    @staticmethod
    def call(layer: Any, inputs: Arrays, mask: Masks = None) -> np.ndarray:
        return Keras.result(layer, inputs, mask).numpy()

    @staticmethod
    def weights(layer: Any, inputs: Arrays, mask: Masks = None) -> np.ndarray:
        return Keras.result(layer.attention_weights, inputs, mask).numpy()

    @staticmethod
    def gradients(layer: Any, inputs: Arrays, mask: Masks, cotangent: np.ndarray) -> Arrays:
        x = {name: tf.Variable(array) for name, array in inputs.items()}
        variables = {name: v.value for name, v in parity.keras_variables(layer).items()}
        wanted = variables | {f"{name} given": variable for name, variable in x.items()}
        with tf.GradientTape() as tape:
            output = Keras.result(layer, {name: tf.convert_to_tensor(v) for name, v in x.items()}, mask)
            loss = tf.reduce_sum(output * cotangent)
        found = tape.gradient(loss, list(wanted.values()))
        return {name: tf.convert_to_tensor(gradient).numpy() for name, gradient in zip(wanted, found, strict=True)}

    @staticmethod
    def step(layer: Any, gradients: Arrays) -> None:
        keras_step(parity.keras_variables(layer), gradients)


HALVES = (Numpy, Torch, Keras)
TRAINABLE = (Torch, Keras)
