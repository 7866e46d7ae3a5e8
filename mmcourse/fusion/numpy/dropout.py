"""Modality dropout."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mmcourse import checks
from mmcourse.errors import ModalityError, ShapeError
from mmcourse.fusion.numpy import inputs

WHERE = "modality dropout"


def modality_dropout(
    features: Mapping[str, ArrayLike],
    rates: Mapping[str, float],
    uniforms: Mapping[str, ArrayLike],
    mask: Mapping[str, ArrayLike] | None = None,
) -> tuple[inputs.Arrays, inputs.Present]:
    """Drop whole modalities of each example at random, never all of them; return features and mask.

    Of the modalities A that are present in an example, exactly S is left, not empty, with the probability

        P(S) = prod_{m in S} (1 - p_m) prod_{m in A without S} p_m / (1 - prod_{m in A} p_m):

    each is dropped with its p_m independently of the others, given that not all are. To draw from it with one number
    u_m a modality, go through A in the order of `rates` and keep m if u_m < 1 - p_m, once something is kept; before
    that, if u_m < (1 - p_m) / (1 - prod p_k), the product over m and those of A that come after it: the chance to keep
    m given that what came before was dropped and that not all will be. For the last it is 1.

    features: {modality: (batch, dim_m)};  rates: {modality: p_m}, each in [0, 1)
    uniforms: {modality: (batch,)} random numbers u_m in [0, 1)
    mask: {modality: (batch,) booleans, True = present}; what is missing stays missing
    returns {modality: (batch, dim_m)} with zeros where missing, {modality: (batch,) bool}
    So a modality is dropped more seldom than p_m: with two of rate 0.5 each, in a third of the examples.
    Raises a ModalityError naming the modality that does not fit, for a rate or a random number out of range too.
    Source: Neverova et al. (2016), ModDrop, for the idea.
    """
    checks.check_mapping(rates, "rates", WHERE)
    rates = checks.check_rates(rates, rates, WHERE)
    x, present = inputs.prepare(features, rates, None, mask, WHERE)
    batch = len(next(iter(x.values())))
    checks.check_names(uniforms, rates, "random numbers", WHERE)
    u = {m: _uniform(uniforms[m], m, batch) for m in rates}

    names, kept = list(rates), {}
    something = np.zeros(batch, np.bool_)
    for i, m in enumerate(names):
        all_dropped = np.full(batch, rates[m])
        for k in names[i + 1 :]:
            all_dropped = all_dropped * np.where(present[k], rates[k], 1.0)
        chance = np.where(something, 1 - rates[m], (1 - rates[m]) / (1 - all_dropped))
        kept[m] = present[m] & (u[m] < chance)
        something = something | kept[m]
    return {m: np.where(kept[m][:, None], x[m], 0.0) for m in names}, kept


def _uniform(numbers: ArrayLike, modality: str, batch: int) -> np.ndarray:
    u = np.asarray(numbers, np.float64)
    if u.shape != (batch,):
        raise ShapeError(modality, got=f"random numbers of shape {u.shape}", wanted=f"({batch},)", where=WHERE)
    if not ((u >= 0) & (u < 1)).all():
        got = f"random numbers from {u.min()} to {u.max()}"
        raise ModalityError(modality, got=got, wanted="at least 0 and below 1", where=WHERE)
    return u
