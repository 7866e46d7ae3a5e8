"""Low-rank fusion: the kernel of tensor fusion as a sum of products, and never made."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_mapping, check_names, check_shape
from mmcourse.errors import ShapeError, UnknownModalityError
from mmcourse.fusion import products
from mmcourse.fusion.numpy import inputs

WHERE = "low-rank fusion"


def low_rank_fusion(
    features: Mapping[str, ArrayLike],
    factors: Mapping[str, ArrayLike],
    weights: ArrayLike,
    bias: ArrayLike,
    *,
    mask: Mapping[str, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Fuse modalities by a kernel of low rank:  F = sum_r w_r prod_m [1, x_m] factors_m[r] + bias.

    features: {modality: (batch, dim_m)};  factors: {modality: (rank, 1 + dim_m, out)}
    weights: w (rank,);  bias: (out,)
    mask: {modality: (batch,) booleans, True = present}; a missing modality is [1, 0, ..., 0]
    returns (batch, out)
    Raises a ModalityError naming the modality or parameter that does not fit.
    Source: Liu et al. (2018); the weights over the rank and the bias as in their program.
    """
    matrices, weights, bias = _parameters(factors, weights, bias)
    widths = {m: matrix.shape[1] - 1 for m, matrix in matrices.items()}
    x, _ = inputs.prepare(features, matrices, None, mask, WHERE, widths)
    batch = len(next(iter(x.values())))
    fused = np.zeros((batch, len(bias)))
    for r, weight in enumerate(weights):
        product = np.ones_like(fused)
        for m, values in x.items():
            product *= np.concatenate([np.ones((batch, 1)), values], axis=1) @ matrices[m][r]
        fused += weight * product
    return fused + bias


def expand_factors(
    factors: Mapping[str, ArrayLike], modalities: Sequence[str], weights: ArrayLike, bias: ArrayLike
) -> NDArray[np.float64]:
    """Return the kernel with which `tensor_fusion` computes what `low_rank_fusion` computes with these parameters.

        kernel_ij...o = sum_r w_r factors_1[r, i, o] factors_2[r, j, o] ...,   and the bias added at (0, ..., 0)

    factors: {modality: (rank, 1 + dim_m, out)};  modalities: the order of the kernel's axes
    weights: (rank,);  bias: (out,);  returns (1 + dim_1, ..., 1 + dim_M, out)
    """
    matrices, weights, bias = _parameters(factors, weights, bias)
    check_names(matrices, modalities, "factors", WHERE)
    matrices = {m: matrices[m] for m in modalities}
    kernel = weights[:, None, None]  # (rank, 1, out or 1)
    for matrix in matrices.values():
        kernel = (kernel[:, :, None, :] * matrix[:, None, :, :]).reshape(len(weights), -1, len(bias))
    whole = kernel.sum(axis=0).reshape(*(matrix.shape[1] for matrix in matrices.values()), len(bias))
    whole[(0,) * len(matrices)] += bias
    return whole


def _parameters(
    factors: Mapping[str, ArrayLike], weights: ArrayLike, bias: ArrayLike
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64], NDArray[np.float64]]:
    check_mapping(factors, "factors", WHERE)
    if not factors:
        raise UnknownModalityError("features", got="no modality", wanted="at least one", where=WHERE)
    rank, out = (np.shape(array)[0] if np.ndim(array) == 1 else 0 for array in (weights, bias))
    weights = check_shape(weights, "weights", (products.check_rank(rank, WHERE),), WHERE)
    bias = check_shape(bias, "bias", (out,), WHERE)
    matrices = {m: np.asarray(matrix, np.float64) for m, matrix in factors.items()}
    for m, matrix in matrices.items():
        if matrix.ndim != 3 or matrix.shape[1] < 2 or matrix.shape[::2] != (rank, out):
            wanted = f"({rank}, 1 + width, {out})"
            raise ShapeError(f"factors.{m}", got=f"shape {matrix.shape}", wanted=wanted, where=WHERE)
    return matrices, weights, bias
