"""Concatenation of modalities."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.errors import ShapeError
from mmcourse.fusion.numpy import inputs

WHERE = "concatenation"


def concatenation(
    features: Mapping[str, ArrayLike],
    modalities: Sequence[str],
    *,
    kernel: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    mask: Mapping[str, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Fuse modalities side by side:  F = [x_1, ..., x_M] kernel + bias.

    features: {modality: (batch, dim_m)};  modalities: the order of the columns
    kernel: (sum of dims, out) and bias: (out,); without them F = [x_1, ..., x_M]
    mask: {modality: (batch,) booleans, True = present}; a missing modality's columns are zero
    returns (batch, out) or (batch, sum of dims)
    Raises a ModalityError naming the modality or parameter that does not fit.
    """
    x, _ = inputs.prepare(features, modalities, None, mask, WHERE)
    columns = np.concatenate(list(x.values()), axis=1)
    if kernel is None:
        if bias is not None:
            raise ShapeError("bias", got="one without a kernel", wanted="both or neither", where=WHERE)
        return columns
    out = np.shape(kernel)[-1:] or (1,)
    fused = columns @ check_shape(kernel, "kernel", (columns.shape[1], *out), WHERE)
    return fused if bias is None else fused + check_shape(bias, "bias", out, WHERE)
