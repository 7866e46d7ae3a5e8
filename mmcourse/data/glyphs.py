"""Named characters of real fonts: pictures with captions that are put together from parts."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.glyph_drawing import FONTS, drawn
from mmcourse.data.glyph_names import is_marked_letter, letter_and_marks, vocabulary
from mmcourse.errors import DtypeError, EmptyBatchError, NotFiniteError, ShapeError

# A learner can tell what a letter or a mark looks like only where it has seen it in more than one combination.
SEEN_ELSEWHERE = 2


@dataclass(frozen=True, eq=False, repr=False)
class Glyphs:
    """n pictures of characters: row i shows characters[i], which Unicode calls names[i], in the font styles[i].

    images: (n, size, size) floats in [0, 1], ink 1
    group: (n,) integers; two rows have the same where one picture would do for both: they show the same character
    (whatever the style), or are equal in every pixel, or a chain of such rows joins them. One style is enough to join
    two characters: comma and low quotation mark are equal in "mono" alone, but a learner who has one of the two
    pictures in training has the other. Members of a group are joint right answers, and stay together in a split.
    Raises the ModalityError that fits, naming the field, what came and what was wanted.
    """

    images: np.ndarray
    characters: tuple[str, ...]
    names: tuple[str, ...]
    styles: tuple[str, ...]
    group: np.ndarray

    def __post_init__(self) -> None:
        where = "Glyphs"
        if self.images.ndim != 3 or self.images.shape[1] != self.images.shape[2]:
            raise ShapeError("images", got=f"shape {self.images.shape}", wanted="(n, size, size)", where=where)
        if not np.issubdtype(self.images.dtype, np.floating):
            raise DtypeError("images", got=f"dtype {self.images.dtype}", wanted="floats in [0, 1]", where=where)
        if len(self) == 0:
            raise EmptyBatchError("images", got="0 rows", wanted="at least 1", where=where)
        for field in ("characters", "names", "styles", "group"):
            rows = len(getattr(self, field))
            if rows != len(self):
                raise ShapeError(field, got=f"{rows} rows", wanted=f"{len(self)}, one for each image", where=where)

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        characters, groups = len(set(self.characters)), len(np.unique(self.group))
        styles = ", ".join(dict.fromkeys(self.styles))
        return (
            f"Glyphs({len(self)} pictures of {self.size}x{self.size} pixels; "
            f"{characters} characters in {groups} groups; {styles})"
        )

    @property
    def size(self) -> int:
        """Height and width of a picture, in pixels."""
        return self.images.shape[1]

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The distinct words of the names, sorted."""
        return vocabulary(self.names)

    def take(self, indices: ArrayLike | slice) -> Self:
        """The rows that `indices` (integers, booleans (n,) or a slice) select, in that order.

        Groups keep their numbers. Raises EmptyBatchError where nothing is selected.
        """
        chosen = indices if isinstance(indices, slice) else np.asarray(indices)
        nothing = isinstance(chosen, np.ndarray) and chosen.size == 0  # an empty list, which is no list of integers
        rows = np.arange(0) if nothing else np.arange(len(self))[chosen]
        if rows.size == 0:
            raise EmptyBatchError("images", got="no indices", wanted="at least 1", where="Glyphs.take")
        return replace(
            self,
            images=self.images[rows],
            characters=tuple(self.characters[i] for i in rows),
            names=tuple(self.names[i] for i in rows),
            styles=tuple(self.styles[i] for i in rows),
            group=self.group[rows],
        )

    def one_per_character(self) -> Self:
        """The first row of each character: every name once, as the list of answers in retrieval by name."""
        return self.take(np.sort(np.unique(self.characters, return_index=True)[1]))

    def jittered(self, rng: np.random.Generator, *, shift: float = 1.0, scale: float = 0.1) -> Self:
        """Every picture moved and resized by chance, each on its own; what leaves the picture is lost.

        shift: down and across, each uniform in [-shift, shift] pixels
        scale: the size times exp(u), u uniform in [-scale, scale], about the middle of the picture
        Linear interpolation between pixels; with shift = scale = 0 nothing changes. Raises NotFiniteError for a dial
        that is negative or not finite.
        """
        for dial, value in (("shift", shift), ("scale", scale)):
            if not 0 <= value < np.inf:
                raise NotFiniteError(dial, got=value, wanted="a finite number >= 0", where="Glyphs.jittered")
        n = len(self)
        factors = np.exp(rng.uniform(-scale, scale, size=n))
        down, across = (_resampling(self.size, rng.uniform(-shift, shift, size=n), factors) for _ in range(2))
        images = down @ self.images @ across.transpose(0, 2, 1)
        return replace(self, images=images.astype(self.images.dtype))

    def split(self, seed: int, held_out: int = 100) -> tuple[Self, Self]:
        """(train, test): test is all pictures of `held_out` letters with marks, whose combinations train never shows.

        Whole groups are held out, so that no character and no picture is on both sides. Every letter and every mark
        of a name in test occurs in train, each in the names of at least two groups of other combinations; so does
        every word. Which characters are held out depends on the seed and on what the data contain, not on the order.
        Raises ValueError where so many cannot be held out.
        """
        if held_out < 1:
            raise ValueError(f"Glyphs.split: held_out: got {held_out}, wanted at least 1")
        members: dict[int, dict[str, str]] = {}
        for group, character, name in zip(self.group.tolist(), self.characters, self.names, strict=True):
            members.setdefault(group, {})[character] = name
        parts = {group: _parts(names.values()) for group, names in members.items()}
        groups_with = Counter(part for found in parts.values() for part in found)

        candidates = [group for group, names in members.items() if all(map(is_marked_letter, names.values()))]
        candidates.sort(key=lambda group: min(members[group]))
        test: dict[int, int] = {}  # group: how many characters
        for group in np.random.default_rng(seed).permutation(candidates).tolist():
            room = held_out - sum(test.values())
            if len(members[group]) <= room and all(groups_with[part] > SEEN_ELSEWHERE for part in parts[group]):
                test[group] = len(members[group])
                groups_with.subtract(parts[group])
        if sum(test.values()) < held_out:
            wanted = f"at most {sum(test.values())}, what these pictures allow with seed {seed}"
            raise ValueError(f"Glyphs.split: held_out: got {held_out}, wanted {wanted}")
        in_test = np.isin(self.group, list(test))
        return self.take(~in_test), self.take(in_test)


def glyphs(styles: Sequence[str] = ("sans",), *, size: int = 20, font_size: float | None = None) -> Glyphs:
    """Every named character of the DejaVu fonts: its picture and its Unicode name.

    styles: of "sans", "bold", "serif", "mono"; about 5,700 characters in the first two, 3,300 in the others
    size: height and width of a picture in pixels
    font_size: size of the font in pixels, at most size; default 0.7 size. At 0.7 size a handful of characters does
    not fit (accents on accents, very wide ones): these are drawn smaller. All others keep scale and baseline, so that
    o differs from O by its size and the comma from the apostrophe by its place.
    Left out: characters without a name or without ink. Rows: style by style, in the order of code points.
    The same bytes every time. Drawn in seconds, then kept in the cache folder (see mmcourse.data.glyph_cache); what
    is returned is a fresh copy.
    Raises ValueError for an unknown or repeated style and for sizes out of range.

    Source: DejaVu fonts 2.37, https://dejavu-fonts.github.io, free licence (Bitstream Vera and public domain), as
    Matplotlib ships them. Names: the Unicode Character Database, in Python's unicodedata.
    """
    _check(styles, size, font_size)
    by_style = {style: drawn(style, size, 0.7 * size if font_size is None else font_size) for style in styles}
    pixels = np.concatenate([images for _, images in by_style.values()])
    characters = tuple("".join(found for found, _ in by_style.values()))
    return Glyphs(
        images=pixels.astype(np.float32) / 255,
        characters=characters,
        names=tuple(map(unicodedata.name, characters)),
        styles=tuple(style for style, (found, _) in by_style.items() for _ in found),
        group=_joined(characters, [picture.tobytes() for picture in pixels]),
    )


def _joined(*keys: Sequence[object]) -> np.ndarray:
    """(n,) integers: rows that agree in any of the keys, directly or by a chain of rows, get the same number.

    Numbers count from 0 in the order of first rows.
    """
    root = list(range(len(keys[0])))

    def find(row: int) -> int:
        while root[row] != row:
            root[row] = root[root[row]]
            row = root[row]
        return row

    for values in keys:
        first: dict[object, int] = {}
        for row, value in enumerate(values):
            a, b = sorted((find(first.setdefault(value, row)), find(row)))
            root[b] = a
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(find(row), len(numbers)) for row in range(len(root))])


def _parts(names: Iterable[str]) -> set[tuple[str, str]]:
    """The letters and the marks of those of the names that are letters with marks."""
    found = set()
    for base, marks in map(letter_and_marks, filter(is_marked_letter, names)):
        found |= {("letter", base), *(("mark", mark) for mark in marks)}
    return found


def _resampling(size: int, shift: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """(n, size, size) float32: in matrix i, row y holds the weights of the old pixels in new pixel y of picture i."""
    pixels = np.arange(size)
    middle = (size - 1) / 2
    source = middle + (pixels - middle - shift[:, None]) / factor[:, None]  # (n, size): where new pixel y comes from
    return np.clip(1 - np.abs(source[:, :, None] - pixels), 0, None).astype(np.float32)


def _check(styles: Sequence[str], size: int, font_size: float | None) -> None:
    if isinstance(styles, str) or not styles:
        raise ValueError(f'glyphs: styles: got {styles!r}, wanted a sequence of styles such as ("sans",)')
    for style in styles:
        if style not in FONTS:
            raise ValueError(f"glyphs: styles: got {style!r}, wanted one of {', '.join(FONTS)}")
    if len(set(styles)) < len(styles):
        raise ValueError(f"glyphs: styles: got {tuple(styles)}, wanted each once")
    if size < 8:
        raise ValueError(f"glyphs: size: got {size}, wanted at least 8 pixels")
    if font_size is not None and not 4 <= font_size <= size:
        raise ValueError(f"glyphs: font_size: got {font_size}, wanted 4 to {size} pixels, the size of the picture")
