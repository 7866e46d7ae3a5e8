"""Rotary positions."""

from typing import Any

import tensorflow as tf

from mmcourse.checks import shape_text
from mmcourse.errors import ShapeError

WHERE = "rotary positions"


def rotary_positions(x: Any, *, positions: Any = None, base: float = 10_000.0) -> Any:
    """Turn each pair of numbers of a vector by an angle that grows with its position.

        (x_2i, x_2i+1)  ->  rotation by  p base^(-2i / dim),  p the position, i = 0 ... dim/2 - 1

    The scalar product of a query turned at p and a key turned at q depends on p - q alone. The pairs are neighbours, as
    in the paper; many models pair i with i + dim/2 instead, which is the same after a fixed reordering of the columns.
    x: (..., time, dim), dim even;  positions: (time,), 0, 1, 2, ... if not given;  returns (..., time, dim)
    Raises ShapeError for an odd width, or positions that do not fit.
    Source: Su et al. (2021).
    """
    x = tf.convert_to_tensor(x)
    if len(x.shape) < 2 or x.shape[-1] % 2:
        raise ShapeError("x", got=f"shape {shape_text(x.shape)}", wanted="(..., time, an even width)", where=WHERE)
    time, dim = tf.shape(x)[-2], x.shape[-1]
    p = tf.range(time) if positions is None else tf.convert_to_tensor(positions)
    if len(p.shape) != 1 or (None not in (p.shape[0], x.shape[-2]) and p.shape[0] != x.shape[-2]):
        raise ShapeError("positions", got=f"shape {shape_text(p.shape)}", wanted=(x.shape[-2],), where=WHERE)
    # Angles in double precision whatever x is in: at a late position a single-precision angle is off by what matters.
    frequencies = tf.constant([base ** (-step / dim) for step in range(0, dim, 2)], tf.float64)
    angles = tf.cast(p, tf.float64)[:, None] * frequencies  # (time, dim/2)
    cos, sin = tf.cast(tf.cos(angles), x.dtype), tf.cast(tf.sin(angles), x.dtype)
    first, second = x[..., 0::2], x[..., 1::2]
    return tf.reshape(tf.stack([first * cos - second * sin, first * sin + second * cos], axis=-1), tf.shape(x))
