"""Names as whole numbers, for encoders of words."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.glyph_names import words


@dataclass(frozen=True)
class WordTokens:
    """Word number i of the vocabulary has the id i + 1; 0 is padding.

    Raises ValueError for a vocabulary that is empty, names a word twice, or holds what is not one word.
    """

    vocabulary: tuple[str, ...]

    def __post_init__(self) -> None:
        where = "WordTokens: vocabulary"
        object.__setattr__(self, "vocabulary", tuple(self.vocabulary))
        if not self.vocabulary:
            raise ValueError(f"{where}: got no word, wanted at least 1")
        for number, word in enumerate(self.vocabulary, start=1):
            if words(word) != (word,):
                raise ValueError(f"{where}: got {word!r}, wanted one word")
            if self._ids[word] != number:
                raise ValueError(f"{where}: got {word!r} twice, wanted each word once")

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, names: Sequence[str]) -> np.ndarray:
        """(n, length) int64: the words of each name in order, then zeros; length is that of the longest of these names.

        Raises ValueError for no names, a bare text, and a word that is not in the vocabulary, which it names.
        """
        if isinstance(names, str) or not names:
            raise ValueError(f"WordTokens.encode: names: got {names!r}, wanted a sequence of names")
        rows = [[self._id(word, name) for word in words(name)] for name in names]
        ids = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
        for row, found in zip(ids, rows, strict=True):
            row[: len(found)] = found
        return ids

    def decode(self, ids: ArrayLike) -> tuple[str, ...]:
        """The names of (n, length) ids; zeros are left out.

        Raises ValueError for another rank, other than whole numbers, and an id of no word.
        """
        rows = np.asarray(ids)
        if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.integer):
            got = f"{rows.dtype} {rows.shape}"
            raise ValueError(f"WordTokens.decode: ids: got {got}, wanted whole numbers (n, length)")
        if rows.size and not (rows.min() >= 0 and rows.max() <= len(self)):
            raise ValueError(f"WordTokens.decode: ids: got {rows.min()} to {rows.max()}, wanted 0 to {len(self)}")
        return tuple(" ".join(self.vocabulary[number - 1] for number in row if number) for row in rows.tolist())

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary, start=1)}

    def _id(self, word: str, name: str) -> int:
        try:
            return self._ids[word]
        except KeyError:
            raise ValueError(
                f"WordTokens.encode: got {word!r} in {name!r}, wanted words of the {len(self)} in the vocabulary"
            ) from None
