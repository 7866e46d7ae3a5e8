"""Other scenes made from scenes: bindings swapped, combinations held out."""

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from mmcourse.data.scenes.attributes import SHAPES
from mmcourse.errors import ModalityError

if TYPE_CHECKING:
    from mmcourse.data.scenes.batch import Scenes

# A learner can tell what a colour or a shape looks like only where it has seen it in more than one combination.
SEEN_ELSEWHERE = 2


def hold_out(allowed: np.ndarray, seed: int, number: int) -> np.ndarray:
    """(colours, shapes) booleans: `number` of the allowed combinations, chosen by the seed.

    Each of their colours and shapes stays in at least two combinations that are not held out. Raises ValueError where
    so many cannot be held out.
    """
    if number < 1:
        raise ValueError(f"split: held_out: got {number}, wanted at least 1")
    kept = allowed.copy()
    for cell in np.random.default_rng(seed).permutation(np.flatnonzero(allowed)).tolist():
        colour, shape = divmod(cell, allowed.shape[1])
        if min(kept[colour].sum(), kept[:, shape].sum()) > SEEN_ELSEWHERE:
            kept[colour, shape] = False
        if (allowed & ~kept).sum() == number:
            return allowed & ~kept
    most = (allowed & ~kept).sum()
    raise ValueError(
        f"split: held_out: got {number}, wanted at most {most}, what these combinations allow with this seed"
    )


def swappable(scenes: "Scenes") -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) slots of the first two objects from left to right that can exchange colours; (n,) whether there are any.

    They differ in colour and in shape, and no third object is what one of them becomes.
    """
    n, slots = scenes.shape.shape
    rows = np.arange(n)
    chosen, found = np.zeros((n, 2), int), np.zeros(n, bool)
    kind = scenes.colour * len(SHAPES) + scenes.shape
    for i, j in combinations(range(slots), 2):
        a, b = scenes.order[:, i], scenes.order[:, j]
        becomes = np.stack([scenes.colour[rows, b], scenes.colour[rows, a]], axis=1) * len(SHAPES)
        becomes += np.stack([scenes.shape[rows, a], scenes.shape[rows, b]], axis=1)  # (n, 2)
        # Two of one colour or one shape become each other, so that this rules them out too.
        taken = ((kind[:, :, None] == becomes[:, None, :]) & scenes.present[:, :, None]).any(axis=(1, 2))
        new = (scenes.count > j) & ~taken & ~found
        chosen[new] = np.stack([a, b], axis=1)[new]
        found |= new
    return chosen, found


def swapped_colours(scenes: "Scenes") -> np.ndarray:
    """(n, slots) colours with those of two objects exchanged. Raises ModalityError where no two of a scene can be."""
    slots, found = swappable(scenes)
    if not found.all():
        wanted = "two objects of different colours and shapes; `can_swap` tells where there are"
        raise ModalityError(
            "colour", got=f"none to exchange in row {np.flatnonzero(~found)[0]}", wanted=wanted, where="swapped"
        )
    colour = scenes.colour.copy()
    rows = np.arange(len(scenes))[:, None]
    colour[rows, slots] = scenes.colour[rows, slots[:, ::-1]]
    return colour
