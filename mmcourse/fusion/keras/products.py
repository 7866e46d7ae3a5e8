"""Products of features in Keras: outer products, and kernels contracted without them."""

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
from keras import ops

from mmcourse.fusion.products import plan


def with_constant(x: Any) -> Any:
    """[1, x]: (batch, dim) -> (batch, 1 + dim)"""
    return ops.pad(x, [[0, 0], [1, 0]], constant_values=1.0)


def outer(factors: Sequence[Any]) -> Any:
    """The products of one number from each, of every choice: M of (batch, side_m) -> (batch, side_1 ... side_M)"""
    product, size = factors[0], factors[0].shape[1]
    for factor in factors[1:]:
        size *= factor.shape[1]
        product = ops.reshape(product[:, :, None] * factor[:, None, :], (-1, size))
    return product


def contract(factors: Sequence[Any], kernel: Any) -> Any:
    """sum_ij... u_1i u_2j ... kernel_ij...o, by the contraction that makes the smallest arrays; see `plan`.

    factors: M of (batch, side_m);  kernel: (side_1, ..., side_M, out);  returns (batch, out)
    """
    *sides, out = kernel.shape
    leading = plan(sides, out).leading
    rest = outer(factors[:leading]) @ ops.reshape(kernel, (prod(sides[:leading]), -1))
    for number, factor in enumerate(factors[leading:], start=leading + 1):
        rows = ops.reshape(rest, (-1, factor.shape[1], prod(sides[number:]) * out))
        rest = ops.matmul(factor[:, None, :], rows)[:, 0]
    return rest


def drawn(fan_in: int) -> keras.initializers.Initializer:
    """Uniform with variance 1 / fan_in: a sum of fan_in terms of mean square 1 has mean square 1 again."""
    bound = (3 / fan_in) ** 0.5
    return keras.initializers.RandomUniform(-bound, bound)
