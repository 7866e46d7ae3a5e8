"""One layer of a Transformer decoder."""

import torch
from torch import Tensor, nn

from mmcourse.encoders.torch.attention import SelfAttention
from mmcourse.encoders.torch.layer_norm import LayerNorm
from mmcourse.encoders.torch.transformer import FeedForward
from mmcourse.fusion.torch.cross_attention import CrossAttention, attend, cut

Pair = tuple[Tensor, Tensor]  # keys and values, (rows, heads, time, width) each


class DecoderLayer(nn.Module):
    """Self-attention, cross-attention where there is a memory, feed-forward; on inputs that were checked."""

    def __init__(
        self, dim: int, heads: int, memory_dim: int | None, hidden_size: int, activation: str, epsilon: float
    ) -> None:
        super().__init__()
        self.attention, self.attention_norm = SelfAttention(dim, heads=heads), LayerNorm(dim, epsilon=epsilon)
        if memory_dim is not None:
            self.cross_attention = CrossAttention(dim, key_dim=memory_dim, heads=heads)
            self.cross_attention_norm = LayerNorm(dim, epsilon=epsilon)
        self.feed_forward = FeedForward(dim, hidden_size, activation)
        self.feed_forward_norm = LayerNorm(dim, epsilon=epsilon)

    def forward(
        self, x: Tensor, past: Pair | None, seen: Tensor | None, memory: Pair | None, memory_seen: Tensor | None
    ) -> tuple[Tensor, Pair]:
        """x: (rows, time, dim), the new words;  past: keys and values of those before;  seen: which of all each sees

        returns what becomes of x, and keys and values of all words
        """
        normed = self.attention_norm(x)
        keys, values = keys_and_values(self.attention, normed)
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        x = x + ask(self.attention, normed, (keys, values), seen)
        if memory is not None:
            x = x + ask(self.cross_attention, self.cross_attention_norm(x), memory, memory_seen)
        return x + self.feed_forward(self.feed_forward_norm(x)), (keys, values)

    def of_memory(self, memory: Tensor) -> Pair:
        """Keys and values of a memory (rows, steps, memory_dim), for all words to come."""
        return keys_and_values(self.cross_attention, memory)


# Attention in two halves, so that keys and values can be kept.


def keys_and_values(attention: SelfAttention | CrossAttention, x: Tensor) -> Pair:
    """x: (rows, time, width)"""
    return cut(attention.key(x), attention.heads), cut(attention.value(x), attention.heads)


def ask(attention: SelfAttention | CrossAttention, x: Tensor, pair: Pair, seen: Tensor | None) -> Tensor:
    """x: (rows, n, dim);  seen: broadcasts to (rows, heads, n, time), None for all;  returns (rows, n, dim)"""
    return attend(cut(attention.query(x), attention.heads), *pair, seen, attention.out)
