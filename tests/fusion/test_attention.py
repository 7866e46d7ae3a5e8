"""Cross-attention and attention pooling: parity of the halves, laws, and the frameworks' own layers."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from mmcourse.parity import parameters, relative_error
from tests.fusion.attention_halves import CASES, HALVES, MASKED, PLAIN, TRAINABLE, Arrays, Case, Numpy, Torch

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
ROUNDING = 1e-12
EVERY = CASES + [case.variant(dtype="float32") for case in MASKED]
CROSS = [case for case in CASES if not case.pooling]
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
over_cases = pytest.mark.parametrize("case", CASES, ids=str)
over_masked = pytest.mark.parametrize("case", MASKED, ids=str)


def too_far(got: Arrays, wanted: Arrays, tolerance: float) -> dict[str, float]:
    """The parts of a gradient with an error too large against the largest entry of the whole gradient."""
    largest = max(np.abs(gradient).max() for gradient in wanted.values())
    errors = {name: float(np.abs(got[name] - wanted[name]).max() / largest) for name in wanted}
    return {name: error for name, error in errors.items() if not error <= tolerance}


@over_trainable
@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_parameters_have_the_names_and_shapes_of_the_formula(case: Case, half: Any) -> None:
    assert {name: array.shape for name, array in parameters(half.build(case)).items()} == case.shapes


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_outputs_and_weights_agree(case: Case) -> None:
    wanted, weights = Numpy.call(case, case.inputs, case.mask, return_weights=True)
    assert wanted.shape == (case.batch, case.queries, case.dim)
    assert weights.shape == (case.batch, case.heads, case.queries, case.keys)
    for half in TRAINABLE:
        module = half.build(case)
        got = half.call(module, case.inputs, case.mask)
        assert got.dtype == case.dtype
        assert relative_error(got, wanted) <= TOLERANCE[case.dtype], half.name
        assert relative_error(half.weights(module, case.inputs, case.mask), weights) <= TOLERANCE[case.dtype]


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_gradients_agree(case: Case) -> None:
    one, other = (half.gradients(half.build(case), case.inputs, case.mask, case.cotangent) for half in TRAINABLE)
    assert one.keys() == other.keys() == case.shapes.keys() | {f"{name} given" for name in case.inputs}
    assert too_far(other, one, TOLERANCE[case.dtype]) == {}


@over_cases
def test_gradients_agree_with_central_differences(case: Case) -> None:
    differences = Numpy.gradients(case, case.inputs, case.mask, case.cotangent)
    gradients = Torch.gradients(Torch.build(case), case.inputs, case.mask, case.cotangent)
    assert too_far(gradients, differences, 1e-6) == {}


@over_trainable
@over_cases
def test_every_parameter_receives_a_gradient(case: Case, half: Any) -> None:
    """But the bias of the keys: it adds one number to all scores of a query, which the softmax does not see."""
    gradients = half.gradients(half.build(case), case.inputs, case.mask, case.cotangent)
    for name in case.shapes:
        largest = np.abs(gradients[name]).max()
        assert largest < ROUNDING if name == "key.bias" else largest > 1e-6, name


@over_trainable
@over_cases
def test_a_step_changes_the_output(case: Case, half: Any) -> None:
    module = half.build(case)
    before = half.call(module, case.inputs, case.mask)
    half.step(module, half.gradients(module, case.inputs, case.mask, case.cotangent))
    assert relative_error(half.call(module, case.inputs, case.mask), before) > 1e-6


@over_halves
@over_cases
def test_weights_of_a_query_sum_to_one_over_the_keys_present(case: Case, half: Any) -> None:
    weights = half.weights(half.build(case), case.inputs, case.mask)
    gets = np.broadcast_to(case.gets[:, None], weights.shape[:3])
    np.testing.assert_allclose(weights.sum(axis=3), gets, rtol=1e-12)
    present = case.mask["keys"] if case.mask else np.ones((case.batch, case.keys), bool)
    np.testing.assert_array_equal(weights > 0, gets[..., None] & present[:, None, None])


@over_halves
@over_cases
def test_the_output_is_the_values_mixed_by_the_weights(case: Case, half: Any) -> None:
    module, p = half.build(case), case.parameters
    values = np.split(np.nan_to_num(case.inputs["keys"]) @ p["value.kernel"] + p["value.bias"], case.heads, axis=2)
    weights = half.weights(module, case.inputs, case.mask)
    mixed = np.concatenate([weights[:, head] @ values[head] for head in range(case.heads)], axis=2)
    wanted = np.where(case.gets[..., None], mixed @ p["out.kernel"] + p["out.bias"], 0)
    assert relative_error(half.call(module, case.inputs, case.mask), wanted) <= ROUNDING


@over_halves
@over_cases
def test_the_order_of_keys_does_not_matter(case: Case, half: Any) -> None:
    order, module = np.array([3, 0, 4, 1, 2]), half.build(case)
    turned = case.inputs | {"keys": case.inputs["keys"][:, order]}
    mask = case.mask and case.mask | {"keys": case.mask["keys"][:, order]}
    before = half.call(module, case.inputs, case.mask)
    np.testing.assert_allclose(half.call(module, turned, mask), before, rtol=0, atol=ROUNDING)


@over_halves
@pytest.mark.parametrize("case", CROSS, ids=str)
def test_outputs_follow_the_order_of_queries(case: Case, half: Any) -> None:
    order, module = np.array([2, 0, 3, 1]), half.build(case)
    turned = case.inputs | {"queries": case.inputs["queries"][:, order]}
    mask = case.mask and case.mask | {"queries": case.mask["queries"][:, order]}
    before = half.call(module, case.inputs, case.mask)
    np.testing.assert_allclose(half.call(module, turned, mask), before[:, order], rtol=0, atol=ROUNDING)


@over_halves
@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_with_one_key_the_output_is_the_same_for_every_query(case: Case, half: Any) -> None:
    """It is the key's own value, projected: the query is not asked."""
    keys, p = case.inputs["keys"][:, :1], case.parameters
    wanted = (keys @ p["value.kernel"] + p["value.bias"]) @ p["out.kernel"] + p["out.bias"]
    got = half.call(half.build(case), case.inputs | {"keys": keys})
    np.testing.assert_allclose(got, np.broadcast_to(wanted, got.shape), rtol=0, atol=1e-11)


@over_halves
@over_masked
def test_what_a_masked_step_holds_has_no_influence(case: Case, half: Any) -> None:
    module = half.build(case)
    before = half.call(module, case.inputs, case.mask)
    assert np.isfinite(before).all()
    for filling in (0.0, np.inf, 1e300):
        np.testing.assert_array_equal(half.call(module, case.filled(filling), case.mask), before)


@over_trainable
@over_masked
def test_what_a_masked_step_holds_has_no_influence_on_gradients(case: Case, half: Any) -> None:
    module = half.build(case)
    gradients = half.gradients(module, case.inputs, case.mask, case.cotangent)
    same = half.gradients(module, case.filled(0.5), case.mask, case.cotangent)
    for name, gradient in gradients.items():
        assert np.isfinite(gradient).all(), name
        np.testing.assert_array_equal(gradient, same[name], err_msg=name)
    for name, here in case.mask.items():
        np.testing.assert_array_equal(gradients[f"{name} given"][~here], 0)


@over_trainable
def test_weights_have_a_finite_gradient_even_where_a_query_gets_zero(half: Any) -> None:
    case = next(case for case in MASKED if not case.pooling)
    module = half.build(case)
    if half is Torch:
        Torch.result(module.attention_weights, case.filled(0.0), case.mask).square().sum().backward()
        gradient = module.query.kernel.grad.numpy()
    else:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(half.result(module.attention_weights, case.filled(0.0), case.mask) ** 2)
        gradient = tape.gradient(loss, module.query.kernel.value).numpy()
    assert np.isfinite(gradient).all()
    assert gradient.any()


@over_halves
@over_masked
def test_a_query_gets_zero_where_it_is_masked_or_has_no_key(case: Case, half: Any) -> None:
    output = half.call(half.build(case), case.inputs, case.mask)
    np.testing.assert_array_equal((output != 0).any(axis=2), case.gets)


@over_halves
@over_masked
def test_a_masked_key_might_as_well_not_be_there(case: Case, half: Any) -> None:
    module = half.build(case)
    output = half.call(module, case.inputs, case.mask)
    for row, here in enumerate(case.mask["keys"]):
        if here.any():
            alone = {name: x[row : row + 1] for name, x in case.filled(0.0).items()}
            alone["keys"] = alone["keys"][:, here]
            got = half.call(module, alone)[0]
            np.testing.assert_allclose(got[case.gets[row]], output[row, case.gets[row]], rtol=0, atol=ROUNDING)


@over_halves
@over_cases
def test_changing_any_step_changes_just_what_it_reaches(case: Case, half: Any) -> None:
    module = half.build(case)
    before = half.call(module, case.inputs, case.mask)
    for name, sequence in case.inputs.items():
        for t in range(sequence.shape[1]):
            moved = sequence.copy()
            moved[:, t] += np.linspace(0.2, 0.9, sequence.shape[2])
            changed = np.abs(half.call(module, case.inputs | {name: moved}, case.mask) - before).max(axis=2) > 1e-9
            reached = case.gets & (case.mask[name][:, t, None] if case.mask else True)
            if name == "queries":
                reached = reached & (np.arange(case.queries) == t)
            np.testing.assert_array_equal(changed, reached)


@over_trainable
def test_pooling_by_equal_scores_is_the_mean_projected(half: Any) -> None:
    case = Case("attention_pooling", masked=True)
    case.parameters["queries"][:] = 0
    p, here = case.parameters, case.mask["keys"][..., None]
    mean = np.nan_to_num(case.inputs["keys"]).sum(axis=1) / here.sum(axis=1)
    wanted = (mean @ p["value.kernel"] + p["value.bias"]) @ p["out.kernel"] + p["out.bias"]
    got = half.call(half.build(case), case.inputs, case.mask)
    np.testing.assert_allclose(got, np.broadcast_to(wanted[:, None], got.shape), rtol=0, atol=1e-11)


@pytest.mark.parametrize("case", [Case(dim=8, key_dim=3, heads=2, masked=True), Case(dim=4, key_dim=4)], ids=str)
def test_cross_attention_is_pytorchs(case: Case) -> None:
    """torch.nn.MultiheadAttention; it makes NaN of a row without a key, which is left out."""
    peer = torch.nn.MultiheadAttention(
        case.dim, case.heads, kdim=case.key_dim, vdim=case.key_dim, batch_first=True
    ).double()
    p = {name: torch.tensor(array) for name, array in case.parameters.items()}
    kernels = [p[f"{name}.kernel"].T for name in ("query", "key", "value")]
    state = {"in_proj_bias": torch.cat([p[f"{name}.bias"] for name in ("query", "key", "value")])}
    if case.key_dim == case.dim:
        state["in_proj_weight"] = torch.cat(kernels)
    else:
        state |= dict(zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), kernels, strict=True))
    peer.load_state_dict(state | {"out_proj.weight": p["out.kernel"].T, "out_proj.bias": p["out.bias"]})
    inputs = {name: torch.tensor(np.nan_to_num(x)) for name, x in case.inputs.items()}
    hidden = None if case.mask is None else torch.tensor(~case.mask["keys"])
    wanted, weights = peer(inputs["queries"], inputs["keys"], inputs["keys"], hidden, average_attn_weights=False)
    for half in HALVES:
        module = half.build(case)
        got = half.call(module, case.inputs, case.mask)
        assert relative_error(got[case.gets], wanted.detach().numpy()[case.gets]) <= ROUNDING, half.name
        got = half.weights(module, case.inputs, case.mask).swapaxes(1, 2)[case.gets]
        assert relative_error(got, weights.detach().numpy().swapaxes(1, 2)[case.gets]) <= ROUNDING, half.name


def test_cross_attention_is_kerass() -> None:
    """keras.layers.MultiHeadAttention; heads of width 4, whose root is exact: it rounds 1 / sqrt(d) to single."""
    case = Case(dim=8, key_dim=3, heads=2, masked=True)
    peer = keras.layers.MultiHeadAttention(2, 4, dtype="float64")
    inputs = {name: np.nan_to_num(x) for name, x in case.inputs.items()}
    peer.build(inputs["queries"].shape, inputs["keys"].shape)
    p, apart = case.parameters, []
    for name in ("query", "key", "value"):
        apart += [p[f"{name}.kernel"].reshape(-1, 2, 4), p[f"{name}.bias"].reshape(2, 4)]
    peer.set_weights([*apart, p["out.kernel"].reshape(2, 4, 8), p["out.bias"]])
    wanted = peer(inputs["queries"], inputs["keys"], attention_mask=case.mask["keys"][:, None, :]).numpy()
    for half in HALVES:
        got = half.call(half.build(case), case.inputs, case.mask)
        assert relative_error(got[case.gets], wanted[case.gets]) <= ROUNDING, half.name
