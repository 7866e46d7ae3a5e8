"""Bilinear fusion and multiplicative interaction of two modalities."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_mapping, check_names, check_shape
from mmcourse.fusion import products
from mmcourse.fusion.numpy import inputs

BILINEAR, MULTIPLICATIVE = "bilinear fusion", "multiplicative fusion"


def bilinear_fusion(
    features: Mapping[str, ArrayLike],
    modalities: Sequence[str],
    *,
    kernel: ArrayLike,
    bias: ArrayLike,
    mask: Mapping[str, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Fuse two modalities by the products of their features:  F_o = sum_ij x_1i kernel_ijo x_2j + bias_o.

    features: {modality: (batch, dim_m)};  modalities: the order of the kernel's axes
    kernel: (dim_1, dim_2, out);  bias: (out,)
    mask: {modality: (batch,) booleans, True = present}; where one of the two is missing F is the bias
    returns (batch, out)
    Raises a ModalityError naming the modality or parameter that does not fit.
    """
    first, second, kernel = _two(features, modalities, kernel, mask, BILINEAR)
    bias = check_shape(bias, "bias", kernel.shape[-1:], BILINEAR)
    return np.einsum("bi,ijo,bj->bo", first, kernel, second) + bias


def multiplicative_fusion(
    features: Mapping[str, ArrayLike],
    modalities: Sequence[str],
    *,
    kernel: ArrayLike,
    linear: Mapping[str, ArrayLike],
    bias: ArrayLike,
    mask: Mapping[str, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Fuse two modalities z and x by products and sums:  F = z^T W x + z U + x V + b.

    features: {modality: (batch, dim_m)};  modalities: z, then x
    kernel: W (dim_z, dim_x, out);  linear: {z: U (dim_z, out), x: V (dim_x, out)};  bias: b (out,)
    mask: {modality: (batch,) booleans, True = present}; a missing modality counts as zero: its terms vanish
    returns (batch, out)
    Raises a ModalityError naming the modality or parameter that does not fit.
    Source: Jayakumar et al. (2020), for rows instead of columns.
    """
    z, x, kernel = _two(features, modalities, kernel, mask, MULTIPLICATIVE)
    bias = check_shape(bias, "bias", kernel.shape[-1:], MULTIPLICATIVE)
    check_mapping(linear, "linear", MULTIPLICATIVE)
    check_names(linear, modalities, "linear", MULTIPLICATIVE)
    U, V = (
        check_shape(linear[m], f"linear.{m}", (width, *bias.shape), MULTIPLICATIVE)
        for m, width in zip(modalities, kernel.shape, strict=False)
    )
    return np.einsum("bi,ijo,bj->bo", z, kernel, x) + z @ U + x @ V + bias


def _two(
    features: Mapping[str, ArrayLike],
    modalities: Sequence[str],
    kernel: ArrayLike,
    mask: Mapping[str, ArrayLike] | None,
    where: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Check everything; return both features, missing rows set to zero, and the kernel."""
    check_mapping(features, "features", where)
    products.check_two(modalities, where)
    array = np.asarray(kernel, np.float64)
    products.check_axes(array.shape, 3, where)
    widths = dict(zip(modalities, array.shape, strict=False))
    x, _ = inputs.prepare(features, modalities, None, mask, where, widths)
    first, second = x.values()
    return first, second, array
