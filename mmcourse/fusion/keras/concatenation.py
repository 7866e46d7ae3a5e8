"""Concatenation of modalities."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.fusion.keras.base import Fusion


@keras.saving.register_keras_serializable(package="mmcourse")
class ConcatenationFusion(Fusion):
    """Fuse modalities side by side:  F = [x_1, ..., x_M] kernel + bias.

    dims: {modality: width}, the order of the columns
    out_dim: the width of F, kernel (sum of dims, out_dim) and bias (out_dim,); None for F = [x_1, ..., x_M]
    A missing modality's columns are zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    """

    where = "concatenation"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int | None = None, **layer: Any) -> None:
        super().__init__(dims, **layer)
        total = sum(self.dims.values())
        self.kernel = self.bias = None
        self.out_dim = total
        if out_dim is not None:
            self.out_dim = checks.check_size("out_dim", out_dim, self.where)
            self.kernel = self.add_weight(name="kernel", shape=(total, out_dim), initializer="glorot_uniform")
            self.bias = self.add_weight(name="bias", shape=(out_dim,), initializer="zeros")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "out_dim": None if self.kernel is None else self.out_dim}

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        columns = ops.concatenate(inputs, axis=1)
        return columns if self.kernel is None else columns @ self.value(self.kernel) + self.value(self.bias)
