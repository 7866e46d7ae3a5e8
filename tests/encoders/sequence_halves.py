"""One face for NumPy, PyTorch and Keras, so that every test of a sequence encoder is written once.

A case is an encoder of one concept with random widths, parameters, sequence and mask, all from its seed. A half builds
it, calls it, which gives a list of arrays (what comes out at every step, then the states), and gives the gradient of
sum(array * cotangent) over that list with respect to every parameter and the sequence; NumPy by central differences.
"""

from collections.abc import Mapping
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

CLASSES = {
    "embedding": "Embedding",
    "recurrent": "RecurrentEncoder",
    "lstm": "LSTMEncoder",
    "gru": "GRUEncoder",
    "self_attention": "SelfAttention",
    "learned_positions": "LearnedPositions",
    "transformer_encoder": "TransformerEncoder",
}
GATES = {"recurrent": 1, "lstm": 4, "gru": 3}
STATES = {"recurrent": 1, "lstm": 2, "gru": 1}
SIZES = {
    "embedding": {"count": 6, "out_dim": 3},
    "recurrent": {"dim": 3, "hidden_size": 2},
    "lstm": {"dim": 3, "hidden_size": 2},
    "gru": {"dim": 3, "hidden_size": 2},
    "self_attention": {"dim": 4, "heads": 2},
    "learned_positions": {"dim": 3, "length": 7},
    "transformer_encoder": {"dim": 4, "heads": 2, "layers": 1, "hidden_size": 3},
}
MASKS = ("none", "right", "left", "gaps")
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """One encoder and its inputs."""

    concept: str
    options: dict[str, Any] = field(default_factory=dict)
    masked: str = "none"
    seed: int = 0
    dtype: str = "float64"

    def __str__(self) -> str:
        words = [self.concept, *(f"{name}={value}" for name, value in self.options.items())]
        return "-".join(words + [self.masked] * (self.masked != "none") + [self.dtype] * (self.dtype != "float64"))

    @property
    def recurrent(self) -> bool:
        return self.concept in GATES

    @property
    def sizes(self) -> dict[str, Any]:
        return SIZES[self.concept] | self.options

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """{parameter: shape} as the formulas have it, written apart from the modules under test."""
        sizes = self.sizes
        dim = sizes.get("dim")
        if self.concept == "embedding":
            return {"vectors": (sizes["count"], sizes["out_dim"])}
        if self.concept == "learned_positions":
            return {"vectors": (sizes["length"], dim)}
        if self.recurrent:
            hidden, wide = sizes["hidden_size"], GATES[self.concept] * sizes["hidden_size"]
            one = {"kernel": (dim, wide), "recurrent_kernel": (hidden, wide), "bias": (wide,)}
            one |= {"recurrent_bias": (wide,)} if self.concept == "gru" else {}
            two = {f"reverse.{name}": shape for name, shape in one.items()}
            return one | (two if sizes.get("bidirectional") else {})
        attention = {
            f"{part}.{name}": shape
            for part in ("query", "key", "value", "out")
            for name, shape in (("kernel", (dim, dim)), ("bias", (dim,)))
        }
        if self.concept == "self_attention":
            return attention
        inner = sizes["hidden_size"]
        layer = {f"attention.{name}": shape for name, shape in attention.items()}
        layer |= {f"{norm}.{name}": (dim,) for norm in ("attention_norm", "feed_forward_norm") for name in NORM}
        layer |= {"feed_forward.hidden.kernel": (dim, inner), "feed_forward.hidden.bias": (inner,)}
        layer |= {"feed_forward.out.kernel": (inner, dim), "feed_forward.out.bias": (dim,)}
        shapes = {f"layers.{index}.{name}": s for index in range(sizes["layers"]) for name, s in layer.items()}
        last = sizes.get("final_norm", sizes.get("norm_first", True))
        return shapes | ({f"final_norm.{name}": (dim,) for name in NORM} if last else {})

    @cached_property
    def parameters(self) -> Arrays:
        """Random, away from every special value with which a module begins."""
        rng = np.random.default_rng([self.seed, 1])
        return {name: np.asarray(rng.normal(size=shape), self.dtype) for name, shape in self.shapes.items()}

    @property
    def batch(self) -> int:
        return 3

    @property
    def time(self) -> int:
        return 5

    @cached_property
    def mask(self) -> np.ndarray | None:
        """Three rows: complete, some steps present, a single one."""
        if self.masked == "none":
            return None
        rows = {
            "right": ["11111", "11100", "10000"],
            "left": ["11111", "00011", "00001"],
            "gaps": ["11111", "01101", "00100"],
        }[self.masked]
        return np.array([[step == "1" for step in row] for row in rows])

    @cached_property
    def present(self) -> np.ndarray:
        return np.ones((self.batch, self.time), bool) if self.mask is None else self.mask

    @cached_property
    def sequence(self) -> np.ndarray:
        """Masked steps hold NaN, and masked ids what is no id."""
        rng = np.random.default_rng([self.seed, 2])
        if self.concept == "embedding":
            # Every id stands somewhere, so that every vector can receive a gradient.
            ids = np.concatenate([rng.permutation(6), rng.integers(0, 6, size=9)]).reshape(self.batch, self.time)
            return np.where(self.present, ids, -7)
        sequence = rng.normal(size=(self.batch, self.time, self.sizes["dim"])).astype(self.dtype)
        sequence[~self.present] = np.nan
        return sequence

    def filled(self, value: float) -> np.ndarray:
        """The sequence with a number of choice in masked steps."""
        return np.where(self.present if self.concept == "embedding" else self.present[..., None], self.sequence, value)

    def moved(self, t: int) -> np.ndarray:
        """The sequence with another step t, in every row."""
        moved = self.sequence.copy()
        if self.concept == "embedding":
            moved[:, t] = (moved[:, t] + 1) % self.sizes["count"]
        else:
            moved[:, t] += np.linspace(0.2, 0.9, moved.shape[2])
        return moved

    @cached_property
    def initial_state(self) -> list[np.ndarray]:
        rng = np.random.default_rng([self.seed, 3])
        width = self.sizes["hidden_size"] * (2 if self.sizes.get("bidirectional") else 1)
        shape = (STATES[self.concept], self.batch, width)
        return list(rng.normal(size=shape).astype(self.dtype))

    @cached_property
    def cotangents(self) -> list[np.ndarray]:
        rng = np.random.default_rng([self.seed, 4])
        outputs = Numpy.call(self, self.sequence, self.mask)
        return [rng.normal(size=array.shape).astype(self.dtype) for array in outputs]

    def variant(self, **changes: Any) -> "Case":
        return replace(self, **changes)


NORM = ("scale", "bias")
PLAIN = [
    Case("embedding"),
    Case("recurrent"),
    Case("lstm"),
    Case("gru"),
    Case("recurrent", {"bidirectional": True}),
    Case("lstm", {"bidirectional": True}),
    Case("gru", {"bidirectional": True}),
    Case("self_attention"),
    Case("self_attention", {"heads": 1, "rotary": True}),
    Case("self_attention", {"causal": True, "rotary": True}),
    Case("learned_positions"),
    Case("transformer_encoder"),
    Case("transformer_encoder", {"layers": 2, "causal": True, "final_norm": False}),
    Case("transformer_encoder", {"norm_first": False, "activation": "gelu", "epsilon": 1e-3}),
    Case("transformer_encoder", {"rotary": True, "activation": "gelu", "epsilon": 1e-12}),
]


def cases(masks: tuple[str, ...] = MASKS, **changes: Any) -> list[Case]:
    """Every concept with every mask."""
    return [
        case.variant(masked=masked, seed=10 * seed + number, **changes)
        for seed, case in enumerate(PLAIN)
        for number, masked in enumerate(masks)
    ]


def flat(result: Any) -> list[Any]:
    """(outputs, (hidden, cell)) as a list."""
    return [leaf for part in result for leaf in flat(part)] if isinstance(result, tuple) else [result]


def together(states: list[Any] | None) -> Any:
    """States as an encoder takes them: one alone, two in a tuple."""
    return states if states is None else states[0] if len(states) == 1 else tuple(states)


class Numpy:
    """The formulas; a module is the case itself, its parameters are arguments."""

    name = "numpy"

    @staticmethod
    def build(case: Case) -> Case:
        return case

    @staticmethod
    def call(case: Case, sequence: Any, mask: Any = None, states: list[np.ndarray] | None = None) -> list[np.ndarray]:
        return Numpy.formula(case, case.parameters, sequence, mask, states)

    @staticmethod
    def formula(case: Case, parameters: Arrays, sequence: Any, mask: Any, states: Any = None) -> list[np.ndarray]:
        options = {name: value for name, value in case.sizes.items() if name not in BUILT}
        options |= {} if states is None else {"initial_state": together(states)}
        function = getattr(mmcourse.encoders.numpy, case.concept)
        return flat(function(sequence, mask=mask, **options, **parity.numpy_arguments(parameters)))

    @staticmethod
    def weights(case: Case, sequence: np.ndarray, mask: Any) -> np.ndarray:
        options = {name: value for name, value in case.sizes.items() if name not in BUILT}
        arguments = options | parity.numpy_arguments(case.parameters)
        return mmcourse.encoders.numpy.self_attention(sequence, mask=mask, return_weights=True, **arguments)[1]

    @staticmethod
    def gradients(case: Case, sequence: np.ndarray, mask: Any, cotangents: list[np.ndarray]) -> Arrays:
        def loss(point: Arrays) -> float:
            parameters = {name: array for name, array in point.items() if name in case.parameters}
            arrays = Numpy.formula(case, parameters, point.get("sequence", sequence), mask)
            return float(sum((array * weight).sum() for array, weight in zip(arrays, cotangents, strict=True)))

        floating = {} if case.concept == "embedding" else {"sequence": sequence}
        return parity.central_differences(loss, case.parameters | floating)


BUILT = {
    "dim",
    "count",
    "out_dim",
    "length",
    "layers",
    "hidden_size",
    "bidirectional",
    "final_norm",
}  # not the formula's


class Torch:
    name = "torch"

    @staticmethod
    def new(concept: str, **options: Any) -> torch.nn.Module:
        return getattr(mmcourse.encoders.torch, CLASSES[concept])(**SIZES[concept] | options)

    @staticmethod
    def build(case: Case, **options: Any) -> torch.nn.Module:
        module = Torch.new(case.concept, **case.options | options).to(getattr(torch, case.dtype))
        parity.transfer(case.parameters, module)
        return module

    @staticmethod
    def convert(array: Any) -> Any:
        return torch.tensor(array) if isinstance(array, np.ndarray) else array

    @staticmethod
    def result(module: Any, sequence: Any, mask: Any, states: Any = None) -> list[torch.Tensor]:
        extra = {} if states is None else {"initial_state": together([Torch.convert(state) for state in states])}
        return flat(module(Torch.convert(sequence), Torch.convert(mask), **extra))

    @staticmethod
    def call(module: Any, sequence: Any, mask: Any = None, states: Any = None) -> list[np.ndarray]:
        return [array.detach().numpy() for array in Torch.result(module, sequence, mask, states)]

    @staticmethod
    def weights(module: Any, sequence: np.ndarray, mask: Any) -> np.ndarray:
        return module.attention_weights(Torch.convert(sequence), Torch.convert(mask)).detach().numpy()

    @staticmethod
    def gradients(module: Any, sequence: np.ndarray, mask: Any, cotangents: list[np.ndarray]) -> Arrays:
        x = torch.tensor(sequence)
        wanted = dict(module.named_parameters()) | ({"sequence": x.requires_grad_()} if x.is_floating_point() else {})
        arrays = Torch.result(module, x, mask)
        loss = sum((a * torch.tensor(weight)).sum() for a, weight in zip(arrays, cotangents, strict=True))
        return torch_gradients(loss, wanted)

    step = staticmethod(torch_step)


class Keras:
    name = "keras"

    @staticmethod
    def new(concept: str, **options: Any) -> keras.Layer:
        return getattr(mmcourse.encoders.keras, CLASSES[concept])(**SIZES[concept] | options)

    @staticmethod
    def build(case: Case, **options: Any) -> keras.Layer:
        layer = Keras.new(case.concept, **{"dtype": case.dtype} | case.options | options)
        parity.transfer(case.parameters, layer)
        return layer

    @staticmethod
    def result(layer: Any, sequence: Any, mask: Any, states: Any = None) -> list[tf.Tensor]:
        extra = {} if states is None else {"initial_state": together(states)}
        return flat(layer(sequence, mask=mask, **extra))

    @staticmethod
    def call(layer: Any, sequence: Any, mask: Any = None, states: Any = None) -> list[np.ndarray]:
        return [array.numpy() for array in Keras.result(layer, sequence, mask, states)]

    @staticmethod
    def weights(layer: Any, sequence: np.ndarray, mask: Any) -> np.ndarray:
        return layer.attention_weights(sequence, mask).numpy()

    @staticmethod
    def gradients(layer: Any, sequence: np.ndarray, mask: Any, cotangents: list[np.ndarray]) -> Arrays:
        wanted: Mapping[str, Any] = {name: v.value for name, v in parity.keras_variables(layer).items()}
        x = tf.Variable(sequence)
        wanted = {**wanted, "sequence": x} if x.dtype.is_floating else wanted
        with tf.GradientTape() as tape:
            arrays = Keras.result(layer, tf.convert_to_tensor(x), mask)
            loss = sum(tf.reduce_sum(a * weight) for a, weight in zip(arrays, cotangents, strict=True))
        found = tape.gradient(loss, list(wanted.values()))
        return {name: tf.convert_to_tensor(gradient).numpy() for name, gradient in zip(wanted, found, strict=True)}

    @staticmethod
    def step(layer: Any, gradients: Arrays) -> None:
        keras_step(parity.keras_variables(layer), gradients)


HALVES = (Numpy, Torch, Keras)
TRAINABLE = (Torch, Keras)
