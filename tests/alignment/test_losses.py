"""Nothing public goes untested: CLASSES and cases() hold all losses of embeddings, test_floors.py all floors.

What belongs to matching has a file of its own, test_matching.py.
"""

import mmcourse.alignment.keras
import mmcourse.alignment.numpy
import mmcourse.alignment.torch
from mmcourse.alignment.numpy import floors
from tests.alignment import test_floors
from tests.alignment.halves import CLASSES, cases
from tests.alignment.test_matching import PUBLIC


def test_every_public_loss_is_tried() -> None:
    for half in (mmcourse.alignment.torch, mmcourse.alignment.keras):
        assert set(half.__all__) - PUBLIC == {*CLASSES, *CLASSES.values()}, f"{half.__name__}.__all__ against CLASSES"
    assert {case.loss for case in cases()} == set(CLASSES)


def test_every_public_formula_is_a_loss_that_is_tried_or_a_floor_that_is() -> None:
    public = set(mmcourse.alignment.numpy.__all__) - PUBLIC
    bounds = {name for name in public if getattr(mmcourse.alignment.numpy, name).__module__ == floors.__name__}
    assert public - bounds == set(CLASSES)
    assert bounds <= set(vars(test_floors))
