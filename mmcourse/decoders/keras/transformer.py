"""Transformer decoder."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.checks import check_size
from mmcourse.decoders import checks
from mmcourse.decoders.keras.layer import DecoderLayer
from mmcourse.decoders.keras.words import WordDecoder
from mmcourse.encoders import sequence_checks
from mmcourse.encoders.keras import values
from mmcourse.encoders.keras.attention import allowed_keys
from mmcourse.encoders.keras.layer_norm import LayerNorm
from mmcourse.encoders.keras.positions import LearnedPositions
from mmcourse.encoders.keras.sequence import linear, silence, specification


@keras.saving.register_keras_serializable(package="mmcourse.decoders")
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
    and so on. No dropout, no cache. What is masked is seen by none, takes no position, and its logits are zero.
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
        **layer: Any,
    ) -> None:
        super().__init__(count, dim=dim, **layer)
        sequence_checks.check_heads(self.dim, heads, False, self.where)
        sequence_checks.check_activation(activation, self.where)
        self.length = check_size("length", length, self.where)
        self.memory_dim = None if memory_dim is None else check_size("memory_dim", memory_dim, self.where)
        hidden_size = check_size("hidden_size", 4 * self.dim if hidden_size is None else hidden_size, self.where)
        self.options: dict[str, Any] = {"layers": layers, "heads": heads, "length": length, "memory_dim": memory_dim}
        self.options |= {"hidden_size": hidden_size, "tied": tied, "activation": activation, "epsilon": epsilon}
        policy = self.dtype_policy
        self.positions = LearnedPositions(self.dim, length=self.length, dtype=policy, check_values=False)
        self.layers = [
            DecoderLayer(self.dim, heads, self.memory_dim, hidden_size, activation, epsilon, dtype=policy)
            for _ in range(check_size("layers", layers, self.where))
        ]
        self.final_norm = LayerNorm(self.dim, epsilon=epsilon, dtype=policy)
        self.head = None if tied else linear(self.dim, self.count, policy)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.options}

    def call(self, ids: Any, memory: Any = None, mask: Any = None, memory_mask: Any = None) -> Any:
        """The logits after each word, (batch, time, count).

        ids: (batch, time);  memory: (batch, steps, memory_dim);  mask, memory_mask: (batch, time), (batch, steps) bool
        """
        memory, memory_mask = self._memory(memory, memory_mask, ids.shape[0])
        x, mask = self.read(ids, mask)
        present = tf.ones(tf.shape(x)[:2], tf.bool) if mask is None else mask
        earlier = tf.cumsum(tf.cast(present, tf.int32), axis=1, exclusive=True)
        x = x + tf.gather(self.cast(self.positions.vectors), earlier)
        seen = allowed_keys(x, mask, True)
        memory_seen = None if memory_mask is None else memory_mask[:, None, None]
        for layer in self.layers:
            x = layer(x, seen, memory, memory_seen)
        return silence(self._logits(self.final_norm(x)), mask)

    def _memory(self, memory: Any, mask: Any, batch: int | None) -> tuple[Any, Any]:
        """Check it; masked steps become zero."""
        given = None if memory is None else specification(memory)
        here = None if mask is None else specification(mask)
        checks.check_memory(given, here, self.memory_dim, batch, self.where)
        if memory is None:
            return None, None
        mask = None if mask is None else ops.convert_to_tensor(mask)
        memory = silence(ops.convert_to_tensor(memory), mask)
        if self.check_values:
            values.check_values("memory", memory, mask, self.where)
        return memory, mask

    def _logits(self, x: Any) -> Any:
        if self.head is not None:
            return self.head(x)
        return ops.tensordot(x, ops.transpose(self.cast(self.words.vectors)), axes=1)
