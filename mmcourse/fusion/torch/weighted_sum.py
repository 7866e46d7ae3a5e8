"""Weighted sum of modalities."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.fusion.torch.base import ProjectedFusion, mix, softmax_over_present


class WeightedSumFusion(ProjectedFusion):
    """Fuse modalities by a weighted sum:  F = sum_m w_m x_m P_m.

    dims: {modality: width};  out_dim: the width of F, None for no projections (all widths must agree)
    weights: {modality: scalar} to begin with; 1/M each, or 0 each with softmax, if not given
    learned: weights are parameters "weights.image"; else constants (buffers of the same names)
    softmax: w = softmax(weights) over the modalities present in that row, so a mask renormalises them;
        without it a missing modality's term is dropped and the others keep their weights
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    """

    where = "weighted sum"

    def __init__(
        self,
        dims: Mapping[str, int],
        *,
        out_dim: int | None = None,
        weights: Mapping[str, float] | None = None,
        learned: bool = True,
        softmax: bool = False,
        check_values: bool = True,
    ) -> None:
        super().__init__(dims, out_dim=out_dim, check_values=check_values)
        self.softmax = softmax
        initial = checks.initial_weights(weights, self.dims, softmax, self.where)
        self.weights = nn.ParameterDict()
        for modality, weight in initial.items():
            if learned:
                self.weights[modality] = nn.Parameter(torch.tensor(weight))
            else:
                self.weights.register_buffer(modality, torch.tensor(weight))
        self.reset_parameters()

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        weights = torch.stack([self.weights[modality] for modality in self.dims])  # (M,)
        if self.softmax:
            weights = softmax_over_present(weights, present)
        elif present is not None:
            weights = torch.where(present, weights, 0.0)  # (batch, M)
        return mix(weights, self.hidden(inputs))
