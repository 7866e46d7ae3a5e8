"""Bilinear fusion and multiplicative interaction of two modalities."""

from collections.abc import Mapping

from torch import Tensor, nn

from mmcourse import checks
from mmcourse.fusion.products import check_two
from mmcourse.fusion.torch.base import Fusion, undrawn
from mmcourse.fusion.torch.products import contract, draw


class BilinearFusion(Fusion):
    """Fuse two modalities by the products of their features:  F_o = sum_ij x_1i kernel_ijo x_2j + bias_o.

    dims: {modality: width} of exactly two, in the order of the kernel's axes;  out_dim: the width of F
    kernel: (dim_1, dim_2, out), bias: (out,).  Where one of the two is missing F is the bias.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Its kernel is that of torch.nn.Bilinear with the last axis first; all outputs come from one matrix product.
    """

    where = "bilinear fusion"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int, check_values: bool = True) -> None:
        super().__init__(dims, check_values=check_values)
        check_two(self.dims, self.where)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        self.kernel = nn.Parameter(undrawn(*self.dims.values(), out_dim))
        self.bias = nn.Parameter(undrawn(out_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the kernel so that features of mean square 1 give outputs of mean square 1; the bias is zero."""
        draw(self.kernel, self.kernel[..., 0].numel())
        nn.init.zeros_(self.bias)

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        return contract(inputs, self.kernel) + self.bias


class MultiplicativeFusion(BilinearFusion):
    """Fuse two modalities z and x by products and sums:  F = z^T W x + z U + x V + b.

    dims: {z: width, x: width}, whatever their names;  out_dim: the width of F
    kernel: W (dim_z, dim_x, out), "linear.z": U (dim_z, out), "linear.x": V (dim_x, out), bias: b (out,)
    A missing modality counts as zero: its terms vanish.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Jayakumar et al. (2020), for rows instead of columns.
    """

    where = "multiplicative fusion"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int, check_values: bool = True) -> None:
        super().__init__(dims, out_dim=out_dim, check_values=check_values)
        self.linear = nn.ParameterDict({m: undrawn(dim, out_dim) for m, dim in self.dims.items()})
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw each kernel so that features of mean square 1 give a term of mean square 1; the bias is zero."""
        super().reset_parameters()
        for matrix in getattr(self, "linear", {}).values():  # not there yet while the kernel is made
            draw(matrix, len(matrix))

    def forward(self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        products = contract(inputs, self.kernel) + self.bias
        return sum((x @ self.linear[m] for m, x in zip(self.dims, inputs, strict=True)), products)
