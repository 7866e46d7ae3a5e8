"""Vectors of whole numbers."""

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.torch.sequence import SequenceEncoder, silence


class Embedding(SequenceEncoder):
    """Look up a vector for each id:  x_t = vectors[id_t],  which is  onehot(id_t) vectors.

    count: how many ids there are, 0 to count - 1;  out_dim: the width of "vectors" (count, out_dim)
    A masked step may hold any number, and its vector is zero.
    check_values: also refuse ids that have no vector and rows in which all is masked; see Encoder. Without these checks
        such a row becomes zero, and such an id is PyTorch's IndexError.
    Raises a ModalityError naming what does not fit.
    """

    where = "embedding"

    def __init__(self, count: int, *, out_dim: int, check_values: bool = True) -> None:
        out_dim = check_size("out_dim", out_dim, self.where)
        super().__init__(out_dim, out_dim=out_dim, check_values=check_values)
        self.count = check_size("count", count, self.where)
        self.vectors = nn.Parameter(torch.empty(self.count, self.out_dim).normal_(std=self.out_dim**-0.5))

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """ids: (batch, time) whole numbers;  mask: (batch, time) bool;  returns (batch, time, out_dim)"""
        checks.check_ids(self.spec("ids", ids), self.mask_spec(mask), self.where)
        if mask is not None:
            ids = torch.where(mask, ids, 0)
        if self.check_values:
            known = ((ids >= 0) & (ids < self.count)).all(dim=1)
            some = torch.ones_like(known) if mask is None else mask.any(dim=1)
            some, known = torch.stack([some, known]).cpu().numpy()
            checks.check_ids_known(some, known, self.count, self.where)
        return silence(nn.functional.embedding(ids, self.vectors), mask)
