"""Transformer encoder."""

from torch import Tensor, nn
from torch.nn import functional

from mmcourse.checks import check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.torch.attention import SelfAttention, allowed_keys
from mmcourse.encoders.torch.layer_norm import LayerNorm
from mmcourse.encoders.torch.sequence import Linear, SequenceEncoder, silence


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
        check_values: bool = True,
    ) -> None:
        super().__init__(dim, out_dim=dim, check_values=check_values)
        hidden_size = check_size("hidden_size", 4 * self.dim if hidden_size is None else hidden_size, self.where)
        checks.check_heads(self.dim, heads, rotary, self.where)
        checks.check_activation(activation, self.where)
        self.causal = causal
        self.layers = nn.ModuleList()
        for _ in range(check_size("layers", layers, self.where)):
            attention = SelfAttention(self.dim, heads=heads, causal=causal, rotary=rotary)
            self.layers.append(TransformerLayer(attention, hidden_size, norm_first, activation, epsilon))
        normed = norm_first if final_norm is None else final_norm
        self.final_norm = LayerNorm(self.dim, epsilon=epsilon) if normed else None

    def forward(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """sequence: (batch, time, dim);  mask: (batch, time) bool;  returns (batch, time, dim)"""
        x = self.prepare(sequence, mask)
        allowed = None if mask is None else allowed_keys(mask, self.causal)
        for layer in self.layers:
            x = layer(x, allowed)
        return silence(x if self.final_norm is None else self.final_norm(x), mask)


class TransformerLayer(nn.Module):
    """One layer of a TransformerEncoder, on inputs that were checked."""

    def __init__(
        self, attention: SelfAttention, hidden_size: int, norm_first: bool, activation: str, epsilon: float
    ) -> None:
        super().__init__()
        self.attention = attention
        self.attention_norm = LayerNorm(attention.dim, epsilon=epsilon)
        self.feed_forward = FeedForward(attention.dim, hidden_size, activation)
        self.feed_forward_norm = LayerNorm(attention.dim, epsilon=epsilon)
        self.norm_first = norm_first

    def forward(self, x: Tensor, allowed: Tensor | None) -> Tensor:
        """x: (batch, time, dim);  allowed: see allowed_keys;  returns (batch, time, dim)"""
        if self.norm_first:
            x = x + self.attention.attend(self.attention_norm(x), allowed)
            return x + self.feed_forward(self.feed_forward_norm(x))
        x = self.attention_norm(x + self.attention.attend(x, allowed))
        return self.feed_forward_norm(x + self.feed_forward(x))


class FeedForward(nn.Module):
    """activation(x hidden + b_1) out + b_2, each step alone."""

    def __init__(self, dim: int, hidden_size: int, activation: str) -> None:
        super().__init__()
        self.hidden, self.out = Linear(dim, hidden_size), Linear(hidden_size, dim)
        self.activation = functional.relu if activation == "relu" else functional.gelu

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., dim);  returns (..., dim)"""
        return self.out(self.activation(self.hidden(x)))
