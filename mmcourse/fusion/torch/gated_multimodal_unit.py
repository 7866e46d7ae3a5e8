"""Gated multimodal unit: a gate for each feature of each modality."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcourse.fusion.torch.base import ProjectedFusion, undrawn


class GatedMultimodalUnit(ProjectedFusion):
    """Fuse modalities by gates that each example sets, feature by feature:  F = sum_m z_m * h_m.

        h_m = tanh(x_m P_m),   l_m = [x_1, ..., x_M] kernels_m + biases_m,   z_m = sigmoid(l_m)

    With softmax, z is the softmax of l over the modalities present, feature by feature. Of two modalities that makes
    z_1 = sigmoid(l_1 - l_2) and z_2 = 1 - z_1, the bimodal unit; without it the unit is the general one.
    dims: {modality: width}, the order of the columns
    out_dim: the width of F, None for no projections (all widths must agree)
    parameters: "kernels.image" (sum of dims, out_dim) and "biases.image" (out_dim,) for each modality
    A missing modality's columns, its h and its z are zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Arevalo et al. (2017), who have no biases.
    """

    where = "gated multimodal unit"

    def __init__(
        self, dims: Mapping[str, int], *, out_dim: int | None = None, softmax: bool = False, check_values: bool = True
    ) -> None:
        super().__init__(dims, out_dim=out_dim, check_values=check_values)
        self.softmax = softmax
        total = sum(self.dims.values())
        self.kernels = nn.ParameterDict({m: undrawn(total, self.out_dim) for m in self.dims})
        self.biases = nn.ParameterDict({m: undrawn(self.out_dim) for m in self.dims})
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw projections and kernels as Glorot and Bengio (2010); the biases are zero."""
        super().reset_parameters()
        for m in self.dims:
            nn.init.xavier_uniform_(self.kernels[m])
            nn.init.zeros_(self.biases[m])

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        return (self._gates(inputs, present) * torch.tanh(self.hidden(inputs))).sum(dim=1)

    def gates(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """The gates z that `forward` gives the modalities: (batch, M, out_dim), in the order of dims."""
        return self._gates(*self.prepare(features, mask))

    def _gates(self, inputs: list[Tensor], present: Tensor | None) -> Tensor:
        kernel = torch.cat([self.kernels[m] for m in self.dims], dim=1)  # (sum of dims, M * out)
        bias = torch.cat([self.biases[m] for m in self.dims])
        logits = (torch.cat(inputs, dim=1) @ kernel + bias).unflatten(1, (len(self.dims), self.out_dim))
        if self.softmax:
            return (logits if present is None else torch.where(present[..., None], logits, -torch.inf)).softmax(dim=1)
        gates = torch.sigmoid(logits)
        return gates if present is None else torch.where(present[..., None], gates, 0.0)
