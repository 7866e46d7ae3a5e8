"""Sampling."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.decoders.decoding.greedy import one_by_one
from mmcourse.decoders.decoding.result import Decoded
from mmcourse.decoders.decoding.steps import Rows, Step


def sampling_probabilities(
    log_probabilities: ArrayLike, *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> NDArray[np.float64]:
    """What is drawn from: the probabilities sharpened or flattened, then cut off.

        temperature:  p_w^(1 / temperature), scaled to sum to 1
        top_k:        the k most probable words, scaled to sum to 1
        top_p:        the fewest most probable words that together have at least p, scaled to sum to 1

    In that order; of equally probable words the ones with the least ids are kept.
    log_probabilities: (..., count);  returns (..., count).  Raises ValueError naming what does not fit.
    Source: top-k: Fan et al. (2018);  top-p: Holtzman et al. (2020).
    """
    where = "sampling"
    if not 0 < temperature < np.inf:
        raise ValueError(f"{where}: temperature: got {temperature!r}, wanted a finite number above 0")
    if top_k is not None and (not isinstance(top_k, int | np.integer) or top_k < 1):
        raise ValueError(f"{where}: top_k: got {top_k!r}, wanted a whole number above 0")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"{where}: top_p: got {top_p!r}, wanted a number in (0, 1]")
    scores = np.asarray(log_probabilities, np.float64)
    if scores.ndim == 0 or scores.shape[-1] == 0:
        raise ValueError(f"{where}: log_probabilities: got shape {scores.shape}, wanted (..., count), count above 0")
    if not np.isfinite(scores.max(axis=-1)).all():  # NaN, too; a word may have probability zero, not all of a row
        raise ValueError(f"{where}: log_probabilities: got a row with no finite largest number, wanted one in each")
    # The largest first, so that no temperature makes all of them zero.
    powers = np.exp((scores - scores.max(axis=-1, keepdims=True)) / temperature)
    probabilities = powers / powers.sum(axis=-1, keepdims=True)
    order = np.argsort(-probabilities, axis=-1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=-1)
    if top_k is not None:
        ranked = np.where(np.arange(ranked.shape[-1]) < top_k, ranked, 0)
        ranked = ranked / ranked.sum(axis=-1, keepdims=True)
    if top_p is not None:
        before = np.cumsum(ranked, axis=-1) - ranked  # a word is kept while those before it do not reach p
        ranked = np.where(before < top_p, ranked, 0)
        ranked = ranked / ranked.sum(axis=-1, keepdims=True)
    kept = np.zeros_like(ranked)
    np.put_along_axis(kept, order, ranked, axis=-1)
    return kept


def sample(
    step: Step,
    state: Any,
    *,
    first: ArrayLike,
    end: int,
    max_length: int,
    rng: np.random.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Decoded:
    """Draw every word from `sampling_probabilities`, until the end token or max_length words.

    step, state, first, end: see mmcourse.decoders.decoding;  max_length: counts the end token
    The log-probability that comes with it is that of the model, before temperature and cuts.
    Raises ValueError naming what does not fit.
    """

    def choose(log_probabilities: NDArray[np.float64]) -> Rows:
        probabilities = sampling_probabilities(log_probabilities, temperature=temperature, top_k=top_k, top_p=top_p)
        # The first word at which the sum passes a uniform number; a word of probability zero adds nothing to the sum.
        sums = np.cumsum(probabilities, axis=1)
        return (sums > rng.uniform(size=(len(sums), 1)) * sums[:, -1:]).argmax(axis=1)

    return one_by_one(step, state, choose, first, end, max_length, "sampling")
