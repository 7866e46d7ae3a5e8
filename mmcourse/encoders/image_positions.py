"""Where a patch lies in the picture: fixed positions in two dimensions, and positions for another resolution.

Free of any framework: both are arrays that no training changes.
"""

import numpy as np
from numpy.typing import NDArray

from mmcourse.errors import ShapeError

POSITIONS = ("learned", "sine-cosine")
Grid = tuple[int, int]  # patches down, patches across
Array = NDArray[np.float64]


def grid_of(size: tuple[int, ...], patch_size: tuple[int, ...]) -> Grid:
    """How many patches lie down and across a picture of (height, width)."""
    return size[0] // patch_size[0], size[1] // patch_size[1]


def sine_cosine_positions(grid: Grid, dim: int, *, base: float = 10_000.0) -> Array:
    """A vector for each patch, half of it from its row r and half from its column c:

        [sin(r f), cos(r f), sin(c f), cos(c f)],   f_i = base^(-4i / dim),  i = 0 ... dim/4 - 1

    grid: patches down and across;  dim: a multiple of 4
    returns (rows * columns, dim), row by row.  Raises ShapeError for another dim.
    Source: Vaswani et al. (2017) for one dimension.
    """
    if dim % 4:
        raise ShapeError("dim", got=dim, wanted="a multiple of 4", where="sine-cosine positions")
    frequencies = base ** (-4 * np.arange(dim // 4) / dim)
    rows, columns = (index.ravel()[:, None] * frequencies for index in np.indices(grid))  # (rows * columns, dim/4)
    return np.concatenate([np.sin(rows), np.cos(rows), np.sin(columns), np.cos(columns)], axis=1)


def fixed_positions(grid: Grid, dim: int) -> Array:
    """Zero for the class token, then the sine-cosine positions of the patches: (1 + rows * columns, dim)."""
    return np.concatenate([np.zeros((1, dim)), sine_cosine_positions(grid, dim)])


def check_positions(positions: str, where: str) -> None:
    """Raise ValueError for a word that is neither "learned" nor "sine-cosine"."""
    if positions not in POSITIONS:
        raise ValueError(f"{where}: positions: got {positions!r}, wanted {' or '.join(map(repr, POSITIONS))}")


def interpolation_matrix(old: Grid, new: Grid) -> Array:
    """The matrix that carries positions on one grid to another grid over the same picture, by bicubic interpolation.

    new positions = matrix @ old positions, row by row: (new rows * new columns, old rows * old columns)
    """
    return np.asarray(np.kron(_cubic(old[0], new[0]), _cubic(old[1], new[1])), np.float64)


def _cubic(old: int, new: int) -> Array:
    """Along one axis: (new, old), each row over the four nearest old places, those beyond an edge counted to the edge.

    Cubic convolution (Keys, 1981) with a = -0.75, which PyTorch and OpenCV use; Keys recommends -0.5.
    """
    a = -0.75
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    matrix = np.zeros((new, old))
    for step in (-1, 0, 1, 2):
        place = np.floor(centres).astype(int) + step
        t = np.abs(centres - place)
        near = ((a + 2) * t - (a + 3)) * t**2 + 1
        far = a * (((t - 5) * t + 8) * t - 4)
        np.add.at(matrix, (np.arange(new), place.clip(0, old - 1)), np.where(t <= 1, near, far))
    return matrix
