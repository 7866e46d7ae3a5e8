"""Pictures of scenes: every pixel is the mean of what it covers, exactly.

Row 0 is at the top, column 0 at the left; a picture of `size` pixels shows the whole room and nothing else. Measured in
pixels from its upper left corner, x to the right and y down, pixel (i, j) covers i <= y <= i + 1 and j <= x <= j + 1.
Objects never overlap, so that none hides another: a pixel is floor + sum over objects of coverage (colour - floor).
"""

from collections.abc import Iterator

import numpy as np

from mmcourse.data.scenes.attributes import COLOURS, FLOOR, SHAPES
from mmcourse.data.scenes.coverage import circle_coverage, polygon_coverage
from mmcourse.data.scenes.outlines import CIRCLE, EXTENTS, VERTICES

SMALLEST = 16  # pixels: of less, the shape of a small object could not be made out
_AT_ONCE = 128  # scenes: what is worked on fits the cache of a processor
_COLOURS = np.array([*COLOURS.values()], dtype=np.float32)
_FLOOR = np.array(FLOOR, dtype=np.float32)


def draw(shape: np.ndarray, colour: np.ndarray, radius: np.ndarray, position: np.ndarray, size: int) -> np.ndarray:
    """(n, 3, size, size) float32 sRGB values in [0, 1]; shape, colour, radius: (n, slots);  position: (n, slots, 2)."""
    canvas = np.empty((len(shape), 3, size, size), np.float32)
    canvas[:] = _FLOOR[:, None, None]
    channels = np.arange(3)[:, None, None]
    for rows, slot, down, across, part in _patches(shape, radius, position, size):
        paint = (_COLOURS[colour[rows, slot]] - _FLOOR)[:, :, None, None] * part[:, None]
        canvas[rows[:, None, None, None], channels, down[:, None], across[:, None]] += paint
    return canvas


def masks(shape: np.ndarray, radius: np.ndarray, position: np.ndarray, size: int) -> np.ndarray:
    """(n, slots, size, size) float32: the share of each pixel that each object covers, 0 where there is no object."""
    canvas = np.zeros((*shape.shape, size, size), np.float32)
    for rows, slot, down, across, part in _patches(shape, radius, position, size):
        canvas[rows[:, None, None], slot, down, across] = part
    return canvas


def boxes(shape: np.ndarray, radius: np.ndarray, position: np.ndarray, size: int) -> np.ndarray:
    """(n, slots, 4) float64: left, top, right, bottom in pixels, exact and not rounded; NaN without an object."""
    left, right, down, up = np.moveaxis(EXTENTS[shape] * radius[..., None], -1, 0)
    x, y = position[..., 0], 1 - position[..., 1]
    return size * np.stack([x - left, y - up, x + right, y + down], axis=-1)


def check_size(size: int) -> None:
    """Raise ValueError for a picture that is too small to show its objects."""
    if size < SMALLEST:
        raise ValueError(f"scenes: size: got {size} pixels, wanted at least {SMALLEST}")


Patch = tuple[np.ndarray, int, np.ndarray, np.ndarray, np.ndarray]


def _patches(shape: np.ndarray, radius: np.ndarray, position: np.ndarray, size: int) -> Iterator[Patch]:
    """The objects, many at a time: rows (m,), their slot, rows (m, p, 1) and columns (m, 1, p) of pixels, coverage."""
    for first in range(0, len(shape), _AT_ONCE):
        here = slice(first, first + _AT_ONCE)
        for kind in range(len(SHAPES)):
            for r in np.unique(radius[here][shape[here] == kind]):
                rows, slots = np.nonzero((shape[here] == kind) & (radius[here] == r))
                corner, part = _covered(kind, r * size, position[here][rows, slots] * [1, -1] * size + [0, size], size)
                span = np.arange(part.shape[1])
                down, across = corner[:, 1, None, None] + span[:, None], corner[:, 0, None, None] + span
                # One slot after the other: the patches of two objects of one scene may share pixels.
                for slot in np.unique(slots):
                    own = slots == slot
                    yield first + rows[own], int(slot), down[own], across[own], part[own].astype(np.float32)


def _covered(kind: int, radius: float, centre: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Upper left corners (m, 2) of patches that hold objects of one shape and radius, and their coverage; in pixels."""
    left, right, down, up = EXTENTS[kind] * radius
    pixels = min(size, int(np.ceil(max(left + right, down + up))) + 1)
    corner = np.clip(np.floor(centre - [left, up]).astype(int), 0, size - pixels)
    middle = centre - corner
    if kind == CIRCLE:
        return corner, circle_coverage(middle, np.full(len(middle), radius), pixels)
    return corner, polygon_coverage(middle[:, None] + radius * VERTICES[SHAPES[kind]] * [1, -1], pixels)
