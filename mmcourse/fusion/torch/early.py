"""Early fusion: the inputs are joined, and one network sees all of them."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.fusion.torch.base import Fusion, undrawn


class EarlyFusion(Fusion):
    """Logits of one network on the joined inputs:  z = tanh([x_1, ..., x_M] kernel + bias) head + head_bias.

    dims: {modality: width}, the order of the columns
    hidden_size: kernel (sum of dims, hidden_size), bias (hidden_size,)
    out_dim: the number of classes, head (hidden_size, out_dim), head_bias (out_dim,)
    A missing modality's columns are zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    """

    where = "early fusion"

    def __init__(self, dims: Mapping[str, int], *, hidden_size: int, out_dim: int, check_values: bool = True) -> None:
        super().__init__(dims, check_values=check_values)
        hidden = checks.check_size("hidden_size", hidden_size, self.where)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        self.kernel = nn.Parameter(undrawn(sum(self.dims.values()), hidden))
        self.bias = nn.Parameter(undrawn(hidden))
        self.head = nn.Parameter(undrawn(hidden, self.out_dim))
        self.head_bias = nn.Parameter(undrawn(self.out_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw kernel and head as Glorot and Bengio (2010); the biases are zero."""
        for matrix in (self.kernel, self.head):
            nn.init.xavier_uniform_(matrix)
        for bias in (self.bias, self.head_bias):
            nn.init.zeros_(bias)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns logits (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        hidden = torch.tanh(torch.cat(inputs, dim=1) @ self.kernel + self.bias)
        return hidden @ self.head + self.head_bias
