"""A sequence summed up by learned queries."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders.numpy.attention import Parameters, scaled_dot_product_attention
from mmcourse.encoders.numpy.inputs import linear, prepare
from mmcourse.encoders.sequence_checks import check_heads
from mmcourse.errors import ShapeError
from mmcourse.fusion.numpy.cross_attention import cut, join

WHERE = "attention pooling"


def attention_pooling(
    sequence: ArrayLike,
    *,
    queries: ArrayLike,
    key: Parameters,
    value: Parameters,
    out: Parameters,
    heads: int = 1,
    mask: ArrayLike | None = None,
    return_weights: bool = False,
) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum up a sequence of any length in a fixed number of vectors, one for each learned query.

        K = x key + b_k,  V = x value + b_v,  cut into heads of width d = dim / heads, and so is Q = queries
        head_h = softmax(Q_h K_h^T / sqrt(d)) V_h,     y = [head_1, ..., head_H] out + b_o

    sequence x: (batch, time, key_dim);  queries: (count, dim)
    key, value: {"kernel": (key_dim, dim), "bias": (dim,)};  out: {"kernel": (dim, dim), "bias": (dim,)}
    mask: (batch, time) booleans, True = present;  a masked step is seen by none
    returns (batch, count, dim), and with return_weights also (batch, heads, count, time)
    Raises a ModalityError naming the input or parameter that does not fit.
    Source: Lee et al. (2019), without their network after the attention.
    """
    x, present = prepare(sequence, mask, None, WHERE)
    learned = np.asarray(queries, np.float64)
    if learned.ndim != 2:
        raise ShapeError("queries", got=f"shape {learned.shape}", wanted="(count, dim)", where=WHERE)
    dim = learned.shape[1]
    check_heads(dim, heads, False, WHERE)
    k = cut(linear(x, key, "key", WHERE, dim), heads)
    v = cut(linear(x, value, "value", WHERE, dim), heads)
    q = np.broadcast_to(cut(learned[None], heads), (len(x), heads, len(learned), dim // heads))
    mixed, weights = scaled_dot_product_attention(q, k, v, allowed=present[:, None, None])
    y = linear(join(mixed), out, "out", WHERE, dim)
    return (y, weights) if return_weights else y
