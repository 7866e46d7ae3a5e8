"""One layer of a Transformer decoder."""

from typing import Any

import keras

from mmcourse.encoders.keras.attention import SelfAttention
from mmcourse.encoders.keras.layer_norm import LayerNorm
from mmcourse.encoders.keras.transformer import FeedForward
from mmcourse.fusion.keras.cross_attention import CrossAttention


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
        self.attention = SelfAttention(dim, heads=heads, causal=True, **inner)
        self.attention_norm = LayerNorm(dim, epsilon=epsilon, **inner)
        if memory_dim is not None:
            self.cross_attention = CrossAttention(dim, key_dim=memory_dim, heads=heads, **inner)
            self.cross_attention_norm = LayerNorm(dim, epsilon=epsilon, **inner)
        self.feed_forward = FeedForward(dim, hidden_size, activation, **inner)
        self.feed_forward_norm = LayerNorm(dim, epsilon=epsilon, **inner)
        self.built = True

    def call(self, x: Any, seen: Any, memory: Any, memory_seen: Any) -> Any:
        """x: (batch, time, dim);  seen: which word may see which;  memory: (batch, steps, memory_dim) or None"""
        x = x + self.attention.attend(self.attention_norm(x), seen)
        if memory is not None:
            x = x + self.cross_attention.attend(self.cross_attention_norm(x), memory, memory_seen)
        return x + self.feed_forward(self.feed_forward_norm(x))
