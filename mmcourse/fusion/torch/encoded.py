"""An encoder for each modality, joined by a layer that bends."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.fusion.torch.base import Fusion


class EncodedFusion(Fusion):
    """Encode each modality, join, let them interact:  F = relu([e_1, ..., e_M] W + b),  e_m = relu(x_m W_m + b_m).

    dims: {modality: width}, the order in which they are joined
    hidden_size: the width of every e_m;  out_dim: the width of F
    W_m and b_m are the linear layers "encoders.image", …, W and b the linear layer "join". The second relu lets the
    modalities interact: without it a linear head on F adds one function of each. A missing modality's e_m is zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    In Keras the same is a few lines of its functional API, so there is no twin.
    """

    where = "encoded fusion"

    def __init__(self, dims: Mapping[str, int], *, hidden_size: int, out_dim: int, check_values: bool = True) -> None:
        super().__init__(dims, check_values=check_values)
        hidden = checks.check_size("hidden_size", hidden_size, self.where)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        self.encoders = nn.ModuleDict({m: nn.Linear(dim, hidden) for m, dim in self.dims.items()})
        self.join = nn.Linear(hidden * len(self.dims), self.out_dim)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        encoded = [torch.relu(self.encoders[m](x)) for m, x in zip(self.dims, inputs, strict=True)]
        if present is not None:
            encoded = [torch.where(here[:, None], e, 0.0) for here, e in zip(present.T, encoded, strict=True)]
        return torch.relu(self.join(torch.cat(encoded, dim=1)))
