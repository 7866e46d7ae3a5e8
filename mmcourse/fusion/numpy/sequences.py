"""What the formulas on several sequences do with their inputs before the mathematics begins."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse import checks
from mmcourse.checks import Spec
from mmcourse.encoders.numpy.inputs import specification
from mmcourse.fusion import sequence_checks

Arrays = dict[str, NDArray[np.float64]]
Present = dict[str, NDArray[np.bool_]]


def prepare(
    features: Mapping[str, ArrayLike],
    dims: Mapping[str, int | None],
    mask: Mapping[str, ArrayLike | None] | None,
    where: str,
) -> tuple[Arrays, Present]:
    """Check everything; return the sequences with masked steps set to zero, and present {modality: (batch, time_m)}.

    Both are in the order of dims, {modality: width, or None for any}. A modality may be missing from a row, masked at
    all its steps, as long as another is present there.
    """
    checks.check_mapping(features, "features", where)
    arrays = {modality: np.asarray(x) for modality, x in features.items()}
    masks = {m: np.asarray(here) for m, here in sequence_checks.masks_that_came(mask, where).items()}
    sequence_checks.check_sequences(_specs(arrays), _specs(masks), dims, where)
    present = {m: masks.get(m, np.ones(arrays[m].shape[:2], np.bool_)) for m in dims}
    x = {m: np.where(present[m][..., None], arrays[m], 0).astype(np.float64) for m in dims}
    finite = np.stack([np.isfinite(x[m]).all(axis=(1, 2)) for m in dims], axis=1)
    checks.check_values(dims, finite, np.stack([here.any(axis=1) for here in present.values()], axis=1), where)
    return x, present


def _specs(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Spec]:
    return {name: specification(array) for name, array in arrays.items()}
