"""Scenes that are written down, object by object."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmcourse.data.scenes.attributes import ABSENT, COLOURS, MATERIALS, NAMES, SHAPES, SIZES
from mmcourse.data.scenes.batch import Scenes
from mmcourse.data.scenes.streams import keys

_VALUES = {"colour": tuple(COLOURS), "shape": SHAPES, "size": tuple(SIZES), "material": MATERIALS, "name": NAMES}
_USUAL = {"size": "large", "material": "wood", "velocity": (0.0, 0.0)}


def scenes_by_hand(objects: Sequence[Sequence[Mapping[str, Any]]], *, side: float = 4.0) -> Scenes:
    """One scene for each list of objects; each object a mapping such as

    {"colour": "red", "shape": "circle", "position": (0.3, 0.5)}, and "size" ("large" where left out), "material"
    ("wood"), "name" (in the order of NAMES), "velocity" ((0, 0)). side: metres. Every combination is possible.
    Raises ValueError for unknown or missing words, and the ModalityError that fits where objects have no room.
    """
    slots = max(map(len, objects), default=0)
    shape = (len(objects), slots)
    numbers = {field: np.full(shape, ABSENT) for field in _VALUES}
    vectors = {field: np.full((*shape, 2), np.nan) for field in ("position", "velocity")}
    for row, scene in enumerate(objects):
        for slot, given in enumerate(scene):
            told = {**_USUAL, "name": NAMES[slot % len(NAMES)], **given}
            if told.keys() != {*_VALUES, *vectors}:
                wanted = "colour, shape, position and no others than size, material, name, velocity"
                raise ValueError(f"scenes_by_hand: objects: got {', '.join(given)}, wanted {wanted}")
            for field, names in _VALUES.items():
                if told[field] not in names:
                    got, wanted = f"{told[field]!r} as {field}", f"one of {', '.join(names)}"
                    raise ValueError(f"scenes_by_hand: objects: got {got}, wanted {wanted}")
                numbers[field][row, slot] = names.index(told[field])
            for field, values in vectors.items():
                values[row, slot] = told[field]
    return Scenes(
        **numbers,
        **vectors,
        side=np.full(len(objects), float(side)),
        key=keys(0, np.arange(len(objects))),
        combinations=np.ones((len(COLOURS), len(SHAPES)), bool),
    )
