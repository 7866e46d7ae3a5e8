"""Weighted sum of modalities."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.fusion.keras.base import ProjectedFusion, mix, softmax_over_present


@keras.saving.register_keras_serializable(package="mmcourse")
class WeightedSumFusion(ProjectedFusion):
    """Fuse modalities by a weighted sum:  F = sum_m w_m x_m P_m.

    dims: {modality: width};  out_dim: the width of F, None for no projections (all widths must agree)
    weights: {modality: scalar} to begin with; 1/M each, or 0 each with softmax, if not given
    learned: the weights "weights.image" are trainable; else constants
    softmax: w = softmax(weights) over the modalities present in that row, so a mask renormalises them;
        without it a missing modality's term is dropped and the others keep their weights
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    """

    where = "weighted sum"

    def __init__(
        self,
        dims: Mapping[str, int],
        *,
        out_dim: int | None = None,
        weights: Mapping[str, float] | None = None,
        learned: bool = True,
        softmax: bool = False,
        **layer: Any,
    ) -> None:
        super().__init__(dims, out_dim=out_dim, **layer)
        self.softmax = softmax
        self.learned = learned
        self.initial = checks.initial_weights(weights, self.dims, softmax, self.where)
        self.modality_weights = {  # `weights` is Keras's own name for all variables of a layer
            m: self.add_weight(
                name=f"weights.{m}", shape=(), initializer=keras.initializers.Constant(weight), trainable=learned
            )
            for m, weight in self.initial.items()
        }

    def get_config(self) -> dict[str, Any]:
        options = {"weights": dict(self.initial), "learned": self.learned, "softmax": self.softmax}
        return {**super().get_config(), **options}

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        weights = ops.stack([self.value(self.modality_weights[m]) for m in self.dims])  # (M,)
        if self.softmax:
            weights = softmax_over_present(weights, present)
        elif present is not None:
            weights = ops.where(present, weights, 0.0)  # (batch, M)
        return mix(weights, self.hidden(inputs))
