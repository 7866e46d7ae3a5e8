"""What every batch of scenes obeys."""

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from mmcourse.data.scenes.attributes import ABSENT, COLOURS, MATERIALS, NAMES, SHAPES, SIZES
from mmcourse.data.scenes.contact import ROUNDING, gap, pair
from mmcourse.data.scenes.outlines import EXTENTS
from mmcourse.errors import DtypeError, EmptyBatchError, ModalityError, NotFiniteError, ShapeError

if TYPE_CHECKING:
    from mmcourse.data.scenes.batch import Scenes

_VALUES = {"shape": SHAPES, "colour": COLOURS, "size": SIZES, "material": MATERIALS, "name": NAMES}


def check(scenes: "Scenes") -> None:
    """Raise the ModalityError that fits, with what came and what was wanted."""
    _check_shapes(scenes)
    _check_values(scenes)
    _check_places(scenes)


def _check_shapes(scenes: "Scenes") -> None:
    where = "Scenes"
    if scenes.shape.ndim != 2:
        raise ShapeError("shape", got=f"shape {scenes.shape.shape}", wanted="(n, slots)", where=where)
    if scenes.shape.size == 0:
        raise EmptyBatchError("shape", got=f"shape {scenes.shape.shape}", wanted="1 scene and 1 slot", where=where)
    n, slots = scenes.shape.shape
    wanted = {
        **dict.fromkeys(_VALUES, (n, slots)),
        "position": (n, slots, 2),
        "velocity": (n, slots, 2),
        "side": (n,),
        "key": (n,),
        "combinations": (len(COLOURS), len(SHAPES)),
    }
    for field, shape in wanted.items():
        got = getattr(scenes, field).shape
        if got != shape:
            raise ShapeError(field, got=f"shape {got}", wanted=f"{shape}", where=where)


def _check_values(scenes: "Scenes") -> None:
    where = "Scenes"
    for field, names in _VALUES.items():
        values = getattr(scenes, field)
        if not np.issubdtype(values.dtype, np.integer):
            raise DtypeError(field, got=f"dtype {values.dtype}", wanted="whole numbers", where=where)
        low, high = np.where(scenes.present, 0, ABSENT), np.where(scenes.present, len(names) - 1, ABSENT)
        bad = np.argwhere((values < low) | (values > high))
        if len(bad):
            row, slot = bad[0]
            wanted_value = f"0 to {len(names) - 1}, or {ABSENT} in every field"
            got = f"{values[row, slot]} in row {row}, slot {slot}"
            raise ModalityError(field, got=got, wanted=wanted_value, where=where)
    if not scenes.present.any(axis=1).all():
        row = np.flatnonzero(~scenes.present.any(axis=1))[0]
        raise EmptyBatchError("shape", got=f"no object in row {row}", wanted="at least 1", where=where)
    for field in ("position", "velocity"):
        finite = np.isfinite(getattr(scenes, field))
        wrong = np.argwhere((finite != scenes.present[..., None]).any(axis=2))
        if len(wrong):
            row, slot = wrong[0]
            wanted_text = "finite numbers where there is an object and NaN elsewhere"
            raise NotFiniteError(field, got=f"row {row}, slot {slot}", wanted=wanted_text, where=where)
    if not ((scenes.side > 0) & np.isfinite(scenes.side)).all():
        raise NotFiniteError("side", got=f"{scenes.side.min()}", wanted="positive numbers of metres", where=where)


def _check_places(scenes: "Scenes") -> None:
    """Objects are in the room, apart from each other, and told apart by colour and shape."""
    where = "Scenes"
    reach = EXTENTS[scenes.shape] * scenes.radius[..., None]
    with np.errstate(invalid="ignore"):
        outside = (scenes.position < reach[..., [0, 2]] - ROUNDING) | (
            scenes.position > 1 - reach[..., [1, 3]] + ROUNDING
        )
    if outside.any():
        row, slot = np.argwhere(outside.any(axis=2))[0]
        got = f"an object that is not in the room, in row {row}, slot {slot}"
        raise ModalityError("position", got=got, wanted="all of it between 0 and 1", where=where)
    for i, j in combinations(range(scenes.shape.shape[1]), 2):
        between = pair(scenes.shape[:, i], scenes.radius[:, i], scenes.shape[:, j], scenes.radius[:, j])
        overlap = gap(between, scenes.position[:, j] - scenes.position[:, i])[0] < -ROUNDING
        alike = (scenes.colour[:, i] == scenes.colour[:, j]) & (scenes.shape[:, i] == scenes.shape[:, j])
        both = scenes.present[:, i] & scenes.present[:, j]
        for field, fault, wanted in (
            ("position", overlap, "objects that do not overlap"),
            ("colour, shape", alike, "no two objects with the same colour and shape"),
        ):
            if (fault & both).any():
                got = f"slots {i} and {j} of row {np.flatnonzero(fault & both)[0]}"
                raise ModalityError(field, got=got, wanted=wanted, where=where)
