"""Decisions of one classifier for each modality, combined: two ways to pool opinions.

Both take {modality: log p(y | x_m), (batch, classes)} and {modality: present (batch,)} and return log-probabilities
(batch, classes). A missing modality takes no part.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.fusion.numpy.inputs import softmax

Decisions = Mapping[str, NDArray[np.float64]]
Present = Mapping[str, NDArray[np.bool_]]


def mean_of_probabilities(
    decisions: Decisions, present: Present | None = None, *, weights: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """log p(y) = log sum_m a_m p(y | x_m),  a = softmax(weights) over the modalities present; without weights equal.

    Source: the linear opinion pool (Stone, 1961).
    """
    present = _everywhere(decisions) if present is None else dict(present)
    scores = {m: np.full(len(d), 0.0 if weights is None else weights[m]) for m, d in decisions.items()}
    shares = softmax(scores, present)
    return np.log(np.sum([shares[m][:, None] * np.exp(d) for m, d in decisions.items()], axis=0))


def product_rule(
    decisions: Decisions,
    present: Present | None = None,
    *,
    prior: ArrayLike | None = None,
    weights: Mapping[str, float] | None = None,
) -> NDArray[np.float64]:
    """log p(y | x_1, ..., x_M) = log p(y) + sum_m w_m [log p(y | x_m) - log p(y)] + const.

    With w_m = 1 that is sum_m log p(y | x_m) - (M - 1) log p(y) + const, Bayes' rule where the modalities are
    independent given y. prior: p(y), (classes,), without it uniform;  weights: {modality: w_m}, without them 1.
    Source: Kittler et al. (1998).
    """
    present = _everywhere(decisions) if present is None else dict(present)
    classes = next(iter(decisions.values())).shape[1]
    log_prior = np.log(np.full(classes, 1 / classes) if prior is None else np.asarray(prior, np.float64))
    terms = [(1.0 if weights is None else weights[m]) * (d - log_prior) for m, d in decisions.items()]
    said = [np.where(present[m][:, None], term, 0.0) for m, term in zip(decisions, terms, strict=True)]
    return log_softmax(log_prior + np.sum(said, axis=0))


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _everywhere(decisions: Decisions) -> dict[str, NDArray[np.bool_]]:
    return {m: np.ones(len(d), np.bool_) for m, d in decisions.items()}
