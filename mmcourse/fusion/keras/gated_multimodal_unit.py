"""Gated multimodal unit: a gate for each feature of each modality."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.fusion.keras.base import ProjectedFusion


@keras.saving.register_keras_serializable(package="mmcourse")
class GatedMultimodalUnit(ProjectedFusion):
    """Fuse modalities by gates that each example sets, feature by feature:  F = sum_m z_m * h_m.

        h_m = tanh(x_m P_m),   l_m = [x_1, ..., x_M] kernels_m + biases_m,   z_m = sigmoid(l_m)

    With softmax, z is the softmax of l over the modalities present, feature by feature. Of two modalities that makes
    z_1 = sigmoid(l_1 - l_2) and z_2 = 1 - z_1, the bimodal unit; without it the unit is the general one.
    dims: {modality: width}, the order of the columns
    out_dim: the width of F, None for no projections (all widths must agree)
    parameters: "kernels.image" (sum of dims, out_dim) and "biases.image" (out_dim,) for each modality
    A missing modality's columns, its h and its z are zero.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Arevalo et al. (2017), who have no biases.
    """

    where = "gated multimodal unit"

    def __init__(
        self, dims: Mapping[str, int], *, out_dim: int | None = None, softmax: bool = False, **layer: Any
    ) -> None:
        super().__init__(dims, out_dim=out_dim, **layer)
        self.softmax = softmax
        shape = (sum(self.dims.values()), self.out_dim)
        self.kernels = {
            m: self.add_weight(name=f"kernels.{m}", shape=shape, initializer="glorot_uniform") for m in self.dims
        }
        self.biases = {m: self.add_weight(name=f"biases.{m}", shape=shape[1:], initializer="zeros") for m in self.dims}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "softmax": self.softmax}

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        return ops.sum(self._gates(inputs, present) * ops.tanh(self.hidden(inputs)), axis=1)

    def gates(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """The gates z that `call` gives the modalities: (batch, M, out_dim), in the order of dims."""
        return self._gates(*self.prepare(features, mask))

    def _gates(self, inputs: list[Any], present: Any) -> Any:
        kernel = ops.concatenate([self.value(self.kernels[m]) for m in self.dims], axis=1)  # (sum of dims, M * out)
        bias = ops.concatenate([self.value(self.biases[m]) for m in self.dims], axis=0)
        logits = ops.concatenate(inputs, axis=1) @ kernel + bias
        logits = ops.reshape(logits, (-1, len(self.dims), self.out_dim))
        here = None if present is None else present[..., None]
        if self.softmax:  # TensorFlow's own: the one of keras.ops warns where there is a single modality
            return tf.nn.softmax(logits if here is None else ops.where(here, logits, -float("inf")), axis=1)
        gates = ops.sigmoid(logits)
        return gates if here is None else ops.where(here, gates, 0.0)
