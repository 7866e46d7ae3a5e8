"""Hybrid fusion: a joint path beside a path of each modality."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from mmcourse.fusion.keras.paths import PathFusion


@keras.saving.register_keras_serializable(package="mmcourse")
class HybridFusion(PathFusion):
    """Logits of a joint path plus those of a path of each modality:

        z = tanh([x_1, ..., x_M] kernel + bias) head + head_bias + sum_m tanh(x_m W_m + b_m) V_m

    dims: {modality: width}, the order of the joint path's columns
    hidden_size: kernel (sum of dims, hidden_size), bias (hidden_size,), W_m (dim_m, hidden_size), b_m (hidden_size,)
    out_dim: the number of classes, head and V_m (hidden_size, out_dim), head_bias (out_dim,)
    A missing modality's columns and its own path are zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: decisions of a joint and of single classifiers combined, as in the survey of Atrey et al. (2010).
    """

    where = "hybrid fusion"

    def __init__(self, dims: Mapping[str, int], *, hidden_size: int, out_dim: int, **layer: Any) -> None:
        super().__init__(dims, hidden_size=hidden_size, out_dim=out_dim, **layer)
        columns = sum(self.dims.values())
        self.kernel = self.add_weight(name="kernel", shape=(columns, hidden_size), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(hidden_size,), initializer="zeros")
        self.head = self.add_weight(name="head", shape=(hidden_size, out_dim), initializer="glorot_uniform")
        self.head_bias = self.add_weight(name="head_bias", shape=(out_dim,), initializer="zeros")

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns logits (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        hidden = ops.tanh(ops.concatenate(inputs, axis=1) @ self.value(self.kernel) + self.value(self.bias))
        joint = hidden @ self.value(self.head) + self.value(self.head_bias)
        own = self.paths(inputs)
        own = own if present is None else ops.where(ops.expand_dims(present, -1), own, 0.0)
        return joint + ops.sum(own, axis=1)
