"""What the formulas on sequences do with their inputs before the mathematics begins."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import Spec, check_shape
from mmcourse.encoders import sequence_checks as checks

Array = NDArray[np.float64]


def prepare(
    sequence: ArrayLike, mask: ArrayLike | None, dim: int | None, where: str
) -> tuple[Array, NDArray[np.bool_]]:
    """Check everything; return the sequence with masked steps set to zero, and present (batch, time)."""
    array, here = np.asarray(sequence), None if mask is None else np.asarray(mask)
    checks.check_sequence(specification(array), None if here is None else specification(here), dim, where)
    present = np.ones(array.shape[:2], np.bool_) if here is None else here
    x = np.where(present[..., None], array, 0).astype(np.float64)
    checks.check_values("sequence", present.any(axis=1), np.isfinite(x).all(axis=(1, 2)), where)
    return x, present


def linear(x: Array, parameters: Mapping[str, Any], path: str, where: str, out: int | None = None) -> Array:
    """x kernel + bias.  x: (..., dim);  parameters: kernel (dim, out) and bias (out,);  path: their group's name"""
    checks.check_members(parameters, ("kernel", "bias"), path, where)
    out = out or (np.shape(parameters["bias"]) or (1,))[0]
    kernel = check_shape(parameters["kernel"], f"{path}.kernel", (x.shape[-1], out), where)
    return x @ kernel + check_shape(parameters["bias"], f"{path}.bias", (out,), where)


def specification(array: NDArray[Any]) -> Spec:
    """What the checks ask of an array."""
    return Spec(array.shape, array.dtype.name)
