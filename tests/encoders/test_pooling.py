"""Laws of pooling, in all halves."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

import mmcourse.encoders.keras
import mmcourse.encoders.numpy
import mmcourse.encoders.torch
from mmcourse.parity import central_differences, relative_error

HALVES = {
    "numpy": lambda name, x, *size, **options: getattr(mmcourse.encoders.numpy, name)(x, *size, **options),
    "torch": lambda name, x, *size, **options: getattr(mmcourse.encoders.torch, name)(
        torch.tensor(x), *size, **options
    ).numpy(),
    "keras": lambda name, x, *size, **options: getattr(mmcourse.encoders.keras, name)(x, *size, **options).numpy(),
}
WINDOWS: dict[str, tuple[Any, dict[str, Any]]] = {
    "apart": (2, {}),
    "overlapping": (3, {"stride": 1}),
    "padded": (3, {"stride": 2, "padding": 1}),
    "uneven": ((2, 3), {"stride": (1, 2), "padding": (1, 0)}),
}
NAMES = ("max_pooling", "average_pooling")
GLOBAL = ("global_max_pooling", "global_average_pooling")
over_halves = pytest.mark.parametrize("half", HALVES)
over_names = pytest.mark.parametrize("name", NAMES)
over_windows = pytest.mark.parametrize("window", WINDOWS)


def pictures() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, 3, 7, 6)) - 5  # all below zero, so that zeros at an edge would show


def loops(name: str, x: np.ndarray, size: Any, stride: Any = None, padding: Any = 0) -> np.ndarray:
    """Window by window, over the pixels inside the picture."""
    (k, m), (p, q) = np.broadcast_to(size, 2), np.broadcast_to(padding, 2)
    s, t = np.broadcast_to(size if stride is None else stride, 2)
    y = np.zeros((*x.shape[:2], (x.shape[2] + 2 * p - k) // s + 1, (x.shape[3] + 2 * q - m) // t + 1))
    for b, c, i, j in np.ndindex(y.shape):
        seen = x[b, c, max(s * i - p, 0) : s * i - p + k, max(t * j - q, 0) : t * j - q + m]
        y[b, c, i, j] = seen.max() if name == "max_pooling" else seen.mean()
    return y


@over_halves
@over_names
@over_windows
def test_it_is_what_plain_loops_compute(window: str, name: str, half: str) -> None:
    size, options = WINDOWS[window]
    got = HALVES[half](name, pictures(), size, **options)
    assert relative_error(got, loops(name, pictures(), size, **options)) <= 1e-12


@over_halves
@over_names
@over_windows
def test_a_picture_of_one_grey_stays_of_that_grey(window: str, name: str, half: str) -> None:
    size, options = WINDOWS[window]
    np.testing.assert_allclose(HALVES[half](name, np.full((1, 2, 6, 6), -3.5), size, **options), -3.5, rtol=1e-15)


@over_halves
@pytest.mark.parametrize(("local", "whole"), list(zip(NAMES, GLOBAL, strict=True)))
def test_global_pooling_is_a_window_over_all(local: str, whole: str, half: str) -> None:
    wanted = HALVES[half](local, pictures(), (7, 6))[:, :, 0, 0]
    np.testing.assert_allclose(HALVES[half](whole, pictures()), wanted, rtol=1e-12)


@over_halves
def test_the_largest_and_the_mean_of_a_small_picture(half: str) -> None:
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(HALVES[half]("max_pooling", x, 2)[0, 0], [[5, 7], [13, 15]])
    np.testing.assert_array_equal(HALVES[half]("average_pooling", x, 2)[0, 0], [[2.5, 4.5], [10.5, 12.5]])


@pytest.mark.parametrize("name", NAMES)
@over_windows
def test_gradients_agree(window: str, name: str) -> None:
    (size, options), x = WINDOWS[window], pictures()
    weights = np.random.default_rng(1).normal(size=loops(name, x, size, **options).shape)
    for_torch = torch.tensor(x, requires_grad=True)
    (getattr(mmcourse.encoders.torch, name)(for_torch, size, **options) * torch.tensor(weights)).sum().backward()
    for_keras = tf.Variable(x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(getattr(mmcourse.encoders.keras, name)(for_keras, size, **options) * weights)
    assert relative_error(tape.gradient(loss, for_keras).numpy(), for_torch.grad) <= 1e-12
    direction = np.random.default_rng(2).normal(size=x.shape)

    def moved(point: Any) -> float:
        return float((HALVES["numpy"](name, x + point["step"] * direction, size, **options) * weights).sum())

    slope = central_differences(moved, {"step": 0.0})["step"]
    assert relative_error((for_torch.grad.numpy() * direction).sum(), slope) <= 1e-6
