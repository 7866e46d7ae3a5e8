"""Entropy and mutual information of discrete joint distributions, in bits (Shannon, 1948)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.errors import ModalityError, NotFiniteError, ShapeError

ROUNDING = 1e-9  # how far from 1 the sum of a distribution may be


def entropy(joint: ArrayLike) -> float:
    """H = -sum p log2 p over all entries, with 0 log 0 = 0.

    joint: probabilities, any number of axes.  Raises a ModalityError unless they are one distribution.
    """
    return _entropy(check_distribution(joint, None, "entropy"))


def mutual_information(joint: ArrayLike) -> float:
    """I(A; B) = H(A) + H(B) - H(A, B).

    joint: p(a, b), two axes; several variables together are one axis: joint.reshape(-1, targets)
    Raises a ModalityError unless it is a distribution with two axes.
    """
    p = check_distribution(joint, ("a", "b"), "mutual_information")
    return _entropy(p.sum(1)) + _entropy(p.sum(0)) - _entropy(p)


def conditional_mutual_information(joint: ArrayLike) -> float:
    """I(A; B | C) = H(A, C) + H(B, C) - H(A, B, C) - H(C).

    joint: p(a, b, c), three axes.  Raises a ModalityError unless it is a distribution with three axes.
    """
    p = check_distribution(joint, ("a", "b", "c"), "conditional_mutual_information")
    return _entropy(p.sum(1)) + _entropy(p.sum(0)) - _entropy(p) - _entropy(p.sum((0, 1)))


def check_distribution(joint: ArrayLike, axes: tuple[str, ...] | None, where: str) -> NDArray[np.float64]:
    """Return probabilities as float64, or raise a ModalityError; axes: their names, None for any number."""
    p = np.asarray(joint, np.float64)
    if (axes is not None and p.ndim != len(axes)) or p.size == 0:
        wanted = "at least one entry" if axes is None else f"an entry for each of ({', '.join(axes)})"
        raise ShapeError("joint", got=f"shape {p.shape}", wanted=wanted, where=where)
    if not np.isfinite(p).all():
        raise NotFiniteError("joint", got="NaN or infinity", wanted="probabilities", where=where)
    if (p < 0).any():
        raise ModalityError("joint", got=f"a probability of {p.min():.3g}", wanted="none below 0", where=where)
    if abs(p.sum() - 1) > ROUNDING:
        raise ModalityError("joint", got=f"a sum of {p.sum():.6g}", wanted="1", where=where)
    return p


def _entropy(p: NDArray[np.float64]) -> float:
    positive = p[p > 0]
    return float(-(positive * np.log2(positive)).sum()) + 0.0  # not -0.0
