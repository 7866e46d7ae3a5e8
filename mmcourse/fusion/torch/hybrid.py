"""Hybrid fusion: a joint path beside a path of each modality."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcourse.fusion.torch.base import undrawn
from mmcourse.fusion.torch.paths import PathFusion


class HybridFusion(PathFusion):
    """Logits of a joint path plus those of a path of each modality:

        z = tanh([x_1, ..., x_M] kernel + bias) head + head_bias + sum_m tanh(x_m W_m + b_m) V_m

    dims: {modality: width}, the order of the joint path's columns
    hidden_size: kernel (sum of dims, hidden_size), bias (hidden_size,), W_m (dim_m, hidden_size), b_m (hidden_size,)
    out_dim: the number of classes, head and V_m (hidden_size, out_dim), head_bias (out_dim,)
    A missing modality's columns and its own path are zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: decisions of a joint and of single classifiers combined, as in the survey of Atrey et al. (2010).
    """

    where = "hybrid fusion"

    def __init__(self, dims: Mapping[str, int], *, hidden_size: int, out_dim: int, check_values: bool = True) -> None:
        super().__init__(dims, hidden_size=hidden_size, out_dim=out_dim, check_values=check_values)
        self.kernel = nn.Parameter(undrawn(sum(self.dims.values()), hidden_size))
        self.bias = nn.Parameter(undrawn(hidden_size))
        self.head = nn.Parameter(undrawn(hidden_size, self.out_dim))
        self.head_bias = nn.Parameter(undrawn(self.out_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all matrices as Glorot and Bengio (2010); the biases are zero."""
        super().reset_parameters()
        for matrix in (self.kernel, self.head):
            nn.init.xavier_uniform_(matrix)
        for bias in (self.bias, self.head_bias):
            nn.init.zeros_(bias)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns logits (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        joint = torch.tanh(torch.cat(inputs, dim=1) @ self.kernel + self.bias) @ self.head + self.head_bias
        own = self.paths(inputs)
        own = own if present is None else torch.where(present[:, :, None], own, 0.0)
        return joint + own.sum(dim=1)
