"""Activations."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

_erf = np.vectorize(math.erf, otypes=[np.float64])


def relu(x: ArrayLike) -> NDArray[np.float64]:
    """max(x, 0)"""
    return np.maximum(np.asarray(x, np.float64), 0)


def sigmoid(x: ArrayLike) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), as (1 + tanh(x / 2)) / 2, which overflows nowhere."""
    return (1 + np.tanh(np.asarray(x, np.float64) / 2)) / 2


def gelu(x: ArrayLike) -> NDArray[np.float64]:
    """x P(z <= x) for a standard normal z:  x (1 + erf(x / sqrt(2))) / 2, exactly and not by its tanh approximation.

    Source: Hendrycks and Gimpel (2016).
    """
    x = np.asarray(x, np.float64)
    return x * (1 + _erf(x / math.sqrt(2))) / 2
