"""Vectors of whole numbers."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.numpy.inputs import specification

WHERE = "embedding"


def embedding(ids: ArrayLike, *, vectors: ArrayLike, mask: ArrayLike | None = None) -> NDArray[np.float64]:
    """Look up a vector for each id:  x_t = vectors[id_t],  which is  onehot(id_t) vectors.

    ids: (batch, time) whole numbers from 0 to count - 1;  vectors: (count, dim)
    mask: (batch, time) booleans, True = present; a masked step may hold any number, and its vector is zero
    returns (batch, time, dim).  Raises a ModalityError naming what does not fit.
    """
    ids, present = np.asarray(ids), None if mask is None else np.asarray(mask)
    checks.check_ids(specification(ids), None if present is None else specification(present), WHERE)
    present = np.ones(ids.shape, np.bool_) if present is None else present
    vectors = check_shape(vectors, "vectors", (*np.shape(vectors), 1, 1)[:2], WHERE)
    count = len(vectors)
    known = ~present | ((ids >= 0) & (ids < count))
    checks.check_ids_known(present.any(axis=1), known.all(axis=1), count, WHERE)
    return np.where(present[..., None], vectors[np.where(present, ids, 0)], 0)
