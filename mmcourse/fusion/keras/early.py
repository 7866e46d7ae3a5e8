"""Early fusion: the inputs are joined, and one network sees all of them."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.fusion.keras.base import Fusion


@keras.saving.register_keras_serializable(package="mmcourse")
class EarlyFusion(Fusion):
    """Logits of one network on the joined inputs:  z = tanh([x_1, ..., x_M] kernel + bias) head + head_bias.

    dims: {modality: width}, the order of the columns
    hidden_size: kernel (sum of dims, hidden_size), bias (hidden_size,)
    out_dim: the number of classes, head (hidden_size, out_dim), head_bias (out_dim,)
    A missing modality's columns are zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    """

    where = "early fusion"

    def __init__(self, dims: Mapping[str, int], *, hidden_size: int, out_dim: int, **layer: Any) -> None:
        super().__init__(dims, **layer)
        self.hidden_size = checks.check_size("hidden_size", hidden_size, self.where)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        columns = sum(self.dims.values())
        self.kernel = self.add_weight(name="kernel", shape=(columns, hidden_size), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(hidden_size,), initializer="zeros")
        self.head = self.add_weight(name="head", shape=(hidden_size, out_dim), initializer="glorot_uniform")
        self.head_bias = self.add_weight(name="head_bias", shape=(out_dim,), initializer="zeros")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden_size": self.hidden_size, "out_dim": self.out_dim}

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns logits (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        hidden = ops.tanh(ops.concatenate(inputs, axis=1) @ self.value(self.kernel) + self.value(self.bias))
        return hidden @ self.value(self.head) + self.value(self.head_bias)
