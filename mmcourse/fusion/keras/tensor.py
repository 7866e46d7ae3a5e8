"""Tensor fusion: a linear map of the outer product of the features, which is never made."""

from collections.abc import Mapping
from math import prod
from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.fusion.keras.base import Fusion
from mmcourse.fusion.keras.products import contract, drawn, outer, with_constant


@keras.saving.register_keras_serializable(package="mmcourse")
class TensorFusion(Fusion):
    """Fuse modalities by a linear map of their outer product:  F_o = sum_ij... [1, x_1]_i [1, x_2]_j ... kernel_ij...o.

    dims: {modality: width}, the order of the kernel's axes;  out_dim: the width of F
    kernel: (1 + dim_1, ..., 1 + dim_M, out); its entries (0, ..., 0) are the bias
    It is drawn so that features of mean square 1 give outputs of mean square 1.
    A missing modality is [1, 0, ..., 0]: what is left is the fusion of the others.
    The outer product is not made, neither forward nor backward; `outer_product` returns it.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Zadeh et al. (2017).
    """

    where = "tensor fusion"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int, **layer: Any) -> None:
        super().__init__(dims, **layer)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        sides = tuple(1 + dim for dim in self.dims.values())
        self.kernel = self.add_weight(name="kernel", shape=(*sides, out_dim), initializer=drawn(prod(sides)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "out_dim": self.out_dim}

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        return contract([with_constant(x) for x in inputs], self.value(self.kernel))

    def outer_product(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """What `call` does without: (batch, 1 + dim_1, ..., 1 + dim_M)"""
        inputs, _ = self.prepare(features, mask)
        return ops.reshape(outer([with_constant(x) for x in inputs]), (-1, *self.kernel.shape[:-1]))
