"""The outlines of the shapes: convex, of equal area for equal size, never turned."""

import numpy as np

from mmcourse.data.scenes.attributes import SHAPES

CIRCLE = SHAPES.index("circle")


def _regular(corners: int, first: float) -> np.ndarray:
    """A regular polygon with the area of the unit circle, counterclockwise from the angle `first`."""
    angles = first + 2 * np.pi * np.arange(corners) / corners
    radius = np.sqrt(2 * np.pi / (corners * np.sin(2 * np.pi / corners)))
    return radius * np.column_stack([np.cos(angles), np.sin(angles)])


# Corners about the centre of mass for size 1; a circle is a point with a rim.
VERTICES = {
    "circle": np.zeros((1, 2)),
    "square": _regular(4, np.pi / 4),
    "triangle": _regular(3, np.pi / 2),
    "diamond": _regular(4, np.pi / 2) * [0.8, 1.25],
}
_RIM = {shape: float(shape == "circle") for shape in SHAPES}


def reach(shape: str, normal: np.ndarray) -> np.ndarray:
    """How far a shape of size 1 extends in the direction of each unit normal: (..., 2) -> (...)."""
    return (normal @ VERTICES[shape].T).max(axis=-1) + _RIM[shape]


# (shapes, 4): how far a shape of size 1 extends to the left, to the right, down and up.
EXTENTS = np.array([reach(shape, np.array([[-1.0, 0], [1, 0], [0, -1], [0, 1]])) for shape in SHAPES])


def edges(shape: str) -> tuple[np.ndarray, np.ndarray]:
    """Outward unit normals (edges, 2), and where each edge begins and ends along its tangent (edges, 2)."""
    here = VERTICES[shape]
    along = np.roll(here, -1, axis=0) - here
    if len(here) == 1:
        return np.zeros((0, 2)), np.zeros((0, 2))
    tangents = along / np.linalg.norm(along, axis=1, keepdims=True)
    ends = np.stack([here, np.roll(here, -1, axis=0)], axis=1)
    return tangents @ [[0.0, -1], [1, 0]], np.einsum("ed,exd->ex", tangents, ends)
