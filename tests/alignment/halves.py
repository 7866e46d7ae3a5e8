"""One face for NumPy, PyTorch and Keras, so that every test is written once.

A case is a loss with random embeddings, groups and parameters, all from its seed. A half gives its value, and its
gradient with respect to both embeddings, the scale and the bias; NumPy by central differences.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import torch

import mmcourse.alignment.keras
import mmcourse.alignment.numpy
import mmcourse.alignment.torch
from mmcourse import parity
from tests.descent import torch_gradients

# {function of all three: module that adds a learned scale}; test_losses.py holds the table to what is public.
CLASSES = {"info_nce": "InfoNCE", "multi_positive_info_nce": "MultiPositiveInfoNCE", "siglip": "SigLIP"}
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """One loss and its inputs."""

    loss: str
    options: dict[str, Any] = field(default_factory=dict)
    grouped: bool = False
    batch: int = 6
    width: int = 4
    scale: float = 5.0
    seed: int = 0
    dtype: str = "float64"
    given: Arrays = field(default_factory=dict)  # in the place of what is drawn

    def __str__(self) -> str:
        words = [self.loss, *map(str, self.options.values()), *["grouped"] * self.grouped, f"scale={self.scale}"]
        return "-".join([*words, f"{self.batch}x{self.width}", self.dtype])

    @cached_property
    def arrays(self) -> Arrays:
        """What the function takes as arrays: image, text and, where they are asked for, groups."""
        rng = np.random.default_rng([self.seed, self.batch, self.width])
        shape = (self.batch, self.width)
        arrays = {name: (3 * rng.normal(size=shape)).astype(self.dtype) for name in ("image", "text")}
        if self.grouped:
            arrays["groups"] = rng.integers(max(1, self.batch // 2), size=self.batch) - 1
        return arrays | self.given

    @cached_property
    def numbers(self) -> dict[str, float]:
        """What the function takes as numbers."""
        return {"scale": self.scale} | ({"bias": -2.5} if self.loss == "siglip" else {})

    @cached_property
    def parameters(self) -> Arrays:
        """The same as the class has them."""
        bias = {"bias": np.asarray(-2.5, self.dtype)} if self.loss == "siglip" else {}
        return {"log_scale": np.asarray(np.log(self.scale), self.dtype)} | bias

    def variant(self, **changes: Any) -> "Case":
        return replace(self, **changes)

    def with_arrays(self, **arrays: np.ndarray) -> "Case":
        return replace(self, given=self.given | arrays)


def cases(**changes: Any) -> list[Case]:
    """Every loss with every choice, small and large scales, batches of 1 to 9 rows, spaces narrower and wider."""
    choices: list[dict[str, Any]] = [
        {"loss": "info_nce"},
        {"loss": "multi_positive_info_nce", "options": {"positives": "any"}, "grouped": True},
        {"loss": "multi_positive_info_nce", "options": {"positives": "all"}, "grouped": True},
        {"loss": "siglip"},
        {"loss": "siglip", "grouped": True},
    ]
    sizes = [(6, 4, 5.0), (9, 2, 30.0), (2, 7, 0.5), (1, 3, 5.0)]
    return [
        Case(**choice | {"batch": batch, "width": width, "scale": scale, "seed": seed} | changes)
        for seed, choice in enumerate(choices)
        for batch, width, scale in sizes
    ]


def of_each_loss(**changes: Any) -> list[Case]:
    """The first case of every loss and choice."""
    return [case.variant(**changes) for case in cases() if (case.batch, case.width) == (6, 4)]


class Numpy:
    """The formulas."""

    name = "numpy"

    @staticmethod
    def call(case: Case) -> float:
        function = getattr(mmcourse.alignment.numpy, case.loss)
        return function(**case.arrays, **case.numbers, **case.options)

    @staticmethod
    def gradients(case: Case) -> Arrays:
        function = getattr(mmcourse.alignment.numpy, case.loss)
        fixed = {name: array for name, array in case.arrays.items() if name == "groups"} | case.options
        moving = {name: array for name, array in case.arrays.items() if name != "groups"} | case.numbers
        return parity.central_differences(lambda point: function(**point, **fixed), moving)


class Torch:
    name = "torch"

    @staticmethod
    def convert(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {name: torch.tensor(x) if isinstance(x, np.ndarray) else x for name, x in arrays.items()}

    @staticmethod
    def call(case: Case, **options: Any) -> np.ndarray:
        function = getattr(mmcourse.alignment.torch, case.loss)
        return function(**Torch.convert(case.arrays | case.numbers), **case.options, **options).numpy()

    @staticmethod
    def gradients(case: Case) -> Arrays:
        inputs = Torch.convert(case.arrays)
        inputs |= {name: torch.tensor(x, dtype=getattr(torch, case.dtype)) for name, x in case.numbers.items()}
        wanted = {name: x.requires_grad_() for name, x in inputs.items() if name != "groups"}
        loss = getattr(mmcourse.alignment.torch, case.loss)(**inputs, **case.options)
        return torch_gradients(loss, wanted)

    @staticmethod
    def new(loss: str, **options: Any) -> torch.nn.Module:
        return getattr(mmcourse.alignment.torch, CLASSES[loss])(**options)

    @staticmethod
    def build(case: Case, **options: Any) -> torch.nn.Module:
        module = Torch.new(case.loss, **case.options | options).to(getattr(torch, case.dtype))
        parity.numpy_to_torch(case.parameters, module)
        return module

    @staticmethod
    def run(module: Any, arrays: Arrays) -> np.ndarray:
        return module(**Torch.convert(arrays)).detach().numpy()

    @staticmethod
    def parameter_gradients(module: Any, arrays: Arrays) -> Arrays:
        wanted = dict(module.named_parameters())
        return torch_gradients(module(**Torch.convert(arrays)), wanted)

    @staticmethod
    def step(module: Any, arrays: Arrays, rate: float) -> None:
        optimiser = torch.optim.SGD(module.parameters(), lr=rate)
        module(**Torch.convert(arrays)).backward()
        optimiser.step()


class Keras:
    name = "keras"

    @staticmethod
    def call(case: Case, **options: Any) -> np.ndarray:
        function = getattr(mmcourse.alignment.keras, case.loss)
        return function(**case.arrays, **case.numbers, **case.options, **options).numpy()

    @staticmethod
    def gradients(case: Case) -> Arrays:
        inputs = {name: tf.convert_to_tensor(x) for name, x in case.arrays.items()}
        inputs |= {name: tf.constant(x, case.dtype) for name, x in case.numbers.items()}
        wanted = {name: x for name, x in inputs.items() if name != "groups"}
        with tf.GradientTape() as tape:
            tape.watch(list(wanted.values()))
            loss = getattr(mmcourse.alignment.keras, case.loss)(**inputs, **case.options)
        found = tape.gradient(loss, list(wanted.values()))
        return {name: gradient.numpy() for name, gradient in zip(wanted, found, strict=True)}

    @staticmethod
    def new(loss: str, **options: Any) -> keras.Layer:
        return getattr(mmcourse.alignment.keras, CLASSES[loss])(**options)

    @staticmethod
    def build(case: Case, **options: Any) -> keras.Layer:
        layer = Keras.new(case.loss, **{"dtype": case.dtype} | case.options | options)
        parity.numpy_to_keras(case.parameters, layer)
        return layer

    @staticmethod
    def run(layer: Any, arrays: Arrays) -> np.ndarray:
        return layer(**arrays).numpy()

    @staticmethod
    def parameter_gradients(layer: Any, arrays: Arrays) -> Arrays:
        with tf.GradientTape() as tape:
            loss = layer(**arrays)
        found = tape.gradient(loss, [variable.value for variable in layer.trainable_variables])
        return {v.name: gradient.numpy() for v, gradient in zip(layer.trainable_variables, found, strict=True)}

    @staticmethod
    def step(layer: Any, arrays: Arrays, rate: float) -> None:
        gradients = Keras.parameter_gradients(layer, arrays)
        steps = [(tf.constant(gradients[v.name]), v) for v in layer.trainable_variables]
        keras.optimizers.SGD(rate).apply_gradients(steps)


HALVES = (Numpy, Torch, Keras)
TRAINABLE = (Torch, Keras)
