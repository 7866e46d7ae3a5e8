"""Laws that every fusion obeys, whatever its parameters."""

from typing import Any

import numpy as np
import pytest

from mmcourse.fusion.numpy import concatenation, weighted_sum
from mmcourse.parity import parameters, relative_error
from tests.fusion.halves import HALVES, TRAINABLE, Arrays, Case, Numpy, cases

ROUNDING = 1e-12
EVERY = cases((1, 3))
SEVERAL = cases((3,))
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)


def parameters_without_gradient(case: Case) -> set[str]:
    """The proven exceptions.

    With one modality a softmax is exp(s) / exp(s) = 1 for every s: neither its logits nor what they are computed from
    can change the output.
    """
    if case.count == 1 and case.options.get("softmax"):
        return {"weights.text", "kernels.text", "biases.text"} & case.shapes.keys()
    if case.count == 1 and case.concept == "gated fusion":
        return {"kernel", "bias", "score"} & case.shapes.keys()
    if case.count == 1 and case.options.get("learned") and case.options.get("rule") == "mean":
        return {"weights.text"}  # the share of a single classifier, a softmax too
    return set()


@over_trainable
@pytest.mark.parametrize("case", [case for case in SEVERAL if not case.masked], ids=str)
def test_every_parameter_is_drawn_when_a_module_is_made(case: Case, half: Any) -> None:
    """In PyTorch a parameter is NaN before reset_parameters."""
    for name, parameter in parameters(half.new(case.concept, case.dims, **case.options)).items():
        assert np.isfinite(parameter).all(), name


@over_trainable
@pytest.mark.parametrize("case", EVERY, ids=str)
def test_every_parameter_receives_a_gradient(case: Case, half: Any) -> None:
    module = half.build(case)
    gradients = half.gradients(module, case.features, case.mask, case.cotangent)
    for name in case.shapes:
        largest = np.abs(gradients[name]).max()
        if name in parameters_without_gradient(case):
            assert largest < ROUNDING, name
        else:
            assert largest > 1e-6, name


@over_trainable
@pytest.mark.parametrize("case", [case for case in EVERY if case.shapes], ids=str)
def test_a_step_changes_the_output(case: Case, half: Any) -> None:
    if parameters_without_gradient(case) == case.shapes.keys():
        return  # the only parameters are those that cannot matter
    module = half.build(case)
    before = half.call(module, case.features, case.mask)
    half.step(module, half.gradients(module, case.features, case.mask, case.cotangent))
    assert relative_error(half.call(module, case.features, case.mask), before) > 1e-6


@over_halves
@pytest.mark.parametrize("case", EVERY, ids=str)
def test_every_modality_changes_the_output(case: Case, half: Any) -> None:
    module = half.build(case)
    before = half.call(module, case.features, case.mask)
    for modality, x in case.features.items():
        after = half.call(module, case.features | {modality: x + 0.5}, case.mask)
        changed = np.abs(after - before).max(axis=1) > 1e-6
        present = np.ones(case.batch, bool) if case.mask is None else case.mask[modality]
        if not case.known.alone and case.mask is not None:
            present = np.logical_and.reduce(list(case.mask.values()))
        np.testing.assert_array_equal(changed, present, err_msg=modality)


@over_halves
@pytest.mark.parametrize("case", SEVERAL, ids=str)
def test_the_order_in_which_modalities_come_does_not_matter(case: Case, half: Any) -> None:
    module = half.build(case)
    mask = None if case.mask is None else backwards(case.mask)
    other = half.call(module, backwards(case.features), mask)
    assert relative_error(other, half.call(module, case.features, case.mask)) <= ROUNDING


@over_halves
@pytest.mark.parametrize("case", [case for case in SEVERAL if case.masked], ids=str)
def test_what_a_missing_row_holds_has_no_influence(case: Case, half: Any) -> None:
    module = half.build(case)
    zeros = {name: np.nan_to_num(x) for name, x in case.features.items()}
    wanted = half.call(module, zeros, case.mask)
    wanted_gradients = half.gradients(module, zeros, case.mask, case.cotangent)
    for filling in (np.nan, np.inf, 1e300)[: 1 if half is Numpy else 3]:  # central differences take long
        filled = {name: np.where(case.mask[name][:, None], x, filling) for name, x in case.features.items()}
        np.testing.assert_array_equal(half.call(module, filled, case.mask), wanted)
        gradients = half.gradients(module, filled, case.mask, case.cotangent)
        for name, gradient in gradients.items():
            if name.startswith("features."):
                missing = ~case.mask[name.removeprefix("features.")]
                np.testing.assert_array_equal(gradient[missing], 0, err_msg=name)
            np.testing.assert_array_equal(gradient, wanted_gradients[name], err_msg=name)


@over_halves
@pytest.mark.parametrize("case", [case for case in SEVERAL if case.masked], ids=str)
def test_a_modality_without_a_mask_is_present_everywhere(case: Case, half: Any) -> None:
    module = half.build(case)
    first = next(iter(case.dims))
    features = case.features | {first: np.nan_to_num(case.features[first])}
    ones = half.call(module, features, case.mask | {first: np.ones(case.batch, bool)})
    without = half.call(module, features, {name: here for name, here in case.mask.items() if name != first})
    np.testing.assert_array_equal(without, ones)


@over_halves
@pytest.mark.parametrize("case", [case for case in EVERY if case.gated], ids=str)
def test_gate_weights_sum_to_one_over_the_present_modalities(case: Case, half: Any) -> None:
    gate = half.gate(half.build(case), case.features, case.mask)
    present = np.ones_like(gate, bool) if case.mask is None else np.stack(list(case.mask.values()), axis=1)
    assert gate.shape == (case.batch, case.count)
    np.testing.assert_allclose(gate.sum(axis=1), 1, rtol=ROUNDING)
    np.testing.assert_array_equal(gate > 0, present)


@over_halves
@pytest.mark.parametrize("softmax", [False, True], ids=["plain", "softmax"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_weights_sum_to_one_under_a_softmax_and_are_not_renormalised_without(
    count: int, softmax: bool, half: Any
) -> None:
    case = Case("weighted sum", count, {"softmax": softmax}, masked=True, seed=count)
    ones = {
        name: np.where(case.mask[name][:, None], 1.0, np.nan) * np.ones_like(x) for name, x in case.features.items()
    }
    output = half.call(half.build(case), ones, case.mask)
    present = sum(case.mask[name] * case.parameters[f"weights.{name}"] for name in case.dims)
    wanted = np.ones(case.batch) if softmax else present
    np.testing.assert_allclose(output, np.broadcast_to(wanted[:, None], output.shape), rtol=ROUNDING)


@over_halves
@pytest.mark.parametrize("case", SEVERAL, ids=str)
def test_rows_of_a_batch_are_independent(case: Case, half: Any) -> None:
    module = half.build(case)
    together = half.call(module, case.features, case.mask)
    parts = [slice(0, 1), slice(1, None)]
    apart = [half.call(module, rows(case.features, part), rows(case.mask, part)) for part in parts]
    assert relative_error(np.concatenate(apart), together) <= ROUNDING


@over_halves
@pytest.mark.parametrize("factor", [3.0, -0.7])
@pytest.mark.parametrize("masked", [False, True], ids=["complete", "masked"])
def test_weights_times_c_and_projections_over_c_are_the_same_function(masked: bool, factor: float, half: Any) -> None:
    case = Case("weighted sum", 3, {"out_dim": 5}, masked)
    scaled = {
        name: parameter * factor if name.startswith("weights.") else parameter / factor
        for name, parameter in case.parameters.items()
    }
    output = half.call(half.build(case.variant(given=scaled)), case.features, case.mask)
    assert relative_error(output, half.call(half.build(case), case.features, case.mask)) <= ROUNDING


@over_halves
@pytest.mark.parametrize("masked", [False, True], ids=["complete", "masked"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_concatenation_then_linear_is_a_weighted_sum_with_matrix_weights(count: int, masked: bool, half: Any) -> None:
    """[x_1, x_2] K + b = x_1 K_1 + x_2 K_2 + b, K_m the rows that meet x_m: any weights w_m with P_m = K_m / w_m."""
    case = Case("concatenation", count, {"out_dim": 5}, masked)
    kernel, bias = case.parameters["kernel"], case.parameters["bias"]
    weights = dict(zip(case.dims, (0.3, -2.0, 5.0, 0.01), strict=False))
    blocks = np.split(kernel, np.cumsum(list(case.dims.values()))[:-1])
    projections = {name: block / weights[name] for name, block in zip(weights, blocks, strict=True)}
    wanted = weighted_sum(case.features, weights, projections=projections, mask=case.mask) + bias
    assert relative_error(half.call(half.build(case), case.features, case.mask), wanted) <= ROUNDING


def test_concatenation_puts_each_modality_into_its_own_columns() -> None:
    features = {"image": np.array([[3.0]]), "text": np.array([[1.0, 2.0]])}
    np.testing.assert_array_equal(concatenation(features, ["text", "image"]), [[1, 2, 3]])
    missing = {"text": np.array([False])}
    np.testing.assert_array_equal(concatenation(features, ["text", "image"], mask=missing), [[0, 0, 3]])


@pytest.mark.parametrize("ratio", [1.5, 2.0, 3.0, 10.0])
def test_equal_weights_keep_the_fused_vector_near_the_larger_one(ratio: float) -> None:
    """|x| = k |y| and F = (x + y) / 2 give cos(F, x) >= sqrt(1 - 1/k^2), with equality where F is perpendicular to y.

    The sine of the angle between F and x is the distance of x from the line of F over |x|, which is at most |y| / |x|.
    """
    bound = np.sqrt(1 - 1 / ratio**2)
    rng = np.random.default_rng(0)
    for dim in (2, 3, 50):
        larger, smaller = (unit(rng.normal(size=(2000, dim))) for _ in range(2))
        assert cosines(ratio * larger, smaller).min() >= bound - ROUNDING

    worst = np.array([[-1 / ratio, bound]])  # at right angles to (ratio, 0) + worst
    assert cosines(np.array([[ratio, 0.0]]), worst)[0] == pytest.approx(bound, rel=ROUNDING)
    nearby = unit(worst + 0.01 * rng.normal(size=(2000, 2)))
    assert cosines(np.array([[ratio, 0.0]]), nearby).min() == pytest.approx(bound, abs=1e-4)


def cosines(larger: np.ndarray, smaller: np.ndarray) -> np.ndarray:
    """Cosine between the equally weighted sum and the larger vector, row by row."""
    larger = np.broadcast_to(larger, smaller.shape)
    fused = weighted_sum({"larger": larger, "smaller": smaller}, {"larger": 0.5, "smaller": 0.5})
    return (unit(fused) * unit(larger)).sum(axis=1)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def backwards(mapping: Arrays) -> Arrays:
    return dict(reversed(mapping.items()))


def rows(arrays: Arrays | None, part: slice) -> Arrays | None:
    return None if arrays is None else {name: array[part] for name, array in arrays.items()}


@over_trainable
def test_constant_weights_are_no_parameters(half: Any) -> None:
    case = Case("weighted sum", 2, {"learned": False})
    module = half.build(case)
    gradients = half.gradients(module, case.features, None, case.cotangent)
    assert gradients.keys() == {"features.text", "features.image"}
    wanted = Numpy.call(Numpy.build(case), case.features)
    assert relative_error(half.call(module, case.features), wanted) <= ROUNDING


@over_trainable
@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, {"text": 0.5, "image": 0.5}),
        ({"softmax": True}, {"text": 0.0, "image": 0.0}),
        ({"weights": {"image": 0.9, "text": 0.1}}, {"text": 0.1, "image": 0.9}),
    ],
    ids=["equal shares", "equal logits", "given"],
)
def test_weights_to_begin_with(options: dict[str, Any], wanted: dict[str, float], half: Any) -> None:
    features = {"text": np.ones((1, 1), np.float32), "image": np.full((1, 1), 10, np.float32)}
    module = half.new("weighted sum", {"text": 1, "image": 1}, **options)
    share = dict.fromkeys(wanted, 0.5) if options.get("softmax") else wanted
    np.testing.assert_allclose(half.call(module, features), [[share["text"] + 10 * share["image"]]], rtol=1e-6)
