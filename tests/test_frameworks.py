"""Triton goes before TensorFlow, and is left alone where that is too late or pointless."""

import subprocess
import sys

import pytest

FAKES = ("triton", "tensorflow")


def loaded(folder, code, *installed):
    """Names of the fakes that a fresh process has loaded after `code`, with only `installed` to be found."""
    for name in installed:
        (folder / f"{name}.py").write_text("")
    hide = [name for name in FAKES if name not in installed]
    program = f"""
import sys
sys.path.insert(0, {str(folder)!r})
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in {hide!r} else real(name)
from mmcourse.frameworks import load_triton_before_tensorflow
{code}
print([name for name in {FAKES!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


CALL = "load_triton_before_tensorflow()"


@pytest.mark.parametrize(
    ("installed", "code", "wanted"),
    [
        (("triton", "tensorflow"), CALL, "['triton']"),
        (("triton",), CALL, "[]"),  # half a second saved where there is nothing to fear
        (("tensorflow",), CALL, "[]"),
        (("triton", "tensorflow"), f"import tensorflow; {CALL}", "['tensorflow']"),  # too late: loading it would crash
    ],
)
def test_triton_is_loaded_first_and_only_where_it_helps(tmp_path, installed, code, wanted):
    assert loaded(tmp_path, code, *installed) == wanted


@pytest.mark.parametrize("half", ["torch", "keras"])
def test_both_halves_see_to_it(half):
    program = f"""
import mmcourse.frameworks as frameworks
called = []
frameworks.load_triton_before_tensorflow = lambda: called.append("{half}")
import mmcourse.fusion.{half}
print(set(called))  # its encoders see to it, too
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{{'{half}'}}"
