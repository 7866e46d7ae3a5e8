"""What does not fit is refused by all three halves with one error that names what came and what was wanted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from mmcourse.errors import DtypeError, EmptyBatchError, MaskError, ModalityError, NotFiniteError, ShapeError
from mmcourse.parity import parameters, relative_error
from tests.fusion.attention_halves import HALVES, MASKED, TRAINABLE, Arrays, Case, Keras, Numpy

over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)


class Fault(NamedTuple):
    error: type[ModalityError]
    message: str
    change: Callable[[Arrays], Arrays] = lambda x: x
    mask: Arrays | None = None


def keys(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], Arrays]:
    return lambda x: x | {"keys": function(x["keys"])}


def queries(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], Arrays]:
    return lambda x: x | {"queries": function(x["queries"])}


def spoiled(*rows: int) -> Callable[[np.ndarray], np.ndarray]:
    def spoil(x: np.ndarray) -> np.ndarray:
        x = x.copy()
        x[list(rows), 1, 1] = np.nan
        return x

    return spoil


NOTHING = {"keys": np.zeros((3, 5), bool), "queries": np.array([[True] * 4, [False] * 4, [True] * 4])}
FAULTS = {
    "rank 2": Fault(ShapeError, "keys: got shape (3, 5), wanted (batch, time, {dim})", keys(lambda x: x[..., 0])),
    "ids": Fault(
        DtypeError,
        "queries: got dtype int64, wanted a floating one (whole numbers are ids: embed them)",
        queries(lambda x: x.astype(np.int64)),
    ),
    "no rows": Fault(
        EmptyBatchError, "queries: got batch size 0, wanted at least 1", lambda x: {n: a[:0] for n, a in x.items()}
    ),
    "no steps": Fault(ShapeError, "keys: got 0 steps, wanted at least 1", keys(lambda x: x[:, :0])),
    "unequal batch": Fault(ShapeError, "keys: got batch size 2, wanted 3", keys(lambda x: x[:2])),
    "mask of numbers": Fault(MaskError, "mask of keys: got dtype float64, wanted bool", mask={"keys": np.ones((3, 5))}),
    "mask of another length": Fault(
        MaskError, "mask of keys: got shape (3, 4), wanted (3, 5)", mask={"keys": np.ones((3, 4), bool)}
    ),
    "mask of queries": Fault(
        MaskError, "mask of queries: got shape (3, 5), wanted (3, 4)", mask={"queries": np.ones((3, 5), bool)}
    ),
}
VALUE_FAULTS = {
    "NaN": Fault(
        NotFiniteError,
        "keys: got NaN or infinity in rows [0, 2], wanted finite numbers where present",
        keys(spoiled(0, 2)),
    ),
    "nothing at all": Fault(
        MaskError, "queries, keys: got no modality present in rows [1], wanted at least one in every row", mask=NOTHING
    ),
}


@over_halves
def test_sequences_that_do_not_fit_are_refused(half: Any) -> None:
    case = Case()
    module = half.build(case)
    for fault in (FAULTS | VALUE_FAULTS).values():
        with pytest.raises(fault.error) as caught:
            half.call(module, fault.change(case.inputs), fault.mask)
        wanted = fault.message.format(dim="width" if half is Numpy else case.key_dim)
        assert str(caught.value) == f"cross-attention: {wanted}"


@over_trainable
def test_structure_is_checked_even_without_value_checks(half: Any) -> None:
    case = Case()
    module = half.build(case, check_values=False)
    more = {
        "width": Fault(ShapeError, "keys: got width 2, wanted 3", keys(lambda x: x[..., 1:])),
        "dtype": Fault(DtypeError, "keys: got dtype float32, wanted float64", keys(lambda x: x.astype(np.float32))),
    }
    for fault in (FAULTS | more).values():
        with pytest.raises(fault.error) as caught:
            half.call(module, fault.change(case.inputs), fault.mask)
        assert str(caught.value) == f"cross-attention: {fault.message.format(dim=case.key_dim)}"


@over_trainable
def test_without_value_checks_a_row_without_anything_gets_zero(half: Any) -> None:
    for case in (Case(), Case("attention_pooling")):
        mask = {name: here for name, here in NOTHING.items() if name in case.inputs}
        output = half.call(half.build(case, check_values=False), case.inputs, mask)
        assert not output.any()


@over_halves
@pytest.mark.parametrize("concept", ["cross_attention", "attention_pooling"])
def test_heads_that_do_not_divide_the_width_are_refused(concept: str, half: Any) -> None:
    case = Case(concept, heads=3)
    with pytest.raises(ShapeError) as caught:
        half.call(half.build(case), case.inputs)
    assert (
        str(caught.value)
        == f"{concept.replace('_', ' ' if case.pooling else '-')}: heads: got 3, wanted a divisor of the width 4"
    )


def test_parameters_that_do_not_fit_are_refused_by_the_formulas() -> None:
    for case, name, wanted in (
        (Case(), "key.kernel", "cross-attention: key.kernel: got shape (1, 4), wanted (3, 4)"),
        (Case("attention_pooling"), "value.bias", "attention pooling: value.bias: got shape (1,), wanted (4,)"),
        (Case("attention_pooling"), "queries", "attention pooling: queries: got shape (4, 4, 1), wanted (count, dim)"),
    ):
        wrong = case.parameters[name][..., None] if name == "queries" else case.parameters[name][:1]
        with pytest.raises(ShapeError) as caught:
            Numpy.call(case, case.inputs, None, case.parameters | {name: wrong})
        assert str(caught.value) == wanted


# Keras in a graph, from a file, from its configuration


def model(case: Case, layer: keras.Layer) -> keras.Model:
    """Lengths and batch size are not known beforehand."""
    names = {"keys": "mask", "queries": "query_mask"}
    x = {name: keras.Input((None, a.shape[2]), name=name, dtype="float64") for name, a in case.inputs.items()}
    masks = {name: keras.Input((None,), dtype="bool", name=f"{name}_mask") for name in x}
    output = layer(*x.values(), **{names[name]: here for name, here in masks.items()})
    return keras.Model({"x": x, "mask": masks}, output)


# Keras converts its own variables in `save` by a call of NumPy 1's time.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@pytest.mark.parametrize("case", MASKED, ids=str)
def test_a_layer_saved_and_loaded_computes_the_same(case: Case, tmp_path: Path) -> None:
    layer = Keras.build(case)
    model(case, layer).save(tmp_path / "attention.keras")
    loaded = keras.saving.load_model(tmp_path / "attention.keras")
    wanted = Keras.call(layer, case.inputs, case.mask)
    assert relative_error(loaded({"x": case.inputs, "mask": case.mask}), wanted) <= 1e-12
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert {name: array.shape for name, array in parameters(again).items()} == case.shapes


@pytest.mark.parametrize("case", MASKED, ids=str)
def test_a_graph_computes_the_same_and_refuses_with_the_same_words(case: Case) -> None:
    layer = Keras.build(case)
    network = model(case, layer)
    run = tf.function(lambda x, mask: network({"x": x, "mask": mask}), reduce_retracing=True)
    assert relative_error(run(case.inputs, case.mask), Keras.call(layer, case.inputs, case.mask)) <= 1e-12
    everywhere = {name: np.ones(x.shape[:2], bool) for name, x in case.inputs.items()}
    name = "sequence" if case.pooling else "keys"
    sequences = {n: tf.TensorSpec((None, None, x.shape[2]), tf.float64) for n, x in case.inputs.items()}
    masks = {n: tf.TensorSpec((None, None), tf.bool) for n in case.inputs}
    call = tf.function(lambda x, mask: Keras.result(layer, x, mask), input_signature=(sequences, masks))
    whole = case.filled(0.5)
    bad = keys(spoiled(1))(whole)
    short = everywhere | {"keys": everywhere["keys"][:, :4]}
    for x, mask, wanted in (
        (bad, everywhere, f"{name}: got NaN or infinity in rows [1], wanted finite numbers where present"),
        (whole, short, f"mask{'' if case.pooling else ' of keys'}: got shape (3, 4), wanted (3, 5)"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            call(x, mask)
        assert wanted in str(caught.value)
    if not case.pooling:
        with pytest.raises(tf.errors.InvalidArgumentError, match="keys: got batch size 2, wanted 3"):
            call(whole | {"keys": whole["keys"][:2]}, everywhere | {"keys": everywhere["keys"][:2]})
