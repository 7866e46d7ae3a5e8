"""What does not fit is refused by all three halves with one error that names what came and what was wanted."""

from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from mmcourse.errors import DtypeError, EmptyBatchError, ModalityError, NotFiniteError, ShapeError
from tests.alignment.halves import HALVES, TRAINABLE, Arrays, Case, Keras, Torch, of_each_loss

over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
over_losses = pytest.mark.parametrize("case", of_each_loss(batch=8), ids=str)
GROUPED = [case for case in of_each_loss(batch=8) if case.grouped]
WHOLE = {name: np.random.default_rng(seed).normal(size=(8, 4)) for seed, name in enumerate(("image", "text"))}


class Fault(NamedTuple):
    error: type[ModalityError]
    message: str
    arrays: Arrays


def spoiled(name: str, rows: list[int], value: float) -> Arrays:
    array = WHOLE[name].copy()
    array[rows] = value
    return {name: array}


FAULTS = {
    "rank 1": Fault(ShapeError, "text: got shape (4,), wanted (batch, width)", {"text": np.ones(4)}),
    "rank 3": Fault(ShapeError, "image: got shape (8, 4, 1), wanted (batch, width)", {"image": np.ones((8, 4, 1))}),
    "whole numbers": Fault(
        DtypeError,
        "image: got dtype int64, wanted a floating one (whole numbers must be scaled first)",
        {"image": np.ones((8, 4), np.int64)},
    ),
    "unequal batch": Fault(ShapeError, "text: got batch size 7, wanted 8", {"text": np.ones((7, 4))}),
    "unequal width": Fault(ShapeError, "text: got width 5, wanted 4", {"text": np.ones((8, 5))}),
    "no width": Fault(
        ShapeError, "image: got width 0, wanted a whole number above 0", {name: np.ones((8, 0)) for name in WHOLE}
    ),
    "unequal dtype": Fault(
        DtypeError, "text: got dtype float32, wanted float64 as the image", {"text": np.ones((8, 4), np.float32)}
    ),
    "empty batch": Fault(
        EmptyBatchError, "image: got batch size 0, wanted at least 1", {name: np.ones((0, 4)) for name in WHOLE}
    ),
}
VALUE_FAULTS = {
    "NaN": Fault(
        NotFiniteError,
        "image: got NaN or infinity in rows [3, 7], wanted finite numbers where present",
        spoiled("image", [3, 7], np.nan),
    ),
    "infinity": Fault(
        NotFiniteError,
        "text: got NaN or infinity in rows [0], wanted finite numbers where present",
        spoiled("text", [0], -np.inf),
    ),
    "zeros": Fault(
        NotFiniteError,
        "text: got a zero vector in rows [2], wanted a length above 0",
        spoiled("text", [2], 0.0),
    ),
    "zeros in many rows": Fault(
        NotFiniteError,
        "image: got a zero vector in rows [1, 2, 3, 4, 5, ...], wanted a length above 0",
        spoiled("image", list(range(1, 8)), -0.0),
    ),
}
GROUP_FAULTS = {
    "groups of another length": Fault(ShapeError, "groups: got shape (7,), wanted (8,)", {"groups": np.zeros(7, int)}),
    "groups of rank 2": Fault(ShapeError, "groups: got shape (8, 1), wanted (8,)", {"groups": np.zeros((8, 1), int)}),
    "groups of floats": Fault(DtypeError, "groups: got dtype float64, wanted whole numbers", {"groups": np.zeros(8)}),
    "groups of booleans": Fault(
        DtypeError, "groups: got dtype bool, wanted whole numbers", {"groups": np.zeros(8, bool)}
    ),
}
SCALE_FAULTS: dict[str, tuple[type[ModalityError], str, Any]] = {
    "negative": (ModalityError, "scale: got -1.0, wanted at least 0", -1.0),
    "NaN": (NotFiniteError, "scale: got nan, wanted a finite number", np.nan),
    "infinite": (NotFiniteError, "scale: got inf, wanted a finite number", np.inf),
    "several": (ShapeError, "scale: got shape (2,), wanted one number", np.ones(2)),
}


@over_halves
@over_losses
@pytest.mark.parametrize("name", FAULTS | VALUE_FAULTS)
def test_embeddings_that_do_not_fit(name: str, case: Case, half: Any) -> None:
    fault = (FAULTS | VALUE_FAULTS)[name]
    refused(case, half, fault)


@over_halves
@pytest.mark.parametrize("case", GROUPED, ids=str)
@pytest.mark.parametrize("name", GROUP_FAULTS)
def test_groups_that_do_not_fit(name: str, case: Case, half: Any) -> None:
    refused(case, half, GROUP_FAULTS[name])


def refused(case: Case, half: Any, fault: Fault) -> None:
    with pytest.raises(fault.error) as caught:
        half.call(case.with_arrays(**WHOLE | fault.arrays))
    assert type(caught.value) is fault.error
    assert str(caught.value) == f"{case.loss}: {fault.message}"


@over_halves
@over_losses
@pytest.mark.parametrize("name", SCALE_FAULTS)
def test_scales_that_do_not_fit(name: str, case: Case, half: Any) -> None:
    error, message, scale = SCALE_FAULTS[name]
    with pytest.raises(error) as caught:
        half.call(case.variant(scale=scale))
    assert str(caught.value) == f"{case.loss}: {message}"


@over_halves
def test_another_word_for_positives(half: Any) -> None:
    with pytest.raises(ValueError, match="positives: got 'every', wanted 'any' or 'all'"):
        half.call(Case("multi_positive_info_nce", {"positives": "every"}, grouped=True))


@over_trainable
def test_modules_refuse_what_they_cannot_begin_with(half: Any) -> None:
    for scale in (0.0, -1.0, 101.0, np.nan):
        with pytest.raises(ModalityError, match=r"info_nce: scale: got .*, wanted a number above 0 and at most 100.0"):
            half.new("info_nce", scale=scale)
    with pytest.raises(ModalityError, match=r"siglip: scale: got inf, wanted a number above 0$"):
        half.new("siglip", scale=np.inf)
    with pytest.raises(NotFiniteError, match="siglip: bias: got nan"):
        half.new("siglip", bias=np.nan)
    with pytest.raises(ValueError, match="positives: got 'every'"):
        half.new("multi_positive_info_nce", positives="every")


@over_trainable
@over_losses
@pytest.mark.parametrize("name", VALUE_FAULTS)
def test_values_may_go_unchecked_and_the_loss_is_then_nan(name: str, case: Case, half: Any) -> None:
    """Aloud, not a number that looks right."""
    assert np.isnan(half.call(case.with_arrays(**WHOLE | VALUE_FAULTS[name].arrays), check_values=False))


@over_trainable
@over_losses
def test_shapes_are_checked_in_any_case(case: Case, half: Any) -> None:
    with pytest.raises(ShapeError, match="text: got width 5, wanted 4"):
        half.call(case.with_arrays(**WHOLE | FAULTS["unequal width"].arrays), check_values=False)


@over_losses
def test_what_is_no_tensor(case: Case) -> None:
    module = Torch.build(case)
    with pytest.raises(DtypeError, match=r"image: got list, wanted a torch\.Tensor"):
        module(**Torch.convert(case.arrays) | {"image": [[1.0]]})


@over_losses
def test_a_keras_graph_refuses_with_the_same_words(case: Case) -> None:
    layer = Keras.build(case)
    signature = {n: tf.TensorSpec((None, *x.shape[1:]), x.dtype) for n, x in case.arrays.items()}
    run = tf.function(lambda **arrays: layer(**arrays)).get_concrete_function(**signature)
    faults = [FAULTS["unequal batch"], FAULTS["empty batch"], *VALUE_FAULTS.values()]
    faults += [GROUP_FAULTS["groups of another length"]] * case.grouped
    for fault in faults:
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            run(**{n: tf.constant(x) for n, x in (case.arrays | WHOLE | fault.arrays).items()})
        assert f"{fault.error.__name__}: {case.loss}: {fault.message}" in str(caught.value)


@pytest.mark.parametrize("loss", ["info_nce", "siglip"])
def test_a_keras_network_that_does_not_fit_is_refused_when_it_is_put_together(loss: str) -> None:
    layer = Keras.new(loss)
    assert layer(keras.Input((4,)), keras.Input((4,))).shape == ()
    with pytest.raises(ShapeError) as caught:
        layer(keras.Input((4,)), keras.Input((8,)))
    assert str(caught.value) == f"{loss}: text: got width 8, wanted 4"
