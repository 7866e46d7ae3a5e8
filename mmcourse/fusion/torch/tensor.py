"""Tensor fusion: a linear map of the outer product of the features, which is never made."""

from collections.abc import Mapping

from torch import Tensor, nn

from mmcourse import checks
from mmcourse.fusion.torch.base import Fusion, undrawn
from mmcourse.fusion.torch.products import contract, draw, outer, with_constant


class TensorFusion(Fusion):
    """Fuse modalities by a linear map of their outer product:  F_o = sum_ij... [1, x_1]_i [1, x_2]_j ... kernel_ij...o.

    dims: {modality: width}, the order of the kernel's axes;  out_dim: the width of F
    kernel: (1 + dim_1, ..., 1 + dim_M, out); its entries (0, ..., 0) are the bias
    A missing modality is [1, 0, ..., 0]: what is left is the fusion of the others.
    The outer product is not made, neither forward nor backward; `outer_product` returns it.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Zadeh et al. (2017).
    """

    where = "tensor fusion"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int, check_values: bool = True) -> None:
        super().__init__(dims, check_values=check_values)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        self.kernel = nn.Parameter(undrawn(*(1 + dim for dim in self.dims.values()), out_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the kernel so that features of mean square 1 give outputs of mean square 1."""
        draw(self.kernel, self.kernel[..., 0].numel())

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        return contract([with_constant(x) for x in inputs], self.kernel)

    def outer_product(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """What `forward` does without: (batch, 1 + dim_1, ..., 1 + dim_M)"""
        inputs, _ = self.prepare(features, mask)
        return outer([with_constant(x) for x in inputs]).unflatten(1, self.kernel.shape[:-1])
