"""Decisions of one classifier for each modality, combined: two ways to pool opinions.

Both take {modality: log p(y | x_m), (batch, classes)} and {modality: present (batch,)} and return log-probabilities
(batch, classes). A missing modality takes no part. Both raise a ModalityError naming the modality or parameter that
does not fit.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_mapping, check_names
from mmcourse.errors import ShapeError, UnknownModalityError
from mmcourse.fusion.decision_checks import check_prior
from mmcourse.fusion.numpy.inputs import softmax

Decisions = Mapping[str, NDArray[np.float64]]
Present = Mapping[str, NDArray[np.bool_]]


def mean_of_probabilities(
    decisions: Decisions, present: Present | None = None, *, weights: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """log p(y) = log sum_m a_m p(y | x_m),  a = softmax(weights) over the modalities present; without weights equal.

    Source: the linear opinion pool (Stone, 1961).
    """
    _check(decisions, weights, "mean_of_probabilities")
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
    _, classes = _check(decisions, weights, "product_rule")
    present = _everywhere(decisions) if present is None else dict(present)
    log_prior = np.log(check_prior(prior, classes, "product_rule"))
    terms = [(1.0 if weights is None else weights[m]) * (d - log_prior) for m, d in decisions.items()]
    said = [np.where(present[m][:, None], term, 0.0) for m, term in zip(decisions, terms, strict=True)]
    return log_softmax(log_prior + np.sum(said, axis=0))


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _check(decisions: Decisions, weights: Mapping[str, float] | None, where: str) -> tuple[int, ...]:
    """Return (batch, classes), which all decisions share."""
    check_mapping(decisions, "decisions", where)
    if not decisions:
        raise UnknownModalityError("decisions", got="no modality", wanted="at least one", where=where)
    shape = np.shape(next(iter(decisions.values())))
    for m, d in decisions.items():
        if np.ndim(d) != 2 or np.shape(d) != shape:
            wanted = f"shape {shape}" if len(shape) == 2 else "(batch, classes)"
            raise ShapeError(m, got=f"shape {np.shape(d)}", wanted=wanted, where=where)
    if weights is not None:
        check_names(weights, decisions, "weight", where)
    return shape


def _everywhere(decisions: Decisions) -> dict[str, NDArray[np.bool_]]:
    return {m: np.ones(len(d), np.bool_) for m, d in decisions.items()}
