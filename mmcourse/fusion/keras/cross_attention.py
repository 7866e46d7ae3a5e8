"""Attention of one sequence to another."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.encoders.keras.sequence import linear, silence
from mmcourse.encoders.sequence_checks import check_heads
from mmcourse.fusion.keras.sequences import SequenceFusion


@keras.saving.register_keras_serializable(package="mmcourse")
class CrossAttention(SequenceFusion):
    """Let every step of one sequence gather from the steps of another, in several heads.

        Q = x query + b_q,  K = c key + b_k,  V = c value + b_v,  each cut into heads of width d = dim / heads
        head_h = softmax(Q_h K_h^T / sqrt(d)) V_h,     y = [head_1, ..., head_H] out + b_o

    x, the queries: (batch, q, dim);  c, the keys, of which values are made too: (batch, k, key_dim)
    dim: the width of x and of y;  key_dim: the width of c, dim if not given;  heads: divides dim
    "query.kernel" (dim, dim), "key.kernel" and "value.kernel" (key_dim, dim), "out.kernel" (dim, dim), biases (dim,)
    A masked key is seen by none; a row without a key, and a masked query, get zero.
    check_values: see SequenceFusion.  Raises a ModalityError naming what does not fit.
    Source: Vaswani et al. (2017).
    """

    where = "cross-attention"

    def __init__(self, dim: int, *, key_dim: int | None = None, heads: int, **layer: Any) -> None:
        super().__init__({"queries": dim, "keys": dim if key_dim is None else key_dim}, **layer)
        self.dim, self.key_dim = self.dims["queries"], self.dims["keys"]
        self.width = check_heads(self.dim, heads, False, self.where)
        self.heads = heads
        self.query, self.out = (linear(self.dim, self.dim, self.dtype_policy) for _ in range(2))
        self.key, self.value = (linear(self.key_dim, self.dim, self.dtype_policy) for _ in range(2))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dim": self.dim, "key_dim": self.key_dim, "heads": self.heads}

    def compute_mask(self, *inputs: Any, **masks: Any) -> None:
        """A mask is given to each layer by name."""

    def compute_output_spec(self, queries: Any, keys: Any, mask: Any = None, query_mask: Any = None) -> Any:
        self.check_structure({"queries": queries, "keys": keys}, {"queries": query_mask, "keys": mask})
        return keras.KerasTensor((*queries.shape[:2], self.dim), self.compute_dtype)

    def call(self, queries: Any, keys: Any, mask: Any = None, query_mask: Any = None) -> Any:
        """queries: (batch, q, dim);  keys: (batch, k, key_dim);  mask: of keys, (batch, k) bool

        query_mask: (batch, q) bool;  returns (batch, q, dim)
        """
        inputs, present = self.prepare({"queries": queries, "keys": keys}, {"queries": query_mask, "keys": mask})
        y = self.attend(inputs["queries"], inputs["keys"], allowed_keys(present["keys"]))
        return silence(y, present["queries"])

    def attend(self, queries: Any, keys: Any, allowed: Any = None) -> Any:
        """The same on inputs that were checked.

        allowed: booleans that broadcast to (batch, heads, q, k), as `allowed_keys` makes them, or None for all
        A query that may see no key gets zero, the bias of `out` included.
        """
        query, key = cut(self.query(queries), self.heads), cut(self.key(keys), self.heads)
        return attend(query, key, cut(self.value(keys), self.heads), allowed, self.out)

    def attention_weights(self, queries: Any, keys: Any, mask: Any = None, query_mask: Any = None) -> Any:
        """The softmax of `call`: (batch, heads, q, k); [.., t, s]: what query t takes from key s.

        Zero where a query gets zero.
        """
        inputs, present = self.prepare({"queries": queries, "keys": keys}, {"queries": query_mask, "keys": mask})
        query, key = cut(self.query(inputs["queries"]), self.heads), cut(self.key(inputs["keys"]), self.heads)
        weights = softmax_weights(query, key, allowed_keys(present["keys"]))
        here = present["queries"]
        return weights if here is None else tf.where(here[:, None, :, None], weights, tf.zeros((), weights.dtype))


def allowed_keys(mask: Any) -> Any:
    """(batch, k) -> (batch, 1, 1, k), which broadcasts over heads and queries."""
    return None if mask is None else mask[:, None, None, :]


def cut(projected: Any, heads: int) -> Any:
    """(batch, steps, dim) -> (batch, heads, steps, dim / heads)"""
    batch, steps = tf.unstack(tf.shape(projected)[:2])
    return ops.transpose(tf.reshape(projected, (batch, steps, heads, projected.shape[2] // heads)), (0, 2, 1, 3))


def attend(query: Any, key: Any, value: Any, allowed: Any, out: Any) -> Any:
    """[head_1, ..., head_H] out + b_o;  zero for a query that may see no key.

    query: (batch, heads, q, d);  key, value: (batch, heads, k, d);  returns (batch, q, dim)
    """
    mixed = ops.transpose(softmax_weights(query, key, allowed) @ value, (0, 2, 1, 3))  # (batch, q, heads, d)
    batch, steps = tf.unstack(tf.shape(mixed)[:2])
    y = out(tf.reshape(mixed, (batch, steps, mixed.shape[2] * mixed.shape[3])))
    if allowed is None:
        return y
    some = tf.reduce_any(allowed, axis=(1, 3))[..., None]  # (batch, q or 1, 1)
    return tf.where(some, y, tf.zeros((), y.dtype))


def softmax_weights(query: Any, key: Any, allowed: Any) -> Any:
    """softmax(Q K^T / sqrt(d)) over the keys allowed, zero for a query that may see none: (batch, heads, q, k).

    Such a query is let see all, so that no softmax runs over nothing (NaN, in the gradient too), and what it gets is
    thrown away. Masked keys hold finite numbers, since `prepare` has set them to zero before the projections.
    """
    scores = tf.matmul(query, key, transpose_b=True) * query.shape[3] ** -0.5
    if allowed is None:
        return tf.nn.softmax(scores, axis=-1)
    some = tf.reduce_any(allowed, axis=3, keepdims=True)
    weights = tf.nn.softmax(tf.where(allowed | ~some, scores, tf.constant(-float("inf"), scores.dtype)), axis=-1)
    return tf.where(some, weights, tf.zeros((), weights.dtype))
