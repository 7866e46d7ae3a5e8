"""A range scan: how far the nearest surface is along each beam (lidar), and how fast it comes or goes (radar).

Beam i leaves the sensor at the angle heading + field / 2 - (i + 1/2) field / beams, counterclockwise from the x axis:
with the sensor's usual place, in the middle of the lower wall and looking up, beam 0 is the leftmost in the picture.
The distance is exact, to the first object on the beam or else to the wall. The radial velocity is v.u, with v the
velocity of what the beam hits and u the beam's unit vector: positive where it moves away, negative where it comes.
What moves across the beam has none, whatever its speed. Colour and material play no part.
"""

from dataclasses import dataclass

import numpy as np

from mmcourse.data.scenes.attributes import ABSENT
from mmcourse.data.scenes.contact import dot, first_contact, gap, pair
from mmcourse.data.scenes.motion import WALL
from mmcourse.data.scenes.outlines import CIRCLE

SENSOR = (0.5, 0.0)
HEADING = np.pi / 2
FIELD = np.pi


@dataclass(frozen=True, eq=False)
class RangeScan:
    """What n scans of b beams measure, and what they hit.

    angle: (b,) radians, counterclockwise from the x axis;  distance: (n, b) metres, at most max_range
    radial_velocity: (n, b) metres a second, positive where what is hit moves away; 0 at walls and where nothing is hit
    hit: (n, b) the slot of the object, WALL (-2) for a wall, ABSENT (-1) for nothing within max_range
    """

    angle: np.ndarray
    distance: np.ndarray
    radial_velocity: np.ndarray
    hit: np.ndarray


def scan(
    shape: np.ndarray,
    radius: np.ndarray,
    position: np.ndarray,
    velocity: np.ndarray,
    side: np.ndarray,
    *,
    beams: int,
    max_range: float,
    sensor: tuple[float, float],
    heading: float,
    field: float,
) -> RangeScan:
    """shape, radius: (n, slots);  position, velocity: (n, slots, 2) room widths (a second);  side: (n,) metres.

    Raises ValueError for no beams, a field or a range that is not positive, and a sensor outside or in an object.
    """
    place = np.array(sensor, dtype=float)
    _check(beams, max_range, place, field)
    offset = place - position
    inside = nearest_point(shape, radius, position, place)[0] < 0
    if inside.any():
        raise ValueError(f"scan: sensor: got {sensor}, inside an object of scene {np.argwhere(inside)[0, 0]}")

    angle = heading + field / 2 - (np.arange(beams) + 0.5) * field / beams
    ray = np.column_stack([np.cos(angle), np.sin(angle)])  # (b, 2)
    bodies = pair(shape[..., None], radius[..., None], np.array(CIRCLE), np.array(0.0))  # (n, slots, 1)
    with np.errstate(invalid="ignore"):
        to_object, _ = first_contact(bodies, offset[:, :, None, :], ray)  # (n, slots, b)
    to_object = np.where(np.isnan(to_object), np.inf, to_object)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_wall = np.where(ray > 0, (1 - place) / ray, np.where(ray < 0, -place / ray, np.inf)).min(axis=1)  # (b,)

    nearest = to_object.min(axis=1)  # (n, b)
    on_object = nearest <= to_wall
    hit = np.where(on_object, to_object.argmin(axis=1), WALL)
    distance = np.where(on_object, nearest, to_wall) * side[:, None]
    rows = np.arange(len(shape))[:, None]
    away = dot(velocity[rows, np.maximum(hit, 0)], ray) * side[:, None]
    hit = np.where(distance > max_range, ABSENT, hit)
    return RangeScan(angle, np.minimum(distance, max_range), np.where(hit >= 0, away, 0.0), hit)


def nearest_point(
    shape: np.ndarray, radius: np.ndarray, position: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (n, slots) of each object's nearest point in room widths, and the unit vectors (n, slots, 2) to it."""
    distance, normal = gap(pair(shape, radius, np.array(CIRCLE), np.array(0.0)), place - position)
    return distance, -normal


def _check(beams: int, max_range: float, place: np.ndarray, field: float) -> None:
    if beams < 1:
        raise ValueError(f"scan: beams: got {beams}, wanted at least 1")
    if not max_range > 0:
        raise ValueError(f"scan: max_range: got {max_range}, wanted a positive number of metres")
    if place.shape != (2,) or not ((place >= 0) & (place <= 1)).all():
        raise ValueError(f"scan: sensor: got {place.tolist()}, wanted x and y from 0 to 1, in room widths")
    if not 0 < field <= 2 * np.pi:
        raise ValueError(f"scan: field: got {field}, wanted above 0 and at most 2 pi radians")
