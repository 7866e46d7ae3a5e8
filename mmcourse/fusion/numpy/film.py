"""Feature-wise linear modulation: a condition scales and shifts features."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import Spec, check_shape, check_values
from mmcourse.errors import ShapeError
from mmcourse.fusion.film_checks import CHANNEL_AXIS, FilmSpecs, check_film

WHERE = "FiLM"


def film(
    features: ArrayLike,
    condition: ArrayLike,
    *,
    scale_kernel: ArrayLike,
    scale_bias: ArrayLike,
    shift_kernel: ArrayLike,
    shift_bias: ArrayLike,
    features_mask: ArrayLike | None = None,
    condition_mask: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Scale and shift each feature as a condition asks:  y = gamma(c) * x + beta(c).

        gamma(c) = 1 + c scale_kernel + scale_bias,   beta(c) = c shift_kernel + shift_bias

    features x: (batch, dim), (batch, time, dim) or (batch, dim, height, width);  condition c: (batch, condition_dim)
    kernels: (condition_dim, dim);  biases: (dim,)
    features_mask: (batch, time) booleans for a sequence, True = present; a masked step comes out as zero
    condition_mask: (batch,) booleans, True = present; where the condition is missing y = x
    returns the shape of the features
    Raises a ModalityError naming the input or parameter that does not fit.
    Source: Perez et al. (2018).
    """
    if np.ndim(scale_kernel) != 2:
        got = f"shape {np.shape(scale_kernel)}"
        raise ShapeError("scale_kernel", got=got, wanted="(width of the condition, width)", where=WHERE)
    condition_dim, dim = np.shape(scale_kernel)
    kernels = [check_shape(scale_kernel, "scale_kernel", (condition_dim, dim), WHERE)]
    kernels += [check_shape(shift_kernel, "shift_kernel", (condition_dim, dim), WHERE)]
    biases = [
        check_shape(scale_bias, "scale_bias", (dim,), WHERE),
        check_shape(shift_bias, "shift_bias", (dim,), WHERE),
    ]
    x, c = np.asarray(features), np.asarray(condition)
    steps, asked = (None if mask is None else np.asarray(mask) for mask in (features_mask, condition_mask))
    specs = FilmSpecs(
        _spec(x), _spec(c), None if steps is None else _spec(steps), None if asked is None else _spec(asked)
    )
    check_film(specs, (dim, condition_dim), WHERE)

    x = x.astype(np.float64) if steps is None else np.where(steps[..., None], x, 0).astype(np.float64)
    asked = np.ones(len(c), np.bool_) if asked is None else asked
    c = np.where(asked[:, None], c, 0).astype(np.float64)
    finite = [np.isfinite(array).reshape(len(array), -1).all(axis=1) for array in (x, c)]
    check_values(["features", "condition"], np.stack(finite, axis=1), None, WHERE)

    delta, beta = ((c @ kernel + bias) * asked[:, None] for kernel, bias in zip(kernels, biases, strict=True))
    shape = [len(x)] + [1] * (x.ndim - 1)
    shape[CHANNEL_AXIS[x.ndim]] = dim
    y = (1 + delta).reshape(shape) * x + beta.reshape(shape)
    return y if steps is None else np.where(steps[..., None], y, 0)


def _spec(array: NDArray[Any]) -> Spec:
    return Spec(array.shape, array.dtype.name)
