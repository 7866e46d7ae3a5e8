"""Transformer decoder."""

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmcourse.checks import check_size
from mmcourse.decoders import checks
from mmcourse.decoders.torch.cache import Cache
from mmcourse.decoders.torch.layer import DecoderLayer
from mmcourse.decoders.torch.words import WordDecoder
from mmcourse.encoders import sequence_checks
from mmcourse.encoders.torch.layer_norm import LayerNorm
from mmcourse.encoders.torch.positions import LearnedPositions
from mmcourse.encoders.torch.sequence import Linear, silence


class TransformerDecoder(WordDecoder):
    """The logits of each next word, by layers of causal self-attention, cross-attention and feed-forward:

        x_t = words[id_t] + positions[p_t],                    p_t: how many words are present before t
        x <- x + softmax(Q K^T / sqrt(d) + M) V,               Q, K, V from norm(x);  M_ts = 0 for s <= t, else -inf
        x <- x + softmax(Q K^T / sqrt(d)) V,                   Q from norm(x), K and V from memory
        x <- x + feed_forward(norm(x)),                        logits = norm(x) head + b,  or  norm(x) words^T

    count: how many words;  dim: the width of x;  layers, heads: heads divide dim
    length: the most words, rows of "positions.vectors" (length, dim)
    memory_dim: the width of a step of the memory; without it no layer has cross-attention, and what stands here is a
        plain causal language model
    hidden_size: the inner width of feed_forward, 4 dim if not given;  activation: "relu" or "gelu", the exact one
    tied: the head is the word vectors; else "head.kernel" (dim, count) and "head.bias";  epsilon: of every norm
    Parameters "words.vectors", "layers.0.attention.query.kernel", "layers.0.attention_norm.scale",
    "layers.0.cross_attention.key.kernel" (memory_dim, dim), "layers.0.feed_forward.hidden.kernel", "final_norm.scale",
    and so on. No dropout. What is masked is seen by none, takes no position, and its logits are zero.
    `begin` and `extend` read word by word, with a cache, and give the same logits.
    check_values: see WordDecoder.  Raises a ModalityError naming what does not fit.
    Source: Vaswani et al. (2017); without memory: Radford et al. (2018); normalising first: Xiong et al. (2020).
    """

    where = "transformer decoder"

    def __init__(
        self,
        count: int,
        *,
        dim: int,
        layers: int,
        heads: int,
        length: int,
        memory_dim: int | None = None,
        hidden_size: int | None = None,
        tied: bool = True,
        activation: str = "relu",
        epsilon: float = 1e-5,
        check_values: bool = True,
    ) -> None:
        super().__init__(count, dim=dim, check_values=check_values)
        sequence_checks.check_heads(self.dim, heads, False, self.where)
        sequence_checks.check_activation(activation, self.where)
        self.length = check_size("length", length, self.where)
        self.memory_dim = None if memory_dim is None else check_size("memory_dim", memory_dim, self.where)
        hidden_size = check_size("hidden_size", 4 * self.dim if hidden_size is None else hidden_size, self.where)
        self.positions = LearnedPositions(self.dim, length=self.length, check_values=False)
        self.layers = nn.ModuleList(
            DecoderLayer(self.dim, heads, self.memory_dim, hidden_size, activation, epsilon)
            for _ in range(check_size("layers", layers, self.where))
        )
        self.final_norm = LayerNorm(self.dim, epsilon=epsilon)
        self.head = None if tied else Linear(self.dim, self.count)

    def forward(
        self,
        ids: Tensor,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> Tensor:
        """The logits after each word, (batch, time, count).

        ids: (batch, time);  memory: (batch, steps, memory_dim);  mask, memory_mask: (batch, time), (batch, steps) bool
        """
        if memory is not None:
            given = self.spec("memory", memory), self.mask_spec(memory_mask)
            checks.check_memory(*given, self.memory_dim, len(ids), self.where)
        return self.extend(ids, self.begin(memory, memory_mask), mask)[0]

    def begin(self, memory: Tensor | None = None, memory_mask: Tensor | None = None) -> Cache:
        """The cache before any word: keys and values of the memory, computed once for all words to come."""
        given = None if memory is None else self.spec("memory", memory)
        checks.check_memory(given, self.mask_spec(memory_mask), self.memory_dim, None, self.where)
        if memory is None:
            return Cache()
        memory = silence(memory, memory_mask)
        if self.check_values:
            finite = memory.detach().isfinite().all(dim=2).all(dim=1)
            some = torch.ones_like(finite) if memory_mask is None else memory_mask.any(dim=1)
            some, finite = torch.stack([some, finite]).cpu().numpy()
            sequence_checks.check_values("memory", some, finite, self.where)
        pairs = [layer.of_memory(memory) for layer in self._layers()]
        keys, values = zip(*pairs, strict=True)
        return Cache(memory_keys=keys, memory_values=values, memory_mask=memory_mask)

    def extend(self, ids: Tensor, cache: Cache, mask: Tensor | None = None) -> tuple[Tensor, Cache]:
        """Read on: the logits after each of these words, (rows, time, count), and the cache with them in it."""
        outputs, longer = self.extend_vectors(self.read(ids, mask, before=cache.length), cache, mask)
        return silence(self.logits(outputs), mask), longer

    def extend_vectors(self, x: Tensor, cache: Cache, mask: Tensor | None = None) -> tuple[Tensor, Cache]:
        """Read on in vectors (rows, time, dim), masked ones zero: what comes out of the last norm, and the cache."""
        checks.check_rows(len(x), cache.rows, self.where)
        sequence_checks.check_length(cache.length + x.shape[1], self.positions.length, self.where)
        present = _present(cache, mask, x)
        x = x + self.positions.vectors[_earlier(cache.length, present, x)]
        seen = _seen(cache.length, present, x)
        memory_seen = None if cache.memory_mask is None else cache.memory_mask[:, None, None]
        keys, values = [], []
        for index, layer in enumerate(self._layers()):
            past = (cache.keys[index], cache.values[index]) if cache.keys else None
            memory = (cache.memory_keys[index], cache.memory_values[index]) if cache.memory_keys else None
            x, (layer_keys, layer_values) = layer(x, past, seen, memory, memory_seen)
            keys.append(layer_keys)
            values.append(layer_values)
        longer = replace(cache, keys=tuple(keys), values=tuple(values), present=present)
        return self.final_norm(x), longer

    def _layers(self) -> list[DecoderLayer]:
        return [cast(DecoderLayer, layer) for layer in self.layers]

    def logits(self, x: Tensor) -> Tensor:
        """x: (..., dim), after the last norm;  returns (..., count)"""
        return functional.linear(x, self.words.vectors) if self.head is None else self.head(x)


def _present(cache: Cache, mask: Tensor | None, x: Tensor) -> Tensor | None:
    """Which of all the words read are present, these included: (rows, all), or None for all."""
    if mask is None and cache.present is None:
        return None
    before = x.new_ones((len(x), cache.length), dtype=torch.bool) if cache.present is None else cache.present
    now = x.new_ones(x.shape[:2], dtype=torch.bool) if mask is None else mask
    return torch.cat([before, now], dim=1)


def _earlier(before: int, present: Tensor | None, x: Tensor) -> Tensor:
    """How many words are present before each of these: (time,) or (rows, time)."""
    if present is None:
        return torch.arange(before, before + x.shape[1], device=x.device)
    return (present.cumsum(dim=1) - present.long())[:, before:]


def _seen(before: int, present: Tensor | None, x: Tensor) -> Tensor | None:
    """Which of all words each of these sees: (rows or 1, 1, time, all), or None for all.

    Every word may see itself, the masked ones too: so no softmax runs over nothing, and what they get is thrown away.
    """
    time = x.shape[1]
    if present is None and time == 1:
        return None
    places = torch.arange(before + time, device=x.device)
    earlier = places <= places[before:, None]
    if present is None:
        return earlier[None, None]
    return ((present[:, None] & earlier) | (places == places[before:, None]))[:, None]
