"""Gated multimodal unit: a gate for each feature of each modality."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse import checks
from mmcourse.checks import check_shape
from mmcourse.fusion.numpy import inputs

WHERE = "gated multimodal unit"


def gated_multimodal_unit(
    features: Mapping[str, ArrayLike],
    modalities: Sequence[str],
    *,
    projections: Mapping[str, ArrayLike] | None = None,
    kernels: Mapping[str, ArrayLike],
    biases: Mapping[str, ArrayLike],
    softmax: bool = False,
    mask: Mapping[str, ArrayLike] | None = None,
    return_gates: bool = False,
) -> NDArray[np.float64] | tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Fuse modalities by gates that each example sets, feature by feature:  F = sum_m z_m * h_m.

        h_m = tanh(x_m P_m),   l_m = [x_1, ..., x_M] kernels_m + biases_m,   z_m = sigmoid(l_m)

    With softmax, z is the softmax of l over the modalities present, feature by feature. Of two modalities that makes
    z_1 = sigmoid(l_1 - l_2) and z_2 = 1 - z_1, the bimodal unit; without it the unit is the general one.
    features: {modality: (batch, dim_m)};  modalities: the order of the columns x_1, ..., x_M
    projections: {modality: (dim_m, width)}, or equal widths without them
    kernels: {modality: (sum of dims, width)};  biases: {modality: (width,)}
    mask: {modality: (batch,) booleans, True = present}
    A missing modality's columns, its h and its z are zero.
    returns (batch, width), and with return_gates also {modality: z_m (batch, width)}
    Raises a ModalityError naming the modality or parameter that does not fit.
    Source: Arevalo et al. (2017), who have no biases.
    """
    checks.check_mapping(kernels, "kernels", WHERE)
    checks.check_mapping(biases, "biases", WHERE)
    hidden, present = inputs.prepare(features, modalities, projections, mask, WHERE)
    x, _ = inputs.prepare(features, modalities, None, mask, WHERE)
    width = inputs.check_widths(hidden, WHERE)
    columns = np.concatenate(list(x.values()), axis=1)
    checks.check_names(kernels, modalities, "kernel", WHERE)
    checks.check_names(biases, modalities, "bias", WHERE)
    logits = {}
    for m in modalities:
        kernel = check_shape(kernels[m], f"kernels.{m}", (columns.shape[1], width), WHERE)
        logits[m] = columns @ kernel + check_shape(biases[m], f"biases.{m}", (width,), WHERE)
    z = inputs.softmax(logits, present) if softmax else {m: _sigmoid(logits[m]) * present[m][:, None] for m in logits}
    fused = np.sum([z[m] * np.tanh(hidden[m]) for m in hidden], axis=0)
    return (fused, z) if return_gates else fused


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-l)), by way of tanh: exp would overflow where l is far below zero."""
    return (1 + np.tanh(logits / 2)) / 2
