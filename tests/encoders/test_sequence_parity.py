"""NumPy, PyTorch and Keras compute the same sequence encoders: outputs, states, gradients."""

import numpy as np
import pytest

from mmcourse.parity import parameters, relative_error
from tests.encoders.sequence_halves import TRAINABLE, Arrays, Case, Keras, Numpy, Torch, cases

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
DIFFERENCES = 1e-6
EVERY = cases() + cases(("gaps",), dtype="float32")


def too_far(got: Arrays, wanted: Arrays, tolerance: float) -> dict[str, float]:
    """Return the parts of a gradient with an error too large against the largest entry of the whole gradient.

    Not to the part's own: where terms cancel (the bias of attention's keys), a part may be nothing but rounding.
    """
    largest = max(np.abs(gradient).max() for gradient in wanted.values())
    errors = {name: float(np.abs(got[name] - wanted[name]).max() / largest) for name in wanted}
    return {name: error for name, error in errors.items() if not error <= tolerance}


@pytest.mark.parametrize("half", TRAINABLE, ids=["torch", "keras"])
@pytest.mark.parametrize("case", cases(("none",)), ids=str)
def test_parameters_have_the_names_and_shapes_of_the_formula(case: Case, half: type[Torch | Keras]) -> None:
    module = half.new(case.concept, **case.options)
    assert {name: array.shape for name, array in parameters(module).items()} == case.shapes


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_outputs_and_states_agree(case: Case) -> None:
    referee = Numpy.call(case, case.sequence, case.mask)
    for half in TRAINABLE:
        module = half.build(case)
        outputs = half.call(module, case.sequence, case.mask)
        assert outputs[0].shape == (case.batch, case.time, module.out_dim)
        for output, wanted in zip(outputs, referee, strict=True):
            assert output.dtype == case.dtype
            assert relative_error(output, wanted) <= TOLERANCE[case.dtype], half.name


@pytest.mark.parametrize("case", [case for case in cases(("none", "gaps")) if case.recurrent], ids=str)
def test_outputs_agree_from_a_state_to_begin_with(case: Case) -> None:
    arguments = (case.sequence, case.mask, case.initial_state)
    referee = Numpy.call(case, *arguments)
    for half in TRAINABLE:
        outputs = half.call(half.build(case), *arguments)
        assert all(relative_error(a, b) <= TOLERANCE["float64"] for a, b in zip(outputs, referee, strict=True))


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_gradients_agree(case: Case) -> None:
    torch, keras = (half.gradients(half.build(case), case.sequence, case.mask, case.cotangents) for half in TRAINABLE)
    floating = set() if case.concept == "embedding" else {"sequence"}
    assert torch.keys() == keras.keys() == case.shapes.keys() | floating
    assert too_far(keras, torch, TOLERANCE[case.dtype]) == {}


@pytest.mark.parametrize("case", cases(("gaps",)), ids=str)
def test_gradients_agree_with_central_differences(case: Case) -> None:
    differences = Numpy.gradients(case, case.sequence, case.mask, case.cotangents)
    gradients = Torch.gradients(Torch.build(case), case.sequence, case.mask, case.cotangents)
    assert too_far(gradients, differences, DIFFERENCES) == {}


@pytest.mark.parametrize("case", [case for case in EVERY if case.concept == "self_attention"], ids=str)
def test_attention_weights_agree(case: Case) -> None:
    referee = Numpy.weights(case, case.sequence, case.mask)
    assert referee.shape == (case.batch, case.sizes["heads"], case.time, case.time)
    for half in TRAINABLE:
        weights = half.weights(half.build(case), case.sequence, case.mask)
        assert relative_error(weights, referee) <= TOLERANCE[case.dtype], half.name
