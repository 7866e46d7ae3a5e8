"""Low-rank fusion: the kernel of tensor fusion as a sum of products, and never made."""

from collections.abc import Mapping
from functools import reduce
from operator import mul
from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.fusion.keras.base import Fusion
from mmcourse.fusion.keras.products import drawn, with_constant
from mmcourse.fusion.products import check_rank


@keras.saving.register_keras_serializable(package="mmcourse")
class LowRankFusion(Fusion):
    """Fuse modalities by a kernel of low rank:  F = sum_r w_r prod_m [1, x_m] factors_m[r] + bias.

    dims: {modality: width};  out_dim: the width of F;  rank: how many products are summed
    "factors.image": (rank, 1 + dim, out), weights: w (rank,), bias: (out,)
    Factors are drawn so that features of mean square 1 give products of mean square 1, however many modalities there
    are; the weights are rank^-1/2, so that their sum has it, too; the bias is zero.
    A missing modality is [1, 0, ..., 0]: its factor is the same for all such rows.
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Liu et al. (2018); the weights over the rank and the bias as in their program.
    """

    where = "low-rank fusion"

    def __init__(self, dims: Mapping[str, int], *, out_dim: int, rank: int, **layer: Any) -> None:
        super().__init__(dims, **layer)
        self.out_dim = checks.check_size("out_dim", out_dim, self.where)
        self.rank = check_rank(rank, self.where)
        self.factors = {
            m: self.add_weight(name=f"factors.{m}", shape=(rank, 1 + dim, out_dim), initializer=drawn(1 + dim))
            for m, dim in self.dims.items()
        }
        equal = keras.initializers.Constant(rank**-0.5)
        self.weights_of_rank = self.add_weight(name="weights", shape=(rank,), initializer=equal)
        self.bias = self.add_weight(name="bias", shape=(out_dim,), initializer="zeros")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "out_dim": self.out_dim, "rank": self.rank}

    def call(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None = None) -> Any:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool};  returns (batch, out_dim)"""
        inputs, _ = self.prepare(features, mask)
        projected = [
            # Not a broadcast matmul: TensorFlow would repeat the features' gradient for every rank.
            ops.tensordot(with_constant(x), self.value(self.factors[m]), axes=[[1], [1]])  # (batch, rank, out)
            for m, x in zip(self.dims, inputs, strict=True)
        ]
        weights = self.value(self.weights_of_rank)
        return ops.sum(weights[:, None] * reduce(mul, projected), axis=1) + self.value(self.bias)
