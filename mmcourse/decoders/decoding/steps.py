"""What greedy search, beam search and sampling share: their checks and one step."""

from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

PADDING = 0
Rows = NDArray[np.int64]
SUM_OFF = 1e-3  # by how much probabilities may sum to other than 1: a model in single precision is off by far less


class State(Protocol):
    """What a model has read, one row for each sequence."""

    def take(self, rows: ArrayLike, /) -> Self: ...


Step = Callable[[Rows, Any], tuple[ArrayLike, Any]]


def check_first(first: ArrayLike, where: str) -> Rows:
    """Return the words to begin with, or raise ValueError."""
    words = np.asarray(first)
    if words.ndim != 1 or not len(words) or not np.issubdtype(words.dtype, np.integer):
        raise ValueError(f"{where}: first: got {words.dtype} {words.shape}, wanted whole numbers (batch,)")
    return words.astype(np.int64)


def check_length(max_length: int, where: str) -> None:
    """Raise ValueError unless there is room for a word."""
    if not isinstance(max_length, int | np.integer) or max_length < 1:
        raise ValueError(f"{where}: max_length: got {max_length!r}, wanted a whole number above 0")


def check_end(end: int, count: int, where: str) -> None:
    """Raise ValueError unless the end token is one of the words."""
    if not isinstance(end, int | np.integer) or not 0 <= end < count:
        raise ValueError(f"{where}: end: got {end!r}, wanted the id of the end token, 0 to {count - 1}")
    if end == PADDING:
        raise ValueError(f"{where}: end: got {end}, wanted another id: {PADDING} stands for padding")


def ask(step: Step, words: Rows, state: Any, where: str) -> tuple[NDArray[np.float64], Any]:
    """Take a step; raise ValueError unless (rows, count) logarithms of probabilities come."""
    answer, state = step(words, state)
    log_probabilities = np.asarray(answer, np.float64)
    if log_probabilities.ndim != 2 or len(log_probabilities) != len(words):
        got = f"shape {log_probabilities.shape}"
        raise ValueError(f"{where}: log-probabilities: got {got}, wanted ({len(words)}, count)")
    sums = np.exp(log_probabilities).sum(axis=1)
    if not np.abs(sums - 1).max() <= SUM_OFF:  # NaN, too
        worst = sums[np.argmax(np.abs(sums - 1))]
        raise ValueError(f"{where}: log-probabilities: got a row that sums to {worst:.3g}, wanted 1: log_softmax?")
    return log_probabilities, state
