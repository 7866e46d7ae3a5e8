"""Tensor fusion: a linear map of the outer product of the features."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.fusion import products
from mmcourse.fusion.numpy import inputs

WHERE = "tensor fusion"


def outer_product(
    features: Mapping[str, ArrayLike],
    modalities: Sequence[str],
    *,
    mask: Mapping[str, ArrayLike] | None = None,
    widths: Mapping[str, int] | None = None,
) -> NDArray[np.float64]:
    """Return the products of one number from each [1, x_m], of every choice: (batch, 1 + dim_1, ..., 1 + dim_M).

    Entry (0, ..., 0) is 1, entry (i, 0, ..., 0) is feature i - 1 of the first modality, and so on to the products of
    all modalities. A missing modality is [1, 0, ..., 0]: what is left are the products of the others.
    features: {modality: (batch, dim_m)};  modalities: the order of the axes;  mask: {modality: (batch,) booleans}
    widths: {modality: dim_m}, what is wanted
    """
    x, _ = inputs.prepare(features, modalities, None, mask, WHERE, widths)
    batch = len(next(iter(x.values())))
    product = np.ones((batch, 1))
    for values in x.values():
        with_constant = np.concatenate([np.ones((batch, 1)), values], axis=1)
        product = (product[:, :, None] * with_constant[:, None, :]).reshape(batch, -1)
    return product.reshape(batch, *(1 + values.shape[1] for values in x.values()))


def tensor_fusion(
    features: Mapping[str, ArrayLike],
    modalities: Sequence[str],
    *,
    kernel: ArrayLike,
    mask: Mapping[str, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Fuse modalities by a linear map of their outer product:  F_o = sum_ij... [1, x_1]_i [1, x_2]_j ... kernel_ij...o.

    features: {modality: (batch, dim_m)};  modalities: the order of the kernel's axes
    kernel: (1 + dim_1, ..., 1 + dim_M, out); its entries (0, ..., 0) are the bias
    mask: {modality: (batch,) booleans, True = present}; a missing modality is [1, 0, ..., 0]
    returns (batch, out)
    Raises a ModalityError naming the modality or parameter that does not fit.
    Source: Zadeh et al. (2017).
    """
    array, names = np.asarray(kernel, np.float64), list(modalities)
    products.check_axes(array.shape, len(names) + 1, WHERE)
    widths = {m: side - 1 for m, side in zip(names, array.shape, strict=False)}
    outer = outer_product(features, names, mask=mask, widths=widths)
    return np.tensordot(outer, array, axes=len(names))
