"""NumPy, PyTorch and Keras compute the same function: outputs and gradients, on random shapes."""

import numpy as np
import pytest

from mmcourse.parity import relative_error
from tests.fusion.halves import Arrays, Case, Keras, Numpy, Torch, cases

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
DIFFERENCES = 1e-6
EVERY = cases() + cases((1, 4), dtype="float32")


def too_far(got: Arrays, wanted: Arrays, tolerance: float) -> dict[str, float]:
    """Return the parts of a gradient with an error too large against the largest entry of the whole gradient.

    Not to the part's own: where terms cancel (the logit of a softmax), a part may be nothing but rounding.
    """
    largest = max(np.abs(gradient).max() for gradient in wanted.values())
    errors = {name: float(np.abs(got[name] - wanted[name]).max() / largest) for name in wanted}
    return {name: error for name, error in errors.items() if not error <= tolerance}


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_outputs_agree(case: Case) -> None:
    referee = Numpy.call(Numpy.build(case), case.features, case.mask)
    for half in (Torch, Keras):
        output = half.call(half.build(case), case.features, case.mask)
        assert output.dtype == case.dtype
        assert relative_error(output, referee) <= TOLERANCE[case.dtype], half.name


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_gradients_agree(case: Case) -> None:
    torch, keras = (
        half.gradients(half.build(case), case.features, case.mask, case.cotangent) for half in (Torch, Keras)
    )
    assert torch.keys() == keras.keys() == case.shapes.keys() | {f"features.{name}" for name in case.dims}
    assert too_far(keras, torch, TOLERANCE[case.dtype]) == {}


@pytest.mark.parametrize("case", cases(), ids=str)
def test_gradients_agree_with_central_differences(case: Case) -> None:
    arguments = (case.features, case.mask, case.cotangent)
    differences = Numpy.gradients(Numpy.build(case), *arguments)
    gradients = Torch.gradients(Torch.build(case), *arguments)
    assert too_far(gradients, differences, DIFFERENCES) == {}


@pytest.mark.parametrize("case", [case for case in EVERY if case.gated], ids=str)
def test_gates_agree(case: Case) -> None:
    referee = Numpy.gate(Numpy.build(case), case.features, case.mask)
    assert referee.shape == (case.batch, case.count)
    for half in (Torch, Keras):
        assert relative_error(half.gate(half.build(case), case.features, case.mask), referee) <= TOLERANCE[case.dtype]


@pytest.mark.parametrize("half", [Torch, Keras], ids=["torch", "keras"])
@pytest.mark.parametrize("case", cases((3,)), ids=str)
def test_out_dim_is_the_width_of_the_output(case: Case, half: type[Torch | Keras]) -> None:
    module = half.build(case)
    output = half.call(module, case.features, case.mask)
    assert output.shape == (case.batch, module.out_dim)
    assert np.isfinite(output).all()
