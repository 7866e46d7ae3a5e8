"""Early fusion: the inputs are joined, and one network sees all of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.fusion.numpy import inputs

WHERE = "early fusion"


def early_fusion(
    features: Mapping[str, ArrayLike],
    modalities: Sequence[str],
    *,
    kernel: ArrayLike,
    bias: ArrayLike,
    head: ArrayLike,
    head_bias: ArrayLike,
    mask: Mapping[str, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Logits of one network on the joined inputs:  z = tanh([x_1, ..., x_M] kernel + bias) head + head_bias.

    features: {modality: (batch, dim_m)};  modalities: the order of the columns
    kernel: (sum of dims, hidden);  bias: (hidden,);  head: (hidden, classes);  head_bias: (classes,)
    mask: {modality: (batch,) booleans, True = present}; a missing modality's columns are zero
    returns (batch, classes)
    Raises a ModalityError naming the modality or parameter that does not fit.
    """
    x, _ = inputs.prepare(features, modalities, None, mask, WHERE)
    columns = np.concatenate(list(x.values()), axis=1)
    return network(columns, kernel, bias, head, WHERE) + check_shape(head_bias, "head_bias", np.shape(head)[1:], WHERE)


def network(
    columns: NDArray[np.float64], kernel: ArrayLike, bias: ArrayLike, head: ArrayLike, where: str
) -> NDArray[np.float64]:
    """tanh(columns kernel + bias) head, each parameter measured by the one before it."""
    hidden = np.shape(kernel)[-1:] or (1,)
    classes = np.shape(head)[-1:] or (1,)
    kernel = check_shape(kernel, "kernel", (columns.shape[1], *hidden), where)
    bias = check_shape(bias, "bias", hidden, where)
    return np.tanh(columns @ kernel + bias) @ check_shape(head, "head", (*hidden, *classes), where)
