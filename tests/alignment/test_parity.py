"""NumPy, PyTorch and Keras compute the same losses: values and gradients, as functions and as modules."""

from typing import Any

import numpy as np
import pytest

from mmcourse.parity import parameters, relative_error, transfer
from tests.alignment.halves import TRAINABLE, Arrays, Case, Keras, Numpy, Torch, cases, of_each_loss

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
DIFFERENCES = 1e-6
ROUNDING = {
    "float64": 1e-14,
    "float32": 1e-6,
}  # all there is where one row or one group has nothing to be confused with
EVERY = cases() + cases(dtype="float32")
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)


def too_far(got: Arrays, wanted: Arrays, dtype: str) -> dict[str, float]:
    """Return the parts of a gradient with an error too large against the largest entry of the whole gradient."""
    assert got.keys() == wanted.keys()
    largest = max(np.abs(gradient).max() for gradient in wanted.values())
    errors = {name: float(np.abs(got[name] - wanted[name]).max()) for name in wanted}
    return {name: error for name, error in errors.items() if not error <= TOLERANCE[dtype] * largest + ROUNDING[dtype]}


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_values_agree(case: Case) -> None:
    referee = Numpy.call(case)
    for half in TRAINABLE:
        value = half.call(case)
        assert value.dtype == case.dtype
        assert value.shape == ()
        assert abs(value - referee) <= TOLERANCE[case.dtype] * abs(referee) + ROUNDING[case.dtype], half.name


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_gradients_agree(case: Case) -> None:
    assert too_far(Keras.gradients(case), Torch.gradients(case), case.dtype) == {}


@pytest.mark.parametrize("case", cases(), ids=str)
def test_gradients_agree_with_central_differences(case: Case) -> None:
    differences, gradients = Numpy.gradients(case), Torch.gradients(case)
    largest = max(np.abs(gradient).max() for gradient in gradients.values())
    for name, gradient in gradients.items():
        # A loss that is constant has differences of its own rounding.
        assert np.abs(gradient - differences[name]).max() <= DIFFERENCES * largest + 1e-10, name


@over_trainable
@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_module_is_the_function_of_its_scale(case: Case, half: Any) -> None:
    value = half.run(half.build(case), case.arrays)
    assert abs(value - Numpy.call(case)) <= TOLERANCE[case.dtype] * abs(Numpy.call(case)) + ROUNDING[case.dtype]


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_the_gradients_of_parameters_agree(case: Case) -> None:
    torch, keras = (half.parameter_gradients(half.build(case), case.arrays) for half in (Torch, Keras))
    assert torch.keys() == case.parameters.keys()
    assert too_far(keras, torch, case.dtype) == {}


@pytest.mark.parametrize("case", of_each_loss(), ids=str)
def test_parameters_carry_over_by_name(case: Case) -> None:
    module, layer = Torch.build(case), Keras.new(case.loss, dtype="float64", **case.options)
    transfer(module, layer)
    assert parameters(layer) == parameters(module)
    assert relative_error(Keras.run(layer, case.arrays), Torch.run(module, case.arrays)) <= 1e-12
