"""A learned vector in the place of what is missing."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcourse.fusion.torch.base import Fusion


class LearnedAbsence(Fusion):
    """Put a learned vector where a modality is missing:  F = fusion({m: x_m where present, e_m where missing}).

    fusion: a fusion with the attributes dims and out_dim; it gets complete features and no mask
    The parameters "absent.image" (dim,), …, begin as zeros. e_m is trained by examples that lack m, and by them alone:
    without any it stays zero. The fusion sees that something is missing and may use it as a feature.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    In Keras the same is a few lines of its functional API, so there is no twin.
    """

    where = "learned absence"

    def __init__(self, fusion: Fusion, *, check_values: bool = True) -> None:
        super().__init__(fusion.dims, check_values=check_values)
        self.fusion = fusion
        self.out_dim = fusion.out_dim
        self.absent = nn.ParameterDict({m: torch.zeros(dim) for m, dim in self.dims.items()})

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        whole = dict(zip(self.dims, inputs, strict=True))
        if present is not None:
            columns = dict(zip(self.dims, present.T, strict=True))
            whole = {m: torch.where(columns[m][:, None], x, self.absent[m]) for m, x in whole.items()}
        return self.fusion(whole)
