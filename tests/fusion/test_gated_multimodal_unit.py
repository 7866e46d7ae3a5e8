"""What the gates of a gated multimodal unit are, in all halves."""

from typing import Any

import numpy as np
import pytest

from mmcourse import parity
from mmcourse.errors import ModalityError, ShapeError, UnknownModalityError
from mmcourse.fusion.numpy import gated_multimodal_unit
from mmcourse.parity import relative_error
from tests.fusion.halves import HALVES, NAMES, OUT, Arrays, Case, Keras, Numpy, Torch

ROUNDING = 1e-12
WHERE = "gated multimodal unit"
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_masks = pytest.mark.parametrize("masked", [False, True], ids=["complete", "masked"])


def gates(half: Any, case: Case) -> np.ndarray:
    """(batch, M, out)"""
    if half is Numpy:
        _, found = Numpy.formula(case, case.parameters, case.features, case.mask, return_gates=True)
        return np.stack([found[name] for name in case.dims], axis=1)
    if half is Torch:
        return Torch.build(case).gates(Torch.convert(case.features), Torch.convert(case.mask)).detach().numpy()
    return Keras.build(case).gates(case.features, case.mask).numpy()


def present(case: Case) -> np.ndarray:
    """(batch, M, 1)"""
    columns = [np.ones(case.batch, bool) if case.mask is None else case.mask[name] for name in case.dims]
    return np.stack(columns, axis=1)[..., None]


@over_halves
@over_masks
@pytest.mark.parametrize("count", [1, 2, 4])
def test_softmax_gates_of_a_feature_sum_to_one_over_the_present_modalities(count: int, masked: bool, half: Any) -> None:
    case = Case(WHERE, count, {"softmax": True, "out_dim": OUT}, masked)
    found = gates(half, case)
    assert found.shape == (case.batch, count, OUT)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=ROUNDING)
    np.testing.assert_array_equal(found > 0, np.broadcast_to(present(case), found.shape))


@over_halves
@over_masks
def test_gates_without_softmax_are_shares_of_their_own(masked: bool, half: Any) -> None:
    case = Case(WHERE, 3, {"softmax": False, "out_dim": OUT}, masked)
    found, (_, wanted) = gates(half, case), reference(case)
    assert relative_error(found, wanted) <= 1e-10
    assert np.abs(found.sum(axis=1) - 1).max() > 0.1
    np.testing.assert_array_equal(found > 0, np.broadcast_to(present(case), found.shape))


def reference(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Output and gates of the unit without softmax, example by example, feature by feature."""
    features = {name: np.where(np.isnan(x), 0, x) for name, x in case.features.items()}
    found = np.zeros((case.batch, case.count, OUT))
    output = np.zeros((case.batch, OUT))
    for i, (m, name), j in places(case):
        joined = np.concatenate([features[other][i] for other in case.dims])
        logit = joined @ case.parameters[f"kernels.{name}"][:, j] + case.parameters[f"biases.{name}"][j]
        here = case.mask is None or case.mask[name][i]
        found[i, m, j] = here / (1 + np.exp(-logit))
        output[i, j] += found[i, m, j] * np.tanh(features[name][i] @ case.parameters[f"projections.{name}"][:, j])
    return output, found


def places(case: Case) -> list[tuple[int, tuple[int, str], int]]:
    return [(i, named, j) for i in range(case.batch) for named in enumerate(case.dims) for j in range(OUT)]


@over_halves
@over_masks
def test_the_output_is_what_plain_loops_compute(masked: bool, half: Any) -> None:
    case = Case(WHERE, 3, {"softmax": False, "out_dim": OUT}, masked)
    output, _ = reference(case)
    assert relative_error(half.call(half.build(case), case.features, case.mask), output) <= 1e-10


@over_halves
def test_with_opposite_kernels_the_general_unit_of_two_is_the_bimodal_one(half: Any) -> None:
    """sigmoid(-l) = 1 - sigmoid(l), so kernels_2 = -kernels_1 makes h = z * h_1 + (1 - z) * h_2 of the general form.

    And softmax over l_1, l_2 is sigmoid(l_1 - l_2): the same with kernels_m half as large.
    """
    general = Case(WHERE, 2, {"softmax": False, "out_dim": OUT})
    first, second = general.dims
    tied = dict(general.parameters)
    for kind in ("kernels", "biases"):
        tied[f"{kind}.{second}"] = -tied[f"{kind}.{first}"]
    general = general.variant(given=tied)
    halved = {name: x / 2 if name.startswith(("kernels", "biases")) else x for name, x in tied.items()}
    bimodal = general.variant(options={"softmax": True, "out_dim": OUT}, given=halved)
    output = half.call(half.build(general), general.features)
    assert relative_error(half.call(half.build(bimodal), general.features), output) <= ROUNDING

    joined = np.concatenate(list(general.features.values()), axis=1)
    z = 1 / (1 + np.exp(-joined @ tied[f"kernels.{first}"] - tied[f"biases.{first}"]))
    h = [np.tanh(general.features[name] @ tied[f"projections.{name}"]) for name in general.dims]
    assert relative_error(output, z * h[0] + (1 - z) * h[1]) <= 1e-10


@over_halves
@pytest.mark.parametrize("softmax", [False, True])
def test_a_missing_modality_might_as_well_not_exist(softmax: bool, half: Any) -> None:
    """Neither in the sum nor in the other modalities' gates: with it masked everywhere, the unit of the others."""
    case = Case(WHERE, 3, {"softmax": softmax, "out_dim": OUT})
    gone = NAMES[1]
    mask = {gone: np.zeros(case.batch, bool)}
    kept = {name: width for name, width in case.dims.items() if name != gone}
    rows = np.concatenate([np.full(width, name != gone) for name, width in case.dims.items()])
    smaller = {
        name: x[rows] if name.startswith("kernels") else x
        for name, x in case.parameters.items()
        if not name.endswith(gone)
    }
    others = case.variant(count=2, widths=kept, given=smaller)
    output = half.call(half.build(others), {name: case.features[name] for name in kept})
    assert relative_error(half.call(half.build(case), case.features, mask), output) <= ROUNDING


def test_the_formula_takes_the_parameters_of_a_module_in_any_order() -> None:
    """PyTorch sorts the names of a ParameterDict; the columns go by `modalities`."""
    case = Case(WHERE, 3, {"softmax": False, "out_dim": OUT})
    module = Torch.build(case)
    arguments = parity.numpy_arguments(module)
    assert list(arguments["kernels"]) != list(case.dims)
    output = gated_multimodal_unit(case.features, list(case.dims), **arguments)
    assert relative_error(Torch.call(module, case.features), output) <= 1e-10


@over_halves
def test_gates_are_feature_by_feature(half: Any) -> None:
    """A move of one column of one kernel changes one feature of the output alone."""
    case = Case(WHERE, 3, {"softmax": True, "out_dim": OUT})
    moved = {name: x.copy() for name, x in case.parameters.items()}
    moved[f"kernels.{NAMES[0]}"][:, 2] += 1
    before, after = (half.call(half.build(c), case.features) for c in (case, case.variant(given=moved)))
    np.testing.assert_array_equal(np.abs(after - before).max(axis=0) > 1e-6, np.arange(OUT) == 2)


def test_far_logits_neither_overflow_nor_warn() -> None:
    x: Arrays = {"text": np.full((1, 1), 1e6), "image": np.ones((1, 1))}
    kernels = {"text": np.array([[-1.0], [0.0]]), "image": np.array([[1.0], [0.0]])}
    biases = {name: np.zeros(1) for name in x}
    with np.errstate(all="raise"):
        fused = gated_multimodal_unit(x, list(x), kernels=kernels, biases=biases)
    np.testing.assert_allclose(fused, [[np.tanh(1)]])


X = {"text": np.ones((2, 4)), "image": np.ones((2, 3))}
P = {"text": np.ones((4, 5)), "image": np.ones((3, 5))}
KERNELS = {name: np.ones((7, 5)) for name in X}
BIASES = {name: np.ones(5) for name in X}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"kernels": KERNELS | {"image": np.ones((3, 5))}}, ShapeError,
         "kernels.image: got shape (3, 5), wanted (7, 5)"),
        ({"biases": BIASES | {"text": np.ones(4)}}, ShapeError, "biases.text: got shape (4,), wanted (5,)"),
        ({"biases": {"text": np.ones(5)}}, UnknownModalityError,
         "image: got no bias, wanted an entry for each of "),
        ({"kernels": {"text": np.ones((7, 5))}}, UnknownModalityError, "image: got no kernel, wanted an entry for "),
        ({"modalities": ["text"]}, UnknownModalityError, "image: got projection of an unknown modality, wanted text"),
        ({"features": {}, "modalities": [], "projections": None}, UnknownModalityError, "features: got no modality, "),
    ],
)  # fmt: skip
def test_parameters_that_do_not_fit(changes: Any, error: type[ModalityError], message: str) -> None:
    arguments = {"features": X, "modalities": list(X), "projections": P, "kernels": KERNELS, "biases": BIASES} | changes
    with pytest.raises(error) as caught:
        gated_multimodal_unit(**arguments)
    assert str(caught.value).startswith(f"{WHERE}: {message}")


@pytest.mark.parametrize("name", ["kernels", "biases"])
def test_parameters_that_are_no_mapping(name: str) -> None:
    arguments = {"projections": P, "kernels": KERNELS, "biases": BIASES} | {name: np.ones((7, 5))}
    with pytest.raises(TypeError, match=f"{WHERE}: {name}: got ndarray, wanted a mapping"):
        gated_multimodal_unit(X, list(X), **arguments)
