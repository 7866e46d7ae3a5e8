"""What products of features need beside arrays: how many modalities, and in which order to contract. No framework."""

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from mmcourse.errors import ShapeError, UnknownModalityError


class Plan(NamedTuple):
    """How a kernel (side_1, ..., side_M, out) is contracted with M vectors an example.

    leading: how many of them are multiplied out first
    largest: numbers an example in the largest array that is made
    """

    leading: int
    largest: int


def plan(sides: Sequence[int], out_dim: int) -> Plan:
    """The contraction that makes the smallest arrays.

    The outer product of the first k vectors meets the kernel in one matrix product, and what comes out has
    side_{k+1} ... side_M out numbers an example; the other vectors are contracted with that, one after another. Every
    k needs the same multiply-adds with the kernel; k = M is the outer product of all.
    """

    def largest(leading: int) -> int:
        return max(prod(sides[:leading]), prod(sides[leading:]) * out_dim)

    leading = min(range(1, len(sides) + 1), key=largest)
    return Plan(leading, largest(leading))


def check_two(modalities: Iterable[str], where: str) -> None:
    """Raise UnknownModalityError unless there are two modalities."""
    names = list(modalities)
    if len(names) != 2:
        got = "one modality" if len(names) == 1 else f"{len(names)} modalities"
        raise UnknownModalityError(", ".join(map(str, names)) or "dims", got=got, wanted="two", where=where)


def check_rank(rank: int, where: str) -> int:
    """Return the rank, or raise ShapeError."""
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise ShapeError("rank", got=repr(rank), wanted="a whole number above 0", where=where)
    return rank


def check_axes(shape: tuple[int, ...], axes: int, where: str, name: str = "kernel") -> None:
    """Raise ShapeError unless a kernel has so many axes."""
    if len(shape) != axes:
        raise ShapeError(
            name, got=f"shape {shape}", wanted=f"{axes} axes, one a modality and the last out", where=where
        )
