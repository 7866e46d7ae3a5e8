"""Layer normalisation."""

import torch
from torch import Tensor, nn

from mmcourse.checks import check_size
from mmcourse.errors import ShapeError


class LayerNorm(nn.Module):
    """Normalise each vector by its own mean and variance:  scale (x - mean) / sqrt(variance + epsilon) + bias.

    dim: the width of a vector, of "scale", which begins at one, and of "bias", which begins at zero
    The variance is the mean of squares, over the dim numbers of one vector.
    Raises ShapeError for another width.
    Source: Ba et al. (2016).
    """

    where = "layer norm"

    def __init__(self, dim: int, *, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.dim, self.epsilon = check_size("dim", dim, self.where), epsilon
        self.scale = nn.Parameter(torch.ones(self.dim))
        self.bias = nn.Parameter(torch.zeros(self.dim))

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., dim);  returns the same shape"""
        if x.shape[-1:] != (self.dim,):
            wanted = f"(..., {self.dim})"
            raise ShapeError("x", got=f"shape {tuple(x.shape)}", wanted=wanted, where=self.where)
        return nn.functional.layer_norm(x, (self.dim,), self.scale, self.bias, self.epsilon)
