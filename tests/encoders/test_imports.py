"""The package loads no framework; its torch half needs neither TensorFlow nor training."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmcourse import encoders

ROOT = Path(__file__).resolve().parents[2]


def succeed(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_package_loads_neither_framework() -> None:
    succeed(
        "import mmcourse.encoders, sys\nassert not {'torch', 'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)"
    )


def test_the_torch_half_loads_neither_tensorflow_nor_what_stands_above_it() -> None:
    succeed(
        "import sys\nsys.modules.update(dict.fromkeys(['tensorflow', 'keras', 'matplotlib']))\n"
        "import torch, mmcourse.encoders\n"
        "assert mmcourse.encoders.torch.MeanOfWords(3)(torch.tensor([[1, 2]])).shape == (1, 128)\n"
        "above = ('mmcourse.training', 'mmcourse.data', 'mmcourse.alignment', 'mmcourse.lesson')\n"
        "assert not [name for name in sys.modules if name.startswith(above)]"
    )


def test_submodules_are_listed_and_others_refused() -> None:
    assert "torch" in dir(encoders)
    with pytest.raises(AttributeError, match=r"module 'mmcourse.encoders' has no attribute 'jax'"):
        encoders.jax  # noqa: B018
