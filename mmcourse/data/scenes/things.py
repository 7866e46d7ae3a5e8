"""Scenes as lists of objects with names for their attributes: what captions, facts and questions are read from."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mmcourse.data.scenes.attributes import COLOURS, DIRECTIONS, MATERIALS, NAMES, SHAPES, SIZES

if TYPE_CHECKING:
    from mmcourse.data.scenes.batch import Scenes

_COLOURS, _SIZES = tuple(COLOURS), tuple(SIZES)


class Thing(NamedTuple):
    """One object; motion is the one of DIRECTIONS that it has at time 0, slot its column in the arrays of Scenes."""

    slot: int
    colour: str
    shape: str
    size: str
    material: str
    name: str
    motion: str
    x: float
    y: float

    @property
    def phrase(self) -> str:
        """What it is called in facts and answers: no two objects of a scene have the same colour and shape."""
        return f"{self.colour} {self.shape}"


def things(scenes: "Scenes") -> list[list[Thing]]:
    """The objects of each scene, from left to right."""
    columns = (scenes.colour, scenes.shape, scenes.size, scenes.material, scenes.name, direction(scenes.velocity))
    rows = zip(
        scenes.order.tolist(),
        scenes.count.tolist(),
        scenes.position.tolist(),
        np.stack(columns, axis=2).tolist(),
        strict=True,
    )
    return [
        [_thing(slot, attributes[slot], places[slot]) for slot in order[:count]]
        for order, count, places, attributes in rows
    ]


def _thing(slot: int, attributes: list[int], place: list[float]) -> Thing:
    colour, shape, size, material, name, motion = attributes
    return Thing(
        slot,
        _COLOURS[colour],
        SHAPES[shape],
        _SIZES[size],
        MATERIALS[material],
        NAMES[name],
        DIRECTIONS[motion],
        *place,
    )


def direction(velocity: np.ndarray) -> np.ndarray:
    """Places in DIRECTIONS: the main direction of (..., 2) velocities; horizontal where both are equal."""
    x, y = velocity[..., 0], velocity[..., 1]
    along = np.where(np.abs(x) >= np.abs(y), np.where(x < 0, 1, 2), np.where(y > 0, 3, 4))
    return np.where((x == 0) & (y == 0), 0, along)


def relation_of(a: Thing, b: Thing) -> str:
    """Where a is from b, one of RELATIONS: along the axis on which their centres are further apart."""
    across, up = a.x - b.x, a.y - b.y
    if abs(across) >= abs(up):
        return "left of" if across < 0 else "right of"
    return "above" if up > 0 else "below"
