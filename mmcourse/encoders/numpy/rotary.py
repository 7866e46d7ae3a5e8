"""Rotary positions."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.errors import ShapeError

WHERE = "rotary positions"


def rotary_positions(
    x: ArrayLike, *, positions: ArrayLike | None = None, base: float = 10_000.0
) -> NDArray[np.float64]:
    """Turn each pair of numbers of a vector by an angle that grows with its position.

        (x_2i, x_2i+1)  ->  rotation by  p base^(-2i / dim),  p the position, i = 0 ... dim/2 - 1

    The scalar product of a query turned at p and a key turned at q depends on p - q alone. The pairs are neighbours, as
    in the paper; many models pair i with i + dim/2 instead, which is the same after a fixed reordering of the columns.
    x: (..., time, dim), dim even;  positions: (time,), 0, 1, 2, ... if not given;  returns (..., time, dim)
    Raises ShapeError for an odd width, or positions that do not fit.
    Source: Su et al. (2021).
    """
    x = np.asarray(x, np.float64)
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ShapeError("x", got=f"shape {x.shape}", wanted="(..., time, an even width)", where=WHERE)
    time, dim = x.shape[-2:]
    p = np.arange(time) if positions is None else np.asarray(positions)
    if p.shape != (time,):
        raise ShapeError("positions", got=f"shape {p.shape}", wanted=(time,), where=WHERE)
    angles = p[:, None] * base ** (-np.arange(0, dim, 2) / dim)  # (time, dim/2)
    first, second = x[..., 0::2], x[..., 1::2]
    turned = (first * np.cos(angles) - second * np.sin(angles), first * np.sin(angles) + second * np.cos(angles))
    return np.stack(turned, axis=-1).reshape(x.shape)
