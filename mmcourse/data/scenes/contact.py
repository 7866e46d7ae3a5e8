"""How far apart two convex shapes are, and when one that moves touches the other.

B touches A where the offset of their centres lies on the border of the Minkowski difference A - B = {a - b}: two shapes
become one shape and a point. That one shape is an intersection of half-planes {x: n.x <= h}, with round corners where a
circle takes part. A beam of light is a circle of radius 0 that flies.
"""

from dataclasses import dataclass

import numpy as np

from mmcourse.data.scenes.attributes import SHAPES
from mmcourse.data.scenes.outlines import CIRCLE, VERTICES, edges, reach

# So far one body may be inside another, in room widths, through rounding alone.
ROUNDING = 1e-9

_FACES, _CORNERS = 8, 4
_NORMALS = np.zeros((len(SHAPES), len(SHAPES), _FACES, 2))
_HEIGHTS = np.full((2, len(SHAPES), len(SHAPES), _FACES), np.nan)  # the parts of A and of B; NaN: no such face
_BOUNDS = np.zeros((2, len(SHAPES), len(SHAPES), _FACES, 2))
_ROUND = np.full((2, len(SHAPES), len(SHAPES), _CORNERS, 2), np.nan)  # centres of round corners; NaN: none


def _fill(i: int, j: int) -> None:
    a, b = SHAPES[i], SHAPES[j]
    (normals_a, ends_a), (normals_b, ends_b) = edges(a), edges(b)
    normals = np.concatenate([normals_a, -normals_b])
    faces = len(normals)
    _NORMALS[i, j, :faces] = normals
    _HEIGHTS[0, i, j, :faces], _HEIGHTS[1, i, j, :faces] = reach(a, normals), reach(b, -normals)
    if CIRCLE not in (i, j):
        _BOUNDS[0, i, j] = [-np.inf, np.inf]  # corners are sharp: a face ends where the half-planes say
        return
    _BOUNDS[0, i, j, : len(ends_a)], _BOUNDS[1, i, j, : len(ends_b)] = ends_a, ends_b
    corners = max(len(VERTICES[a]), len(VERTICES[b]))
    _ROUND[0, i, j, :corners], _ROUND[1, i, j, :corners] = VERTICES[a], -VERTICES[b]


for _i in range(len(SHAPES)):
    for _j in range(len(SHAPES)):
        _fill(_i, _j)


@dataclass(frozen=True)
class Pair:
    """The Minkowski differences of many pairs, of one shape `...`.

    normals: (..., faces, 2);  heights: (..., faces), infinite where there is no such face
    bounds: (..., faces, 2), where a face begins and ends along its tangent (-n_y, n_x)
    corners: (..., corners, 2), NaN where there is none;  radius: (...,) of the round corners
    """

    normals: np.ndarray
    heights: np.ndarray
    bounds: np.ndarray
    corners: np.ndarray
    radius: np.ndarray


def pair(shape_a: np.ndarray, size_a: np.ndarray, shape_b: np.ndarray, size_b: np.ndarray) -> Pair:
    """shape: numbers of SHAPES;  size: room widths, of an object or 0 for a beam, which is a circle; all broadcast."""
    shape_a, size_a, shape_b, size_b = np.broadcast_arrays(shape_a, size_a, shape_b, size_b)

    def scaled(table: np.ndarray) -> np.ndarray:
        a, b = table[:, shape_a, shape_b]
        extra = (1,) * (a.ndim - size_a.ndim)
        return a * size_a.reshape(size_a.shape + extra) + b * size_b.reshape(size_b.shape + extra)

    heights = scaled(_HEIGHTS)
    used = ~np.isnan(heights).all(axis=tuple(range(heights.ndim - 1)))
    used[0] = True  # an axis without entries has no maximum
    return Pair(
        normals=_NORMALS[shape_a, shape_b][..., used, :],
        heights=np.where(np.isnan(heights), np.inf, heights)[..., used],
        bounds=scaled(_BOUNDS)[..., used, :],
        corners=scaled(_ROUND),
        radius=np.where(shape_a == CIRCLE, size_a, 0) + np.where(shape_b == CIRCLE, size_b, 0),
    )


def gap(between: Pair, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far B is from A in room widths, negative where they overlap, and the unit normal that points from A to B.

    offset: (..., 2), centre of B minus that of A;  returns (...,) and (..., 2)
    The distance of two convex sets is the maximum of n.o - h(n) over all unit normals n. Tried are those of the faces
    and, at round corners, those that point from a corner to B. The result is exact where a circle (or a point) takes
    part; for two polygons it is at most the distance, and has its sign.
    """
    faces = dot(between.normals, offset[..., None, :]) - between.heights
    away = offset[..., None, :] - between.corners
    normals = away / np.maximum(np.hypot(away[..., 0], away[..., 1]), 1e-300)[..., None]
    support = _known(dot(normals[..., :, None, :], between.corners[..., None, :, :])).max(axis=-1)
    corners = dot(normals, offset[..., None, :]) - support - between.radius[..., None]
    distances = np.concatenate([faces, _known(corners)], axis=-1)
    normals = np.concatenate([np.broadcast_to(between.normals, (*faces.shape, 2)), normals], axis=-2)
    largest = distances.argmax(axis=-1)[..., None]
    return (
        np.take_along_axis(distances, largest, axis=-1)[..., 0],
        np.take_along_axis(normals, largest[..., None], axis=-2)[..., 0, :],
    )


def first_contact(between: Pair, offset: np.ndarray, velocity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """When B, moving in a straight line past A at rest, touches it: (time, normal), infinite where it never does.

    offset, velocity: (..., 2), of B relative to A;  normal: (..., 2), that of A at the point of contact
    The point enters the half-planes one after the other, and the intersection with the last of them, if it has not left
    another before. What enters beyond the end of a face may still meet the round corner. Shapes that touch already
    meet at time 0 if they approach, and not at all if they separate.
    """
    approach = dot(between.normals, velocity[..., None, :])
    outside = dot(between.normals, offset[..., None, :]) - between.heights
    with np.errstate(divide="ignore", invalid="ignore"):
        times = -outside / approach
        enter = np.where(approach < 0, times, -np.inf)
        last = enter.argmax(axis=-1)[..., None]
        time = np.take_along_axis(enter, last, axis=-1)[..., 0]
        leave = np.where(approach > 0, times, np.inf).min(axis=-1)
        beside = ((approach == 0) & (outside > 0)).any(axis=-1)
        normal = np.take_along_axis(between.normals, last[..., None], axis=-2)[..., 0, :]
        begin, end = np.moveaxis(np.take_along_axis(between.bounds, last[..., None], axis=-2)[..., 0, :], -1, 0)
        point = offset + time[..., None] * velocity
        along = point[..., 1] * normal[..., 0] - point[..., 0] * normal[..., 1]
    meets = (time >= -ROUNDING) & (time <= leave) & ~beside & (along >= begin - ROUNDING) & (along <= end + ROUNDING)

    corner_time, corner_normal = _first_corner(between, offset, velocity)
    time = np.where(meets, time, corner_time)
    return np.maximum(time, 0), np.where(meets[..., None], normal, corner_normal)


def _first_corner(between: Pair, offset: np.ndarray, velocity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same for the discs at the round corners: |away + t velocity| = radius is a quadratic equation in t."""
    away = offset[..., None, :] - between.corners
    square = dot(velocity, velocity)[..., None]
    half = dot(away, velocity[..., None, :])
    excess = dot(away, away) - between.radius[..., None] ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        times = excess / (-half + np.sqrt(half**2 - square * excess))
        times = np.where(times >= -ROUNDING, times, np.inf)  # negative where they part
        first = times.argmin(axis=-1)[..., None]
        time = np.take_along_axis(times, first, axis=-1)[..., 0]
        towards = np.take_along_axis(away, first[..., None], axis=-2)[..., 0, :] + time[..., None] * velocity
        return time, towards / np.hypot(towards[..., 0], towards[..., 1])[..., None]


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The scalar product along the last axis, which has two entries."""
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1]


def _known(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), -np.inf, values)
