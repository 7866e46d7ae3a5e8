"""Products of features in PyTorch: outer products, and kernels contracted without them."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmcourse.fusion.products import plan


def with_constant(x: Tensor) -> Tensor:
    """[1, x]: (batch, dim) -> (batch, 1 + dim)"""
    return functional.pad(x, (1, 0), value=1.0)


def outer(factors: Sequence[Tensor]) -> Tensor:
    """The products of one number from each, of every choice: M of (batch, side_m) -> (batch, side_1 ... side_M)"""
    product = factors[0]
    for factor in factors[1:]:
        product = torch.bmm(product[:, :, None], factor[:, None, :]).flatten(1)
    return product


def contract(factors: Sequence[Tensor], kernel: Tensor) -> Tensor:
    """sum_ij... u_1i u_2j ... kernel_ij...o, by the contraction that makes the smallest arrays; see `plan`.

    factors: M of (batch, side_m);  kernel: (side_1, ..., side_M, out);  returns (batch, out)
    """
    sides = kernel.shape[:-1]
    leading = plan(sides, kernel.shape[-1]).leading
    rest = outer(factors[:leading]) @ kernel.reshape(prod(sides[:leading]), -1)
    for factor in factors[leading:]:
        rest = torch.bmm(factor[:, None, :], rest.unflatten(1, (factor.shape[1], -1)))[:, 0]
    return rest


def draw(parameter: Tensor, fan_in: int) -> None:
    """Uniform with variance 1 / fan_in: a sum of fan_in terms of mean square 1 has mean square 1 again."""
    bound = (3 / fan_in) ** 0.5
    nn.init.uniform_(parameter, -bound, bound)
