"""Laws that every sequence encoder obeys, whatever its parameters."""

from typing import Any

import numpy as np
import pytest

from mmcourse.parity import relative_error
from tests.encoders.sequence_halves import HALVES, TRAINABLE, Case, Numpy, cases

ROUNDING = 1e-12
MASKED = cases(("gaps",))
RECURRENT = [case for case in cases(("none", "gaps")) if case.recurrent]
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)


def only(masks: tuple[str, ...], *concepts: str, **options: Any) -> list[Case]:
    """The cases of these masks and concepts (all if none are named) whose options are as told."""
    return [
        case
        for case in cases(masks)
        if (case.concept in concepts or not concepts)
        and all(case.options.get(name, False) == value for name, value in options.items())
    ]


def without_gradient(case: Case, name: str, gradient: np.ndarray) -> np.ndarray:
    """The proven exceptions, as a mask over a parameter's entries.

    The bias of attention's keys adds one number to all scores of a query, which the softmax does not see; turned by
    rotary positions it adds another to each. Positions beyond the last step are not looked up.
    """
    exempt = np.zeros(gradient.shape, bool)
    if name.endswith("key.bias") and not case.options.get("rotary"):
        exempt[:] = True
    if case.concept == "learned_positions":
        exempt[case.time :] = True
    return exempt


@over_trainable
@pytest.mark.parametrize("case", only(("none", "gaps")), ids=str)
def test_every_parameter_receives_a_gradient(case: Case, half: Any) -> None:
    gradients = half.gradients(half.build(case), case.sequence, case.mask, case.cotangents)
    for name in case.shapes:
        exempt = without_gradient(case, name, gradients[name])
        largest = np.abs(np.where(exempt, 0, gradients[name])).max()
        assert largest > 1e-6 or exempt.all(), name
        assert np.abs(gradients[name][exempt]).max(initial=0) < ROUNDING, name


@over_trainable
@pytest.mark.parametrize("case", only(("gaps",)), ids=str)
def test_a_step_changes_the_output(case: Case, half: Any) -> None:
    module = half.build(case)
    before = half.call(module, case.sequence, case.mask)
    half.step(module, half.gradients(module, case.sequence, case.mask, case.cotangents))
    after = half.call(module, case.sequence, case.mask)
    assert all(relative_error(new, old) > 1e-6 for new, old in zip(after, before, strict=True))


@over_halves
@pytest.mark.parametrize("case", only(("gaps",)), ids=str)
def test_changing_any_step_changes_the_output(case: Case, half: Any) -> None:
    """Its own output, and elsewhere just what may see it."""
    module = half.build(case)
    before = half.call(module, case.sequence, case.mask)
    for t in range(case.time):
        moved = case.moved(t)
        changed = np.abs(half.call(module, moved, case.mask)[0] - before[0]).max(axis=2) > 1e-9
        np.testing.assert_array_equal(changed, seen_by(case, t))


def seen_by(case: Case, t: int) -> np.ndarray:
    """Which outputs (batch, time) step t reaches."""
    steps = np.arange(case.time)
    if case.concept in ("embedding", "learned_positions"):
        reach = steps == t
    elif case.options.get("causal") or (case.recurrent and not case.options.get("bidirectional")):
        reach = steps >= t
    else:
        reach = np.ones(case.time, bool)
    return case.present & case.present[:, t, None] & reach


@over_halves
@pytest.mark.parametrize("case", MASKED, ids=str)
def test_what_a_masked_step_holds_has_no_influence(case: Case, half: Any) -> None:
    module = half.build(case)
    fillings = (2, 10**6, -1) if case.concept == "embedding" else (0.0, np.inf, 1e300)
    wanted = half.call(module, case.sequence, case.mask)
    for filling in fillings:
        filled = case.filled(filling)
        for got, before in zip(half.call(module, filled, case.mask), wanted, strict=True):
            np.testing.assert_array_equal(got, before)


@over_trainable
@pytest.mark.parametrize("case", MASKED, ids=str)
def test_what_a_masked_step_holds_has_no_influence_on_gradients(case: Case, half: Any) -> None:
    module = half.build(case)
    gradients = half.gradients(module, case.sequence, case.mask, case.cotangents)
    filled = case.filled(3 if case.concept == "embedding" else 0.5)
    same = half.gradients(module, filled, case.mask, case.cotangents)
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, same[name], err_msg=name)
    if "sequence" in gradients:
        np.testing.assert_array_equal(gradients["sequence"][~case.mask], 0)


@over_halves
@pytest.mark.parametrize("case", MASKED, ids=str)
def test_masked_outputs_are_zero_and_others_are_not(case: Case, half: Any) -> None:
    outputs = half.call(half.build(case), case.sequence, case.mask)[0]
    np.testing.assert_array_equal((outputs != 0).any(axis=2), case.mask)


@over_halves
@pytest.mark.parametrize("case", only(("gaps",)), ids=str)
def test_a_mask_of_what_is_all_present_changes_nothing(case: Case, half: Any) -> None:
    module, whole = half.build(case), case.variant(masked="none")
    everywhere = np.ones((case.batch, case.time), bool)
    for got, wanted in zip(
        half.call(module, whole.sequence, everywhere), half.call(module, whole.sequence), strict=True
    ):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=ROUNDING)


@over_halves
@pytest.mark.parametrize("case", only(("right", "left", "gaps")), ids=str)
def test_a_masked_step_might_as_well_not_be_there(case: Case, half: Any) -> None:
    """Each row alone, without its masked steps, gives the same, but for what knows absolute positions or distances."""
    if case.concept == "learned_positions" or (case.options.get("rotary") and case.masked == "gaps"):
        return
    module = half.build(case)
    outputs, *states = half.call(module, case.sequence, case.mask)
    for row, here in enumerate(case.mask):
        alone, *last = half.call(module, case.sequence[row : row + 1, here])
        np.testing.assert_allclose(alone[0], outputs[row, here], rtol=0, atol=ROUNDING)
        for one, many in zip(last, states, strict=True):
            np.testing.assert_allclose(one[0], many[row], rtol=0, atol=ROUNDING)


@over_halves
@pytest.mark.parametrize("case", only(("gaps",)), ids=str)
def test_rows_of_a_batch_are_independent(case: Case, half: Any) -> None:
    module = half.build(case)
    whole = half.call(module, case.sequence, case.mask)
    parts = [half.call(module, case.sequence[part], case.mask[part]) for part in (slice(0, 1), slice(1, None))]
    for index, array in enumerate(whole):
        np.testing.assert_allclose(np.concatenate([part[index] for part in parts]), array, rtol=0, atol=ROUNDING)


@over_trainable
@pytest.mark.parametrize("case", only(("gaps",)), ids=str)
def test_without_value_checks_a_row_in_which_all_is_masked_is_zero(case: Case, half: Any) -> None:
    module = half.build(case, check_values=False)
    mask = case.mask.copy()
    mask[1] = False
    outputs, *states = half.call(module, np.nan_to_num(case.sequence), mask)
    assert all(not array[1].any() for array in (outputs, *states))
    wanted = half.call(module, case.sequence, case.mask)
    np.testing.assert_allclose(outputs[[0, 2]], wanted[0][[0, 2]], rtol=0, atol=ROUNDING)


# Recurrent encoders


@over_halves
@pytest.mark.parametrize("case", [case for case in RECURRENT if not case.options], ids=str)
def test_a_sequence_read_in_two_pieces_is_the_sequence(case: Case, half: Any) -> None:
    module, sequence = half.build(case), case.filled(0.0)
    mask = None if case.mask is None else np.array([[True, True, True, False, True]] * case.batch)
    whole = half.call(module, sequence, mask)
    first, second = ((sequence[:, part], None if mask is None else mask[:, part]) for part in (np.s_[:2], np.s_[2:]))
    outputs, *between = half.call(module, *first)
    later, *last = half.call(module, *second, between)
    for got, wanted in zip([np.concatenate([outputs, later], axis=1), *last], whole, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=ROUNDING)


@over_halves
@pytest.mark.parametrize("case", [case for case in RECURRENT if not case.options], ids=str)
def test_the_state_is_the_last_output_present(case: Case, half: Any) -> None:
    outputs, state, *_ = half.call(half.build(case), case.sequence, case.mask)
    last = [np.flatnonzero(row)[-1] for row in case.present]
    np.testing.assert_array_equal(outputs[np.arange(case.batch), last], state)


@over_halves
@pytest.mark.parametrize("case", only(("none", "gaps"), "recurrent", "lstm", "gru", bidirectional=True), ids=str)
def test_the_second_direction_is_the_first_on_the_sequence_turned_round(case: Case, half: Any) -> None:
    both = half.call(half.build(case), case.sequence, case.mask)
    hidden = case.sizes["hidden_size"]
    for prefix, turn, part in (("", 1, slice(None, hidden)), ("reverse.", -1, slice(hidden, None))):
        one = Case(case.concept, masked=case.masked)
        one.__dict__["parameters"] = {name: case.parameters[prefix + name] for name in one.shapes}
        mask = None if case.mask is None else case.mask[:, ::turn].copy()
        outputs, *states = half.call(half.build(one), case.sequence[:, ::turn].copy(), mask)
        np.testing.assert_allclose(outputs[:, ::turn], both[0][..., part], rtol=0, atol=ROUNDING)
        for state, of_both in zip(states, both[1:], strict=True):
            np.testing.assert_allclose(state, of_both[:, part], rtol=0, atol=ROUNDING)


@over_halves
def test_an_lstm_that_forgets_nothing_and_writes_nothing_keeps_its_cell(half: Any) -> None:
    case = Case("lstm")
    case.parameters["bias"][:] = [-1e3, -1e3, 1e3, 1e3, 0, 0, 0, 0]  # input closed, forget gate open
    _, _, cell = half.call(half.build(case), case.sequence, None, case.initial_state)
    np.testing.assert_array_equal(cell, case.initial_state[1])


@over_halves
def test_a_gru_whose_update_gate_is_open_keeps_its_state(half: Any) -> None:
    case = Case("gru")
    case.parameters["bias"][2:4] = 1e3  # r, z, n
    _, state = half.call(half.build(case), case.sequence, None, case.initial_state)
    np.testing.assert_allclose(state, case.initial_state[0], rtol=0, atol=ROUNDING)


@over_trainable
def test_a_forget_gate_begins_where_it_is_told(half: Any) -> None:
    for given, wanted in (({}, 1.0), ({"forget_bias": 3.0}, 3.0)):
        module = half.new("lstm", bidirectional=True, **given)
        sequence = np.zeros((1, 1, 3), np.float32)
        cell = half.call(module, sequence, None, [np.zeros((1, 4), np.float32), np.ones((1, 4), np.float32)])[2]
        np.testing.assert_allclose(cell, 1 / (1 + np.exp(-wanted)), rtol=1e-6)


# Attention and the Transformer


@over_halves
@pytest.mark.parametrize("case", only(("none", "gaps"), "self_attention"), ids=str)
def test_attention_weights_of_a_step_sum_to_one_over_what_it_may_see(case: Case, half: Any) -> None:
    weights = half.weights(half.build(case), case.sequence, case.mask)
    np.testing.assert_allclose(
        weights.sum(axis=3), np.broadcast_to(case.present[:, None], weights.shape[:3]), rtol=1e-12
    )
    seen = case.present[:, :, None] & case.present[:, None, :]
    if case.options.get("causal"):
        seen = np.tril(seen)
    np.testing.assert_array_equal(weights > 0, np.broadcast_to(seen[:, None], weights.shape))


@over_halves
@pytest.mark.parametrize("case", only(("none", "gaps"), "self_attention"), ids=str)
def test_the_output_is_the_values_mixed_by_the_weights(case: Case, half: Any) -> None:
    module, p, heads = half.build(case), case.parameters, case.sizes["heads"]
    x = np.nan_to_num(case.sequence)
    weights = half.weights(module, case.sequence, case.mask)
    values = np.split(x @ p["value.kernel"] + p["value.bias"], heads, axis=2)
    mixed = np.concatenate([weights[:, head] @ values[head] for head in range(heads)], axis=2)
    wanted = np.where(case.present[..., None], mixed @ p["out.kernel"] + p["out.bias"], 0)
    assert relative_error(half.call(module, case.sequence, case.mask)[0], wanted) <= ROUNDING


@over_halves
@pytest.mark.parametrize("concept", ["self_attention", "transformer_encoder"])
def test_without_positions_the_order_of_steps_does_not_matter(concept: str, half: Any) -> None:
    order = np.array([3, 0, 4, 1, 2])
    for options, blind in (({}, True), ({"causal": True}, False), ({"rotary": True}, False)):
        case = Case(concept, options, "gaps")
        module = half.build(case)
        turned = half.call(module, case.sequence[:, order], case.mask[:, order])[0]
        same = np.allclose(turned, half.call(module, case.sequence, case.mask)[0][:, order], rtol=0, atol=ROUNDING)
        assert same is blind


@over_halves
def test_a_single_step_attends_to_itself(half: Any) -> None:
    case = Case("self_attention")
    p, x = case.parameters, case.sequence[:, :1]
    wanted = (x @ p["value.kernel"] + p["value.bias"]) @ p["out.kernel"] + p["out.bias"]
    assert relative_error(half.call(half.build(case), x)[0], wanted) <= ROUNDING


@over_halves
@pytest.mark.parametrize("norm_first", [True, False])
def test_a_transformer_of_zero_kernels_is_the_identity_or_a_norm(norm_first: bool, half: Any) -> None:
    case = Case("transformer_encoder", {"norm_first": norm_first, "layers": 2, "final_norm": False})
    for name, parameter in case.parameters.items():
        parameter[...] = name.endswith("scale")
    output = half.call(half.build(case), case.sequence)[0]
    if norm_first:
        np.testing.assert_array_equal(output, case.sequence)
    else:
        np.testing.assert_allclose(output.mean(axis=2), 0, atol=1e-12)
        np.testing.assert_allclose(output.std(axis=2), 1, atol=1e-3)


def test_formula_and_numbers_of_a_case_by_hand() -> None:
    """Two steps of an RNN with one unit:  h = tanh(x/2 + h/4)."""
    case = Case("recurrent", {"dim": 1, "hidden_size": 1})
    values = {"kernel": 0.5, "recurrent_kernel": 0.25, "bias": 0.0}
    case.__dict__["parameters"] = {name: np.full(shape, values[name]) for name, shape in case.shapes.items()}
    first = np.tanh(0.5)
    outputs, state = Numpy.call(case, np.array([[[1.0], [2.0]]]))
    np.testing.assert_allclose(outputs[0, :, 0], [first, np.tanh(1 + first / 4)], rtol=1e-15)
    assert state[0, 0] == outputs[0, 1, 0]
