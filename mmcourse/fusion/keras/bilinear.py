"""Bilinear fusion and multiplicative interaction of two modalities."""

from collections.abc import Mapping
from math import prod
from typing import Any

import keras

from mmcourse import checks
from mmcourse.fusion.keras.base import Fusion
from mmcourse.fusion.keras.products import contract, drawn
from mmcourse.fusion.products import check_two


@keras.saving.register_keras_serializable(package="mmcourse")
class BilinearFusion(Fusion):
    """Fuse two modalities by the products of their features:  F_o = sum_ij x_1i kernel_ijo x_2j + bias_o.

    dims: {modality: width} of exactly two, in the order of the kernel's axes;  out_dim: the width of F
    kernel: (dim_1, dim_2, out), bias: (out,).  Where one of the two is missing F is the bias.
    The kernel is drawn so that features of mean square 1 give outputs of mean square 1; the bias is zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    """

    where = "bilinear fusion"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int, **layer: Any) -> None:
        super().__init__(dims, **layer)
        check_two(self.dims, self.where)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        sides = tuple(self.dims.values())
        self.kernel = self.add_weight(name="kernel", shape=(*sides, out_dim), initializer=drawn(prod(sides)))
        self.bias = self.add_weight(name="bias", shape=(out_dim,), initializer="zeros")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "out_dim": self.out_dim}

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        return contract(inputs, self.value(self.kernel)) + self.value(self.bias)


@keras.saving.register_keras_serializable(package="mmcourse")
class MultiplicativeFusion(BilinearFusion):
    """Fuse two modalities z and x by products and sums:  F = z^T W x + z U + x V + b.

    dims: {z: width, x: width}, whatever their names;  out_dim: the width of F
    kernel: W (dim_z, dim_x, out), "linear.z": U (dim_z, out), "linear.x": V (dim_x, out), bias: b (out,)
    Each kernel is drawn so that features of mean square 1 give a term of mean square 1; the bias is zero.
    A missing modality counts as zero: its terms vanish.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Jayakumar et al. (2020), for rows instead of columns.
    """

    where = "multiplicative fusion"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int, **layer: Any) -> None:
        super().__init__(dims, out_dim=out_dim, **layer)
        self.linear = {
            m: self.add_weight(name=f"linear.{m}", shape=(dim, out_dim), initializer=drawn(dim))
            for m, dim in self.dims.items()
        }

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        products = contract(inputs, self.value(self.kernel)) + self.value(self.bias)
        return sum((x @ self.value(self.linear[m]) for m, x in zip(self.dims, inputs, strict=True)), products)
