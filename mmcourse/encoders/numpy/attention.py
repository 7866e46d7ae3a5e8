"""Attention of a sequence to itself."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.numpy import inputs
from mmcourse.encoders.numpy.inputs import Array
from mmcourse.encoders.numpy.rotary import rotary_positions
from mmcourse.errors import MaskError

WHERE = "self-attention"
Parameters = Mapping[str, ArrayLike]


def scaled_dot_product_attention(
    queries: ArrayLike, keys: ArrayLike, values: ArrayLike, *, allowed: ArrayLike | None = None
) -> tuple[Array, Array]:
    """Mix values by how well their keys answer a query:  A V  with  A = softmax(Q K^T / sqrt(dim)).

    queries: (..., n, dim);  keys: (..., m, dim);  values: (..., m, out)
    allowed: booleans that broadcast to (..., n, m), True where a query may see a key
    returns A V (..., n, out) and A (..., n, m), whose rows sum to 1
    Raises MaskError where a query may see no key.
    Source: Vaswani et al. (2017).
    """
    q, k, v = (np.asarray(x, np.float64) for x in (queries, keys, values))
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    if allowed is not None:
        allowed = np.broadcast_to(np.asarray(allowed), scores.shape)
        if not allowed.any(axis=-1).all():
            raise MaskError("allowed", got="a query that sees no key", wanted="one at least", where="attention")
        scores = np.where(allowed, scores, -np.inf)
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights @ v, weights


def self_attention(
    sequence: ArrayLike,
    *,
    query: Parameters,
    key: Parameters,
    value: Parameters,
    out: Parameters,
    heads: int,
    mask: ArrayLike | None = None,
    causal: bool = False,
    rotary: bool = False,
    return_weights: bool = False,
) -> Array | tuple[Array, Array]:
    """Let every step of a sequence gather from the others, in several heads.

        Q = x query + b_q,  K = x key + b_k,  V = x value + b_v,  each cut into heads of width d = dim / heads
        head_h = softmax(Q_h K_h^T / sqrt(d)) V_h,     y = [head_1, ..., head_H] out + b_o

    sequence: (batch, time, dim);  query, key, value, out: {"kernel": (dim, dim), "bias": (dim,)}
    mask: (batch, time) booleans, True = present; a masked step is seen by none, and its output is zero
    causal: a step sees itself and those before it;  rotary: Q_h and K_h turned by `rotary_positions`
    returns (batch, time, dim), and with return_weights also (batch, heads, time, time): [.., t, s] is how much t takes
    from s, zero for a masked t
    Raises a ModalityError naming the input or parameter that does not fit.
    Source: Vaswani et al. (2017).
    """
    x, present = inputs.prepare(sequence, mask, None, WHERE)
    checks.check_heads(x.shape[2], heads, rotary, WHERE)
    parameters = {"query": query, "key": key, "value": value, "out": out}
    y, weights = multi_head(x, allowed_keys(present, causal), parameters, heads=heads, rotary=rotary, where=WHERE)
    y = np.where(present[..., None], y, 0)
    return (y, np.where(present[:, None, :, None], weights, 0)) if return_weights else y


def allowed_keys(present: NDArray[np.bool_], causal: bool) -> NDArray[np.bool_]:
    """Which step may see which: (batch, time, time).

    Every step may see itself, the masked ones too: so no softmax runs over nothing, and what they get is thrown away.
    """
    itself = np.eye(present.shape[1], dtype=np.bool_)
    seen = present[:, None, :] & (np.tri(present.shape[1], dtype=np.bool_) if causal else True)
    return seen | itself


def multi_head(
    x: Array,
    allowed: NDArray[np.bool_],
    parameters: Mapping[str, Parameters],
    *,
    heads: int,
    rotary: bool,
    where: str,
    path: str = "",
) -> tuple[Array, Array]:
    """The formula of `self_attention` on inputs that were checked; path: what stands before the parameters' names."""
    batch, time, dim = x.shape

    def cut(name: str) -> Array:
        """(batch, time, dim) -> (batch, heads, time, dim / heads)"""
        projected = inputs.linear(x, parameters[name], path + name, where, dim)
        return projected.reshape(batch, time, heads, dim // heads).swapaxes(1, 2)

    queries, keys, values = cut("query"), cut("key"), cut("value")
    if rotary:
        queries, keys = rotary_positions(queries), rotary_positions(keys)
    mixed, weights = scaled_dot_product_attention(queries, keys, values, allowed=allowed[:, None])
    joined = mixed.swapaxes(1, 2).reshape(batch, time, dim)
    return inputs.linear(joined, parameters["out"], f"{path}out", where, dim), weights
