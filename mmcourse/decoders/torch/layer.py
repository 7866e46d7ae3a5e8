"""One layer of a Transformer decoder."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmcourse.encoders.torch.layer_norm import LayerNorm
from mmcourse.encoders.torch.sequence import Linear
from mmcourse.encoders.torch.transformer import FeedForward

Pair = tuple[Tensor, Tensor]  # keys and values, (rows, heads, time, width) each


class DecoderLayer(nn.Module):
    """Self-attention, cross-attention where there is a memory, feed-forward; on inputs that were checked."""

    def __init__(
        self, dim: int, heads: int, memory_dim: int | None, hidden_size: int, activation: str, epsilon: float
    ) -> None:
        super().__init__()
        self.attention, self.attention_norm = Attention(dim, dim, heads), LayerNorm(dim, epsilon=epsilon)
        if memory_dim is not None:
            self.cross_attention = Attention(dim, memory_dim, heads)
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
        keys, values = self.attention.keys_and_values(normed)
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        x = x + self.attention(normed, keys, values, seen)
        if memory is not None:
            x = x + self.cross_attention(self.cross_attention_norm(x), *memory, memory_seen)
        return x + self.feed_forward(self.feed_forward_norm(x)), (keys, values)


class Attention(nn.Module):
    """Attention in two halves, so that keys and values can be kept:  softmax(Q K^T / sqrt(d)) V, joined and mixed.

    dim: the width of what asks and of the result;  memory_dim: that of what answers
    """

    def __init__(self, dim: int, memory_dim: int, heads: int) -> None:
        super().__init__()
        self.query, self.key = Linear(dim, dim), Linear(memory_dim, dim)
        self.value, self.out = Linear(memory_dim, dim), Linear(dim, dim)
        self.heads = heads

    def keys_and_values(self, memory: Tensor) -> Pair:
        """memory: (rows, time, memory_dim)"""
        return self._cut(self.key(memory)), self._cut(self.value(memory))

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, seen: Tensor | None) -> Tensor:
        """x: (rows, n, dim);  seen: broadcasts to (rows, heads, n, time), None for all;  returns (rows, n, dim)"""
        mixed = functional.scaled_dot_product_attention(self._cut(self.query(x)), keys, values, attn_mask=seen)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _cut(self, projected: Tensor) -> Tensor:
        """(rows, time, dim) -> (rows, heads, time, dim / heads)"""
        return projected.unflatten(2, (self.heads, -1)).transpose(1, 2)
