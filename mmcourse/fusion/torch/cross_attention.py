"""Attention of one sequence to another."""

import torch
from torch import Tensor
from torch.nn import functional

from mmcourse.encoders.sequence_checks import check_heads
from mmcourse.encoders.torch.sequence import Linear
from mmcourse.fusion.torch.sequences import SequenceFusion, silence


class CrossAttention(SequenceFusion):
    """Let every step of one sequence gather from the steps of another, in several heads.

        Q = x query + b_q,  K = c key + b_k,  V = c value + b_v,  each cut into heads of width d = dim / heads
        head_h = softmax(Q_h K_h^T / sqrt(d)) V_h,     y = [head_1, ..., head_H] out + b_o

    x, the queries: (batch, q, dim);  c, the keys, of which values are made too: (batch, k, key_dim)
    dim: the width of x and of y;  key_dim: the width of c, dim if not given;  heads: divides dim
    "query.kernel" (dim, dim), "key.kernel" and "value.kernel" (key_dim, dim), "out.kernel" (dim, dim), biases (dim,)
    A masked key is seen by none; a row without a key, and a masked query, get zero.
    check_values: see SequenceFusion.  Raises a ModalityError naming what does not fit.
    Source: Vaswani et al. (2017).
    """

    where = "cross-attention"

    def __init__(self, dim: int, *, key_dim: int | None = None, heads: int, check_values: bool = True) -> None:
        super().__init__({"queries": dim, "keys": dim if key_dim is None else key_dim}, check_values=check_values)
        self.dim, self.key_dim = self.dims["queries"], self.dims["keys"]
        self.width = check_heads(self.dim, heads, False, self.where)
        self.heads = heads
        self.query, self.key = Linear(self.dim, self.dim), Linear(self.key_dim, self.dim)
        self.value, self.out = Linear(self.key_dim, self.dim), Linear(self.dim, self.dim)

    def forward(
        self, queries: Tensor, keys: Tensor, mask: Tensor | None = None, query_mask: Tensor | None = None
    ) -> Tensor:
        """queries: (batch, q, dim);  keys: (batch, k, key_dim);  mask: of keys, (batch, k) bool

        query_mask: (batch, q) bool;  returns (batch, q, dim)
        """
        inputs, present = self.prepare({"queries": queries, "keys": keys}, {"queries": query_mask, "keys": mask})
        y = self.attend(inputs["queries"], inputs["keys"], allowed_keys(present["keys"]))
        return silence(y, present["queries"])

    def attend(self, queries: Tensor, keys: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The same on inputs that were checked, by PyTorch's fused kernel.

        allowed: booleans that broadcast to (batch, heads, q, k), as `allowed_keys` makes them, or None for all
        A query that may see no key gets zero, the bias of `out` included.
        """
        query = cut(self.query(queries), self.heads)
        key, value = cut(self.key(keys), self.heads), cut(self.value(keys), self.heads)
        return attend(query, key, value, allowed, self.out)

    def attention_weights(
        self, queries: Tensor, keys: Tensor, mask: Tensor | None = None, query_mask: Tensor | None = None
    ) -> Tensor:
        """The softmax of `forward`, by the formula, since the fused kernel never holds it.

        returns (batch, heads, q, k): [.., t, s] is how much query t takes from key s; zero where a query gets zero
        """
        inputs, present = self.prepare({"queries": queries, "keys": keys}, {"queries": query_mask, "keys": mask})
        query, key = cut(self.query(inputs["queries"]), self.heads), cut(self.key(inputs["keys"]), self.heads)
        weights = softmax_weights(query, key, allowed_keys(present["keys"]))
        here = present["queries"]
        return weights if here is None else torch.where(here[:, None, :, None], weights, 0.0)


def allowed_keys(mask: Tensor | None) -> Tensor | None:
    """(batch, k) -> (batch, 1, 1, k), which broadcasts over heads and queries."""
    return None if mask is None else mask[:, None, None, :]


def cut(projected: Tensor, heads: int) -> Tensor:
    """(batch, steps, dim) -> (batch, heads, steps, dim / heads)"""
    return projected.unflatten(2, (heads, -1)).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None, out: Linear) -> Tensor:
    """[head_1, ..., head_H] out + b_o  by PyTorch's fused kernel; zero for a query that may see no key.

    query: (batch, heads, q, d);  key, value: (batch, heads, k, d);  returns (batch, q, dim)
    Such a query is let see all, so that no softmax runs over nothing (NaN, in the gradient too), and what it gets is
    thrown away. Masked keys hold finite numbers, since `prepare` has set them to zero before the projections.
    """
    some = None if allowed is None else allowed.any(dim=3, keepdim=True)  # (batch, heads or 1, q or 1, 1)
    opened = None if allowed is None or some is None else allowed | ~some
    mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=opened)
    y = out(mixed.transpose(1, 2).flatten(2))
    return y if some is None else torch.where(some.any(dim=1), y, 0.0)


def softmax_weights(query: Tensor, key: Tensor, allowed: Tensor | None) -> Tensor:
    """softmax(Q K^T / sqrt(d)) over the keys allowed, zero for a query that may see none: (batch, heads, q, k)."""
    scores = query @ key.transpose(2, 3) * query.shape[3] ** -0.5
    if allowed is None:
        return scores.softmax(dim=-1)
    some = allowed.any(dim=3, keepdim=True)
    weights = torch.where(allowed | ~some, scores, -torch.inf).softmax(dim=-1)
    return torch.where(some, weights, 0.0)
