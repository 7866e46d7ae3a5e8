"""One layer of a Transformer decoder."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.encoders.keras.layer_norm import LayerNorm
from mmcourse.encoders.keras.sequence import linear
from mmcourse.encoders.keras.transformer import FeedForward


class DecoderLayer(keras.layers.Layer):
    """Self-attention, cross-attention where there is a memory, feed-forward; on inputs that were checked."""

    def __init__(
        self,
        dim: int,
        heads: int,
        memory_dim: int | None,
        hidden_size: int,
        activation: str,
        epsilon: float,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        inner = {"dtype": self.dtype_policy}
        self.attention, self.attention_norm = (
            Attention(dim, dim, heads, **inner),
            LayerNorm(dim, epsilon=epsilon, **inner),
        )
        if memory_dim is not None:
            self.cross_attention = Attention(dim, memory_dim, heads, **inner)
            self.cross_attention_norm = LayerNorm(dim, epsilon=epsilon, **inner)
        self.feed_forward = FeedForward(dim, hidden_size, activation, **inner)
        self.feed_forward_norm = LayerNorm(dim, epsilon=epsilon, **inner)
        self.built = True

    def call(self, x: Any, seen: Any, memory: Any, memory_seen: Any) -> Any:
        """x: (batch, time, dim);  seen: which word may see which;  memory: (batch, steps, memory_dim) or None"""
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, seen)
        if memory is not None:
            x = x + self.cross_attention(self.cross_attention_norm(x), memory, memory_seen)
        return x + self.feed_forward(self.feed_forward_norm(x))


class Attention(keras.layers.Layer):
    """softmax(Q K^T / sqrt(d)) V, joined and mixed; queries from what asks, keys and values from what answers."""

    def __init__(self, dim: int, memory_dim: int, heads: int, **layer: Any) -> None:
        super().__init__(**layer)
        self.query, self.out = (linear(dim, dim, self.dtype_policy) for _ in range(2))
        self.key, self.value = (linear(memory_dim, dim, self.dtype_policy) for _ in range(2))
        self.heads, self.width = heads, dim // heads
        self.built = True

    def call(self, x: Any, memory: Any, seen: Any) -> Any:
        """x: (batch, n, dim);  memory: (batch, time, memory_dim);  seen: broadcasts to (batch, heads, n, time)"""
        queries, keys, values = self._cut(self.query(x)), self._cut(self.key(memory)), self._cut(self.value(memory))
        scores = tf.matmul(queries, keys, transpose_b=True) * self.width**-0.5
        if seen is not None:
            scores = tf.where(seen, scores, tf.constant(-float("inf"), scores.dtype))
        mixed = ops.transpose(tf.nn.softmax(scores, axis=-1) @ values, (0, 2, 1, 3))
        return self.out(tf.reshape(mixed, tf.shape(x)))

    def _cut(self, projected: Any) -> Any:
        """(batch, time, dim) -> (batch, heads, time, dim / heads)"""
        batch, time = tf.unstack(tf.shape(projected)[:2])
        return ops.transpose(tf.reshape(projected, (batch, time, self.heads, self.width)), (0, 2, 1, 3))
