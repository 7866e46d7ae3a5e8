"""The decoders in NumPy, PyTorch and Keras behind one interface; one entry of PLAIN drives every test."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import torch

import mmcourse.decoders.keras
import mmcourse.decoders.numpy
import mmcourse.decoders.torch
from mmcourse import parity
from tests.descent import torch_gradients

Arrays = dict[str, np.ndarray]
COUNT, BATCH, TIME, STEPS = 7, 3, 5, 4
SIZES: dict[str, dict[str, Any]] = {
    "recurrent_decoder": {"count": COUNT, "dim": 4, "hidden_size": 5, "vector_dim": 3},
    "transformer_decoder": {
        "count": COUNT, "dim": 8, "layers": 2, "heads": 2, "length": 6, "memory_dim": 5, "hidden_size": 6
    },
    "visual_token_decoder": {"count": COUNT, "dim": 8, "layers": 2, "heads": 2, "length": 10, "hidden_size": 6},
}  # fmt: skip
CLASSES = {"recurrent_decoder": "RecurrentDecoder", "transformer_decoder": "TransformerDecoder"}
MASKS = ("none", "right", "left", "gaps")
NORM = {"scale": (8,), "bias": (8,)}


@dataclass(frozen=True)
class Case:
    """One decoder with options, words, and what it speaks about; masked words are no ids, masked steps hold NaN."""

    concept: str
    options: Mapping[str, Any] = field(default_factory=dict)
    masked: str = "none"
    dtype: str = "float64"
    seed: int = 0

    def __str__(self) -> str:
        options = ", ".join(f"{name} {value}" for name, value in self.options.items())
        return f"{self.concept}{f' ({options})' if options else ''}, mask {self.masked}"

    @property
    def sizes(self) -> dict[str, Any]:
        return SIZES[self.concept] | self.options

    @property
    def plain(self) -> bool:
        """A causal language model, which speaks about nothing."""
        return self.concept == "transformer_decoder" and self.sizes["memory_dim"] is None

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The parameters as the formulas have them, written apart from the modules under test."""
        sizes = self.sizes
        if self.concept == "recurrent_decoder":
            dim, hidden, vector = sizes["dim"], sizes["hidden_size"], sizes["vector_dim"]
            reads, wide = dim + (vector if sizes.get("every_step") else 0), 3 * hidden
            gru = {"kernel": (reads, wide), "recurrent_kernel": (hidden, wide), "bias": (wide,)}
            gru["recurrent_bias"] = (wide,)
            ends = _linear("start", vector, hidden) | _linear("head", hidden, COUNT)
            return {"words.vectors": (COUNT, dim)} | _under("recurrence", gru) | ends
        if self.concept == "visual_token_decoder":
            own = {name: value for name, value in sizes.items() if name != "projector"} | {"memory_dim": None}
            inside = replace(self, concept="transformer_decoder", options=own).shapes
            mlp = sizes.get("projector", "mlp") == "mlp"
            hidden = _linear("projector.hidden", 5, 8) if mlp else {}
            return _under("decoder", inside) | hidden | _linear("projector.out", 8 if mlp else 5, 8)
        attention = _attention("attention", 8) | _under("attention_norm", NORM)
        if sizes["memory_dim"]:
            attention |= _attention("cross_attention", sizes["memory_dim"]) | _under("cross_attention_norm", NORM)
        layer = attention | _under("feed_forward_norm", NORM)
        layer |= _linear("feed_forward.hidden", 8, 6) | _linear("feed_forward.out", 6, 8)
        shapes = {"words.vectors": (COUNT, 8), "positions.vectors": (sizes["length"], 8)} | _under("final_norm", NORM)
        shapes |= {} if sizes.get("tied", True) else _linear("head", 8, COUNT)
        return shapes | {f"layers.{index}.{name}": shape for index in range(2) for name, shape in layer.items()}

    @cached_property
    def parameters(self) -> Arrays:
        """Random, away from every special value with which a module begins."""
        rng = np.random.default_rng([self.seed, 1])
        return {name: np.asarray(rng.normal(size=shape) * 0.7, self.dtype) for name, shape in self.shapes.items()}

    @cached_property
    def mask(self) -> np.ndarray | None:
        """Three rows: complete, some words present, a single one."""
        rows = {
            "none": None,
            "right": ["11111", "11100", "10000"],
            "left": ["11111", "00011", "00001"],
            "gaps": ["11111", "01101", "00100"],
        }[self.masked]
        return None if rows is None else np.array([[word == "1" for word in row] for row in rows])

    @cached_property
    def about_mask(self) -> np.ndarray | None:
        if self.masked == "none" or self.concept == "recurrent_decoder" or self.plain:
            return None
        return np.array([[True] * 4, [False, True, True, False], [False, False, False, True]])

    @property
    def present(self) -> np.ndarray:
        return np.ones((BATCH, TIME), bool) if self.mask is None else self.mask

    @cached_property
    def ids(self) -> np.ndarray:
        """Every id stands somewhere that is present, so that every vector can receive a gradient."""
        rng = np.random.default_rng([self.seed, 2])
        ids = np.concatenate([rng.permutation(COUNT), rng.integers(0, COUNT, size=BATCH * TIME - COUNT)])
        return np.where(self.present, ids.reshape(BATCH, TIME), -7)

    @cached_property
    def about(self) -> np.ndarray | None:
        rng = np.random.default_rng([self.seed, 3])
        if self.plain:
            return None
        if self.concept == "recurrent_decoder":
            return rng.normal(size=(BATCH, self.sizes["vector_dim"])).astype(self.dtype)
        memory = rng.normal(size=(BATCH, STEPS, 5)).astype(self.dtype)
        if self.about_mask is not None:
            memory[~self.about_mask] = np.nan
        return memory

    @cached_property
    def cotangent(self) -> np.ndarray:
        return np.random.default_rng([self.seed, 4]).normal(size=(BATCH, TIME, COUNT)).astype(self.dtype)

    def variant(self, **changes: Any) -> "Case":
        return replace(self, **changes)

    def arguments(self, ids: Any, about: Any, mask: Any, about_mask: Any) -> tuple[list[Any], dict[str, Any]]:
        """As every half takes them."""
        name = "patch_mask" if self.concept == "visual_token_decoder" else "memory_mask"
        named = {"mask": mask} | ({} if self.concept == "recurrent_decoder" else {name: about_mask})
        return [ids, about], named


def _linear(name: str, dim: int, out: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.kernel": (dim, out), f"{name}.bias": (out,)}


def _under(group: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {f"{group}.{name}": shape for name, shape in shapes.items()}


def _attention(name: str, memory: int) -> dict[str, tuple[int, ...]]:
    widths = {"query": 8, "key": memory, "value": memory, "out": 8}
    return {key: shape for part, dim in widths.items() for key, shape in _linear(f"{name}.{part}", dim, 8).items()}


PLAIN = [
    Case("recurrent_decoder"),
    Case("recurrent_decoder", {"every_step": True}),
    Case("transformer_decoder"),
    Case("transformer_decoder", {"memory_dim": None, "tied": False}),
    Case("transformer_decoder", {"tied": False, "activation": "gelu", "epsilon": 1e-3, "heads": 1}),
    Case("visual_token_decoder"),
    Case("visual_token_decoder", {"projector": "linear", "tied": False}),
]


def cases(masks: tuple[str, ...] = MASKS, **changes: Any) -> list[Case]:
    """Every decoder with every mask."""
    return [
        case.variant(masked=masked, seed=10 * seed + number, **changes)
        for seed, case in enumerate(PLAIN)
        for number, masked in enumerate(masks)
    ]


BUILT = {"count", "dim", "hidden_size", "vector_dim", "layers", "length", "memory_dim", "tied", "projector"}


class Numpy:
    name = "numpy"

    @staticmethod
    def offers(case: Case) -> bool:
        return True

    @staticmethod
    def build(case: Case) -> Case:
        return case

    @staticmethod
    def call(module: Case, case: Case, **changes: Any) -> np.ndarray:
        given = {name: getattr(case, name) for name in ("ids", "about", "mask", "about_mask")} | changes
        parameters = given.pop("parameters", case.parameters)
        arrays, named = case.arguments(**given)
        options = {name: value for name, value in case.sizes.items() if name not in BUILT}
        function = getattr(mmcourse.decoders.numpy, case.concept)
        return function(*arrays, **named, **options, **parity.numpy_arguments(parameters))

    @staticmethod
    def gradients(module: Case, case: Case) -> Arrays:
        def loss(point: Arrays) -> float:
            about = point.get("about")
            parameters = {name: array for name, array in point.items() if name != "about"}
            logits = Numpy.call(module, case, parameters=parameters, **({} if about is None else {"about": about}))
            return float((logits * case.cotangent).sum())

        about = {} if case.about is None else {"about": case.about}
        return parity.central_differences(loss, case.parameters | about)


class Torch:
    name = "torch"

    @staticmethod
    def offers(case: Case) -> bool:
        return True

    @staticmethod
    def new(concept: str, **options: Any) -> torch.nn.Module:
        sizes = SIZES[concept] | options
        if concept == "visual_token_decoder":
            own = {name: sizes.pop(name) for name in ("projector",) if name in sizes}
            decoder = mmcourse.decoders.torch.TransformerDecoder(**sizes)
            return mmcourse.decoders.torch.VisualTokenDecoder(decoder, patch_dim=5, **own)
        return getattr(mmcourse.decoders.torch, CLASSES[concept])(**sizes)

    @staticmethod
    def build(case: Case) -> torch.nn.Module:
        module = Torch.new(case.concept, **case.options).to(getattr(torch, case.dtype))
        parity.transfer(case.parameters, module)
        return module

    @staticmethod
    def convert(array: Any) -> Any:
        return torch.tensor(array) if isinstance(array, np.ndarray) else array

    @staticmethod
    def result(module: Any, case: Case, **changes: Any) -> torch.Tensor:
        given = {name: getattr(case, name) for name in ("ids", "about", "mask", "about_mask")} | changes
        arrays, named = case.arguments(**{name: Torch.convert(array) for name, array in given.items()})
        return module(*arrays, **named)

    @staticmethod
    def call(module: Any, case: Case, **changes: Any) -> np.ndarray:
        return Torch.result(module, case, **changes).detach().numpy()

    @staticmethod
    def gradients(module: Any, case: Case) -> Arrays:
        about = None if case.about is None else torch.tensor(case.about).requires_grad_()
        wanted = dict(module.named_parameters()) | ({} if about is None else {"about": about})
        loss = (Torch.result(module, case, about=about) * torch.tensor(case.cotangent)).sum()
        return torch_gradients(loss, wanted)


class Keras:
    name = "keras"

    @staticmethod
    def offers(case: Case) -> bool:
        return case.concept in CLASSES

    @staticmethod
    def new(concept: str, **options: Any) -> keras.Layer:
        return getattr(mmcourse.decoders.keras, CLASSES[concept])(**SIZES[concept] | options)

    @staticmethod
    def build(case: Case) -> keras.Layer:
        layer = Keras.new(case.concept, **{"dtype": case.dtype} | dict(case.options))
        parity.transfer(case.parameters, layer)
        return layer

    @staticmethod
    def result(layer: Any, case: Case, **changes: Any) -> tf.Tensor:
        given = {name: getattr(case, name) for name in ("ids", "about", "mask", "about_mask")} | changes
        arrays, named = case.arguments(**given)
        return layer(*arrays, **named)

    @staticmethod
    def call(layer: Any, case: Case, **changes: Any) -> np.ndarray:
        return Keras.result(layer, case, **changes).numpy()

    @staticmethod
    def gradients(layer: Any, case: Case) -> Arrays:
        about = None if case.about is None else tf.Variable(case.about)
        wanted: Mapping[str, Any] = {name: v.value for name, v in parity.keras_variables(layer).items()}
        wanted = {**wanted, **({} if about is None else {"about": about})}
        with tf.GradientTape() as tape:
            given = None if about is None else tf.convert_to_tensor(about)
            loss = tf.reduce_sum(Keras.result(layer, case, about=given) * case.cotangent)
        found = tape.gradient(loss, list(wanted.values()))
        return {name: tf.convert_to_tensor(gradient).numpy() for name, gradient in zip(wanted, found, strict=True)}


HALVES = (Numpy, Torch, Keras)
TRAINABLE = (Torch, Keras)
