"""The formulas load no framework; each framework half works where the other cannot be imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=name)
sys.meta_path.insert(0, Block())
"""
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


def succeed(code: str) -> None:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["mmcourse.alignment", "mmcourse.alignment.checks", "mmcourse.alignment.numpy"])
def test_the_formulas_load_neither_framework(name: str) -> None:
    succeed(f"import {name}, sys\nassert not {{'torch', 'tensorflow', 'keras', 'matplotlib'}} & set(sys.modules)")


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
