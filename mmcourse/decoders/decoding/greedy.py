"""Greedy search, and the loop over words that it shares with sampling."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.decoders.decoding.result import Decoded
from mmcourse.decoders.decoding.steps import PADDING, Rows, Step, ask, check_end, check_first, check_length


def greedy(step: Step, state: Any, *, first: ArrayLike, end: int, max_length: int) -> Decoded:
    """Take the most probable word at every step, until the end token or max_length words:

        w_t = argmax_w p(w | w_1 ... w_t-1)

    The sequence is not the most probable one, since a word may be likely and all that follows it unlikely. Of equally
    probable words the one with the least id is taken.
    step, state, first, end: see mmcourse.decoders.decoding;  max_length: counts the end token
    Raises ValueError naming what does not fit.
    """
    return one_by_one(
        step, state, lambda log_probabilities: log_probabilities.argmax(axis=1), first, end, max_length, "greedy"
    )


def one_by_one(
    step: Step,
    state: Any,
    choose: Callable[[NDArray[np.float64]], Rows],
    first: ArrayLike,
    end: int,
    max_length: int,
    where: str,
) -> Decoded:
    """One sequence a row.  choose: from (rows, count) log-probabilities to (rows,) words"""
    last = check_first(first, where)
    check_length(max_length, where)
    live = np.ones(len(last), np.bool_)
    total, columns = np.zeros(len(last)), []
    for _ in range(max_length):
        log_probabilities, state = ask(step, last, state, where)
        check_end(end, log_probabilities.shape[1], where)
        chosen = choose(log_probabilities)
        total += np.where(live, log_probabilities[np.arange(len(last)), chosen], 0)
        columns.append(np.where(live, chosen, PADDING))
        last, live = chosen, live & (chosen != end)  # a row that has ended reads on, and nobody listens
        if not live.any():
            break
    words = np.stack(columns, axis=1)
    finished = ~live
    length = np.where(finished, (words == end).argmax(axis=1) + 1, words.shape[1])
    return Decoded(words, total, length, finished)
