"""Is a model right as often as it says? Calibration measured, and mended by one temperature."""

from typing import Literal, NamedTuple

import numpy as np

from mmcourse.training.metrics import correct

Bins = Literal["width", "mass"]


class Reliability(NamedTuple):
    """What a reliability diagram shows, one entry a bin; NaN where a bin is empty.

    edges: (bins + 1,) ends of the bins;  rows: (bins,) how many answers are in each
    confidence: (bins,) mean probability of the answer;  accuracy: (bins,) share of right answers
    """

    edges: np.ndarray
    rows: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """softmax(logits / T) as float64, (n, classes).

    T above 1 makes every answer less sure, below 1 surer; which class is the largest stays. Raises ValueError unless
    logits are finite of shape (n, classes) and 0 < T < infinity.
    """
    z = _logits(logits, "probabilities")
    if not 0 < temperature < np.inf:
        raise ValueError(f"probabilities: temperature: got {temperature}, wanted a finite number above 0")
    exponentials = np.exp((z - z.max(axis=1, keepdims=True)) / temperature)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature T that makes the labels likeliest:  min over T > 0 of  - mean log softmax(logits / T)[label].

    logits: (n, classes), labels: (n,), of examples that the model was not trained on
    In b = 1/T the loss is convex: its slope, mean(sum_k p_k z_k - z_label) with p = softmax(b z), can only rise. So the
    minimum is where the slope is zero, found by halving an interval until it holds no further number.
    Raises ValueError where there is none: every label has the largest logit (the surer the better, T -> 0), or the
    logits of the labels are on average no larger than those of the other classes (the less sure the better, T ->
    infinity); and as accuracy does.
    Source: Guo et al. (2017), section 4.2.
    """
    z = _logits(logits, "fit_temperature")
    correct(z, labels)  # raises for labels that do not fit
    rows = np.arange(len(z))
    z = z - z.max(axis=1, keepdims=True)
    size = np.abs(z).max()
    of_labels = z[rows, labels]

    def slope(b: float) -> float:
        return float(((probabilities(z, 1 / b) * z).sum(axis=1) - of_labels).mean())

    if of_labels.min() == 0:
        raise ValueError("fit_temperature: every row is right, so the smallest T is the best; wanted a row that is not")
    if (z.mean(axis=1) - of_labels).mean() >= 0:
        got = "logits of the labels that are on average no larger than those of the other classes"
        raise ValueError(f"fit_temperature: got {got}, so the largest T is the best; wanted a model better than that")
    low, high = 0.0, 1 / size
    while slope(high) < 0:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return float(1 / high)


def reliability(probabilities: np.ndarray, labels: np.ndarray, *, bins: int = 15, equal: Bins = "width") -> Reliability:
    """Sort the answers by how sure they are into bins, and see how often each bin is right.

    probabilities: (n, classes), rows that sum to one; the largest of a row is its confidence
    equal "width": the bins ((i - 1)/bins, i/bins], as Guo et al. (2017) have them
    equal "mass": edges at quantiles of the confidences, so that every bin holds about as many rows; rows of one
    confidence stay together, so where there are many such the bins differ and some are empty
    Raises ValueError for probabilities that are none, labels that are no class, bins below 1 and an unknown `equal`.
    """
    where = "reliability"
    p = _probabilities(probabilities, where)
    right = correct(p, labels)
    if not isinstance(bins, int | np.integer) or bins < 1:
        raise ValueError(f"{where}: bins: got {bins!r}, wanted a whole number of at least 1")
    confidence = p.max(axis=1)
    if equal == "width":
        edges = np.linspace(0, 1, bins + 1)
    elif equal == "mass":
        last = (
            np.arange(1, bins + 1) * len(p) + bins - 1
        ) // bins - 1  # the last row of each bin, in order of confidence
        edges = np.append(0.0, np.sort(confidence)[last])
    else:
        raise ValueError(f'{where}: equal: got {equal!r}, wanted "width" or "mass"')
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)  # edges[place] < c <= the next
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, weights=values, minlength=bins) / count for values in (confidence, right)]
    return Reliability(edges, count, *means)


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, *, bins: int = 15, equal: Bins = "width"
) -> float:
    """sum over bins of (share of the rows in it) |accuracy - mean confidence|, from 0 to 1; see reliability.

    With n rows it is above 0 even for a perfect model, the more so the more bins there are.
    Raises as reliability does. Source: Guo et al. (2017); Naeini et al. (2015).
    """
    found = reliability(probabilities, labels, bins=bins, equal=equal)
    filled = found.rows > 0
    gaps = np.abs(found.accuracy - found.confidence)[filled]
    return float((found.rows[filled] * gaps).sum() / found.rows.sum())


def brier_score(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """mean over rows of sum_k (p_k - [k = label])^2, from 0 to 2; a proper score: the true probabilities minimise it.

    probabilities: (n, classes), labels: (n,).  Raises as reliability does. Source: Brier (1950).
    """
    p = _probabilities(probabilities, "brier_score")
    correct(p, labels)
    return float(((p - np.eye(p.shape[1])[labels]) ** 2).sum(axis=1).mean())


def _logits(logits: np.ndarray, where: str) -> np.ndarray:
    z = np.asarray(logits, np.float64)
    if z.ndim != 2 or z.size == 0:
        raise ValueError(f"{where}: logits: got shape {z.shape}, wanted (n, classes) with n > 0")
    if not np.isfinite(z).all():
        raise ValueError(f"{where}: logits: got NaN or infinity, wanted finite numbers")
    return z


def _probabilities(values: np.ndarray, where: str) -> np.ndarray:
    p = np.asarray(values, np.float64)
    if p.ndim != 2 or p.size == 0:
        raise ValueError(f"{where}: probabilities: got shape {p.shape}, wanted (n, classes) with n > 0")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"{where}: probabilities: got {p.min()} to {p.max()}, wanted 0 to 1 (softmax of the logits)")
    sums = p.sum(axis=1)
    if np.abs(sums - 1).max() > 1e-4:  # single precision over many classes sums no better
        row = int(np.abs(sums - 1).argmax())
        raise ValueError(f"{where}: probabilities: got a sum of {sums[row]:.4g} in row {row}, wanted 1")
    return p
