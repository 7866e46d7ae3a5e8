"""One face for NumPy, PyTorch and Keras, so that every test is written once.

CONCEPTS holds all that the tests know of each concept: a new fusion is one entry there, and every test tries it.
A case is a module of one concept with random widths, parameters, features and masks, all from its seed. A half builds
it, calls it, and gives the gradient of sum(output * cotangent) with respect to every parameter and every input; NumPy
by central differences.
"""

from collections.abc import Callable, Mapping
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
from tests.descent import keras_step, torch_gradients, torch_step

NAMES = ("text", "image", "speech", "depth")  # not in alphabetical order: an order must be kept, not made
Arrays = dict[str, np.ndarray]
Options = dict[str, Any]
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Concept:
    """What the tests know of one concept, written apart from the modules under test.

    module: the class of PyTorch and Keras;  formula: the function of NumPy
    choices: options with which it is tried, each without and with out_dim
    shapes: {parameter: shape} from widths and options, the projections of `projected` left out
    arguments: what the formula takes beside features, parameters and mask, from widths and options
    projected: parameters "projections.image" where there is an out_dim, and equal widths where there is none
    measured: the formula measures widths by its parameters; else it takes them as they come
    least, most: how many modalities it takes
    needs_out_dim: it has no form without projections
    alone: one modality changes the output where the others are missing
    nothing_present: what a row becomes in which all is missing, if values are not checked, from parameters and options
    """

    module: str
    formula: str
    choices: tuple[Options, ...]
    shapes: Callable[[dict[str, int], Options], Shapes]
    arguments: Callable[[dict[str, int], Options], dict[str, Any]] = lambda dims, options: {}
    projected: bool = True
    measured: bool = True
    needs_out_dim: bool = False
    alone: bool = True
    nothing_present: Callable[[Arrays, Options], Any] = lambda parameters, options: 0.0
    least: int = 1
    most: int = len(NAMES)

    def counts(self, wanted: tuple[int, ...]) -> list[int]:
        """The wanted counts of modalities, each moved to the nearest that it takes."""
        return sorted({min(max(count, self.least), self.most) for count in wanted})


def gate_shapes(dims: dict[str, int], options: Options) -> Shapes:
    width, hidden = options.get("out_dim") or next(iter(dims.values())), options["hidden_size"]
    if hidden is None:
        return {"score": (width,)}
    return {"kernel": (width, hidden), "bias": (hidden,), "score": (hidden,)}


def unit_shapes(dims: dict[str, int], options: Options) -> Shapes:
    width = options.get("out_dim") or next(iter(dims.values()))
    kernels = {f"kernels.{name}": (sum(dims.values()), width) for name in dims}
    return kernels | {f"biases.{name}": (width,) for name in dims}


def linear_shapes(dims: dict[str, int], options: Options) -> Shapes:
    out = options.get("out_dim")
    return {"kernel": (sum(dims.values()), out), "bias": (out,)} if out else {}


def product_shapes(dims: dict[str, int], options: Options) -> Shapes:
    return {"kernel": (*dims.values(), options["out_dim"]), "bias": (options["out_dim"],)}


def linear_part_shapes(dims: dict[str, int], options: Options) -> Shapes:
    return {f"linear.{name}": (dim, options["out_dim"]) for name, dim in dims.items()}


def low_rank_shapes(dims: dict[str, int], options: Options) -> Shapes:
    rank, out = options["rank"], options["out_dim"]
    factors = {f"factors.{name}": (rank, 1 + dim, out) for name, dim in dims.items()}
    return factors | {"weights": (rank,), "bias": (out,)}


def low_rank_of_constants(parameters: Arrays, options: Options) -> np.ndarray:
    constants = np.prod([x[:, 0] for name, x in parameters.items() if name.startswith("factors.")], axis=0)
    return parameters["weights"] @ constants + parameters["bias"]


def joint_shapes(dims: dict[str, int], options: Options) -> Shapes:
    hidden, out = options["hidden_size"], options["out_dim"]
    return {"kernel": (sum(dims.values()), hidden), "bias": (hidden,), "head": (hidden, out), "head_bias": (out,)}


def path_shapes(dims: dict[str, int], options: Options) -> Shapes:
    hidden, out = options["hidden_size"], options["out_dim"]
    kernels: Shapes = {f"kernels.{name}": (width, hidden) for name, width in dims.items()}
    biases: Shapes = {f"biases.{name}": (hidden,) for name in dims}
    return kernels | biases | {f"heads.{name}": (hidden, out) for name in dims}


def late_shapes(dims: dict[str, int], options: Options) -> Shapes:
    weights: Shapes = {f"weights.{name}": () for name in dims} if options.get("learned") else {}
    head_biases: Shapes = {f"head_biases.{name}": (options["out_dim"],) for name in dims}
    return path_shapes(dims, options) | head_biases | weights


def joint_path_of_nothing(parameters: Arrays, options: Options) -> np.ndarray:
    """What the joint path says where nothing came."""
    return np.tanh(parameters["bias"]) @ parameters["head"] + parameters["head_bias"]


# Classes that are put together from others or come before a fusion; each has a test file of its own.
COMPOSED = {"EncodedFusion", "LearnedAbsence", "ModalityDropout"}
# Formulas of NumPy with a test file of their own: parts of others, what is not symmetric, what reads sequences.
APART = {"attention_pooling", "cross_attention", "expand_factors", "film", "modality_dropout", "outer_product"}

# {where: concept}; an error begins with the name.
CONCEPTS = {
    "weighted sum": Concept(
        module="WeightedSumFusion",
        formula="weighted_sum",
        choices=({"softmax": False}, {"softmax": True}),
        shapes=lambda dims, options: {f"weights.{name}": () for name in dims},
        arguments=lambda dims, options: {"softmax": options.get("softmax", False)},
        nothing_present=lambda parameters, options: np.nan if options["softmax"] else 0.0,
    ),
    "gated fusion": Concept(
        module="GatedFusion",
        formula="gated_fusion",
        choices=({"hidden_size": None}, {"hidden_size": 3}),
        shapes=gate_shapes,
        nothing_present=lambda parameters, options: np.nan,
    ),
    "gated multimodal unit": Concept(
        module="GatedMultimodalUnit",
        formula="gated_multimodal_unit",
        choices=({"softmax": False}, {"softmax": True}),
        shapes=unit_shapes,
        arguments=lambda dims, options: {"modalities": list(dims), "softmax": options["softmax"]},
        nothing_present=lambda parameters, options: np.nan if options["softmax"] else 0.0,
    ),
    "concatenation": Concept(
        module="ConcatenationFusion",
        formula="concatenation",
        choices=({},),
        shapes=linear_shapes,
        arguments=lambda dims, options: {"modalities": list(dims)},
        projected=False,
        measured=False,
        nothing_present=lambda parameters, options: parameters["bias"],
    ),
    "bilinear fusion": Concept(
        module="BilinearFusion",
        formula="bilinear_fusion",
        choices=({},),
        shapes=product_shapes,
        arguments=lambda dims, options: {"modalities": list(dims)},
        projected=False,
        needs_out_dim=True,
        alone=False,  # a product with zero is zero
        nothing_present=lambda parameters, options: parameters["bias"],
        least=2,
        most=2,
    ),
    "multiplicative fusion": Concept(
        module="MultiplicativeFusion",
        formula="multiplicative_fusion",
        choices=({},),
        shapes=lambda dims, options: product_shapes(dims, options) | linear_part_shapes(dims, options),
        arguments=lambda dims, options: {"modalities": list(dims)},
        projected=False,
        needs_out_dim=True,
        nothing_present=lambda parameters, options: parameters["bias"],
        least=2,
        most=2,
    ),
    "tensor fusion": Concept(
        module="TensorFusion",
        formula="tensor_fusion",
        choices=({},),
        shapes=lambda dims, options: {"kernel": (*(1 + dim for dim in dims.values()), options["out_dim"])},
        arguments=lambda dims, options: {"modalities": list(dims)},
        projected=False,
        needs_out_dim=True,
        nothing_present=lambda parameters, options: parameters["kernel"].reshape(-1, options["out_dim"])[0],
    ),
    "low-rank fusion": Concept(
        module="LowRankFusion",
        formula="low_rank_fusion",
        choices=({"rank": 3},),
        shapes=low_rank_shapes,
        projected=False,
        needs_out_dim=True,
        nothing_present=low_rank_of_constants,
    ),
    "early fusion": Concept(
        module="EarlyFusion",
        formula="early_fusion",
        choices=({"hidden_size": 3},),
        shapes=joint_shapes,
        arguments=lambda dims, options: {"modalities": list(dims)},
        projected=False,
        needs_out_dim=True,
        measured=False,
        nothing_present=joint_path_of_nothing,
    ),
    "late fusion": Concept(
        module="LateFusion",
        formula="late_fusion",
        choices=(
            {"hidden_size": 3, "rule": "mean", "learned": True},
            {"hidden_size": 3, "rule": "product", "learned": True},
            {"hidden_size": 3, "rule": "product"},
        ),
        shapes=late_shapes,
        arguments=lambda dims, options: {"rule": options["rule"]},
        projected=False,
        needs_out_dim=True,
        nothing_present=lambda parameters, options: np.nan if options["rule"] == "mean" else -np.log(OUT),
    ),
    "hybrid fusion": Concept(
        module="HybridFusion",
        formula="hybrid_fusion",
        choices=({"hidden_size": 3},),
        shapes=lambda dims, options: joint_shapes(dims, options) | path_shapes(dims, options),
        arguments=lambda dims, options: {"modalities": list(dims)},
        projected=False,
        needs_out_dim=True,
        nothing_present=joint_path_of_nothing,
    ),
}
OUT = 5


@dataclass(frozen=True)
class Case:
    """One module and its inputs."""

    concept: str  # a name of CONCEPTS
    count: int
    options: Options = field(default_factory=dict)
    masked: bool = False
    seed: int = 0
    dtype: str = "float64"
    given: Arrays | None = None
    widths: dict[str, int] | None = None

    def __str__(self) -> str:
        words = [self.concept, str(self.count), *(f"{name}={value}" for name, value in self.options.items())]
        return "-".join(words + ["masked"] * self.masked + [self.dtype] * (self.dtype != "float64"))

    @property
    def known(self) -> Concept:
        return CONCEPTS[self.concept]

    @property
    def gated(self) -> bool:
        """Whether the module tells what weights it gives the modalities of each example."""
        return hasattr(getattr(mmcourse.fusion.torch, self.known.module), "gate")

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
        if self.known.projected and "out_dim" not in self.options:
            widths[:] = widths[0]
        return {name: int(width) for name, width in zip(NAMES, widths, strict=False)}

    @cached_property
    def shapes(self) -> Shapes:
        """{parameter: shape} as the formulas have it."""
        out = self.options.get("out_dim") if self.known.projected else None
        projections = {f"projections.{name}": (width, out) for name, width in self.dims.items()} if out else {}
        return projections | self.known.shapes(self.dims, self.options)

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
    """Every concept with every choice: its options, projections, mask, one to four modalities."""
    chosen = [
        (name, count, options | out, masked)
        for name, concept in CONCEPTS.items()
        for options, out, count, masked in product(
            concept.choices, ({}, {"out_dim": OUT})[concept.needs_out_dim :], concept.counts(counts), (False, True)
        )
    ]
    return [Case(*case, seed, **changes) for seed, case in enumerate(chosen)]


def of_each_concept(widths: dict[str, int], **changes: Any) -> dict[str, Case]:
    """{where: a case of the given widths, with projections}."""
    cases = {}
    for name, concept in CONCEPTS.items():
        (count,) = concept.counts((len(widths),))
        own = dict(list(widths.items())[:count])
        cases[name] = Case(name, count, concept.choices[-1] | {"out_dim": OUT}, widths=own, **changes)
    return cases


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
    def formula(case: Case, parameters: Arrays, features: Mapping[str, Any], mask: Any = None, **options: Any) -> Any:
        function = getattr(mmcourse.fusion.numpy, case.known.formula)
        arguments = case.known.arguments(case.dims, case.options) | parity.numpy_arguments(parameters)
        return function(features, mask=mask, **arguments, **options)

    @staticmethod
    def gate(case: Case, features: Arrays, mask: Arrays | None) -> np.ndarray:
        _, gate = Numpy.formula(case, case.parameters, features, mask, return_weights=True)
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
        return getattr(mmcourse.fusion.torch, CONCEPTS[concept].module)(dims, **options)

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
        return torch_gradients((output * torch.tensor(cotangent)).sum(), wanted)

    step = staticmethod(torch_step)


class Keras:
    name = "keras"

    @staticmethod
    def new(concept: str, dims: Mapping[str, int], **options: Any) -> keras.Layer:
        return getattr(mmcourse.fusion.keras, CONCEPTS[concept].module)(dims, **options)

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
        keras_step({variable.name: variable for variable in layer.trainable_variables}, gradients)


HALVES = (Numpy, Torch, Keras)
TRAINABLE = (Torch, Keras)
