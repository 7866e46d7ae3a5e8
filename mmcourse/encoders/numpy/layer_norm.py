"""Layer normalisation."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.errors import ShapeError

WHERE = "layer norm"


def layer_norm(x: ArrayLike, *, scale: ArrayLike, bias: ArrayLike, epsilon: float = 1e-5) -> NDArray[np.float64]:
    """Normalise each vector by its own mean and variance:  scale (x - mean) / sqrt(variance + epsilon) + bias.

    x: (..., dim);  scale, bias: (dim,);  the variance is the mean of squares, over the dim numbers of one vector
    returns (..., dim).  Raises ShapeError naming what does not fit.
    Source: Ba et al. (2016).
    """
    x = np.asarray(x, np.float64)
    if x.ndim == 0:
        raise ShapeError("x", got="shape ()", wanted="(..., width)", where=WHERE)
    scale, bias = (check_shape(p, name, x.shape[-1:], WHERE) for name, p in (("scale", scale), ("bias", bias)))
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return scale * centred / np.sqrt(variance + epsilon) + bias
