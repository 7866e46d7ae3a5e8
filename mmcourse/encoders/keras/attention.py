"""Attention of a sequence to itself."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.keras.rotary import rotary_positions
from mmcourse.encoders.keras.sequence import SequenceEncoder, linear, silence


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class SelfAttention(SequenceEncoder):
    """Let every step of a sequence gather from the others, in several heads.

        Q = x query + b_q,  K = x key + b_k,  V = x value + b_v,  each cut into heads of width d = dim / heads
        head_h = softmax(Q_h K_h^T / sqrt(d)) V_h,     y = [head_1, ..., head_H] out + b_o

    dim: the width of a step, of y, and of the four kernels: "query.kernel" (dim, dim), "query.bias" (dim,), and so on
    heads: divides dim;  causal: a step sees itself and those before it
    rotary: Q_h and K_h turned by `rotary_positions`
    A masked step is seen by none, and its output is zero.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Vaswani et al. (2017).
    """

    where = "self-attention"

    def __init__(self, dim: int, *, heads: int, causal: bool = False, rotary: bool = False, **layer: Any) -> None:
        super().__init__(dim, out_dim=dim, **layer)
        self.width = checks.check_heads(self.dim, heads, rotary, self.where)
        self.heads, self.causal, self.rotary = heads, causal, rotary
        self.query, self.key, self.value, self.out = (linear(self.dim, self.dim, self.dtype_policy) for _ in range(4))

    def get_config(self) -> dict[str, Any]:
        own = {"heads": self.heads, "causal": self.causal, "rotary": self.rotary}
        return {**super().get_config(), **own}

    def call(self, sequence: Any, mask: Any = None) -> Any:
        """sequence: (batch, time, dim);  mask: (batch, time) bool;  returns (batch, time, dim)"""
        x, mask = self.prepare(sequence, mask)
        return silence(self.attend(x, allowed_keys(x, mask, self.causal)), mask)

    def attend(self, x: Any, allowed: Any) -> Any:
        """The same on inputs that were checked; allowed: what `allowed_keys` gives."""
        weights, values = self._weights(x, allowed), self._cut(self.value(x))
        mixed = ops.transpose(weights @ values, (0, 2, 1, 3))  # (batch, time, heads, dim / heads)
        return self.out(tf.reshape(mixed, tf.shape(x)))

    def attention_weights(self, sequence: Any, mask: Any = None) -> Any:
        """The softmax of `call`: (batch, heads, time, time); [.., t, s]: what t takes from s, zero for a masked t."""
        x, mask = self.prepare(sequence, mask)
        weights = self._weights(x, allowed_keys(x, mask, self.causal))
        return weights if mask is None else tf.where(mask[:, None, :, None], weights, tf.zeros((), weights.dtype))

    def _weights(self, x: Any, allowed: Any) -> Any:
        queries, keys = self._cut(self.query(x)), self._cut(self.key(x))
        if self.rotary:
            queries, keys = rotary_positions(queries), rotary_positions(keys)
        scores = tf.matmul(queries, keys, transpose_b=True) * self.width**-0.5
        if allowed is not None:
            scores = tf.where(allowed, scores, tf.constant(-float("inf"), scores.dtype))
        return tf.nn.softmax(scores, axis=-1)

    def _cut(self, projected: Any) -> Any:
        """(batch, time, dim) -> (batch, heads, time, dim / heads)"""
        batch, time = tf.unstack(tf.shape(projected)[:2])
        return ops.transpose(tf.reshape(projected, (batch, time, self.heads, self.width)), (0, 2, 1, 3))


def allowed_keys(x: Any, mask: Any, causal: bool) -> Any:
    """Which step may see which, (batch or 1, 1, time, time), or None for all.  x: (batch, time, dim)

    Every step may see itself, the masked ones too: so no softmax runs over nothing, and what they get is thrown away.
    """
    if mask is None and not causal:
        return None
    places = tf.range(tf.shape(x)[1])
    earlier = places[None, :] <= places[:, None] if causal else tf.constant(True)
    seen = earlier if mask is None else mask[:, None, None, :] & earlier
    return seen | (places[None, :] == places[:, None])
