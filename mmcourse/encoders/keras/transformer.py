"""Transformer encoder."""

from typing import Any

import keras
import tensorflow as tf

from mmcourse.checks import check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.keras.attention import SelfAttention, allowed_keys
from mmcourse.encoders.keras.layer_norm import LayerNorm
from mmcourse.encoders.keras.sequence import SequenceEncoder, linear, silence


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class TransformerEncoder(SequenceEncoder):
    """Pass a sequence through layers of self-attention and of a network that sees each step alone.

        norm_first:  x <- x + attention(norm(x)),   x <- x + feed_forward(norm(x))
        else:        x <- norm(x + attention(x)),   x <- norm(x + feed_forward(x))
        feed_forward(x) = activation(x hidden + b_1) out + b_2

    dim: the width of a step and of the result;  layers: how many;  heads, causal, rotary: see SelfAttention
    hidden_size: the inner width of feed_forward, 4 dim if not given;  activation: "relu" or "gelu", the exact one
    final_norm: a norm after the last layer; if not given, there is one where norms come first
    epsilon: of every norm
    Parameters "layers.0.attention.query.kernel", "layers.0.attention_norm.scale",
    "layers.0.feed_forward.hidden.kernel", "layers.0.feed_forward.out.kernel", "layers.0.feed_forward_norm.scale",
    "final_norm.scale", and so on. No dropout; positions are added before, or come in by rotary.
    A masked step is seen by none, and its output is zero.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Vaswani et al. (2017); normalising first: Xiong et al. (2020).
    """

    where = "transformer encoder"

    def __init__(
        self,
        dim: int,
        *,
        layers: int,
        heads: int,
        hidden_size: int | None = None,
        causal: bool = False,
        rotary: bool = False,
        norm_first: bool = True,
        final_norm: bool | None = None,
        activation: str = "relu",
        epsilon: float = 1e-5,
        **layer: Any,
    ) -> None:
        super().__init__(dim, out_dim=dim, **layer)
        hidden_size = check_size("hidden_size", 4 * self.dim if hidden_size is None else hidden_size, self.where)
        checks.check_heads(self.dim, heads, rotary, self.where)
        checks.check_activation(activation, self.where)
        normed = norm_first if final_norm is None else final_norm
        self.causal = causal
        self.options: dict[str, Any] = {"layers": layers, "heads": heads, "hidden_size": hidden_size}
        self.options |= {"causal": causal, "rotary": rotary, "norm_first": norm_first, "final_norm": normed}
        self.options |= {"activation": activation, "epsilon": epsilon}
        self.layers = [
            TransformerLayer(
                SelfAttention(self.dim, heads=heads, causal=causal, rotary=rotary, dtype=self.dtype_policy),
                hidden_size, norm_first, activation, epsilon, dtype=self.dtype_policy,
            )
            for _ in range(check_size("layers", layers, self.where))
        ]  # fmt: skip
        self.final_norm = LayerNorm(self.dim, epsilon=epsilon, dtype=self.dtype_policy) if normed else None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.options}

    def call(self, sequence: Any, mask: Any = None) -> Any:
        """sequence: (batch, time, dim);  mask: (batch, time) bool;  returns (batch, time, dim)"""
        x, mask = self.prepare(sequence, mask)
        allowed = allowed_keys(x, mask, self.causal)
        for layer in self.layers:
            x = layer(x, allowed)
        return silence(x if self.final_norm is None else self.final_norm(x), mask)


class TransformerLayer(keras.layers.Layer):
    """One layer of a TransformerEncoder, on inputs that were checked."""

    def __init__(
        self,
        attention: SelfAttention,
        hidden_size: int,
        norm_first: bool,
        activation: str,
        epsilon: float,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.attention = attention
        self.attention_norm = LayerNorm(attention.dim, epsilon=epsilon, dtype=self.dtype_policy)
        self.feed_forward = FeedForward(attention.dim, hidden_size, activation, dtype=self.dtype_policy)
        self.feed_forward_norm = LayerNorm(attention.dim, epsilon=epsilon, dtype=self.dtype_policy)
        self.norm_first = norm_first
        self.built = True

    def call(self, x: Any, allowed: Any) -> Any:
        """x: (batch, time, dim);  allowed: what `allowed_keys` gives;  returns (batch, time, dim)"""
        if self.norm_first:
            x = x + self.attention.attend(self.attention_norm(x), allowed)
            return x + self.feed_forward(self.feed_forward_norm(x))
        x = self.attention_norm(x + self.attention.attend(x, allowed))
        return self.feed_forward_norm(x + self.feed_forward(x))


class FeedForward(keras.layers.Layer):
    """activation(x hidden + b_1) out + b_2, each step alone."""

    def __init__(self, dim: int, hidden_size: int, activation: str, **layer: Any) -> None:
        super().__init__(**layer)
        self.hidden, self.out = linear(dim, hidden_size, self.dtype_policy), linear(hidden_size, dim, self.dtype_policy)
        self.activation = activation
        self.built = True

    def call(self, x: Any) -> Any:
        """x: (..., dim);  returns (..., dim)"""
        hidden = self.hidden(x)
        return self.out(tf.nn.relu(hidden) if self.activation == "relu" else gelu(hidden))


def gelu(x: Any) -> Any:
    """x (1 + erf(x / sqrt(2))) / 2; TensorFlow's own rounds sqrt(2) to single precision even where x is double."""
    return x * (1 + tf.math.erf(x * 2**-0.5)) / 2
