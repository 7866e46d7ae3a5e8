"""Hybrid fusion: a joint path beside a path of each modality."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.fusion.numpy import inputs
from mmcourse.fusion.numpy.early import network
from mmcourse.fusion.numpy.paths import paths

WHERE = "hybrid fusion"


def hybrid_fusion(
    features: Mapping[str, ArrayLike],
    modalities: Sequence[str],
    *,
    kernel: ArrayLike,
    bias: ArrayLike,
    head: ArrayLike,
    head_bias: ArrayLike,
    kernels: Mapping[str, ArrayLike],
    biases: Mapping[str, ArrayLike],
    heads: Mapping[str, ArrayLike],
    mask: Mapping[str, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Logits of a joint path plus those of a path of each modality:

        z = tanh([x_1, ..., x_M] kernel + bias) head + head_bias + sum_m tanh(x_m W_m + b_m) V_m

    features: {modality: (batch, dim_m)};  modalities: the order of the joint path's columns
    kernels, biases, heads: W_m (dim_m, hidden), b_m (hidden,), V_m (hidden, classes)
    kernel: (sum of dims, hidden);  bias: (hidden,);  head: (hidden, classes);  head_bias: (classes,)
    mask: {modality: (batch,) booleans, True = present}; a missing modality's columns and its own path are zero
    returns (batch, classes)
    Raises a ModalityError naming the modality or parameter that does not fit.
    Source: decisions of a joint and of single classifiers combined, as in the survey of Atrey et al. (2010).
    """
    logits, present = paths(features, kernels, biases, heads, mask, WHERE)
    x, _ = inputs.prepare(features, modalities, None, mask, WHERE)
    joint = network(np.concatenate(list(x.values()), axis=1), kernel, bias, head, WHERE)
    z = joint + check_shape(head_bias, "head_bias", joint.shape[1:], WHERE)
    for m, own in logits.items():
        z = z + np.where(present[m][:, None], own, 0.0)
    return z
