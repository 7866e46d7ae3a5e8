"""Handwritten digits paired with their English word, mistyped: two weak views of one class."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.paired import PairedData

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TRAIN_ROWS = 1200

# Rows of a QWERTY keyboard with the left edge of each, in key widths.
_KEYBOARD = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))
_PLACES = {
    letter: (left + i, float(row)) for row, (keys, left) in enumerate(_KEYBOARD) for i, letter in enumerate(keys)
}


def _neighbours(letter: str) -> str:
    x, y = _PLACES[letter]
    # 1.3 key widths: the keys that touch this one, and no others.
    return "".join(other for other, (a, b) in _PLACES.items() if 0 < np.hypot(a - x, b - y) < 1.3)


NEIGHBOURS = {letter: _neighbours(letter) for letter in ALPHABET}


@dataclass(frozen=True, eq=False)
class DigitsWithWords(PairedData):
    """PairedData with "image" (n, 64) and "text" (n, 26); words holds the n mistyped words behind "text"."""

    words: tuple[str, ...] = ()

    @property
    def images(self) -> np.ndarray:
        """(n, 8, 8): the rows of "image" as pictures, ink = 1."""
        return self.features["image"].reshape(-1, 8, 8)

    def _rows(self, indices: ArrayLike | slice) -> dict[str, Any]:
        rows = super()._rows(indices)
        positions = np.arange(len(self))[indices if isinstance(indices, slice) else np.asarray(indices)]
        return {**rows, "words": tuple(self.words[i] for i in positions)}


def digits_with_words(
    part: Literal["train", "test"],
    *,
    typo_rate: float,
    pixel_noise: float = 0.0,
    seed: int,
    limit: int | None = None,
) -> DigitsWithWords:
    """Handwritten digits (8x8 pixels) with the English word of each digit, typed carelessly.

    image: pixels in [0, 1], clip(pixel / 16 + normal noise of standard deviation pixel_noise, 0, 1)
    text: counts of a to z in keyboard_typos(word, typo_rate)
    part: "train" is the first 1,200 examples in file order, "test" the last 597. They are not shuffled: neighbouring
    rows seem to be by the same writers, so that a shuffled split would test on writers it was trained on.
    limit: this many training examples, equally many of each class, chosen by seed; a smaller limit takes a subset of a
    larger one. Every example is the same with and without a limit.
    Raises ValueError for an unknown part, a rate or noise out of range, a limit that cannot be had.

    Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, https://doi.org/10.24432/C50P49, CC BY 4.0. scikit-learn ships its test set (1,797 digits of 13 writers)
    as `sklearn.datasets.load_digits`. That the file is in the order of writers is our observation, not its
    description's: the nearest image of the same class lies within 100 rows in 54% of cases, by chance in 10%.
    """
    if part not in ("train", "test"):
        raise ValueError(f'digits_with_words: part: got {part!r}, wanted "train" or "test"')
    if not 0 <= pixel_noise < np.inf:
        raise ValueError(f"digits_with_words: pixel_noise: got {pixel_noise}, wanted a number >= 0")
    pixels, labels = _load()
    rows = slice(0, TRAIN_ROWS) if part == "train" else slice(TRAIN_ROWS, None)
    pixels, labels = pixels[rows], labels[rows]

    # One stream each: changing one dial leaves what the others made as it was, and no noise is shared by the parts.
    pixel_rng, typo_rng = (np.random.default_rng([seed, part == "train", stream]) for stream in range(2))
    images = np.clip(pixels / 16 + pixel_noise * pixel_rng.standard_normal(pixels.shape), 0, 1)
    words = tuple(keyboard_typos(WORDS[label], typo_rate, typo_rng) for label in labels)
    data = DigitsWithWords({"image": images, "text": letter_counts(words)}, labels, WORDS, words=words)
    return data.take(limited(labels, part, limit, seed, "digits_with_words"))


def keyboard_typos(word: str, rate: float, rng: np.random.Generator) -> str:
    """Type a word carelessly: each letter is hit with probability `rate`, and a hit letter is, with equal chances,
    replaced by a neighbour on a QWERTY keyboard, dropped, doubled, or swapped with the next one.

    A word with a hit letter always comes out different and never empty (edits that undo each other are drawn again),
    so that it stays right with probability (1 - rate) ** len(word).
    Raises ValueError unless word is lower-case a to z and 0 <= rate <= 1.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"keyboard_typos: typo_rate: got {rate}, wanted a number from 0 to 1")
    _require_letters(word, "keyboard_typos")
    hits = np.flatnonzero(rng.random(len(word)) < rate)
    typed = word
    while hits.size and typed in ("", word):
        typed = _edit(word, hits, rng)
    return typed


def letter_counts(words: Iterable[str]) -> np.ndarray:
    """How often each letter a to z occurs in each word: (n, 26) floats. The order of letters is lost.

    Raises ValueError unless the words are lower-case a to z.
    """
    words = tuple(words)
    for word in words:
        _require_letters(word, "letter_counts")
    return np.array([[word.count(letter) for letter in ALPHABET] for word in words], dtype=np.float64).reshape(-1, 26)


def _edit(word: str, hits: np.ndarray, rng: np.random.Generator) -> str:
    letters = list(word)
    for i in hits:
        letter = letters[i]
        can_swap = i + 1 < len(letters) and letters[i + 1] != letter
        kind = rng.integers(4 if can_swap else 3)
        if kind == 0:
            letters[i] = NEIGHBOURS[letter][rng.integers(len(NEIGHBOURS[letter]))]
        elif kind == 1:
            letters[i] = ""
        elif kind == 2:
            letters[i] = letter * 2
        else:
            letters[i], letters[i + 1] = letters[i + 1], letter
    return "".join(letters)


def limited(labels: np.ndarray, part: str, limit: int | None, seed: int, where: str) -> np.ndarray:
    """Sorted indices of `limit` training examples, limit / 10 of each class, chosen by seed; of all without a limit.

    Raises ValueError, in the name of `where`, for a limit of the test part and one that cannot be had.
    """
    if limit is None:
        return np.arange(len(labels))
    if part == "test":
        raise ValueError(f"{where}: limit: got {limit} for the test part, wanted None: it is never reduced")
    counts = np.bincount(labels, minlength=len(WORDS))
    most = len(WORDS) * int(counts.min())
    if not 0 < limit <= most or limit % len(WORDS):
        wanted = f"a multiple of {len(WORDS)} from {len(WORDS)} to {most}"
        raise ValueError(f"{where}: limit: got {limit}, wanted {wanted}")
    rng = np.random.default_rng([seed, part == "train", 2])  # streams 0 and 1 are those of the pixels and the typos
    members = (rng.permutation(np.flatnonzero(labels == label)) for label in range(len(WORDS)))
    return np.sort(np.concatenate([rows[: limit // len(WORDS)] for rows in members]))


def _require_letters(word: str, where: str) -> None:
    if not word or not set(word) <= set(ALPHABET):
        raise ValueError(f"{where}: got {word!r}, wanted a word of the letters a to z, lower case")


@cache
def _load() -> tuple[np.ndarray, np.ndarray]:
    # Here, not above: scikit-learn takes a second to import, and controlled pairs do without it.
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return pixels, labels
