"""The formulas load no framework; each framework half works where the other cannot be imported."""

import pytest

from tests.fresh import BLOCK, NOTHING_HEAVY, succeed

TORCH = """
import torch
from mmcourse.alignment.torch import InfoNCE
x = torch.eye(3)
value = float(InfoNCE(scale=2.0)(x, x).detach())
"""
KERAS = """
import numpy
from mmcourse.alignment.keras import InfoNCE
x = numpy.eye(3, dtype="float32")
value = float(InfoNCE(scale=2.0)(x, x))
"""
REFEREE = """
import numpy
from mmcourse.alignment.numpy import info_nce
assert abs(value - info_nce(numpy.eye(3), numpy.eye(3), scale=2.0)) < 1e-6
"""


@pytest.mark.parametrize("name", ["mmcourse.alignment", "mmcourse.alignment.checks", "mmcourse.alignment.numpy"])
def test_the_formulas_load_neither_framework(name: str) -> None:
    succeed(f"import {name}{NOTHING_HEAVY}")


def test_the_torch_half_works_without_tensorflow_and_keras() -> None:
    succeed(BLOCK.format(blocked={"tensorflow", "keras", "matplotlib"}) + TORCH + REFEREE)


def test_the_keras_half_works_without_torch() -> None:
    succeed(BLOCK.format(blocked={"torch", "matplotlib"}) + KERAS + REFEREE)


def test_alignment_knows_nothing_of_training_or_lessons() -> None:
    above = ["training", "lesson", "exercises", "recording", "cli"]
    succeed(
        "import mmcourse.alignment.numpy, mmcourse.alignment.torch, mmcourse.alignment.keras, sys\n"
        f"assert not [name for name in sys.modules if name.startswith(tuple('mmcourse.' + part for part in {above}))]"
    )
