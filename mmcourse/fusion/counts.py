"""Parameters, multiply-adds and memory of each fusion of the catalogue, by formula. Free of any framework.

Counted are the multiplications of matrix products, for one example, each with its addition; not counted are those
number by number (the weights of a sum, the products of low-rank factors), which are fewer.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

from mmcourse.checks import check_dims, check_size
from mmcourse.encoders.counts import Count, count_linear, total
from mmcourse.fusion.products import check_rank, check_two, plan


class Cost(NamedTuple):
    """What a fusion takes: trained parameters;  multiply-adds for one example;  numbers of its largest array.

    largest: for one example, features and output counted in; a parameter is no such array
    """

    parameters: int
    multiply_adds: int
    largest: int

    def bytes(self, batch: int = 1, itemsize: int = 4) -> int:
        """Of the parameters and of the largest array, numbers of `itemsize` bytes."""
        return (self.parameters + batch * self.largest) * itemsize


def count_weighted_sum(dims: Mapping[str, int], out_dim: int) -> Cost:
    """A projection and a weight for each modality."""
    widths = _widths(dims, out_dim, "count_weighted_sum")
    weights = Count(len(widths), 0)
    return _cost([_projections(widths, out_dim), weights], largest=max(*widths, len(widths) * out_dim))


def count_gated_fusion(dims: Mapping[str, int], out_dim: int, hidden_size: int) -> Cost:
    """A projection for each modality; then a hidden layer and a score, the same for all."""
    where = "count_gated_fusion"
    widths, hidden = _widths(dims, out_dim, where), check_size("hidden_size", hidden_size, where)
    rows = len(widths)
    layer = count_linear(out_dim, hidden, rows=rows)
    score = count_linear(hidden, 1, rows=rows, bias=False)
    largest = max(*widths, rows * max(out_dim, hidden))
    return _cost([_projections(widths, out_dim), layer, score], largest=largest)


def count_concatenation(dims: Mapping[str, int], out_dim: int) -> Cost:
    """One linear layer for all columns."""
    width = sum(_widths(dims, out_dim, "count_concatenation"))
    return _cost([count_linear(width, out_dim)], largest=max(width, out_dim))


def count_bilinear_fusion(dims: Mapping[str, int], out_dim: int) -> Cost:
    """A number for each pair of features and each output."""
    where = "count_bilinear_fusion"
    check_two(dims, where)
    product = _contraction(_widths(dims, out_dim, where), out_dim)
    return _cost([Count(*product[:2]), Count(out_dim, 0)], largest=product.largest)


def count_multiplicative_fusion(dims: Mapping[str, int], out_dim: int) -> Cost:
    """A bilinear fusion and a linear layer for each modality."""
    product = count_bilinear_fusion(dims, out_dim)
    return _cost([Count(*product[:2]), _projections(list(dims.values()), out_dim)], largest=product.largest)


def count_tensor_fusion(dims: Mapping[str, int], out_dim: int, *, materialise: bool = False) -> Cost:
    """A number for each entry of the outer product of all [1, x] and each output.

    materialise: make the outer product, and not the contraction of smallest arrays
    """
    sides = [1 + width for width in _widths(dims, out_dim, "count_tensor_fusion")]
    return _contraction(sides, out_dim, leading=len(sides) if materialise else None)


def count_low_rank_fusion(dims: Mapping[str, int], out_dim: int, rank: int) -> Cost:
    """For each rank a linear layer a modality, a weight, and one bias for all: a sum over modalities, not a product."""
    where = "count_low_rank_fusion"
    sides = [1 + width for width in _widths(dims, out_dim, where)]
    rank = check_rank(rank, where)
    factors = total([count_linear(side, rank * out_dim, bias=False) for side in sides])
    weights = Count(rank, rank * out_dim)
    return _cost([factors, weights, Count(out_dim, 0)], largest=max(*sides, rank * out_dim))


def _contraction(sides: Sequence[int], out_dim: int, leading: int | None = None) -> Cost:
    """As `plan` says it, or with the given number of vectors multiplied out first."""
    best = plan(sides, out_dim)
    leading = best.leading if leading is None else leading
    outer = sum(prod(sides[:last]) for last in range(2, leading + 1))
    rest = sum(prod(sides[first:]) * out_dim for first in range(leading, len(sides)))
    entries = prod(sides) * out_dim
    largest = max(prod(sides[:leading]), prod(sides[leading:]) * out_dim, *sides)
    return Cost(entries, outer + entries + rest, largest)


def _projections(widths: Sequence[int], out_dim: int) -> Count:
    return total([count_linear(width, out_dim, bias=False) for width in widths])


def _widths(dims: Mapping[str, int], out_dim: int, where: str) -> list[int]:
    check_size("out_dim", out_dim, where)
    return list(check_dims(dims, where).values())


def _cost(parts: Sequence[Count], largest: int) -> Cost:
    return Cost(*total(parts), largest)
