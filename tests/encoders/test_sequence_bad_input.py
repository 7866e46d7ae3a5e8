"""What does not fit is refused by all three halves with one error that names what came and what was wanted."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from mmcourse.encoders.numpy import scaled_dot_product_attention
from mmcourse.errors import (
    DtypeError,
    EmptyBatchError,
    MaskError,
    ModalityError,
    NotFiniteError,
    ShapeError,
    UnknownModalityError,
)
from tests.encoders.sequence_halves import HALVES, TRAINABLE, Case, Numpy, Torch

WHERE = {
    "recurrent": "recurrent encoder",
    "lstm": "LSTM",
    "gru": "GRU",
    "self_attention": "self-attention",
    "learned_positions": "learned positions",
    "transformer_encoder": "transformer encoder",
}
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
over_concepts = pytest.mark.parametrize("concept", WHERE)


class Fault(NamedTuple):
    error: type[ModalityError]
    message: str
    sequence: Callable[[np.ndarray], np.ndarray] = lambda x: x
    mask: np.ndarray | None = None


def spoiled(value: float, *rows: int) -> Callable[[np.ndarray], np.ndarray]:
    def spoil(x: np.ndarray) -> np.ndarray:
        x = x.copy()
        x[list(rows), 2, 1] = value
        return x

    return spoil


def without(row: int, *steps: int) -> np.ndarray:
    mask = np.ones((3, 5), bool)
    mask[row, list(steps)] = False
    return mask


FAULTS = {
    "rank 2": Fault(ShapeError, "sequence: got shape (3, 5), wanted (batch, time, {dim})", lambda x: x[:, :, 0]),
    "rank 4": Fault(
        ShapeError, "sequence: got shape (3, 5, {width}, 1), wanted (batch, time, {dim})", lambda x: x[..., None]
    ),
    "ids": Fault(
        DtypeError,
        "sequence: got dtype int64, wanted a floating one (whole numbers are ids: embed them)",
        lambda x: x.astype(np.int64),
    ),
    "empty batch": Fault(EmptyBatchError, "sequence: got batch size 0, wanted at least 1", lambda x: x[:0]),
    "no steps": Fault(ShapeError, "sequence: got 0 steps, wanted at least 1", lambda x: x[:, :0]),
    "mask of numbers": Fault(MaskError, "mask: got dtype float64, wanted bool", mask=np.ones((3, 5))),
    "mask of rank 1": Fault(MaskError, "mask: got shape (3,), wanted (3, 5)", mask=np.ones(3, bool)),
    "mask of rank 3": Fault(MaskError, "mask: got shape (3, 5, 1), wanted (3, 5)", mask=np.ones((3, 5, 1), bool)),
    "mask of another length": Fault(MaskError, "mask: got shape (3, 4), wanted (3, 5)", mask=np.ones((3, 4), bool)),
    "mask of one row": Fault(MaskError, "mask: got shape (1, 5), wanted (3, 5)", mask=np.ones((1, 5), bool)),
}
VALUE_FAULTS = {
    "NaN": Fault(
        NotFiniteError, "sequence: got NaN or infinity in rows [0, 2], wanted finite numbers where present",
        spoiled(np.nan, 0, 2),
    ),
    "infinity": Fault(
        NotFiniteError, "sequence: got NaN or infinity in rows [1], wanted finite numbers where present",
        spoiled(-np.inf, 1),
    ),
    "NaN beside a masked step": Fault(
        NotFiniteError, "sequence: got NaN or infinity in rows [1], wanted finite numbers where present",
        spoiled(np.nan, 0, 1), without(0, 2),
    ),
    "all masked": Fault(
        MaskError, "sequence: got no step present in rows [1], wanted at least one in every row",
        mask=without(1, 0, 1, 2, 3, 4),
    ),
}  # fmt: skip


@over_halves
@over_concepts
def test_sequences_that_do_not_fit_are_refused(concept: str, half: Any) -> None:
    case = Case(concept)
    module, width = half.build(case), case.sizes["dim"]
    for fault in (FAULTS | VALUE_FAULTS).values():
        with pytest.raises(fault.error) as caught:
            half.call(module, fault.sequence(case.sequence), fault.mask)
        wanted = fault.message.format(width=width, dim="width" if half is Numpy else width)
        assert str(caught.value) == f"{WHERE[concept]}: {wanted}"
        assert type(caught.value) is fault.error


@over_trainable
@over_concepts
def test_structure_is_checked_even_without_value_checks(concept: str, half: Any) -> None:
    case = Case(concept)
    module, width = half.build(case, check_values=False), case.sizes["dim"]
    for fault in FAULTS.values():
        with pytest.raises(fault.error) as caught:
            half.call(module, fault.sequence(case.sequence), fault.mask)
        assert str(caught.value) == f"{WHERE[concept]}: {fault.message.format(width=width, dim=width)}"


@over_trainable
@over_concepts
def test_another_width_and_another_dtype_are_refused(concept: str, half: Any) -> None:
    case = Case(concept)
    module, x, width = half.build(case), case.sequence, case.sizes["dim"]
    faults: list[tuple[type[ModalityError], str, tuple[Any, ...]]] = [
        (ShapeError, f"sequence: got width {width - 1}, wanted {width}", (x[..., 1:],)),
        (DtypeError, "sequence: got dtype float32, wanted float64", (x.astype(np.float32),)),
    ]
    if half is Torch:  # Keras itself refuses what is no array
        faults += [
            (DtypeError, "sequence: got list, wanted a torch.Tensor", (x.tolist(),)),
            (DtypeError, "mask: got list, wanted a torch.Tensor", (x, np.ones((3, 5), bool).tolist())),
        ]
    for error, message, arguments in faults:
        with pytest.raises(error) as caught:
            half.call(module, *arguments)
        assert str(caught.value) == f"{WHERE[concept]}: {message}"


@over_halves
def test_ids_that_do_not_fit_are_refused(half: Any) -> None:
    case = Case("embedding")
    module, ids = half.build(case), np.array([[1, 2], [5, 0], [3, 3]])
    most = np.array([[True, True], [False, False], [True, False]])
    faults: list[tuple[type[ModalityError], str, np.ndarray, np.ndarray | None]] = [
        (ShapeError, "ids: got shape (2,), wanted (batch, time)", ids[0], None),
        (ShapeError, "ids: got shape (3, 2, 1), wanted (batch, time)", ids[..., None], None),
        (DtypeError, "ids: got dtype float64, wanted int64 or int32", ids.astype(float), None),
        (DtypeError, "ids: got dtype bool, wanted int64 or int32", ids > 0, None),
        (EmptyBatchError, "ids: got batch size 0, wanted at least 1", ids[:0], None),
        (ShapeError, "ids: got 0 steps, wanted at least 1", ids[:, :0], None),
        (ModalityError, "ids: got an id of no vector in rows [1], wanted 0 to 5", ids + (ids == 5), None),
        (ModalityError, "ids: got an id of no vector in rows [1], wanted 0 to 5", ids - (ids == 0), None),
        (MaskError, "ids: got no step present in rows [1], wanted at least one in every row", ids, most),
        (MaskError, "mask: got shape (2, 2), wanted (3, 2)", ids, most[:2]),
        (MaskError, "mask: got dtype int64, wanted bool", ids, most.astype(np.int64)),
    ]
    for error, message, sequence, mask in faults:
        with pytest.raises(error) as caught:
            half.call(module, sequence, mask)
        assert str(caught.value) == f"embedding: {message}"
    assert half.call(module, ids.astype(np.int32))[0].shape == (3, 2, 3)


@over_halves
def test_a_sequence_longer_than_its_positions_is_refused(half: Any) -> None:
    case = Case("learned_positions", {"length": 4})
    with pytest.raises(ShapeError) as caught:
        half.call(half.build(case), case.sequence)
    assert str(caught.value) == "learned positions: sequence: got 5 steps, wanted at most 4, one a position"


@over_halves
@pytest.mark.parametrize("concept", ["recurrent", "lstm", "gru"])
def test_states_to_begin_with_that_do_not_fit_are_refused(concept: str, half: Any) -> None:
    case = Case(concept)
    module, states = half.build(case), case.initial_state
    with pytest.raises(ShapeError) as caught:
        half.call(module, case.sequence, None, [*states[:-1], states[-1][:1]])
    assert str(caught.value) == f"{WHERE[concept]}: initial_state: got shape (1, 2), wanted (3, 2)"
    if concept == "lstm":
        with pytest.raises(ShapeError) as caught:
            half.call(module, case.sequence, None, [*states, states[0]])
        assert str(caught.value) == "LSTM: initial_state: got 3 arrays, wanted 2, hidden and cell"


@over_halves
@pytest.mark.parametrize("concept", ["self_attention", "transformer_encoder"])
def test_heads_that_do_not_fit_are_refused(concept: str, half: Any) -> None:
    faults: dict[str, dict[str, Any]] = {
        "heads: got 3, wanted a divisor of the width 4": {"heads": 3},
        "heads: got width 0, wanted a whole number above 0": {"heads": 0},
        "heads: got 4 of width 1, wanted heads of an even width, which is turned in pairs": {
            "heads": 4,
            "rotary": True,
        },
    }
    for message, options in faults.items():
        case = Case(concept, options)
        with pytest.raises(ShapeError) as caught:
            half.call(half.build(case), case.sequence)
        assert str(caught.value) == f"{WHERE[concept]}: {message}"
    if concept == "transformer_encoder":
        case = Case(concept, {"activation": "tanh"})
        with pytest.raises(ValueError, match="transformer encoder: activation: got 'tanh', wanted 'relu' or 'gelu'"):
            half.call(half.build(case), case.sequence)


@over_trainable
@pytest.mark.parametrize(
    ("concept", "options", "message"),
    [
        ("embedding", {"count": 0}, "embedding: count: got width 0"),
        ("embedding", {"out_dim": 0}, "embedding: out_dim: got width 0"),
        ("lstm", {"hidden_size": 0}, "LSTM: hidden_size: got width 0"),
        ("gru", {"dim": 2.5}, "GRU: dim: got width 2.5, wanted a whole number above 0"),
        ("learned_positions", {"length": 0}, "learned positions: length: got width 0"),
        ("transformer_encoder", {"layers": 0}, "transformer encoder: layers: got width 0"),
        ("transformer_encoder", {"hidden_size": 0}, "transformer encoder: hidden_size: got width 0"),
        ("self_attention", {"dim": -2}, "self-attention: dim: got width -2"),
    ],
)
def test_sizes_that_cannot_be_are_refused(concept: str, options: dict[str, Any], message: str, half: Any) -> None:
    with pytest.raises(ShapeError) as caught:
        half.new(concept, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("concept", "name", "wrong", "message"),
    [
        ("embedding", "vectors", np.ones(6), "embedding: vectors: got shape (6,), wanted (6, 1)"),
        ("recurrent", "kernel", np.ones((4, 2)), "recurrent encoder: kernel: got shape (4, 2), wanted (3, 2)"),
        ("lstm", "kernel", np.ones((3, 6)), "LSTM: kernel: got shape (3, 6), wanted (3, 8)"),
        ("gru", "recurrent_bias", np.ones(2), "GRU: recurrent_bias: got shape (2,), wanted (6,)"),
        ("lstm", "reverse.bias", np.ones(2), "LSTM: reverse.bias: got shape (2,), wanted (8,)"),
        (
            "self_attention", "key.kernel", np.ones((4, 2)),
            "self-attention: key.kernel: got shape (4, 2), wanted (4, 4)",
        ),
        (
            "transformer_encoder", "layers.0.feed_forward.out.kernel", np.ones((3, 3)),
            "transformer encoder: layers.0.feed_forward.out.kernel: got shape (3, 3), wanted (3, 4)",
        ),
        (
            "transformer_encoder", "layers.0.attention_norm.scale", np.ones(3),
            "transformer encoder: layers.0.attention_norm.scale: got shape (3,), wanted (4,)",
        ),
        (
            "learned_positions", "vectors", np.ones((7, 2)),
            "learned positions: vectors: got shape (7, 2), wanted (7, 3)",
        ),
    ],
)  # fmt: skip
def test_the_formulas_refuse_parameters_that_do_not_fit(
    concept: str, name: str, wrong: np.ndarray, message: str
) -> None:
    case = Case(concept, {"bidirectional": True} if name.startswith("reverse") else {})
    with pytest.raises(ShapeError) as caught:
        Numpy.formula(case, case.parameters | {name: wrong}, case.sequence, None)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("concept", "name", "message"),
    [
        ("self_attention", "value.bias", "self-attention: value.bias: got no parameter, wanted one"),
        ("gru", "reverse.recurrent_bias", "GRU: reverse.recurrent_bias: got no parameter, wanted one"),
        (
            "transformer_encoder", "layers.0.feed_forward.hidden.kernel",
            "transformer encoder: layers.0.feed_forward.hidden.kernel: got no parameter, wanted one",
        ),
        (
            "transformer_encoder", "final_norm.bias",
            "transformer encoder: final_norm.bias: got no parameter, wanted one",
        ),
    ],
)  # fmt: skip
def test_the_formulas_name_a_parameter_that_is_absent_or_unknown(concept: str, name: str, message: str) -> None:
    case = Case(concept, {"bidirectional": True} if name.startswith("reverse") else {})
    fewer = {other: array for other, array in case.parameters.items() if other != name}
    with pytest.raises(UnknownModalityError) as caught:
        Numpy.formula(case, fewer, case.sequence, None)
    assert str(caught.value) == message
    unknown = f"{name.rpartition('.')[0]}.gain"
    with pytest.raises(UnknownModalityError, match=f"{unknown}: got a parameter, wanted"):
        Numpy.formula(case, case.parameters | {unknown: np.ones(1)}, case.sequence, None)


def test_layers_are_counted_from_nought() -> None:
    case = Case("transformer_encoder")
    moved = {name.replace("layers.0", "layers.1"): array for name, array in case.parameters.items()}
    with pytest.raises(UnknownModalityError, match=r"transformer encoder: layers.0: got no parameter, wanted one"):
        Numpy.formula(case, moved, case.sequence, None)
    with pytest.raises(TypeError, match="self-attention: key: got ndarray, wanted a mapping from name to parameter"):
        Numpy.formula(Case("self_attention"), {"key": np.ones(3), **rest("key")}, case.sequence, None)


def rest(left_out: str) -> dict[str, np.ndarray]:
    parameters = Case("self_attention").parameters
    return {name: array for name, array in parameters.items() if not name.startswith(left_out)}


def test_a_query_that_sees_no_key_is_refused() -> None:
    x = np.ones((2, 3))
    with pytest.raises(MaskError, match="attention: allowed: got a query that sees no key, wanted one at least"):
        scaled_dot_product_attention(x, x, x, allowed=np.array([[True, False], [False, False]]))


@over_concepts
def test_torch_autocast_may_mix_dtypes(concept: str) -> None:
    case = Case(concept, dtype="float32")
    module, x = Torch.build(case), torch.tensor(case.sequence).bfloat16()
    with pytest.raises(DtypeError):
        module(x)
    with torch.autocast("cpu", torch.bfloat16):
        result = module(x)
    outputs = result[0] if isinstance(result, tuple) else result
    np.testing.assert_allclose(outputs.detach().float(), Torch.call(module, case.sequence)[0], rtol=0.1, atol=0.1)
