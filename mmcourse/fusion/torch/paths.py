"""One small network for each modality, the paths of late and hybrid fusion."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.fusion.torch.base import Fusion, undrawn


class PathFusion(Fusion):
    """z_m = tanh(x_m W_m + b_m) V_m with parameters "kernels.image", "biases.image", "heads.image", …

    W_m: (dim_m, hidden_size);  b_m: (hidden_size,);  V_m: (hidden_size, out_dim)
    """

    def __init__(self, dims: Mapping[str, int], *, hidden_size: int, out_dim: int, check_values: bool = True) -> None:
        super().__init__(dims, check_values=check_values)
        hidden = checks.check_size("hidden_size", hidden_size, self.where)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        self.kernels = nn.ParameterDict({m: undrawn(dim, hidden) for m, dim in self.dims.items()})
        self.biases = nn.ParameterDict({m: undrawn(hidden) for m in self.dims})
        self.heads = nn.ParameterDict({m: undrawn(hidden, self.out_dim) for m in self.dims})

    def reset_parameters(self) -> None:
        """Draw kernels and heads as Glorot and Bengio (2010); the biases are zero."""
        for m in self.dims:
            nn.init.xavier_uniform_(self.kernels[m])
            nn.init.xavier_uniform_(self.heads[m])
            nn.init.zeros_(self.biases[m])

    def paths(self, inputs: list[Tensor]) -> Tensor:
        """Return z_m of all modalities: (batch, M, out_dim)."""
        named = zip(self.dims, inputs, strict=True)
        return torch.stack([torch.tanh(x @ self.kernels[m] + self.biases[m]) @ self.heads[m] for m, x in named], dim=1)
