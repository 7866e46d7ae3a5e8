"""Accuracy, and how sure one can be that two models differ."""

from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A difference with the ends of its confidence interval."""

    difference: float
    low: float
    high: float


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Share of rows whose largest logit (n, classes) is at the label (n,); of equal logits the first counts.

    Raises ValueError for shapes that do not fit, labels that are no class, and logits that are NaN.
    """
    return float(correct(logits, labels).mean())


def correct(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) bool: the rows that accuracy counts, what paired_interval compares. Raises as accuracy does."""
    logits, labels = np.asarray(logits), np.asarray(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or labels.size == 0:
        raise ValueError(
            f"accuracy: got logits {logits.shape} and labels {labels.shape}, wanted (n, classes) and (n,) with n > 0"
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= logits.shape[1]:
        wanted = f"integers from 0 to {logits.shape[1] - 1}"
        raise ValueError(f"accuracy: labels: got {labels.dtype} from {labels.min()} to {labels.max()}, wanted {wanted}")
    if np.isnan(logits).any():
        raise ValueError("accuracy: logits: got NaN, wanted numbers")
    return logits.argmax(axis=1) == labels


def paired_interval(
    correct_a: np.ndarray, correct_b: np.ndarray, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """accuracy(a) - accuracy(b) on the same examples, with a percentile bootstrap interval over examples.

    correct_a, correct_b: (n,) bool, which examples each model gets right. The pairs are drawn together, so what is hard
    for both cancels. The interval speaks of other test examples, not of other training runs.
    Raises ValueError unless both are boolean and of one length, 0 < level < 1 and draws >= 1.
    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    a, b = np.asarray(correct_a), np.asarray(correct_b)
    if a.dtype != np.bool_ or b.dtype != np.bool_ or a.ndim != 1 or a.shape != b.shape or a.size == 0:
        got = f"{a.dtype} {a.shape} and {b.dtype} {b.shape}"
        raise ValueError(f"paired_interval: got {got}, wanted two boolean arrays (n,) of the same examples")
    if not 0 < level < 1:
        raise ValueError(f"paired_interval: level: got {level}, wanted a number between 0 and 1")
    if draws < 1:
        raise ValueError(f"paired_interval: draws: got {draws}, wanted at least 1")
    gains = a.astype(np.float64) - b
    rng = np.random.default_rng(seed)
    means = [gains[rng.integers(gains.size, size=gains.size)].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(gains.mean()), float(low), float(high))
