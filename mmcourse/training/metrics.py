"""Accuracy, retrieval, the gap between modalities, and how sure one can be of a mean or a difference."""

from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A difference with the ends of its confidence interval."""

    difference: float
    low: float
    high: float


class MeanInterval(NamedTuple):
    """A mean with the ends of its confidence interval."""

    mean: float
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
    _check_bootstrap(level, draws, "paired_interval")
    gains = a.astype(np.float64) - b
    rng = np.random.default_rng(seed)
    means = [gains[rng.integers(gains.size, size=gains.size)].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(gains.mean()), float(low), float(high))


def recall_at(similarity: np.ndarray, right: np.ndarray, k: int) -> float:
    """R@k: share of queries for which one of the k most similar candidates is a right answer; see hits_at."""
    return float(hits_at(similarity, right, k).mean())


def hits_at(similarity: np.ndarray, right: np.ndarray, k: int) -> np.ndarray:
    """(queries,) bool: the queries that recall_at counts, what clustered_interval takes.

    similarity: (queries, candidates), larger is nearer;  right: (queries, candidates) bool, joint right answers
    A hit: fewer than k wrong candidates are at least as similar as the most similar right one. A tie with a wrong
    answer counts against, so a model that gives one similarity to all finds nothing; ties among right ones are none.
    Raises ValueError for shapes that do not fit, a query without a right answer, NaN, and k below 1.
    """
    similarity, right = np.asarray(similarity), np.asarray(right)
    if similarity.ndim != 2 or right.shape != similarity.shape or similarity.size == 0 or right.dtype != np.bool_:
        got = f"similarity {similarity.shape} and right {right.dtype} {right.shape}"
        raise ValueError(f"recall_at: got {got}, wanted (queries, candidates) and booleans of that shape")
    if np.isnan(similarity).any():
        raise ValueError("recall_at: similarity: got NaN, wanted numbers")
    if not right.any(axis=1).all():
        raise ValueError(f"recall_at: right: got no right answer for query {int(right.any(axis=1).argmin())}")
    if not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(f"recall_at: k: got {k!r}, wanted a whole number of at least 1")
    best = np.max(similarity, axis=1, keepdims=True, where=right, initial=-np.inf)
    return (~right & (similarity >= best)).sum(axis=1) < k


def clustered_interval(
    values: np.ndarray, clusters: np.ndarray, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> MeanInterval:
    """Mean of values with a percentile bootstrap interval over clusters, whose members hang together.

    values: (n,) numbers or booleans;  clusters: (n,) labels, the character of each picture, say. Whole clusters are
    drawn, so four pictures of one character do not count as four characters; large ones weigh by their size.
    Raises ValueError for shapes that do not fit, NaN, a single cluster, and unless 0 < level < 1 and draws >= 1.
    Source: Efron and Tibshirani (1993), the bootstrap with clusters as units.
    """
    values, clusters = np.asarray(values), np.asarray(clusters)
    if values.ndim != 1 or clusters.shape != values.shape or values.size == 0:
        got = f"values {values.shape} and clusters {clusters.shape}"
        raise ValueError(f"clustered_interval: got {got}, wanted (n,) and (n,) with n > 0")
    x = values.astype(np.float64)
    if not np.isfinite(x).all():
        raise ValueError("clustered_interval: values: got NaN or infinity, wanted finite numbers")
    _check_bootstrap(level, draws, "clustered_interval")
    members = np.unique(clusters, return_inverse=True)[1]
    sizes, sums = np.bincount(members), np.bincount(members, weights=x)
    if sizes.size < 2:
        raise ValueError("clustered_interval: clusters: got one, wanted at least two")
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(sizes.size, size=sizes.size) for _ in range(draws))
    means = [sums[chosen].sum() / sizes[chosen].sum() for chosen in drawn]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return MeanInterval(float(x.mean()), float(low), float(high))


def modality_gap(image: np.ndarray, text: np.ndarray) -> float:
    """Distance between the mean directions of two modalities:  || mean_i x_i/|x_i| - mean_j t_j/|t_j| ||,  0 to 2.

    image: (n, width);  text: (m, width)
    Raises ValueError for shapes that do not fit, NaN or infinity, and rows of zeros, which have no direction.
    Source: Liang et al. (2022).
    """
    x, y = np.asarray(image, np.float64), np.asarray(text, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or 0 in (x.size, y.size):
        raise ValueError(f"modality_gap: got image {x.shape} and text {y.shape}, wanted (n, width) and (m, width)")
    means = []
    for name, rows in (("image", x), ("text", y)):
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not (np.isfinite(lengths) & (lengths > 0)).all():
            raise ValueError(f"modality_gap: {name}: got a row of zeros, NaN or infinity, wanted rows with a direction")
        means.append((rows / lengths).mean(axis=0))
    return float(np.linalg.norm(means[0] - means[1]))


def _check_bootstrap(level: float, draws: int, where: str) -> None:
    if not 0 < level < 1:
        raise ValueError(f"{where}: level: got {level}, wanted a number between 0 and 1")
    if draws < 1:
        raise ValueError(f"{where}: draws: got {draws}, wanted at least 1")
