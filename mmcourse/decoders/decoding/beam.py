"""Beam search."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.decoders.decoding.result import Decoded
from mmcourse.decoders.decoding.steps import PADDING, Step, ask, check_end, check_first, check_length


def beam_search(
    step: Step,
    state: Any,
    *,
    first: ArrayLike,
    end: int,
    max_length: int,
    width: int,
    length_penalty: float = 0.0,
) -> Decoded:
    """Keep the `width` best beginnings at every step, until all have ended or are max_length words long:

        score(w_1 ... w_n) = sum_t log p(w_t | w_1 ... w_t-1) / n^length_penalty

    A sequence that has ended keeps its place until `width` better ones push it out. With width 1 this is greedy search;
    with room for every sequence it is exhaustive. In between a wider beam may find a worse sequence than a narrower
    one: the beginning of the narrower one's can be pushed out by beginnings that disappoint later.
    step, state, first, end: see mmcourse.decoders.decoding;  max_length: counts the end token
    length_penalty: 0 compares log-probabilities, each word costs; 1 compares means over the words
    returns all beams of each row, (batch, width, ...), the best score first.
    Raises ValueError naming what does not fit.
    Source: Sutskever et al. (2014); scores by length: Wu et al. (2016), who have another power of it.
    """
    where = "beam search"
    begin = check_first(first, where)
    check_length(max_length, where)
    if not isinstance(width, int | np.integer) or width < 1:
        raise ValueError(f"{where}: width: got {width!r}, wanted a whole number above 0")
    if not 0 <= length_penalty < np.inf:
        raise ValueError(f"{where}: length_penalty: got {length_penalty!r}, wanted a finite number of 0 or more")
    batch, rows = len(begin), np.arange(len(begin))[:, None]
    state, last = state.take(np.repeat(np.arange(batch), width)), np.repeat(begin, width)
    words = np.zeros((batch, width, 0), np.int64)
    total = np.full((batch, width), -np.inf)  # of the log-probabilities; one empty beginning a row, and no others
    total[:, 0] = 0
    length, finished = np.zeros((batch, width), np.int64), np.zeros((batch, width), np.bool_)
    while words.shape[2] < max_length and not (finished | np.isneginf(total)).all():
        log_probabilities, state = ask(step, last, state, where)
        count = log_probabilities.shape[1]
        check_end(end, count, where)
        gains = log_probabilities.reshape(batch, width, count)
        only_padding = np.where(np.arange(count) == PADDING, 0, -np.inf)  # what has ended goes on in one way
        totals = total[..., None] + np.where(finished[..., None], only_padding, gains)  # (batch, width, count)
        lengths = length + ~finished
        scores = totals / lengths[..., None] ** length_penalty
        # Of equal scores the first: the earlier beam, then the lesser id.
        best = np.argsort(-scores.reshape(batch, -1), axis=1, kind="stable")[:, :width]
        beams, chosen = np.divmod(best, count)
        total, length, finished = totals[rows, beams, chosen], lengths[rows, beams], finished[rows, beams]
        chosen = np.where(finished | np.isneginf(total), PADDING, chosen)
        words = np.concatenate([words[rows, beams], chosen[..., None]], axis=2)
        finished = finished | (chosen == end)
        state, last = state.take((rows * width + beams).ravel()), chosen.ravel()
    return Decoded(words, total, np.where(np.isneginf(total), 0, length), finished)
