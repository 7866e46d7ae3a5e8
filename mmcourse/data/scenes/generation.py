"""Scenes by chance: which objects, where, how fast."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from mmcourse.data.scenes.attributes import (
    ABSENT,
    COLOURS,
    MATERIALS,
    MOST_OBJECTS,
    NAMES,
    SHAPES,
    SIZES,
)
from mmcourse.data.scenes.batch import RADII, Scenes
from mmcourse.data.scenes.contact import gap, pair
from mmcourse.data.scenes.outlines import EXTENTS
from mmcourse.data.scenes.streams import keys, uniform

CLEAR = 0.02  # room widths between objects, and to walls
OFF_DIAGONAL = 0.05  # by how much two centres are further apart along one axis than along the other
SPEEDS = (0.3, 0.9)  # room widths a second
SLANT = np.pi / 7  # by how much a direction may differ from that which it is called
SIDES = (2.0, 8.0)  # metres
_TRIES, _TRIALS = 40, 400


def scenes(
    n: int,
    *,
    seed: int,
    first: int = 0,
    objects: tuple[int, int] = (1, 4),
    colours: Sequence[str] = tuple(COLOURS),
    shapes: Sequence[str] = SHAPES,
    sizes: Sequence[str] = tuple(SIZES),
    without: Sequence[tuple[str, str]] = (),
    all_different: bool = False,
    moving: float = 0.8,
) -> Scenes:
    """Scenes number first to first + n - 1 of the endless sequence that the seed and the other arguments stand for.

    A scene is the same whatever n and first are: it depends on seed, its number, and the arguments below alone.
    objects: the fewest and the most, at most 6; all numbers between are equally frequent
    colours, shapes, sizes: names to choose from;  without: combinations ("red", "circle") that never occur
    all_different: whether no two objects of a scene have the same colour or the same shape; else they never have both
    moving: the share of objects that are not at rest; the four directions are equally frequent, and so are sizes,
    materials, names and combinations. Speeds are uniform from 0.3 to 0.9 room widths a second, rooms 2 to 8 metres wide
    (uniform on a logarithmic scale). Places are uniform among those 0.02 from walls and others and clearly more beside
    than above another, or the other way round.
    Raises ValueError for arguments out of range, unknown names, and more objects than combinations or space allow.
    """
    _check_words(colours, shapes, sizes)
    allowed = _allowed(colours, shapes, without)
    _check(n, first, objects, allowed, moving)
    key = keys(seed, first + np.arange(n))
    slots = np.arange(objects[1])
    spread = objects[1] - objects[0] + 1
    count = objects[0] + (uniform(key, "count", [0]) * spread).astype(int)
    absent = slots >= count

    def attribute(purpose: str, values: int) -> np.ndarray:
        return np.where(absent, ABSENT, (uniform(key, purpose, slots) * values).astype(int))

    combination = _combinations(key, count[:, 0], allowed, objects[1], all_different)
    size = np.where(
        absent, ABSENT, np.array([tuple(SIZES).index(word) for word in sizes])[attribute("size", len(sizes))]
    )
    names = np.argsort(uniform(key, "name", np.arange(len(NAMES))), axis=1)[:, : objects[1]]
    shape = np.where(absent, ABSENT, combination % len(SHAPES))
    return Scenes(
        shape=shape,
        colour=np.where(absent, ABSENT, combination // len(SHAPES)),
        size=size,
        material=attribute("material", len(MATERIALS)),
        name=np.where(absent, ABSENT, names),
        position=_positions(key, shape, RADII[size]),
        velocity=np.where(absent[..., None], np.nan, _velocities(key, slots, moving)),
        side=SIDES[0] * (SIDES[1] / SIDES[0]) ** uniform(key, "side", [0])[:, 0],
        key=key,
        combinations=allowed,
    )


def _combinations(
    key: np.ndarray, count: np.ndarray, allowed: np.ndarray, slots: int, all_different: bool
) -> np.ndarray:
    """(n, slots) numbers colour * len(SHAPES) + shape, all different: those that come first in an order by chance."""
    cells = np.flatnonzero(allowed)
    colour, shape = np.divmod(cells, len(SHAPES))
    clash = (colour[:, None] == colour) | (shape[:, None] == shape) if all_different else np.eye(len(cells), dtype=bool)
    chosen = np.zeros((len(key), slots), int)
    pending = np.arange(len(key))
    for trial in range(_TRIALS):
        order = uniform(key[pending], "combination", trial * allowed.size + cells)
        done = np.ones(len(pending), bool)
        for slot in range(slots):
            best = order.argmax(axis=1)
            done &= (order[np.arange(len(order)), best] >= 0) | (slot >= count[pending])
            chosen[pending, slot] = cells[best]
            order[clash[best]] = -1
        pending = pending[~done]
        if not pending.size:
            return chosen
    raise ValueError(
        f"scenes: got {slots} objects for {len(cells)} combinations, wanted fewer objects or more of these"
    )


def _velocities(key: np.ndarray, slots: np.ndarray, moving: float) -> np.ndarray:
    """(n, slots, 2), of objects at rest with a chance of 1 - moving, else in one of four directions."""
    chance = uniform(key, "direction", slots)
    angles = np.array([np.pi, 0, np.pi / 2, -np.pi / 2])  # left, right, up, down
    way = np.minimum(chance / max(moving, 1e-12) * len(angles), len(angles) - 1).astype(int)
    angle = angles[way] + SLANT * (2 * uniform(key, "angle", slots) - 1)
    speed = SPEEDS[0] + (SPEEDS[1] - SPEEDS[0]) * uniform(key, "speed", slots)
    speed = np.where(chance < moving, speed, 0)
    return speed[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _positions(key: np.ndarray, shape: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """(n, slots, 2): the largest first, each where there is room; all over again where there is none left."""
    largest_first = np.argsort(-radius, axis=1, kind="stable")  # NaN, no object, sorts last
    shape, radius = (np.take_along_axis(values, largest_first, axis=1) for values in (shape, radius))
    count = (shape != ABSENT).sum(axis=1)
    position = np.full((*shape.shape, 2), np.nan)
    reach = EXTENTS[shape] * radius[..., None]
    low = reach[..., [0, 2]] + CLEAR
    span = 1 - reach[..., [1, 3]] - CLEAR - low
    pending = np.arange(len(shape))
    for trial in range(_TRIALS):
        stuck = np.zeros(len(pending), bool)
        for place in range(shape.shape[1]):
            waiting = np.flatnonzero((count[pending] > place) & ~stuck)
            for attempt in range(_TRIES):
                if not waiting.size:
                    break
                rows = pending[waiting]
                number = 2 * ((trial * MOST_OBJECTS + place) * _TRIES + attempt)
                chance = uniform(key[rows], "place", [number, number + 1])
                position[rows, place] = low[rows, place] + chance * span[rows, place]
                free = np.ones(len(rows), bool)
                for other in range(place):
                    free &= _clear(shape[rows], radius[rows], position[rows], place, other)
                waiting = waiting[~free]
            stuck[waiting] = True
        pending = pending[stuck]
        if not pending.size:
            back = np.argsort(largest_first, axis=1)
            return np.take_along_axis(position, back[..., None], axis=1)
    raise ValueError(f"scenes: objects: got {shape.shape[1]} where no place was found for all, wanted fewer")


def _clear(shape: np.ndarray, radius: np.ndarray, position: np.ndarray, slot: int, other: int) -> np.ndarray:
    """(n,) whether two objects are apart, one clearly more beside than above the other, or the other way round."""
    offset = position[:, slot] - position[:, other]
    apart = gap(pair(shape[:, other], radius[:, other], shape[:, slot], radius[:, slot]), offset)[0] >= CLEAR
    across, up = np.abs(offset).T
    return apart & (np.abs(across - up) >= OFF_DIAGONAL)


def _check_words(colours: Sequence[str], shapes: Sequence[str], sizes: Sequence[str]) -> None:
    for what, given, known in (("colours", colours, COLOURS), ("shapes", shapes, SHAPES), ("sizes", sizes, SIZES)):
        if isinstance(given, str) or not given or not set(given) <= set(known):
            raise ValueError(f"scenes: {what}: got {given!r}, wanted some of {', '.join(known)}")


def _allowed(colours: Sequence[str], shapes: Sequence[str], without: Sequence[tuple[str, str]]) -> np.ndarray:
    """(colours, shapes) booleans."""
    unwanted = set(map(tuple, without))
    unknown = sorted(unwanted - set(product(COLOURS, SHAPES)))
    if unknown:
        raise ValueError(f'scenes: without: got {unknown[0]!r}, wanted a colour and a shape as in ("red", "circle")')
    return np.array([[c in colours and s in shapes and (c, s) not in unwanted for s in SHAPES] for c in COLOURS])


def _check(n: int, first: int, objects: tuple[int, int], allowed: np.ndarray, moving: float) -> None:
    if n < 1 or first < 0:
        raise ValueError(f"scenes: n, first: got {n}, {first}, wanted at least 1 and 0")
    if not 1 <= objects[0] <= objects[1] <= MOST_OBJECTS:
        raise ValueError(f"scenes: objects: got {objects}, wanted the fewest and the most, from 1 to {MOST_OBJECTS}")
    if allowed.sum() < objects[1]:
        raise ValueError(
            f"scenes: objects: got {objects[1]} for {allowed.sum()} combinations, wanted no more than these"
        )
    if not 0 <= moving <= 1:
        raise ValueError(f"scenes: moving: got {moving}, wanted a share from 0 to 1")
