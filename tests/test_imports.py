"""What is loaded when; each framework half works where the other cannot be imported."""

import tomllib
from pathlib import Path
from pkgutil import iter_modules

import pytest

import mmcourse
from mmcourse import fusion
from tests.fresh import BLOCK, HEAVY, run, succeed

ROOT = Path(__file__).resolve().parent.parent
LIGHT = [
    "mmcourse",
    *(f"mmcourse.{module.name}" for module in iter_modules(mmcourse.__path__)),
    "mmcourse.alignment.checks",
    "mmcourse.alignment.numpy",
    "mmcourse.decoders.counts",
    "mmcourse.decoders.decoding",
    "mmcourse.decoders.numpy",
    "mmcourse.encoders.audio_checks",
    "mmcourse.encoders.counts",
    "mmcourse.encoders.image_positions",
    "mmcourse.encoders.numpy",
    "mmcourse.encoders.receptive_field",
    "mmcourse.encoders.sequence_checks",
    "mmcourse.data.command",
    "mmcourse.data.files",
    "mmcourse.checks",
    "mmcourse.fusion.numpy",
    "mmcourse.information",
]


def test_light_modules_load_neither_framework_nor_matplotlib() -> None:
    """In one process, module after module, so that the first at fault is named."""
    code = f"""
import importlib, sys
for name in {LIGHT!r}:
    importlib.import_module(name)
    loaded = [heavy for heavy in {HEAVY!r} if heavy in sys.modules]
    assert not loaded, f"{{name}} loads {{loaded}}"
"""
    succeed(code)


def test_submodules_are_attributes_that_load_at_first_use() -> None:
    code = """
import sys, mmcourse
assert not [name for name in sys.modules if name.startswith("mmcourse.fusion")]
mmcourse.fusion.numpy.weighted_sum
assert "mmcourse.fusion.numpy" in sys.modules and "mmcourse.fusion.torch" not in sys.modules
"""
    succeed(code)
    assert {"errors", "fusion", "parity"} <= set(dir(mmcourse))
    assert {"numpy", "torch", "keras"} <= set(dir(fusion))
    with pytest.raises(AttributeError, match=r"module 'mmcourse.fusion' has no attribute 'jax'"):
        fusion.jax  # noqa: B018


def test_the_torch_half_works_without_tensorflow_and_keras() -> None:
    code = (
        BLOCK.format(blocked={"tensorflow", "keras", "matplotlib"})
        + """
import torch, mmcourse
from mmcourse import parity
module = mmcourse.fusion.torch.GatedFusion({'image': 3, 'text': 4}, out_dim=5, hidden_size=2)
features = {'image': torch.ones(2, 3), 'text': torch.ones(2, 4)}
output = module(features).detach()
arrays = {m: x.numpy() for m, x in features.items()}
referee = mmcourse.fusion.numpy.gated_fusion(arrays, **parity.numpy_arguments(module))
assert parity.relative_error(output, referee) < 1e-5
parity.transfer(module, mmcourse.fusion.torch.GatedFusion({'image': 3, 'text': 4}, out_dim=5, hidden_size=2))
"""
    )
    succeed(code)


def test_the_keras_half_works_without_torch() -> None:
    code = (
        BLOCK.format(blocked={"torch", "matplotlib"})
        + """
import numpy, mmcourse
from mmcourse import parity
layer = mmcourse.fusion.keras.GatedFusion({'image': 3, 'text': 4}, out_dim=5, hidden_size=2)
features = {'image': numpy.ones((2, 3), 'float32'), 'text': numpy.ones((2, 4), 'float32')}
output = layer(features).numpy()
referee = mmcourse.fusion.numpy.gated_fusion(features, **parity.numpy_arguments(layer))
assert parity.relative_error(output, referee) < 1e-5
parity.transfer(layer, mmcourse.fusion.keras.GatedFusion({'image': 3, 'text': 4}, out_dim=5, hidden_size=2))
"""
    )
    succeed(code)


@pytest.mark.parametrize("half", ["torch", "keras"])
def test_a_half_whose_framework_is_absent_says_so(half: str) -> None:
    done = run(BLOCK.format(blocked={half}) + f"import mmcourse\nmmcourse.fusion.{half}")
    assert done.returncode != 0
    assert f"ModuleNotFoundError: No module named '{half}'" in done.stderr


def test_the_version_is_that_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert mmcourse.__version__ == project["version"]


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "mmcourse" / "py.typed").exists()
