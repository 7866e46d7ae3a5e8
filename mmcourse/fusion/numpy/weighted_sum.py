"""Weighted sum of modalities."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse import checks
from mmcourse.checks import check_shape
from mmcourse.fusion.numpy import inputs

WHERE = "weighted sum"


def weighted_sum(
    features: Mapping[str, ArrayLike],
    weights: Mapping[str, float],
    *,
    projections: Mapping[str, ArrayLike] | None = None,
    softmax: bool = False,
    mask: Mapping[str, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Fuse modalities by a weighted sum:  F = sum_m w_m x_m P_m.

    features: {modality: (batch, dim_m)};  weights: {modality: scalar}
    projections: {modality: (dim_m, out)}; without them (P_m = 1) all widths must agree
    softmax: w = softmax(weights) over the modalities present in that row, so a mask renormalises them;
        without it a missing modality's term is dropped and the others keep their weights
    mask: {modality: (batch,) booleans, True = present};  returns (batch, out)
    Raises a ModalityError naming the modality that does not fit.
    """
    checks.check_mapping(weights, "weights", WHERE)
    hidden, present = inputs.prepare(features, weights, projections, mask, WHERE)
    inputs.check_widths(hidden, WHERE)
    w = {m: check_shape(weights[m], f"weights.{m}", (), WHERE) for m in weights}
    share = inputs.softmax(w, present) if softmax else {m: np.where(present[m], w[m], 0) for m in w}
    return np.sum([share[m][:, None] * hidden[m] for m in hidden], axis=0)
