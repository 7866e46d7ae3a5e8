"""Attention of one sequence to another."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders.numpy.attention import Parameters, scaled_dot_product_attention
from mmcourse.encoders.numpy.inputs import linear
from mmcourse.encoders.sequence_checks import check_heads
from mmcourse.fusion.numpy.sequences import prepare

WHERE = "cross-attention"
Array = NDArray[np.float64]


def cross_attention(
    queries: ArrayLike,
    keys: ArrayLike,
    *,
    query: Parameters,
    key: Parameters,
    value: Parameters,
    out: Parameters,
    heads: int,
    mask: ArrayLike | None = None,
    query_mask: ArrayLike | None = None,
    return_weights: bool = False,
) -> Array | tuple[Array, Array]:
    """Let every step of one sequence gather from the steps of another, in several heads.

        Q = x query + b_q,  K = c key + b_k,  V = c value + b_v,  each cut into heads of width d = dim / heads
        head_h = softmax(Q_h K_h^T / sqrt(d)) V_h,     y = [head_1, ..., head_H] out + b_o

    queries x: (batch, q, dim);  keys c, of which values are made too: (batch, k, key_dim)
    query, out: {"kernel": (dim, dim), "bias": (dim,)};  key, value: {"kernel": (key_dim, dim), "bias": (dim,)}
    mask: of keys, (batch, k) booleans, True = present;  query_mask: (batch, q);  a masked key is seen by none; a row
    without a key, and a masked query, get zero
    returns (batch, q, dim), and with return_weights also (batch, heads, q, k), zero where a query gets zero
    Raises a ModalityError naming the input or parameter that does not fit.
    Source: Vaswani et al. (2017).
    """
    masks = {"queries": query_mask, "keys": mask}
    inputs, present = prepare({"queries": queries, "keys": keys}, {"queries": None, "keys": None}, masks, WHERE)
    x, c = inputs["queries"], inputs["keys"]
    dim = x.shape[2]
    check_heads(dim, heads, False, WHERE)
    q = cut(linear(x, query, "query", WHERE, dim), heads)
    k = cut(linear(c, key, "key", WHERE, dim), heads)
    v = cut(linear(c, value, "value", WHERE, dim), heads)

    some = present["keys"].any(axis=1, keepdims=True)  # (batch, 1)
    # A row without a key is let see all, so that no softmax runs over nothing; what it gets is thrown away.
    allowed = present["keys"] | ~some
    mixed, weights = scaled_dot_product_attention(q, k, v, allowed=allowed[:, None, None])
    y = linear(join(mixed), out, "out", WHERE, dim)
    gets = some & present["queries"]  # (batch, q)
    y, weights = np.where(gets[..., None], y, 0), np.where(gets[:, None, :, None], weights, 0)
    return (y, weights) if return_weights else y


def cut(projected: Array, heads: int) -> Array:
    """(batch, steps, dim) -> (batch, heads, steps, dim / heads)"""
    batch, steps, dim = projected.shape
    return projected.reshape(batch, steps, heads, dim // heads).swapaxes(1, 2)


def join(mixed: Array) -> Array:
    """(batch, heads, steps, width) -> (batch, steps, heads width)"""
    batch, heads, steps, width = mixed.shape
    return mixed.swapaxes(1, 2).reshape(batch, steps, heads * width)
