"""Captions as whole numbers, for decoders of words."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.word_tokens import WordTokens


@dataclass(frozen=True)
class CaptionTokens:
    """Word number i of the vocabulary has the id i + 1; 0 is padding; two more ids are the start and the end token.

    Raises ValueError for a vocabulary that is empty, names a word twice, or holds what is not one word.
    """

    vocabulary: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "vocabulary", self._words.vocabulary)

    @property
    def start(self) -> int:
        """The id of the token before the first word."""
        return len(self.vocabulary) + 1

    @property
    def end(self) -> int:
        """The id of the token after the last word."""
        return len(self.vocabulary) + 2

    @property
    def count(self) -> int:
        """How many ids there are, padding, start and end among them."""
        return len(self.vocabulary) + 3

    def encode(self, captions: Sequence[str]) -> np.ndarray:
        """(n, length) int64: start, the words of each caption in order, end, then zeros; as long as the longest needs.

        Raises ValueError for no captions, a bare text, and a word that is not in the vocabulary, which it names.
        """
        words = self._words.encode(captions)
        ids = np.pad(words, [(0, 0), (1, 1)])
        ids[:, 0] = self.start
        ids[np.arange(len(ids)), 1 + (words != 0).sum(axis=1)] = self.end
        return ids

    def decode(self, ids: ArrayLike) -> tuple[str, ...]:
        """The captions of (n, length) ids, each up to its first end token; padding and start tokens are left out.

        Raises ValueError for another rank, other than whole numbers, and an id of no token.
        """
        rows = np.asarray(ids)
        if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.integer):
            got = f"{rows.dtype} {rows.shape}"
            raise ValueError(f"CaptionTokens.decode: ids: got {got}, wanted whole numbers (n, length)")
        if rows.size and not (rows.min() >= 0 and rows.max() < self.count):
            got, wanted = f"{rows.min()} to {rows.max()}", f"0 to {self.count - 1}"
            raise ValueError(f"CaptionTokens.decode: ids: got {got}, wanted {wanted}")
        ended = np.cumsum(rows == self.end, axis=1) > 0
        return self._words.decode(np.where(ended | (rows == self.start), 0, rows))

    @cached_property
    def _words(self) -> WordTokens:
        return WordTokens(tuple(self.vocabulary))
