"""What does not fit is refused by all three halves with one error that names modality, got and wanted."""

import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf
import torch

from mmcourse.errors import (
    DtypeError,
    EmptyBatchError,
    MaskError,
    ModalityError,
    NotFiniteError,
    ShapeError,
    UnknownModalityError,
)
from mmcourse.fusion.numpy import concatenation, gated_fusion, weighted_sum
from tests.fusion.halves import (
    CONCEPTS,
    HALVES,
    OUT,
    TRAINABLE,
    Arrays,
    Case,
    Keras,
    Numpy,
    Options,
    Torch,
    of_each_concept,
)

DIMS = {"text": 4, "image": 3}
ROWS = 12
CASES = of_each_concept(DIMS)
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
over_concepts = pytest.mark.parametrize("where", CASES)


def whole() -> Arrays:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(ROWS, width)) for name, width in DIMS.items()}


def spoiled(modality: str, rows: list[int], value: float) -> Arrays:
    features = whole()
    features[modality][rows, 1] = value
    return features


def without(*rows: int) -> np.ndarray:
    return ~np.isin(np.arange(ROWS), rows)


class Fault(NamedTuple):
    error: type[ModalityError]
    message: str
    features: Callable[[], Arrays] = whole
    mask: Arrays | None = None


FAULTS = {
    "unknown name": Fault(
        UnknownModalityError,
        "sound: got features of an unknown modality, wanted text or image",
        lambda: whole() | {"sound": np.zeros((ROWS, 2))},
    ),
    "missing name": Fault(
        UnknownModalityError,
        "image: got no features, wanted an entry for each of text, image",
        lambda: {"text": whole()["text"]},
    ),
    "rank 1": Fault(
        ShapeError, "text: got shape (4,), wanted (batch, {text})", lambda: whole() | {"text": np.zeros(4)}
    ),
    "rank 3": Fault(
        ShapeError,
        "image: got shape (12, 3, 1), wanted (batch, {image})",
        lambda: whole() | {"image": np.zeros((ROWS, 3, 1))},
    ),
    "whole numbers": Fault(
        DtypeError,
        "image: got dtype int64, wanted a floating one (whole numbers must be scaled first)",
        lambda: whole() | {"image": np.zeros((ROWS, 3), np.int64)},
    ),
    "bytes": Fault(
        DtypeError,
        "image: got dtype uint8, wanted a floating one (whole numbers must be scaled first)",
        lambda: whole() | {"image": np.zeros((ROWS, 3), np.uint8)},
    ),
    "empty batch": Fault(
        EmptyBatchError,
        "text: got batch size 0, wanted at least 1",
        lambda: {name: x[:0] for name, x in whole().items()},
    ),
    "unequal batch": Fault(
        ShapeError, "image: got batch size 1, wanted 12", lambda: whole() | {"image": np.zeros((1, 3))}
    ),
    "mask of an unknown name": Fault(
        UnknownModalityError,
        "sound: got mask of an unknown modality, wanted text or image",
        mask={"sound": without(1)},
    ),
    "mask of numbers": Fault(
        MaskError, "image: got mask of dtype float32, wanted bool", mask={"image": without(1).astype(np.float32)}
    ),
    "mask of rank 2": Fault(
        MaskError, "image: got mask of shape (12, 1), wanted (12,)", mask={"image": without(1)[:, None]}
    ),
    "mask of another length": Fault(
        MaskError, "image: got mask of shape (5,), wanted (12,)", mask={"image": without(1)[:5]}
    ),
}
VALUE_FAULTS = {
    "NaN": Fault(
        NotFiniteError,
        "image: got NaN or infinity in rows [3, 7], wanted finite numbers where present",
        lambda: spoiled("image", [3, 7], np.nan),
    ),
    "infinity": Fault(
        NotFiniteError,
        "text: got NaN or infinity in rows [0], wanted finite numbers where present",
        lambda: spoiled("text", [0], -np.inf),
    ),
    "NaN in many rows": Fault(
        NotFiniteError,
        "text: got NaN or infinity in rows [2, 3, 4, 5, 6, ...], wanted finite numbers where present",
        lambda: spoiled("text", list(range(2, 9)), np.nan),
    ),
    "NaN beside a missing row": Fault(
        NotFiniteError,
        "text: got NaN or infinity in rows [6], wanted finite numbers where present",
        lambda: spoiled("text", [4, 6], np.nan),
        {"text": without(4)},
    ),
    "all missing": Fault(
        MaskError,
        "text, image: got no modality present in rows [4], wanted at least one in every row",
        mask={"text": without(1, 4), "image": without(2, 4)},
    ),
}


@over_halves
@over_concepts
@pytest.mark.parametrize("name", FAULTS | VALUE_FAULTS)
def test_refuses(name: str, where: str, half: Any) -> None:
    fault = (FAULTS | VALUE_FAULTS)[name]
    widths: dict[str, Any] = DIMS
    if half is Numpy and not CONCEPTS[where].measured:
        widths = dict.fromkeys(DIMS, "width")
    with pytest.raises(fault.error) as caught:
        half.call(half.build(CASES[where]), fault.features(), fault.mask)
    assert str(caught.value) == f"{where}: {fault.message.format(**widths)}"
    assert type(caught.value) is fault.error


@over_halves
@over_concepts
def test_refuses_another_width(where: str, half: Any) -> None:
    features = whole() | {"image": np.zeros((ROWS, 8))}
    wanted = f"{where}: image: got width 8, wanted 3$"
    if half is Numpy and not CONCEPTS[where].measured:  # a parameter is found not to fit
        wanted = rf"{where}: \w+: got shape \(.*\), wanted \(.*\)$"
    with pytest.raises(ShapeError, match=wanted):
        half.call(half.build(CASES[where]), features)


@over_halves
@over_concepts
@pytest.mark.parametrize("masked", [False, True], ids=["features", "mask"])
def test_refuses_what_is_no_mapping(masked: bool, where: str, half: Any) -> None:
    array = np.zeros((ROWS, 4))
    arguments = (whole(), without(1)) if masked else (array, None)
    with pytest.raises(TypeError, match=f"{where}: {'mask' if masked else 'features'}: got .*, wanted a mapping"):
        half.call(half.build(CASES[where]), *arguments)


@over_trainable
@over_concepts
def test_refuses_a_dtype_unlike_its_own(where: str, half: Any) -> None:
    features = whole() | {"image": np.zeros((ROWS, 3), np.float32)}
    with pytest.raises(DtypeError) as caught:
        half.call(half.build(CASES[where]), features)
    assert str(caught.value) == f"{where}: image: got dtype float32, wanted float64"


@over_concepts
def test_torch_refuses_what_is_no_tensor(where: str) -> None:
    with pytest.raises(DtypeError) as caught:
        Torch.build(CASES[where])(whole())
    assert str(caught.value) == f"{where}: text: got ndarray, wanted a torch.Tensor"


@over_trainable
@over_concepts
def test_structure_is_checked_even_without_value_checks(where: str, half: Any) -> None:
    module = half.build(CASES[where], check_values=False)
    for fault in FAULTS.values():
        with pytest.raises(fault.error) as caught:
            half.call(module, fault.features(), fault.mask)
        assert str(caught.value) == f"{where}: {fault.message.format(**DIMS)}"


@over_trainable
@over_concepts
def test_without_value_checks_nan_passes_into_its_own_row(where: str, half: Any) -> None:
    output = half.call(half.build(CASES[where], check_values=False), spoiled("image", [3, 7], np.nan))
    np.testing.assert_array_equal(np.isnan(output).any(axis=1), ~without(3, 7))


@over_trainable
@pytest.mark.parametrize(
    ("where", "options"), [(where, options) for where, concept in CONCEPTS.items() for options in concept.choices]
)
def test_without_value_checks_a_row_without_modalities_becomes_what_its_concept_says(
    where: str, options: Options, half: Any
) -> None:
    case = CASES[where].variant(options=options | {"out_dim": OUT})
    output = half.call(half.build(case, check_values=False), whole(), {"text": without(4), "image": without(4)})
    wanted = case.known.nothing_present(case.parameters, case.options)
    np.testing.assert_allclose(output[4], np.broadcast_to(wanted, OUT), rtol=1e-12)
    assert np.isfinite(output[without(4)]).all()


@over_halves
@pytest.mark.parametrize("where", [where for where, concept in CONCEPTS.items() if concept.projected])
@pytest.mark.parametrize(("widths", "named", "got", "wanted"), [
    ({"text": 4, "image": 3}, "image", 3, 4),
    ({"text": 4, "image": 3, "speech": 3}, "text", 4, 3),
])  # fmt: skip
def test_without_projections_equal_widths_are_needed(
    widths: dict[str, int], named: str, got: int, wanted: int, where: str, half: Any
) -> None:
    case = Case(where, len(widths), CONCEPTS[where].choices[-1], widths=widths)
    with pytest.raises(ShapeError) as caught:
        half.call(half.build(case), {name: np.zeros((2, width)) for name, width in widths.items()})
    assert str(caught.value) == f"{where}: {named}: got width {got}, wanted {wanted}"


@over_trainable
@pytest.mark.parametrize(
    ("concept", "dims", "options", "error", "message"),
    [
        ("weighted sum", {}, {}, UnknownModalityError, "weighted sum: dims: got no modality, wanted at least one"),
        ("weighted sum", {"a.b": 3}, {}, UnknownModalityError, "got the name 'a.b', wanted text without . and /"),
        ("weighted sum", {"text": 0}, {}, ShapeError, "weighted sum: text: got width 0, wanted a whole number above 0"),
        ("gated fusion", {"text": 2.5}, {"hidden_size": 3}, ShapeError, "text: got width 2.5, wanted a whole"),
        ("concatenation", DIMS, {"out_dim": 0}, ShapeError, "out_dim: got width 0, wanted a whole number above 0"),
        ("gated fusion", DIMS, {"out_dim": -1, "hidden_size": 3}, ShapeError, "out_dim: got width -1"),
        ("gated fusion", DIMS, {"out_dim": 2, "hidden_size": 0}, ShapeError, "hidden_size: got width 0"),
        (
            "weighted sum",
            {"text": 3, "image": 3},
            {"weights": {"text": 1.0}},
            UnknownModalityError,
            "weighted sum: image: got no weight, wanted an entry for each of text, image",
        ),
        (
            "weighted sum",
            {"text": 3},
            {"weights": {"text": 1.0, "sound": 1.0}},
            UnknownModalityError,
            "weighted sum: sound: got weight of an unknown modality, wanted text",
        ),
    ],
)
def test_refuses_to_be_built(
    concept: str, dims: Any, options: Any, error: type[ModalityError], message: str, half: Any
) -> None:
    with pytest.raises(error) as caught:
        half.new(concept, dims, **options)
    assert message in str(caught.value)


@over_trainable
def test_dims_must_be_a_mapping(half: Any) -> None:
    with pytest.raises(TypeError, match="weighted sum: dims: got list, wanted a mapping"):
        half.new("weighted sum", ["text", "image"])


def test_a_name_that_pytorch_uses_itself_is_refused() -> None:
    with pytest.raises(UnknownModalityError, match="weighted sum: items: got the name 'items', which the dictionaries"):
        Torch.new("weighted sum", {"items": 3}, out_dim=2)


X = {"text": np.ones((2, 4)), "image": np.ones((2, 3))}
P = {"text": np.ones((4, 5)), "image": np.ones((3, 5))}
GATE = {"kernel": np.ones((5, 2)), "bias": np.ones(2), "score": np.ones(2)}


@pytest.mark.parametrize(
    ("attempt", "error", "message"),
    [
        (
            lambda: weighted_sum(X, {"text": 1, "image": 1}, projections=P | {"image": np.ones((3, 4))}),
            ShapeError, "weighted sum: image: got projection to 4, wanted 5",
        ),
        (
            lambda: weighted_sum(X, {"text": 1, "image": 1}, projections=P | {"image": np.ones(3)}),
            ShapeError, "weighted sum: image: got projection of shape (3,), wanted (width, out)",
        ),
        (
            lambda: weighted_sum(X, {"text": 1, "image": 1}, projections={"text": P["text"]}),
            UnknownModalityError, "weighted sum: image: got no projection, wanted an entry for each of text, image",
        ),
        (
            lambda: weighted_sum(X, {"text": 1, "image": [1, 2]}, projections=P),
            ShapeError, "weighted sum: weights.image: got shape (2,), wanted ()",
        ),
        (
            lambda: weighted_sum(X, {"text": 1}, projections=P),
            UnknownModalityError, "weighted sum: image: got projection of an unknown modality, wanted text",
        ),
        (
            lambda: gated_fusion(X, projections=P, **GATE | {"kernel": np.ones((2, 5))}),
            ShapeError, "gated fusion: kernel: got shape (2, 5), wanted (5, 2)",
        ),
        (
            lambda: gated_fusion(X, projections=P, **GATE | {"bias": np.ones(3)}),
            ShapeError, "gated fusion: bias: got shape (3,), wanted (2,)",
        ),
        (
            lambda: gated_fusion(X, projections=P, **GATE | {"score": 1.0}),
            ShapeError, "gated fusion: score: got shape (), wanted (1,)",
        ),
        (
            lambda: gated_fusion(X, projections=P, score=np.ones(2)),
            ShapeError, "gated fusion: score: got shape (2,), wanted (5,)",
        ),
        (
            lambda: gated_fusion(X, projections=P, kernel=np.ones((5, 2)), score=np.ones(2)),
            ShapeError, "gated fusion: kernel: got one without a bias, wanted both or neither",
        ),
        (
            lambda: gated_fusion(X, projections=P, bias=np.ones(2), score=np.ones(2)),
            ShapeError, "gated fusion: bias: got one without a kernel, wanted both or neither",
        ),
        (
            lambda: concatenation(X, ["text", "image"], kernel=np.ones((7, 5)), bias=np.ones(7)),
            ShapeError, "concatenation: bias: got shape (7,), wanted (5,)",
        ),
        (
            lambda: concatenation(X, ["text", "image"], bias=np.ones(7)),
            ShapeError, "concatenation: bias: got one without a kernel, wanted both or neither",
        ),
    ],
)  # fmt: skip
def test_the_formulas_refuse_parameters_that_do_not_fit(attempt: Any, error: type[ModalityError], message: str) -> None:
    with pytest.raises(error) as caught:
        attempt()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("where", "attempt"),
    [
        ("weighted sum", lambda: weighted_sum({}, {})),
        ("weighted sum", lambda: weighted_sum({}, {}, projections={})),
        ("gated fusion", lambda: gated_fusion({}, **GATE)),
        ("concatenation", lambda: concatenation({}, [])),
    ],
)
def test_the_formulas_refuse_to_fuse_nothing(where: str, attempt: Any) -> None:
    with pytest.raises(UnknownModalityError) as caught:
        attempt()
    assert str(caught.value) == f"{where}: features: got no modality, wanted at least one"


def test_an_error_tells_its_parts_and_crosses_processes() -> None:
    error = pickle.loads(pickle.dumps(ShapeError("image", got="width 12", wanted=8, where="weighted sum")))
    assert type(error) is ShapeError
    assert isinstance(error, ValueError)
    assert (error.modality, error.got, error.wanted, error.where) == ("image", "width 12", 8, "weighted sum")
    assert str(error) == "weighted sum: image: got width 12, wanted 8"
    assert str(ShapeError("image", got="width 12", wanted=8)) == "image: got width 12, wanted 8"


def test_torch_autocast_may_mix_dtypes() -> None:
    case = Case("gated fusion", 2, {"out_dim": 5, "hidden_size": 3}, dtype="float32")
    module, features = Torch.build(case), Torch.convert(case.features)
    features["text"] = features["text"].bfloat16()
    with pytest.raises(DtypeError):
        module(features)
    with torch.autocast("cpu", torch.bfloat16):
        fused = module(features)
    assert torch.isfinite(fused).all()


def test_keras_mixed_precision_computes_in_the_smaller_dtype() -> None:
    case = Case("gated fusion", 2, {"out_dim": 5, "hidden_size": 3}, dtype="float32")
    layer = Keras.build(case, dtype="mixed_float16")
    half_precision = {name: tf.constant(x, tf.float16) for name, x in case.features.items()}
    fused = layer(half_precision)
    assert fused.dtype == tf.float16
    np.testing.assert_allclose(fused, Keras.call(Keras.build(case), case.features), rtol=0.02, atol=0.02)
    with pytest.raises(DtypeError, match="got dtype float32, wanted float16"):
        layer(case.features)
