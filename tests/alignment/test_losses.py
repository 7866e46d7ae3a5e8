"""Nothing public goes untested: CLASSES and cases() hold all contrastive losses, a test file each all the rest."""

import mmcourse.alignment.keras
import mmcourse.alignment.numpy
import mmcourse.alignment.torch
from tests.alignment import test_ctc, test_floors, test_transcripts, test_warping
from tests.alignment.halves import CLASSES, cases
from tests.alignment.test_matching import PUBLIC

CONTRASTIVE = {*CLASSES, *CLASSES.values()}


def test_every_public_loss_is_tried() -> None:
    assert set(mmcourse.alignment.keras.__all__) - PUBLIC == CONTRASTIVE, "against CLASSES"
    assert set(mmcourse.alignment.torch.__all__) - PUBLIC == CONTRASTIVE | {"ctc_loss", "soft_dtw"}, "against CLASSES"
    assert {case.loss for case in cases()} == set(CLASSES)
    assert hasattr(test_ctc, "in_torch")
    assert hasattr(test_warping, "soft_dtw")


def test_every_public_formula_is_a_loss_that_is_tried_or_stands_in_the_tests_of_its_own() -> None:
    public = set(mmcourse.alignment.numpy.__all__) - PUBLIC
    tried = {name for file in (test_floors, test_ctc, test_transcripts, test_warping) for name in vars(file)}
    assert public - set(CLASSES) <= tried
    assert set(CLASSES) <= public
