"""Learned positions."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.numpy import inputs

WHERE = "learned positions"


def learned_positions(sequence: ArrayLike, *, vectors: ArrayLike, mask: ArrayLike | None = None) -> NDArray[np.float64]:
    """Tell each step where it stands, by a vector of that place:  x_t + vectors_t.

    sequence: (batch, time, dim);  vectors: (length, dim), time at most length
    mask: (batch, time) booleans, True = present; a masked step becomes zero, and the others keep their places
    returns (batch, time, dim).  Raises a ModalityError naming what does not fit.
    Source: Gehring et al. (2017).
    """
    x, present = inputs.prepare(sequence, mask, None, WHERE)
    length = (np.shape(vectors) or (0,))[0]
    checks.check_length(x.shape[1], length, WHERE)
    vectors = check_shape(vectors, "vectors", (length, x.shape[2]), WHERE)
    return np.where(present[..., None], x + vectors[: x.shape[1]], 0)
