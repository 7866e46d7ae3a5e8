"""A sequence summed up by learned queries."""

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.encoders.sequence_checks import check_heads
from mmcourse.encoders.torch.sequence import Linear, SequenceEncoder
from mmcourse.fusion.torch.cross_attention import allowed_keys, attend, cut, softmax_weights


class AttentionPooling(SequenceEncoder):
    """Sum up a sequence of any length in a fixed number of vectors, one for each learned query.

        K = x key + b_k,  V = x value + b_v,  cut into heads of width d = dim / heads, and so is Q = queries
        head_h = softmax(Q_h K_h^T / sqrt(d)) V_h,     y = [head_1, ..., head_H] out + b_o

    dim: the width of y;  key_dim: the width of a step x, dim if not given;  count: of queries;  heads: divides dim
    "queries" (count, dim), "key.kernel" and "value.kernel" (key_dim, dim), "out.kernel" (dim, dim), biases (dim,)
    Queries that are learned need no projection of their own: it would be learned into them. A masked step is seen by
    none; with all scores equal the result is the mean of the steps present, projected.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Lee et al. (2019), without their network after the attention.
    """

    where = "attention pooling"

    def __init__(
        self, dim: int, *, key_dim: int | None = None, count: int = 1, heads: int = 1, check_values: bool = True
    ) -> None:
        dim = check_size("dim", dim, self.where)
        super().__init__(dim if key_dim is None else key_dim, out_dim=dim, check_values=check_values)
        check_heads(dim, heads, False, self.where)
        self.heads = heads
        self.queries = nn.Parameter(torch.randn(check_size("count", count, self.where), dim))
        self.key, self.value, self.out = Linear(self.dim, dim), Linear(self.dim, dim), Linear(dim, dim)

    def forward(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """sequence: (batch, time, key_dim);  mask: (batch, time) bool;  returns (batch, count, dim)"""
        x = self.prepare(sequence, mask)
        key, value = cut(self.key(x), self.heads), cut(self.value(x), self.heads)
        return attend(self._queries(x), key, value, allowed_keys(mask), self.out)

    def attention_weights(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """The softmax of `forward`, by the formula: (batch, heads, count, time), zero for a masked step."""
        x = self.prepare(sequence, mask)
        return softmax_weights(self._queries(x), cut(self.key(x), self.heads), allowed_keys(mask))

    def _queries(self, x: Tensor) -> Tensor:
        return cut(self.queries.expand(len(x), -1, -1), self.heads)
