"""Softmax gate over modalities."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.fusion.keras.base import ProjectedFusion, mix, softmax_over_present


@keras.saving.register_keras_serializable(package="mmcourse")
class GatedFusion(ProjectedFusion):
    """Fuse modalities by a gate that each example sets for itself:  F = sum_m a_m h_m.

        h_m = x_m P_m,   s_m = score . tanh(h_m kernel + bias),   a = softmax(s) over the modalities present

    and without a hidden layer, the kernel or hidden_size None, a score that is linear:  s_m = score . h_m

    dims: {modality: width};  out_dim: the width of F, None for no projections (all widths must agree)
    hidden_size: kernel (out_dim, hidden_size), bias (hidden_size,), score (hidden_size,); None: score (out_dim,) alone
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: the additive score of Bahdanau et al. (2015), taken over modalities instead of time.
    """

    where = "gated fusion"

    def __init__(
        self, dims: Mapping[str, int], *, out_dim: int | None = None, hidden_size: int | None, **layer: Any
    ) -> None:
        super().__init__(dims, out_dim=out_dim, **layer)
        self.hidden_size, self.kernel, self.bias = hidden_size, None, None
        if hidden_size is not None:
            checks.check_size("hidden_size", hidden_size, self.where)
            self.kernel = self.add_weight(
                name="kernel", shape=(self.out_dim, hidden_size), initializer="glorot_uniform"
            )
            self.bias = self.add_weight(name="bias", shape=(hidden_size,), initializer="zeros")
        scored = hidden_size or self.out_dim
        column = (6 / (scored + 1)) ** 0.5  # Glorot and Bengio (2010) for a matrix (scored, 1)
        self.score = self.add_weight(
            name="score", shape=(scored,), initializer=keras.initializers.RandomUniform(-column, column)
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden_size": self.hidden_size}

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, present = self.prepare(features, mask)
        hidden = self.hidden(inputs)
        return mix(self._gate(hidden, present), hidden)

    def gate(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """The weights a that `call` gives the modalities: (batch, M), columns in the order of dims."""
        inputs, present = self.prepare(features, mask)
        return self._gate(self.hidden(inputs), present)

    def _gate(self, hidden: Any, present: Any) -> Any:
        state = hidden  # (batch, M, out)
        if self.kernel is not None:
            # Not `hidden @ kernel`: TensorFlow would repeat the kernel's gradient for every example of the batch.
            state = ops.tensordot(hidden, self.value(self.kernel), axes=1) + self.value(self.bias)
            state = ops.tanh(state)  # (batch, M, hidden)
        return softmax_over_present(ops.tensordot(state, self.value(self.score), axes=1), present)
