"""Rotary positions."""

import torch
from torch import Tensor

from mmcourse.errors import ShapeError

WHERE = "rotary positions"


def rotary_positions(x: Tensor, *, positions: Tensor | None = None, base: float = 10_000.0) -> Tensor:
    """Turn each pair of numbers of a vector by an angle that grows with its position.

        (x_2i, x_2i+1)  ->  rotation by  p base^(-2i / dim),  p the position, i = 0 ... dim/2 - 1

    The scalar product of a query turned at p and a key turned at q depends on p - q alone. The pairs are neighbours, as
    in the paper; many models pair i with i + dim/2 instead, which is the same after a fixed reordering of the columns.
    x: (..., time, dim), dim even;  positions: (time,), 0, 1, 2, ... if not given;  returns (..., time, dim)
    Raises ShapeError for an odd width, or positions that do not fit.
    Source: Su et al. (2021).
    """
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ShapeError("x", got=f"shape {tuple(x.shape)}", wanted="(..., time, an even width)", where=WHERE)
    time, dim = x.shape[-2:]
    p = torch.arange(time) if positions is None else positions.cpu()
    if p.shape != (time,):
        raise ShapeError("positions", got=f"shape {tuple(p.shape)}", wanted=(time,), where=WHERE)
    # Angles in double precision whatever x is in: at a late position a single-precision angle is off by what matters.
    # On the CPU, since not every device has double precision.
    angles = p[:, None] * base ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)  # (time, dim/2)
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    first, second = x[..., 0::2], x[..., 1::2]
    return torch.stack([first * cos - second * sin, first * sin + second * cos], dim=-1).flatten(-2)
