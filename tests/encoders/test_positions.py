"""Rotary and learned positions, and the layer norm: parity and laws."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

import mmcourse.encoders.keras
import mmcourse.encoders.numpy
import mmcourse.encoders.torch
from mmcourse.errors import ShapeError
from mmcourse.parity import central_differences, parameters, relative_error, transfer
from tests.encoders.sequence_halves import HALVES, Case

ROUNDING = 1e-12


def of_torch(x: np.ndarray, positions: np.ndarray | None = None, **options: Any) -> np.ndarray:
    p = None if positions is None else torch.tensor(positions)
    return mmcourse.encoders.torch.rotary_positions(torch.tensor(x), positions=p, **options).numpy()


def of_keras(x: np.ndarray, positions: np.ndarray | None = None, **options: Any) -> np.ndarray:
    return mmcourse.encoders.keras.rotary_positions(x, positions=positions, **options).numpy()


ROTARY = {"numpy": mmcourse.encoders.numpy.rotary_positions, "torch": of_torch, "keras": of_keras}
over_rotary = pytest.mark.parametrize("rotate", ROTARY.values(), ids=ROTARY)


def vectors(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("options", [{}, {"base": 50.0}, {"positions": np.array([7, 0, 3, 100_000])}])
def test_rotations_agree(options: dict[str, Any]) -> None:
    x = vectors(2, 3, 4, 6)
    referee = ROTARY["numpy"](x, **options)
    for half in ("torch", "keras"):
        assert relative_error(ROTARY[half](x, **options), referee) <= ROUNDING
        assert relative_error(ROTARY[half](x.astype(np.float32), **options), referee) <= 1e-6


@over_rotary
def test_scores_depend_on_the_difference_of_positions_alone(rotate: Callable[..., np.ndarray]) -> None:
    queries, keys, time = vectors(5, 6), vectors(5, 6, seed=1), 5
    for distance in (0, 1, 3):
        scores = [
            rotate(queries, positions=np.arange(time) + place + distance)
            @ rotate(keys, positions=np.arange(time) + place).T
            for place in (0, 2, 1000)
        ]
        assert relative_error(scores[1], scores[0]) <= ROUNDING
        assert relative_error(scores[2], scores[0]) <= 1e-11  # the angles themselves are rounded
    assert relative_error(rotate(queries, positions=np.arange(time) + 1), rotate(queries)) > 0.1


@over_rotary
def test_each_pair_of_neighbours_is_turned_by_its_own_angle(rotate: Callable[..., np.ndarray]) -> None:
    """The complex number x_2i + j x_2i+1 is multiplied by exp(j p base^(-2i / dim))."""
    x, base = vectors(4, 6), 100.0
    angles = np.arange(4)[:, None] * base ** (-np.array([0, 2, 4]) / 6)
    wanted = (x[:, 0::2] + 1j * x[:, 1::2]) * np.exp(1j * angles)
    turned = rotate(x, base=base)
    assert relative_error(turned[:, 0::2], wanted.real) <= ROUNDING
    assert relative_error(turned[:, 1::2], wanted.imag) <= ROUNDING


@over_rotary
def test_lengths_stay_and_the_first_step_is_not_turned(rotate: Callable[..., np.ndarray]) -> None:
    x = vectors(3, 5, 4)
    assert relative_error(np.linalg.norm(rotate(x), axis=-1), np.linalg.norm(x, axis=-1)) <= ROUNDING
    np.testing.assert_array_equal(rotate(x)[:, 0], x[:, 0])


@over_rotary
def test_rotations_refuse_what_does_not_fit(rotate: Callable[..., np.ndarray]) -> None:
    faults: dict[str, Callable[[], Any]] = {
        r"rotary positions: x: got shape \(2, 5\), wanted \(..., time, an even width\)": lambda: rotate(vectors(2, 5)),
        r"rotary positions: x: got shape \(4,\), wanted": lambda: rotate(vectors(4)),
        r"positions: got shape \(3,\), wanted \(2,\)": lambda: rotate(vectors(2, 4), positions=np.arange(3)),
    }
    for message, attempt in faults.items():
        with pytest.raises(ShapeError, match=message):
            attempt()


@pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
def test_learned_positions_are_added_place_by_place(half: Any) -> None:
    case = Case("learned_positions", masked="left")
    added = half.call(half.build(case), case.sequence, case.mask)[0] - np.nan_to_num(case.sequence)
    wanted = np.where(case.mask[..., None], case.parameters["vectors"][: case.time], 0)
    np.testing.assert_allclose(added, wanted, rtol=0, atol=ROUNDING)


class Norm:
    """The layer norm in three halves."""

    epsilon = 1e-3

    def __init__(self) -> None:
        self.parameters = {"scale": vectors(4), "bias": vectors(4, seed=1)}
        self.torch = mmcourse.encoders.torch.LayerNorm(4, epsilon=self.epsilon).double()
        self.keras = mmcourse.encoders.keras.LayerNorm(4, epsilon=self.epsilon, dtype="float64")
        for module in (self.torch, self.keras):
            assert (parameters(module)["scale"] == 1).all()
            assert not parameters(module)["bias"].any()
            transfer(self.parameters, module)

    def numpy(self, x: np.ndarray, **parameters: np.ndarray) -> np.ndarray:
        return mmcourse.encoders.numpy.layer_norm(x, epsilon=self.epsilon, **self.parameters | parameters)


def test_layer_norms_agree_in_value_and_gradient() -> None:
    norm, x, weight = Norm(), vectors(2, 3, 4), vectors(2, 3, 4, seed=2)
    referee = norm.numpy(x)
    differences = central_differences(lambda at: float((norm.numpy(**at) * weight).sum()), {"x": x, **norm.parameters})
    of_x = torch.tensor(x, requires_grad=True)
    output = norm.torch(of_x)
    assert relative_error(output.detach(), referee) <= ROUNDING
    (output * torch.tensor(weight)).sum().backward()
    got = {"x": of_x.grad, "scale": norm.torch.scale.grad, "bias": norm.torch.bias.grad}
    variables = {"x": tf.Variable(x), "scale": norm.keras.scale.value, "bias": norm.keras.bias.value}
    with tf.GradientTape() as tape:
        other = norm.keras(tf.convert_to_tensor(variables["x"]))
        loss = tf.reduce_sum(other * weight)
    assert relative_error(other, referee) <= ROUNDING
    for name, gradient in zip(variables, tape.gradient(loss, list(variables.values())), strict=True):
        assert relative_error(got[name], differences[name]) <= 1e-6
        assert relative_error(gradient, got[name]) <= 1e-10


def test_a_norm_is_blind_to_shift_and_with_no_epsilon_to_scale() -> None:
    x, ones, zeros = vectors(3, 5), np.ones(5), np.zeros(5)
    normed = mmcourse.encoders.numpy.layer_norm(x, scale=ones, bias=zeros, epsilon=0)
    np.testing.assert_allclose(normed.mean(axis=1), 0, atol=ROUNDING)
    np.testing.assert_allclose(normed.var(axis=1), 1, rtol=ROUNDING)
    other = mmcourse.encoders.numpy.layer_norm(7 * x + 3, scale=ones, bias=zeros, epsilon=0)
    np.testing.assert_allclose(other, normed, rtol=0, atol=ROUNDING)


def test_norms_refuse_another_width() -> None:
    norm, x = Norm(), vectors(2, 5)
    for call in (norm.torch, norm.keras):
        with pytest.raises(ShapeError, match=r"layer norm: x: got shape \(2, 5\), wanted \(..., 4\)"):
            call(torch.tensor(x) if call is norm.torch else x)
    with pytest.raises(ShapeError, match=r"layer norm: scale: got shape \(4,\), wanted \(5,\)"):
        norm.numpy(x)


def test_half_precision_does_not_overflow_in_a_keras_norm() -> None:
    layer = mmcourse.encoders.keras.LayerNorm(4, dtype="mixed_float16")
    output = layer(np.array([[-3e3, 1e3, 2e3, 5e3]], np.float16))
    assert output.dtype == tf.float16
    assert np.isfinite(output).all()
