"""Modality dropout."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.fusion.keras.base import Fusion


@keras.saving.register_keras_serializable(package="mmcourse")
class ModalityDropout(Fusion):
    """In training, drop whole modalities of each example at random, never all of them, before any fusion of vectors.

    Of the modalities A that are present in an example, exactly S is left, not empty, with the probability

        P(S) = prod_{m in S} (1 - p_m) prod_{m in A without S} p_m / (1 - prod_{m in A} p_m)

    as `mmcourse.fusion.numpy.modality_dropout` draws it. In evaluation nothing is dropped.
    dims: {modality: width};  rates: {modality: p_m} or one number for all, each in [0, 1)
    seed: a whole number for the same draws in each new layer; None for others
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Neverova et al. (2016), ModDrop, for the idea.
    """

    where = "modality dropout"

    def __init__(
        self,
        dims: Mapping[str, int],
        *,
        rates: Mapping[str, float] | float,
        seed: int | None = None,
        **layer: Any,
    ) -> None:
        super().__init__(dims, **layer)
        self.rates = checks.check_rates(rates, self.dims, self.where)
        self.seed = seed
        self._draws = keras.random.SeedGenerator(seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rates": dict(self.rates), "seed": self.seed}

    def compute_output_spec(
        self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None, training: bool | None = None
    ) -> Any:
        _, batch = self._check_structure(features, mask)
        widths = {m: keras.KerasTensor((batch, dim), self.compute_dtype) for m, dim in self.dims.items()}
        return widths, {m: keras.KerasTensor((batch,), "bool") for m in self.dims}

    def call(
        self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None, training: bool | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool}

        returns both, the mask with an entry for each modality. In training what is missing then holds zeros; in
        evaluation the features are those that came.
        """
        inputs, present = self.prepare(features, mask)
        if present is None:
            present = ops.ones((ops.shape(inputs[0])[0], len(self.dims)), "bool")
        if not training:
            return {m: features[m] for m in self.dims}, {m: present[:, i] for i, m in enumerate(self.dims)}
        uniforms = keras.random.uniform(ops.shape(present), dtype="float32", seed=self._draws)
        kept = keep(present, list(self.rates.values()), uniforms)
        # Not kept[:, i, None]: in a graph TensorFlow's optimiser loses the new axis.
        here = {m: kept[:, i] for i, m in enumerate(self.dims)}
        return {m: ops.where(here[m][:, None], x, 0.0) for m, x in zip(self.dims, inputs, strict=True)}, here


def keep(present: Any, rates: list[float], uniforms: Any) -> Any:
    """Which are kept, (batch, M) bool, by one random number each; present: (batch, M) bool, uniforms: (batch, M)."""
    dropped = ops.where(present, ops.convert_to_tensor(rates, uniforms.dtype), 1.0)
    columns: list[Any] = []
    something = ops.zeros_like(present[:, 0])
    for i, rate in enumerate(rates):
        all_dropped = rate * ops.prod(dropped[:, i + 1 :], axis=1)
        chance = ops.where(something, 1 - rate, (1 - rate) / (1 - all_dropped))
        columns.append(ops.logical_and(present[:, i], uniforms[:, i] < chance))
        something = ops.logical_or(something, columns[-1])
    return ops.stack(columns, axis=1)
