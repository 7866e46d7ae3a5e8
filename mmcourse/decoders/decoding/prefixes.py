"""A step function from a function of the whole prefix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Prefixes:
    """The words read so far, (rows, time), and for each row what it is about, (rows, ...) or None."""

    words: NDArray[np.int64]
    about: NDArray[Any] | None = None

    @classmethod
    def empty(cls, batch: int, about: ArrayLike | None = None) -> Self:
        """Nothing read, in each of the rows."""
        return cls(np.zeros((batch, 0), np.int64), None if about is None else np.asarray(about))

    def take(self, rows: ArrayLike) -> Self:
        """The rows of these numbers, in that order."""
        chosen = np.asarray(rows)
        return type(self)(self.words[chosen], None if self.about is None else self.about[chosen])


@dataclass(frozen=True)
class PrefixStep:
    """A step that reads the whole prefix anew at every word, as a decoder without a cache does.

    function: from words (rows, time), the first token included, and what the rows are about, if that is given, to
        log-probabilities of the next word (rows, count)
    """

    function: Callable[..., ArrayLike]

    def __call__(self, words: NDArray[np.int64], state: Prefixes) -> tuple[ArrayLike, Prefixes]:
        longer = Prefixes(np.concatenate([state.words, words[:, None]], axis=1), state.about)
        given = () if state.about is None else (state.about,)
        return self.function(longer.words, *given), longer
