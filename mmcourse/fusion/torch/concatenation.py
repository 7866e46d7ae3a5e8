"""Concatenation of modalities."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.fusion.torch.base import Fusion, undrawn


class ConcatenationFusion(Fusion):
    """Fuse modalities side by side:  F = [x_1, ..., x_M] kernel + bias.

    dims: {modality: width}, the order of the columns
    out_dim: the width of F, kernel (sum of dims, out_dim) and bias (out_dim,); None for F = [x_1, ..., x_M]
    A missing modality's columns are zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    """

    where = "concatenation"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int | None = None, check_values: bool = True) -> None:
        super().__init__(dims, check_values=check_values)
        total = sum(self.dims.values())
        self.out_dim = total if out_dim is None else checks.check_size("out_dim", out_dim, self.where)
        self.kernel = nn.Parameter(undrawn(total, out_dim)) if out_dim else None
        self.bias = nn.Parameter(undrawn(out_dim)) if out_dim else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the kernel as Glorot and Bengio (2010); the bias is zero."""
        if self.kernel is not None and self.bias is not None:
            nn.init.xavier_uniform_(self.kernel)
            nn.init.zeros_(self.bias)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        columns = torch.cat(inputs, dim=1)
        return columns if self.kernel is None or self.bias is None else columns @ self.kernel + self.bias
