"""NumPy, PyTorch and Keras compute the same function of pictures: outputs, gradients, running statistics."""

import numpy as np
import pytest

from mmcourse import parity
from mmcourse.parity import relative_error
from tests.encoders.image_halves import (
    STATISTICS,
    WITH_BATCH_NORM,
    Arrays,
    Case,
    Keras,
    Numpy,
    Torch,
    network_cases,
    part_cases,
)

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
DIFFERENCES = 1e-6
DOUBLE = part_cases() + network_cases()
EVERY = DOUBLE + part_cases(dtype="float32") + network_cases(dtype="float32")
WITH_STATISTICS = [case for case in DOUBLE if case.concept in WITH_BATCH_NORM and case.training]


def too_far(got: Arrays, wanted: Arrays, tolerance: float) -> dict[str, float]:
    """Return the parts of a gradient with an error too large against the largest entry of the whole gradient."""
    largest = max(np.abs(gradient).max() for gradient in wanted.values())
    errors = {name: float(np.abs(got[name] - wanted[name]).max() / largest) for name in wanted}
    return {name: error for name, error in errors.items() if not error <= tolerance}


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_outputs_agree(case: Case) -> None:
    referee = Numpy.call(Numpy.build(case), case.images)
    assert referee.dtype == np.float64
    for half in (Torch, Keras):
        module = half.build(case)
        assert {name: array.shape for name, array in parity.parameters(module).items()} == case.shapes
        output = half.call(module, case.images)
        assert output.dtype == case.dtype
        assert relative_error(output, referee) <= TOLERANCE[case.dtype], half.name


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_gradients_agree(case: Case) -> None:
    torch, keras = (half.gradients(half.build(case), case.images, case.cotangent) for half in (Torch, Keras))
    assert torch.keys() == keras.keys() == {*case.trained, "images"}
    assert too_far(keras, torch, TOLERANCE[case.dtype]) == {}


@pytest.mark.parametrize("case", DOUBLE, ids=str)
def test_gradients_agree_with_central_differences(case: Case) -> None:
    """One random direction for each array: a fault in any entry of a gradient shows in its slope."""
    gradients = Torch.gradients(Torch.build(case), case.images, case.cotangent)
    rng = np.random.default_rng(case.seed)
    directions = {name: rng.normal(size=gradient.shape) for name, gradient in gradients.items()}
    slopes = {name: (gradient * directions[name]).sum() for name, gradient in gradients.items()}
    assert too_far(slopes, Numpy.slopes(case, directions), DIFFERENCES) == {}


@pytest.mark.parametrize("case", WITH_STATISTICS, ids=str)
def test_running_statistics_agree_after_a_batch_in_training(case: Case) -> None:
    after = {}
    for half in (Torch, Keras):
        module = half.build(case)
        half.call(module, case.images)
        after[half.name] = {name: x for name, x in parity.parameters(module).items() if name.endswith(STATISTICS)}
    for name, keras in after["keras"].items():
        assert relative_error(keras, after["torch"][name]) <= TOLERANCE["float64"], name
        assert relative_error(keras, case.parameters[name]) > 1e-3, name
    if case.concept == "batch_norm":
        _, running = Numpy.call(Numpy.build(case), case.images, return_running=True)
        for name, wanted in running.items():
            assert relative_error(after["torch"][name], wanted) <= TOLERANCE["float64"], name
