"""The package and its formulas load no framework; each half needs neither the other nor what stands above it."""

import pytest

from mmcourse import encoders
from tests.fresh import BLOCK, NOTHING_HEAVY, succeed


def test_the_package_and_its_formulas_load_neither_framework() -> None:
    succeed(f"import mmcourse.encoders.numpy{NOTHING_HEAVY}")


def test_the_torch_half_loads_neither_tensorflow_nor_what_stands_above_it() -> None:
    succeed(
        "import sys\nsys.modules.update(dict.fromkeys(['tensorflow', 'keras', 'matplotlib']))\n"
        "import torch, mmcourse.encoders\n"
        "assert mmcourse.encoders.torch.MeanOfWords(3)(torch.tensor([[1, 2]])).shape == (1, 128)\n"
        "assert mmcourse.encoders.torch.GRUEncoder(3, hidden_size=2)(torch.ones(1, 4, 3))[0].shape == (1, 4, 2)\n"
        "assert mmcourse.encoders.torch.ResNet(widths=[2], depths=[1])(torch.rand(2, 3, 8, 8)).shape == (2, 2)\n"
        "above = ('mmcourse.training', 'mmcourse.data', 'mmcourse.alignment', 'mmcourse.lesson')\n"
        "assert not [name for name in sys.modules if name.startswith(above)]"
    )


def test_the_keras_half_needs_neither_torch_nor_what_stands_above_it() -> None:
    succeed(
        BLOCK.format(blocked={"torch", "matplotlib"}) + "import numpy, mmcourse.encoders\n"
        "layer = mmcourse.encoders.keras.GRUEncoder(3, hidden_size=2)\n"
        "assert layer(numpy.ones((1, 4, 3), 'float32'))[0].shape == (1, 4, 2)\n"
        "layer = mmcourse.encoders.keras.ResNet(widths=[2], depths=[1])\n"
        "assert layer(numpy.ones((2, 3, 8, 8), 'float32')).shape == (2, 2)\n"
        "above = ('mmcourse.training', 'mmcourse.data', 'mmcourse.alignment', 'mmcourse.lesson')\n"
        "assert not [name for name in sys.modules if name.startswith(above)]"
    )


def test_submodules_are_listed_and_others_refused() -> None:
    assert "torch" in dir(encoders)
    with pytest.raises(AttributeError, match=r"module 'mmcourse.encoders' has no attribute 'jax'"):
        encoders.jax  # noqa: B018
