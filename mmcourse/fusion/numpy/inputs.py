"""What the NumPy formulas do with their inputs before the mathematics begins."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse import checks
from mmcourse.checks import Spec
from mmcourse.errors import ShapeError, UnknownModalityError

Arrays = dict[str, NDArray[np.float64]]
Present = dict[str, NDArray[np.bool_]]


def prepare(
    features: Mapping[str, ArrayLike],
    names: Iterable[str],
    projections: Mapping[str, ArrayLike] | None,
    mask: Mapping[str, ArrayLike] | None,
    where: str,
    widths: Mapping[str, int] | None = None,
) -> tuple[Arrays, Present]:
    """Check everything; return {modality: x P, or x without projections} and {modality: present (batch,)}.

    widths: those that other parameters than projections ask for
    Both are in the order of `names`. Missing rows are set to zero before anything is computed with them.
    """
    checks.check_mapping(features, "features", where)
    checks.check_mapping({} if mask is None else mask, "mask", where)
    names = list(names)
    if not names and not features:
        raise UnknownModalityError("features", got="no modality", wanted="at least one", where=where)
    arrays = {modality: np.asarray(x) for modality, x in features.items()}
    masks = {modality: np.asarray(m) for modality, m in (mask or {}).items()}
    matrices = None if projections is None else _projections(projections, names, where)
    dims = {m: len(matrices[m]) if matrices else widths[m] if widths else None for m in names}

    batch = checks.check_features(_specs(arrays), dims, where)
    checks.check_mask(_specs(masks), dims, batch, where)
    present = {m: masks.get(m, np.ones(len(arrays[m]), np.bool_)) for m in names}
    x = {m: np.where(present[m][:, None], arrays[m], 0).astype(np.float64) for m in names}
    finite = np.stack([np.isfinite(x[m]).all(axis=1) for m in names], axis=1)
    checks.check_values(names, finite, np.stack(list(present.values()), axis=1), where)
    return x if matrices is None else {m: x[m] @ matrices[m] for m in names}, present


def check_widths(hidden: Arrays, where: str) -> int:
    """Return the width that all share; without projections a sum needs one."""
    return checks.check_same({modality: h.shape[1] for modality, h in hidden.items()}, "width", where)


def softmax(scores: Arrays, present: Present) -> Arrays:
    """Return softmax over the modalities present in each row; a missing one weighs 0.

    scores: {modality: (), (batch,) or (batch, width)};  returns {modality: (batch,) or (batch, width)}
    """
    here = {m: present[m].reshape(-1, *(1,) * (np.ndim(scores[m]) - 1)) for m in present}
    logits = np.stack([np.where(here[m], scores[m], -np.inf) for m in present])  # (M, batch) or (M, batch, width)
    exponentials = np.exp(logits - logits.max(axis=0))
    return dict(zip(present, exponentials / exponentials.sum(axis=0), strict=True))


def _projections(projections: Mapping[str, ArrayLike], names: list[str], where: str) -> Arrays:
    checks.check_mapping(projections, "projections", where)
    checks.check_names(projections, names, "projection", where)
    matrices = {modality: np.asarray(projections[modality], np.float64) for modality in names}
    for modality, matrix in matrices.items():
        if matrix.ndim != 2:
            raise ShapeError(modality, got=f"projection of shape {matrix.shape}", wanted="(width, out)", where=where)
    checks.check_same({modality: matrix.shape[1] for modality, matrix in matrices.items()}, "projection to", where)
    return matrices


def _specs(arrays: Mapping[str, np.ndarray]) -> dict[str, Spec]:
    return {modality: Spec(array.shape, array.dtype.name) for modality, array in arrays.items()}
