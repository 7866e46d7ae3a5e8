"""What the NumPy formulas do with their inputs before the mathematics begins."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.alignment import checks
from mmcourse.checks import Spec

Floats = NDArray[np.float64]


def cosines(image: ArrayLike, text: ArrayLike, where: str) -> Floats:
    """Check both and return the cosine of every image with every text: (batch, batch)."""
    x, y = np.asarray(image), np.asarray(text)
    checks.check_pair(Spec(x.shape, x.dtype.name), Spec(y.shape, y.dtype.name), where)
    x, y = x.astype(np.float64), y.astype(np.float64)
    largest = np.stack([np.abs(x).max(axis=1), np.abs(y).max(axis=1)], axis=1)  # (batch, 2)
    checks.check_values(largest, where)
    # By the largest entry first, so that no square overflows or vanishes.
    x, y = x / largest[:, :1], y / largest[:, 1:]
    x, y = (z / np.sqrt((z**2).sum(axis=1, keepdims=True)) for z in (x, y))
    return x @ y.T


def scale_number(scale: ArrayLike, where: str) -> float:
    """Return the scale as a number, or raise a ModalityError."""
    checks.check_scalar("scale", np.shape(scale), where)
    number = float(np.asarray(scale))
    checks.check_scale(number, where)
    return number


def bias_number(bias: ArrayLike, where: str) -> float:
    """Return the bias as a number, or raise a ModalityError."""
    checks.check_scalar("bias", np.shape(bias), where)
    number = float(np.asarray(bias))
    checks.check_bias(number, where)
    return number


def same_group(groups: ArrayLike, batch: int, where: str) -> NDArray[np.bool_]:
    """Return which rows are of one group: (batch, batch)."""
    labels = np.asarray(groups)
    checks.check_groups(Spec(labels.shape, labels.dtype.name), batch, where)
    return labels[:, None] == labels[None, :]


def log_softmax(logits: Floats) -> Floats:
    """log softmax over the last axis."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
