"""Learned positions."""

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.torch.sequence import SequenceEncoder, silence


class LearnedPositions(SequenceEncoder):
    """Tell each step where it stands, by a vector of that place:  x_t + vectors_t.

    dim: the width of a step;  length: the most steps of a sequence, rows of "vectors" (length, dim), which begin small
    Masked steps become zero, and the others keep their places.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Gehring et al. (2017).
    """

    where = "learned positions"

    def __init__(self, dim: int, *, length: int, check_values: bool = True) -> None:
        super().__init__(dim, out_dim=dim, check_values=check_values)
        self.length = check_size("length", length, self.where)
        self.vectors = nn.Parameter(torch.empty(self.length, self.dim).normal_(std=0.02))

    def forward(self, sequence: Tensor, mask: Tensor | None = None) -> Tensor:
        """sequence: (batch, up to length, dim);  mask: (batch, time) bool;  returns (batch, time, dim)"""
        x = self.prepare(sequence, mask)
        checks.check_length(x.shape[1], self.length, self.where)
        return silence(x + self.vectors[: x.shape[1]], mask)
