"""Softmax gate over modalities."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.errors import ShapeError
from mmcourse.fusion.numpy import inputs

WHERE = "gated fusion"


def gated_fusion(
    features: Mapping[str, ArrayLike],
    *,
    projections: Mapping[str, ArrayLike] | None = None,
    kernel: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    score: ArrayLike,
    mask: Mapping[str, ArrayLike] | None = None,
    return_weights: bool = False,
) -> NDArray[np.float64] | tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Fuse modalities by a gate that each example sets for itself:  F = sum_m a_m h_m.

        h_m = x_m P_m,   s_m = score . tanh(h_m kernel + bias),   a = softmax(s) over the modalities present

    and without a hidden layer, the kernel or hidden_size None, a score that is linear:  s_m = score . h_m

    features: {modality: (batch, dim_m)};  projections: {modality: (dim_m, width)}, or equal widths without them
    kernel: (width, hidden), bias: (hidden,) and score: (hidden,), or score: (width,) alone
    mask: {modality: (batch,) booleans, True = present}
    returns (batch, width), and with return_weights also {modality: a_m (batch,)}
    Raises a ModalityError naming the modality or parameter that does not fit.
    Source: the additive score of Bahdanau et al. (2015), taken over modalities instead of time.
    """
    names = features if projections is None else projections
    hidden, present = inputs.prepare(features, names, projections, mask, WHERE)
    width = inputs.check_widths(hidden, WHERE)
    if (kernel is None) != (bias is None):
        name, other = ("kernel", "bias") if bias is None else ("bias", "kernel")
        raise ShapeError(name, got=f"one without a {other}", wanted="both or neither", where=WHERE)
    if kernel is None or bias is None:
        score = check_shape(score, "score", (width,), WHERE)
        s = {m: h @ score for m, h in hidden.items()}
    else:
        score = check_shape(score, "score", np.shape(score)[:1] or (1,), WHERE)
        kernel = check_shape(kernel, "kernel", (width, len(score)), WHERE)
        bias = check_shape(bias, "bias", score.shape, WHERE)
        s = {m: np.tanh(h @ kernel + bias) @ score for m, h in hidden.items()}
    a = inputs.softmax(s, present)
    fused = np.sum([a[m][:, None] * hidden[m] for m in hidden], axis=0)
    return (fused, a) if return_weights else fused
