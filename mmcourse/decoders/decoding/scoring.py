"""The probability of whole sequences."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.decoders.decoding.steps import Step, ask, check_first


def log_probability(
    step: Step, state: Any, words: ArrayLike, *, first: ArrayLike, length: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Sum over the words of each row, by the chain rule:  log p(w_1 ... w_n) = sum_t log p(w_t | w_1 ... w_t-1).

    words: (batch, time), the end token among them where it belongs;  length: (batch,) how many count, all if not given
    step, state, first: see mmcourse.decoders.decoding.  Raises ValueError naming what does not fit.
    """
    where = "log_probability"
    last, wanted = check_first(first, where), np.asarray(words)
    if wanted.ndim != 2 or len(wanted) != len(last) or not np.issubdtype(wanted.dtype, np.integer):
        got = f"{wanted.dtype} {wanted.shape}"
        raise ValueError(f"{where}: words: got {got}, wanted whole numbers ({len(last)}, time)")
    counted = np.full(len(last), wanted.shape[1]) if length is None else np.asarray(length)
    if counted.shape != (len(last),) or not ((counted >= 0) & (counted <= wanted.shape[1])).all():
        got = f"{counted} of shape {counted.shape}"
        raise ValueError(f"{where}: length: got {got}, wanted ({len(last)},) from 0 to {wanted.shape[1]}")
    total = np.zeros(len(last))
    for t, column in enumerate(wanted.T):
        log_probabilities, state = ask(step, last, state, where)
        count = log_probabilities.shape[1]
        if not ((column >= 0) & (column < count)).all():
            raise ValueError(f"{where}: words: got {column.min()} to {column.max()}, wanted ids from 0 to {count - 1}")
        total += np.where(t < counted, log_probabilities[np.arange(len(last)), column], 0)
        last = column
    return total
