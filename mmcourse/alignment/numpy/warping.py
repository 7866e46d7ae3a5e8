"""Dynamic time warping: the cheapest way to walk through two sequences together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.alignment import warping_checks as checks
from mmcourse.checks import Spec, shape_text
from mmcourse.errors import DtypeError, NotFiniteError, ShapeError

Floats = NDArray[np.float64]
WHERE = "dynamic_time_warping"
DISTANCES = ("euclidean", "squared", "manhattan", "cosine")


class Warping(NamedTuple):
    """cost: the sum of costs on the path;  path: (steps, 2), pairs (i, j) from (0, 0) to (n - 1, m - 1)."""

    cost: float
    path: NDArray[np.int64]


def dynamic_time_warping(costs: ArrayLike, *, band: int | None = None) -> Warping:
    """The cheapest path from (0, 0) to (n - 1, m - 1) by steps (1, 0), (0, 1) and (1, 1).

        D_ij = C_ij + min(D_i-1,j-1, D_i-1,j, D_i,j-1),   D_00 = C_00,   the cost is D_n-1,m-1

    costs: C, (n, m), what it costs to pair frame i of one sequence with frame j of the other; see pairwise_costs
    band: only pairs with |i - j| <= band are allowed, None for all; at least |n - m|
    Of steps that cost the same the diagonal one is taken, then (1, 0). Every step weighs the same, in the source the
    diagonal one counts twice.
    Raises a ModalityError naming what does not fit.  Source: Sakoe and Chiba (1978).
    """
    table = np.asarray(costs)
    if table.ndim != 2:
        raise ShapeError("costs", got=f"shape {table.shape}", wanted="(n, m)", where=WHERE)
    summed = accumulated_costs(table, band=band)
    i, j = table.shape[0] - 1, table.shape[1] - 1
    path = [(i, j)]
    while i or j:
        before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min((cell for cell in before if min(cell) >= 0), key=lambda cell: summed[cell])
        path.append((i, j))
    return Warping(float(summed[-1, -1]), np.array(path[::-1]))


def accumulated_costs(costs: ArrayLike, *, band: int | None = None) -> Floats:
    """The cost D of the cheapest path to every cell, infinite outside the band; see dynamic_time_warping.

    costs: (..., n, m), many tables at once. D_ij knows only rows up to i and columns up to j: the tables of shorter
    sequences may be filled up with anything finite, and their cost read where they end.
    returns (..., n, m)
    """
    table = np.asarray(costs)
    checks.check_costs(Spec(table.shape, table.dtype.name), WHERE)
    checks.check_finite(bool(np.isfinite(table).all()), WHERE)
    *_, n, m = table.shape
    checks.check_band(band, n, m, WHERE)
    summed = np.full((n + 1, m + 1, *table.shape[:-2]), np.inf)  # with a border, so that no cell is a special one
    summed[0, 0] = 0
    cells = np.moveaxis(table.astype(np.float64), (-2, -1), (0, 1))  # (n, m, ...)
    for i in range(n):
        for j in range(m):
            if band is None or abs(i - j) <= band:
                before = np.minimum(np.minimum(summed[i, j], summed[i, j + 1]), summed[i + 1, j])
                summed[i + 1, j + 1] = cells[i, j] + before
    return np.moveaxis(summed[1:, 1:], (0, 1), (-2, -1))


def pairwise_costs(x: ArrayLike, y: ArrayLike, distance: str = "euclidean") -> Floats:
    """The distance of every frame of x from every frame of y.

    x: (..., n, dim);  y: (..., m, dim);  returns (..., n, m)
    distance: "euclidean", "squared" (its square), "manhattan" (the sum of absolute differences), "cosine" (1 - cosine)
    Raises a ModalityError naming the sequence that does not fit, ValueError for another distance.
    """
    where = "pairwise_costs"
    if distance not in DISTANCES:
        raise ValueError(f"{where}: distance: got {distance!r}, wanted {' or '.join(map(repr, DISTANCES))}")
    left, right = (_frames(name, value, where) for name, value in (("x", x), ("y", y)))
    if left.shape[-1] != right.shape[-1]:
        raise ShapeError("y", got=f"width {right.shape[-1]}", wanted=left.shape[-1], where=where)
    try:
        np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    except ValueError:
        got, wanted = f"shape {shape_text(right.shape)}", f"batch axes that fit those of x, {shape_text(left.shape)}"
        raise ShapeError("y", got=got, wanted=wanted, where=where) from None
    if distance == "cosine":
        units = []
        for name, frames in (("x", left), ("y", right)):
            norms = np.linalg.norm(frames, axis=-1, keepdims=True)
            if not norms.all():
                raise NotFiniteError(name, got="a frame of zeros", wanted="a length above 0", where=where)
            units.append(frames / norms)
        return 1 - units[0] @ np.swapaxes(units[1], -1, -2)
    difference = left[..., :, None, :] - right[..., None, :, :]  # (..., n, m, dim)
    if distance == "manhattan":
        return np.abs(difference).sum(axis=-1)
    squared = (difference**2).sum(axis=-1)
    return squared if distance == "squared" else np.sqrt(squared)


def _frames(name: str, value: ArrayLike, where: str) -> Floats:
    frames = np.asarray(value)
    if frames.ndim < 2 or 0 in frames.shape:
        wanted = "(..., time, dim), all above 0"
        raise ShapeError(name, got=f"shape {shape_text(frames.shape)}", wanted=wanted, where=where)
    if frames.dtype.kind not in "fiu":
        raise DtypeError(name, got=f"dtype {frames.dtype.name}", wanted="numbers", where=where)
    if not np.isfinite(frames).all():
        raise NotFiniteError(name, got="NaN or infinity", wanted="finite numbers", where=where)
    return frames.astype(np.float64)
