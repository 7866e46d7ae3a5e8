"""Attention of a sequence to itself."""

import torch
from torch import Tensor
from torch.nn import functional

from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.torch.rotary import rotary_positions
from mmcourse.encoders.torch.sequence import Linear, SequenceEncoder, silence


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

    def __init__(
        self, dim: int, *, heads: int, causal: bool = False, rotary: bool = False, check_values: bool = True
    ) -> None:
        super().__init__(dim, out_dim=dim, check_values=check_values)
        self.width = checks.check_heads(self.dim, heads, rotary, self.where)
        self.heads, self.causal, self.rotary = heads, causal, rotary
        self.query, self.key = Linear(self.dim, self.dim), Linear(self.dim, self.dim)
        self.value, self.out = Linear(self.dim, self.dim), Linear(self.dim, self.dim)

    def forward(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """sequence: (batch, time, dim);  mask: (batch, time) bool;  returns (batch, time, dim)"""
        x = self.prepare(sequence, mask)
        allowed = None if mask is None else allowed_keys(mask, self.causal)
        return silence(self.attend(x, allowed), mask)

    def attend(self, x: Tensor, allowed: Tensor | None) -> Tensor:
        """The same on inputs that were checked, by PyTorch's fused kernel.

        allowed: what `allowed_keys` makes of a mask, or None where there is none
        """
        causal = self.causal and allowed is None
        mixed = functional.scaled_dot_product_attention(*self._cut(x), attn_mask=allowed, is_causal=causal)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def attention_weights(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """The softmax of `forward`, by the formula, since the fused kernel never holds it.

        returns (batch, heads, time, time): [.., t, s] is how much t takes from s, zero for a masked t
        """
        x = self.prepare(sequence, mask)
        present = torch.ones_like(x[..., 0], dtype=torch.bool) if mask is None else mask
        queries, keys, _ = self._cut(x)
        scores = queries @ keys.transpose(2, 3) * self.width**-0.5
        weights = torch.where(allowed_keys(present, self.causal), scores, -torch.inf).softmax(dim=-1)
        return torch.where(present[:, None, :, None], weights, 0.0)

    def _cut(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values: (batch, heads, time, dim / heads)."""
        projected = (part(x).unflatten(2, (self.heads, self.width)) for part in (self.query, self.key, self.value))
        queries, keys, values = (part.transpose(1, 2) for part in projected)
        if self.rotary:
            queries, keys = rotary_positions(queries), rotary_positions(keys)
        return queries, keys, values


def allowed_keys(mask: Tensor, causal: bool) -> Tensor:
    """Which step may see which: (batch, 1, time, time).

    Every step may see itself, the masked ones too: so no softmax runs over nothing, and what they get is thrown away.
    """
    itself = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
    seen = mask[:, None, :].expand(-1, mask.shape[1], -1)
    return ((seen.tril() if causal else seen) | itself)[:, None]
