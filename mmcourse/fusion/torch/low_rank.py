"""Low-rank fusion: the kernel of tensor fusion as a sum of products, and never made."""

from collections.abc import Mapping
from functools import reduce

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.fusion.products import check_rank
from mmcourse.fusion.torch.base import Fusion, undrawn
from mmcourse.fusion.torch.products import draw, with_constant


class LowRankFusion(Fusion):
    """Fuse modalities by a kernel of low rank:  F = sum_r w_r prod_m [1, x_m] factors_m[r] + bias.

    dims: {modality: width};  out_dim: the width of F;  rank: how many products are summed
    "factors.image": (rank, 1 + dim, out), weights: w (rank,), bias: (out,)
    A missing modality is [1, 0, ..., 0]: its factor is the same for all such rows.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Liu et al. (2018); the weights over the rank and the bias as in their program. Their factors are drawn as
    Glorot and Bengio (2010), so that the products shrink with every modality more; here they do not.
    """

    where = "low-rank fusion"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int, rank: int, check_values: bool = True) -> None:
        super().__init__(dims, check_values=check_values)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        self.rank = check_rank(rank, self.where)
        self.factors = nn.ParameterDict({m: undrawn(rank, 1 + dim, out_dim) for m, dim in self.dims.items()})
        self.weights = nn.Parameter(undrawn(rank))
        self.bias = nn.Parameter(undrawn(out_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the factors so that features of mean square 1 give [1, x] factor of mean square 1, hence products, too.

        The weights are rank^-1/2, so that the sum of the products has mean square 1; the bias is zero.
        """
        for factor in self.factors.values():
            draw(factor, factor.shape[1])
        nn.init.constant_(self.weights, self.rank**-0.5)
        nn.init.zeros_(self.bias)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        projected = [
            torch.bmm(with_constant(x).expand(self.rank, -1, -1), self.factors[m])  # (rank, batch, out)
            for m, x in zip(self.dims, inputs, strict=True)
        ]
        return torch.tensordot(self.weights, reduce(torch.mul, projected), dims=1) + self.bias
