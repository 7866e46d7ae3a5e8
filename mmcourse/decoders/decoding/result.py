"""What decoding gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Decoded:
    """Sequences of words; after a beam search (batch, width, ...), the best first, else (batch, ...).

    words: (..., length) int64, the end token included, then padding, 0;  length: (...), without the padding
    log_probability: (...) of the words with the end token, under the model; of a beam that holds nothing -inf
    finished: (...) bool, whether the end token came before the greatest length
    """

    words: NDArray[np.int64]
    log_probability: NDArray[np.float64]
    length: NDArray[np.int64]
    finished: NDArray[np.bool_]

    def best(self) -> "Decoded":
        """Of a beam search the first of each row: (batch, ...)."""
        return Decoded(self.words[:, 0], self.log_probability[:, 0], self.length[:, 0], self.finished[:, 0])
