"""Feature-wise modulation: parity, laws and bad input, on vectors, sequences and feature maps."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import mmcourse.fusion.keras
import mmcourse.fusion.torch
from mmcourse.errors import (
    DtypeError,
    EmptyBatchError,
    MaskError,
    ModalityError,
    NotFiniteError,
    ShapeError,
)
from mmcourse.fusion.numpy import film
from mmcourse.parity import central_differences, parameters, relative_error, transfer

Arrays = dict[str, np.ndarray]
BATCH, DIM, CONDITION = 6, 5, 3
SHAPES = {"vectors": (BATCH, DIM), "sequences": (BATCH, 4, DIM), "maps": (BATCH, DIM, 2, 3)}
PARAMETERS = {
    "scale_kernel": (CONDITION, DIM),
    "scale_bias": (DIM,),
    "shift_kernel": (CONDITION, DIM),
    "shift_bias": (DIM,),
}
ROUNDING = 1e-12


class Inputs(NamedTuple):
    features: np.ndarray
    condition: np.ndarray
    features_mask: np.ndarray | None
    condition_mask: np.ndarray | None


def given(dtype: str = "float64") -> Arrays:
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in PARAMETERS.items()}


def inputs(kind: str, masked: bool = False, dtype: str = "float64", filling: float = np.nan) -> Inputs:
    """Rows 1 and 4 have no condition; of a sequence, each row lacks a step, and row 2 all. `filling` stands there."""
    rng = np.random.default_rng(2)
    features = rng.normal(size=SHAPES[kind]).astype(dtype)
    condition = rng.normal(size=(BATCH, CONDITION)).astype(dtype)
    if not masked:
        return Inputs(features, condition, None, None)
    asked = ~np.isin(np.arange(BATCH), [1, 4])
    condition[~asked] = filling
    if kind != "sequences":
        return Inputs(features, condition, None, asked)
    steps = np.arange(4) != np.arange(BATCH)[:, None] % 4
    steps[2] = False
    features[~steps] = filling
    return Inputs(features, condition, steps, asked)


def in_torch(dtype: str = "float64", **options: Any) -> torch.nn.Module:
    module = mmcourse.fusion.torch.FiLM(DIM, condition_dim=CONDITION, **options).to(getattr(torch, dtype))
    transfer(given(dtype), module)
    return module


def in_keras(dtype: str = "float64", **options: Any) -> keras.Layer:
    layer = mmcourse.fusion.keras.FiLM(DIM, condition_dim=CONDITION, dtype=dtype, **options)
    transfer(given(dtype), layer)
    return layer


def tensors(values: Inputs) -> list[torch.Tensor | None]:
    return [None if value is None else torch.tensor(value) for value in values]


def call(module: Any, values: Inputs) -> np.ndarray:
    if isinstance(module, torch.nn.Module):
        x, c, steps, asked = tensors(values)
        return module(x, c, features_mask=steps, condition_mask=asked).detach().numpy()
    return module(*values[:2], features_mask=values.features_mask, condition_mask=values.condition_mask).numpy()


CALLS: dict[str, Callable[[Inputs], np.ndarray]] = {
    "numpy": lambda values: film(*values[:2], features_mask=values[2], condition_mask=values[3], **given()),
    "torch": lambda values: call(in_torch(), values),
    "keras": lambda values: call(in_keras(), values),
}
over_halves = pytest.mark.parametrize("half", CALLS)
over_modules = pytest.mark.parametrize("make", [in_torch, in_keras], ids=["torch", "keras"])
over_kinds = pytest.mark.parametrize("kind", SHAPES)
over_masks = pytest.mark.parametrize("masked", [False, True], ids=["complete", "masked"])


def cotangent(kind: str, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(3).normal(size=SHAPES[kind]).astype(dtype)


def torch_gradients(kind: str, values: Inputs, dtype: str = "float64") -> Arrays:
    module = in_torch(dtype)
    x, c, steps, asked = tensors(values)
    wanted = dict(module.named_parameters()) | {"features": x.requires_grad_(), "condition": c.requires_grad_()}
    output = (module(x, c, features_mask=steps, condition_mask=asked) * torch.tensor(cotangent(kind, dtype))).sum()
    return {n: g.numpy() for n, g in zip(wanted, torch.autograd.grad(output, list(wanted.values())), strict=True)}


def keras_gradients(kind: str, values: Inputs, dtype: str = "float64") -> Arrays:
    layer = in_keras(dtype)
    x, c = tf.Variable(values.features), tf.Variable(values.condition)
    wanted = {v.name: v.value for v in layer.trainable_variables} | {"features": x, "condition": c}
    with tf.GradientTape() as tape:
        masks = {"features_mask": values.features_mask, "condition_mask": values.condition_mask}
        output = layer(tf.convert_to_tensor(x), tf.convert_to_tensor(c), **masks)
        loss = tf.reduce_sum(output * cotangent(kind, dtype))
    return {n: g.numpy() for n, g in zip(wanted, tape.gradient(loss, list(wanted.values())), strict=True)}


def too_far(got: Arrays, wanted: Arrays, tolerance: float) -> dict[str, float]:
    assert got.keys() == wanted.keys()
    largest = max(np.abs(gradient).max() for gradient in wanted.values())
    errors = {name: float(np.abs(got[name] - wanted[name]).max() / largest) for name in wanted}
    return {name: error for name, error in errors.items() if not error <= tolerance}


@over_kinds
@over_masks
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
def test_parity(kind: str, masked: bool, dtype: str, tolerance: float) -> None:
    values = inputs(kind, masked, dtype)
    referee = film(*values[:2], features_mask=values[2], condition_mask=values[3], **given(dtype))
    for output in (call(in_torch(dtype), values), call(in_keras(dtype), values)):
        assert output.dtype == dtype
        assert relative_error(output, referee) <= tolerance
    gradients = torch_gradients(kind, values, dtype)
    assert too_far(keras_gradients(kind, values, dtype), gradients, tolerance) == {}
    assert min(np.abs(gradients[name]).max() for name in PARAMETERS) > 1e-3


@over_kinds
@over_masks
def test_gradients_agree_with_central_differences(kind: str, masked: bool) -> None:
    values = inputs(kind, masked, filling=0.0)

    def loss(point: Arrays) -> float:
        output = film(
            point["features"],
            point["condition"],
            **{name: point[name] for name in PARAMETERS},
            features_mask=values.features_mask,
            condition_mask=values.condition_mask,
        )
        return float((output * cotangent(kind)).sum())

    differences = central_differences(loss, given() | {"features": values.features, "condition": values.condition})
    assert too_far(torch_gradients(kind, inputs(kind, masked)), differences, 1e-6) == {}


@over_halves
@over_kinds
def test_each_feature_is_scaled_and_shifted_by_one_number_an_example(kind: str, half: str) -> None:
    values, p = inputs(kind), given()
    output = CALLS[half](values)
    axis = 2 if kind == "sequences" else 1
    for row, channel in np.ndindex(BATCH, DIM):
        gamma = 1 + values.condition[row] @ p["scale_kernel"][:, channel] + p["scale_bias"][channel]
        beta = values.condition[row] @ p["shift_kernel"][:, channel] + p["shift_bias"][channel]
        x, y = (array[row].take(channel, axis=axis - 1) for array in (values.features, output))
        np.testing.assert_allclose(y, gamma * x + beta, rtol=1e-10)


@over_halves
@over_kinds
def test_without_a_condition_nothing_is_changed(kind: str, half: str) -> None:
    values = inputs(kind, masked=True)
    steps = np.ones(SHAPES[kind], bool) if values.features_mask is None else values.features_mask[..., None]
    output, wanted = CALLS[half](values), np.where(steps, values.features, 0)
    np.testing.assert_array_equal(output[~values.condition_mask], wanted[~values.condition_mask])
    assert (np.abs(output - wanted)[values.condition_mask] > 1e-6).any(axis=tuple(range(1, wanted.ndim))).sum() >= 3


@over_halves
def test_a_masked_step_comes_out_as_zero(half: str) -> None:
    values = inputs("sequences", masked=True)
    output = CALLS[half](values)
    np.testing.assert_array_equal(output[~values.features_mask], 0)
    assert (output[values.features_mask] != 0).all()


@over_kinds
def test_what_a_missing_place_holds_has_no_influence(kind: str) -> None:
    zeros = inputs(kind, masked=True, filling=0.0)
    for filling in (np.nan, np.inf):
        values = inputs(kind, masked=True, filling=filling)
        for call in CALLS.values():
            np.testing.assert_array_equal(call(values), call(zeros))
        for gradients in (torch_gradients, keras_gradients):
            wanted, got = gradients(kind, zeros), gradients(kind, values)
            for name in wanted:
                np.testing.assert_array_equal(got[name], wanted[name], err_msg=name)
            np.testing.assert_array_equal(got["condition"][~values.condition_mask], 0)
            if values.features_mask is not None:
                np.testing.assert_array_equal(got["features"][~values.features_mask], 0)


@over_halves
@over_kinds
def test_condition_and_features_change_the_output_of_their_own_row(kind: str, half: str) -> None:
    values = inputs(kind)
    before = CALLS[half](values)
    for name in ("features", "condition"):
        moved = getattr(values, name).copy()
        moved[2] += 0.5
        changed = np.abs(CALLS[half](values._replace(**{name: moved})) - before) > 1e-6
        np.testing.assert_array_equal(changed.reshape(BATCH, -1).any(axis=1), np.arange(BATCH) == 2)


@over_kinds
def test_at_the_start_it_is_the_identity_and_a_step_ends_that(kind: str) -> None:
    values = inputs(kind)
    fresh = mmcourse.fusion.torch.FiLM(DIM, condition_dim=CONDITION).double()
    x, c, *_ = tensors(values)
    assert torch.equal(fresh(x, c), x)
    layer = mmcourse.fusion.keras.FiLM(DIM, condition_dim=CONDITION, dtype="float64")
    np.testing.assert_array_equal(layer(values.features, values.condition), values.features)
    (fresh(x, c) * torch.tensor(cotangent(kind))).sum().backward()
    with torch.no_grad():
        for parameter in fresh.parameters():
            assert parameter.grad.abs().max() > 1e-3
            parameter -= 0.1 * parameter.grad
    assert (fresh(x, c) - x).abs().max() > 1e-3


@over_halves
def test_it_is_a_multiplicative_interaction_with_a_diagonal_tensor(half: str) -> None:
    """c^T W x + c^T U + V x + b  (Jayakumar et al., 2020)  with W[k,i,j] = 0 but for i = j, and V diagonal."""
    values, p = inputs("vectors"), given()
    tensor = np.einsum("ki,ij->kij", p["scale_kernel"], np.eye(DIM))
    diagonal = np.diag(1 + p["scale_bias"])
    x, c = values.features, values.condition
    wanted = np.einsum("nk,kij,ni->nj", c, tensor, x) + c @ p["shift_kernel"] + x @ diagonal + p["shift_bias"]
    assert relative_error(CALLS[half](values), wanted) <= ROUNDING


@over_halves
def test_a_vector_is_a_sequence_of_one_step_and_a_map_of_one_place(half: str) -> None:
    values = inputs("vectors")
    x, output = values.features, CALLS[half](values)
    np.testing.assert_allclose(CALLS[half](values._replace(features=x[:, None]))[:, 0], output, rtol=ROUNDING)
    as_map = CALLS[half](values._replace(features=x[:, :, None, None]))
    np.testing.assert_allclose(as_map[:, :, 0, 0], output, rtol=ROUNDING)


def changed(kind: str, **parts: Any) -> Callable[[], Inputs]:
    return lambda: inputs(kind)._replace(**parts)


def spoiled(name: str, row: int) -> Inputs:
    values = inputs("sequences")
    array = getattr(values, name).copy()
    array[row] = np.nan
    return values._replace(**{name: array})


V = "vectors"
STRUCTURE: list[tuple[Callable[[], Inputs], type[ModalityError], str]] = [
    (changed(V, features=np.ones(DIM)), ShapeError,
     "features: got shape (5,), wanted (batch, 5), (batch, time, 5) or (batch, 5, height, width)"),
    (changed(V, features=np.ones((BATCH, 4))), ShapeError, "features: got width 4, wanted 5"),
    (changed(V, features=np.ones((BATCH, 2, 3, DIM))), ShapeError, "features: got width 2, wanted 5"),
    (changed(V, features=np.ones((BATCH, 0, DIM))), ShapeError, "features: got shape (6, 0, 5), wanted no empty axis"),
    (changed(V, features=np.ones((BATCH, DIM), np.int64)), DtypeError,
     "features: got dtype int64, wanted a floating one"),
    (changed(V, condition=np.ones((BATCH, 2, 3))), ShapeError, "condition: got shape (6, 2, 3), wanted (batch, 3)"),
    (changed(V, condition=np.ones((BATCH, 2))), ShapeError, "condition: got width 2, wanted 3"),
    (changed(V, condition=np.ones((2, CONDITION))), ShapeError, "condition: got batch size 2, wanted 6"),
    (changed(V, features=np.ones((0, DIM)), condition=np.ones((0, CONDITION))), EmptyBatchError,
     "features: got batch size 0, wanted at least 1"),
    (changed(V, condition_mask=np.ones(BATCH)), MaskError, "condition_mask: got dtype float64, wanted bool"),
    (changed(V, condition_mask=np.ones(2, bool)), MaskError, "condition_mask: got shape (2,), wanted (6,)"),
    (changed(V, features_mask=np.ones((BATCH, 1), bool)), MaskError,
     "features_mask: got one beside features of shape (6, 5), wanted none, or a sequence (batch, time, width)"),
    (changed("sequences", features_mask=np.ones((BATCH, 3), bool)), MaskError,
     "features_mask: got shape (6, 3), wanted (6, 4)"),
]  # fmt: skip
NUMBERS: list[tuple[Callable[[], Inputs], type[ModalityError], str]] = [
    (partial(spoiled, "features", 3), NotFiniteError,
     "features: got NaN or infinity in rows [3], wanted finite numbers where present"),
    (partial(spoiled, "condition", 2), NotFiniteError,
     "condition: got NaN or infinity in rows [2], wanted finite numbers where present"),
]  # fmt: skip


@over_halves
@pytest.mark.parametrize(("values", "error", "message"), STRUCTURE + NUMBERS)
def test_refuses(values: Callable[[], Inputs], error: type[ModalityError], message: str, half: str) -> None:
    with pytest.raises(error) as caught:
        CALLS[half](values())
    assert str(caught.value) == f"FiLM: {message}"


@over_modules
def test_structure_is_checked_even_without_value_checks_and_nan_stays_in_its_row(make: Any) -> None:
    module = make(check_values=False)
    for values, error, message in STRUCTURE:
        with pytest.raises(error) as caught:
            call(module, values())
        assert str(caught.value) == f"FiLM: {message}"
    output = call(module, spoiled("condition", 2))
    np.testing.assert_array_equal(np.isnan(output).any(axis=(1, 2)), np.arange(BATCH) == 2)


@over_modules
def test_refuses_a_dtype_unlike_its_own(make: Any) -> None:
    values = inputs("vectors")
    with pytest.raises(DtypeError, match="FiLM: condition: got dtype float32, wanted float64"):
        call(make(), values._replace(condition=values.condition.astype(np.float32)))


def test_torch_refuses_what_is_no_tensor() -> None:
    with pytest.raises(DtypeError, match=r"FiLM: features: got ndarray, wanted a torch.Tensor"):
        in_torch()(*inputs("vectors")[:2])


@pytest.mark.parametrize("kind", [mmcourse.fusion.torch.FiLM, mmcourse.fusion.keras.FiLM])
@pytest.mark.parametrize(("name", "sizes"), [("dim", (0, 3)), ("condition_dim", (3, 0))])
def test_refuses_to_be_built(kind: Any, name: str, sizes: tuple[int, int]) -> None:
    with pytest.raises(ShapeError, match=f"FiLM: {name}: got width 0, wanted a whole number above 0"):
        kind(sizes[0], condition_dim=sizes[1])


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("scale_kernel", (DIM,), "scale_kernel: got shape (5,), wanted (width of the condition, width)"),
        ("scale_bias", (4,), "scale_bias: got shape (4,), wanted (5,)"),
        ("shift_kernel", (2, DIM), "shift_kernel: got shape (2, 5), wanted (3, 5)"),
        ("shift_bias", (), "shift_bias: got shape (), wanted (5,)"),
    ],
)
def test_the_formula_refuses_parameters_that_do_not_fit(name: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        film(*inputs("vectors")[:2], **given() | {name: np.ones(shape)})
    assert str(caught.value) == f"FiLM: {message}"


def graph(layer: keras.Layer, **options: Any) -> Callable[..., tf.Tensor]:
    """The layer as a graph that knows neither batch size nor time beforehand."""
    signature = [
        tf.TensorSpec((None, None, DIM), layer.compute_dtype),
        tf.TensorSpec((None, CONDITION), layer.compute_dtype),
        tf.TensorSpec((None, None), tf.bool),
        tf.TensorSpec((None,), tf.bool),
    ]

    def run(x: Any, c: Any, steps: Any, asked: Any) -> Any:
        return layer(x, c, features_mask=steps, condition_mask=asked)

    return tf.function(run, input_signature=signature, **options)


def test_a_graph_computes_the_same_and_refuses_with_the_same_words() -> None:
    values = inputs("sequences", masked=True)
    run = graph(in_keras())
    assert relative_error(run(*values), CALLS["keras"](values)) <= ROUNDING
    nan = values._replace(condition=np.full_like(values.condition, np.nan))
    short = values._replace(condition=values.condition[:1], condition_mask=np.ones(1, bool))
    for bad, message in (
        (nan, "NotFiniteError: FiLM: condition: got NaN or infinity in rows [0, 2, 3, 5]"),
        (short, "ShapeError: FiLM: condition: got batch size 1, wanted 6"),
        (values._replace(condition_mask=np.ones(1, bool)), "MaskError: FiLM: condition: got mask of shape (1,)"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            run(*bad)
        assert message in str(caught.value)
    unchecked = in_keras("float32", check_values=False)
    single = inputs("sequences", masked=True, dtype="float32")
    assert unchecked.supports_jit
    assert not in_keras().supports_jit
    output = graph(unchecked, jit_compile=True)(*single)
    assert relative_error(output, call(unchecked, single)) <= 1e-6


# Keras converts its own variables in `save` by a call of NumPy 1's time.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
def test_saved_and_loaded_it_computes_the_same(tmp_path: Path) -> None:
    values = inputs("vectors", masked=True)
    torch.save(in_torch().state_dict(), tmp_path / "film.pt")
    fresh = mmcourse.fusion.torch.FiLM(DIM, condition_dim=CONDITION).double()
    fresh.load_state_dict(torch.load(tmp_path / "film.pt", weights_only=True))
    np.testing.assert_array_equal(call(fresh, values), call(in_torch(), values))

    layer = in_keras()
    features, condition = keras.Input((DIM,), dtype="float64"), keras.Input((CONDITION,), dtype="float64")
    asked = keras.Input((), dtype="bool")
    model = keras.Model([features, condition, asked], layer(features, condition, condition_mask=asked))
    model.save(tmp_path / "film.keras")
    loaded = keras.saving.load_model(tmp_path / "film.keras")
    arrays = [values.features, values.condition, values.condition_mask]
    assert (loaded(arrays).numpy() == call(layer, values)).all()
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    assert parameters(layer).keys() == PARAMETERS.keys()
