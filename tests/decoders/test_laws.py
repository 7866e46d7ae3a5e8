"""What every decoder must obey, whatever its weights."""

from typing import Any

import numpy as np
import pytest
import torch

from mmcourse.decoders.torch import Cache, RecurrentState, sequence_cross_entropy
from mmcourse.parity import relative_error
from tests.decoders.halves import COUNT, HALVES, PLAIN, TIME, Case, Torch, cases

OFFERED = [(half, case) for half in HALVES for case in cases(("none", "gaps")) if half.offers(case)]
EACH = pytest.mark.parametrize(("half", "case"), OFFERED, ids=lambda value: getattr(value, "name", str(value)))


@EACH
def test_a_word_influences_no_logits_before_it_and_all_from_there(half: Any, case: Case) -> None:
    module = half.build(case)
    before = half.call(module, case)
    for t in range(TIME):
        ids = np.where(case.present, case.ids, 0)
        ids[:, t] = (ids[:, t] + 1) % COUNT
        change = np.abs(half.call(module, case, ids=ids) - before).max(axis=2)
        assert not change[:, :t].any()
        here = case.present & case.present[:, [t]]
        assert (change[:, t:][here[:, t:]] > 1e-9).all()


@EACH
def test_what_is_masked_influences_nothing_and_gets_zero(half: Any, case: Case) -> None:
    """Its logits are zero, and other numbers there change nothing: not a word's, not a vector's."""
    module = half.build(case)
    before = half.call(module, case)
    assert not before[~case.present].any()
    changes = {"ids": np.where(case.present, case.ids, 3)}
    if case.about_mask is not None:
        changes["about"] = np.where(case.about_mask[..., None], case.about, 7.0)
    assert np.array_equal(half.call(module, case, **changes), before)


@EACH
def test_gaps_can_be_closed(half: Any, case: Case) -> None:
    """Where padding stands does not matter: a caption with gaps is the caption without them."""
    module = half.build(case)
    before = half.call(module, case)
    for row in range(len(case.ids)):
        present = case.present[row]
        about = None if case.about is None else case.about[[row]]
        about_mask = None if case.about_mask is None else case.about_mask[[row]]
        alone = half.call(module, case, ids=case.ids[[row]][:, present], mask=None, about=about, about_mask=about_mask)
        assert relative_error(alone[0], before[row, present]) < 1e-12


@EACH
def test_what_the_words_are_about_changes_all_logits(half: Any, case: Case) -> None:
    if case.plain:
        return
    module = half.build(case)
    change = np.abs(half.call(module, case, about=case.about + 0.3) - half.call(module, case))
    assert (change.max(axis=2)[case.present] > 1e-9).all()


def begun(module: Any, case: Case) -> Any:
    """The state before any word."""
    if case.plain:
        return module.begin()
    about_mask = () if case.about_mask is None else (torch.tensor(case.about_mask),)
    return module.begin(torch.tensor(case.about), *about_mask)


@pytest.mark.parametrize("case", cases(), ids=str)
@pytest.mark.parametrize("steps", [(1, 1, 1, 1, 1), (3, 2), (2, 1, 2)], ids=str)
def test_with_a_cache_as_without(case: Case, steps: tuple[int, ...]) -> None:
    """Word by word or in pieces, with padding anywhere; a Transformer's cache grows by what was read."""
    module = Torch.build(case)
    whole, state, at = Torch.call(module, case), begun(module, case), 0
    begin = state.length
    for step in steps:
        here = slice(at, at + step)
        mask = None if case.mask is None else torch.tensor(case.mask[:, here])
        if at == 0 and mask is not None and not mask.any(dim=1).all():
            return  # a row without its first word is refused
        logits, state = module.extend(torch.tensor(case.ids[:, here]), state, mask)
        at += step
        assert np.abs(logits.detach().numpy() - whole[:, here]).max() < 1e-12 * np.abs(whole).max()
        assert state.length == begin + at
        if isinstance(state, Cache):
            assert {keys.shape[2] for keys in (*state.keys, *state.values)} == {begin + at}


@pytest.mark.parametrize("case", cases(("right",)), ids=str)
def test_rows_of_a_cache_are_chosen_as_beams_need_it(case: Case) -> None:
    """What was read is taken along, and what the words are about: [2, 0, 0] goes on as if so ordered from the start."""
    module, rows = Torch.build(case), [2, 0, 0]
    whole = Torch.call(module, case)
    ids, mask = torch.tensor(case.ids), torch.tensor(case.mask)
    _, state = module.extend(ids[:, :2], begun(module, case), mask[:, :2])
    logits, after = module.extend(ids[rows, 2:], state.take(np.array(rows)), mask[rows, 2:])
    assert np.abs(logits.detach().numpy() - whole[rows, 2:]).max() < 1e-12 * np.abs(whole).max()
    assert state.length == 2 + (4 if case.concept == "visual_token_decoder" else 0)
    assert isinstance(after, Cache | RecurrentState)


def test_keys_and_values_of_the_memory_are_computed_once() -> None:
    case = Case("transformer_decoder")
    module, calls = Torch.build(case), []
    for layer in module.layers:
        layer.cross_attention.key.register_forward_hook(lambda *_: calls.append("key"))
    state = begun(module, case)
    for t in range(TIME):
        _, state = module.extend(torch.tensor(case.ids[:, [t]]), state)
    assert len(calls) == len(module.layers)


@pytest.mark.parametrize("case", [case for case in PLAIN if case.concept == "visual_token_decoder"], ids=str)
def test_visual_tokens_see_no_word_and_words_see_all_of_them(case: Case) -> None:
    module = Torch.build(case)
    cache = begun(module, case)
    _, longer = module.extend(torch.tensor(case.ids), cache)
    for short, long in zip(cache.keys, longer.keys, strict=True):
        assert torch.equal(long[:, :, :4], short)  # what a visual token is does not depend on the words after it
    patches = torch.tensor(case.about, requires_grad=True)
    for t in range(TIME):
        logits = Torch.result(module, case, about=patches)[:, t].pow(2).sum()
        (gradient,) = torch.autograd.grad(logits, patches)
        assert (gradient.abs().amax(dim=2) > 1e-9).all()
    # Causal among themselves: the first is the same whatever comes after it.
    moved = case.about.copy()
    moved[:, 1:] += 1
    other = module.begin(torch.tensor(moved))
    assert torch.equal(other.keys[-1][:, :, :1], cache.keys[-1][:, :, :1])
    assert not torch.allclose(other.keys[-1][:, :, 1:], cache.keys[-1][:, :, 1:])


def test_the_loss_of_a_visual_token_decoder_counts_words_alone() -> None:
    """Its logits are those of words, so that no target can stand at a visual token; padding costs nothing."""
    case = Case("visual_token_decoder", masked="right")
    module = Torch.build(case)
    logits = Torch.result(module, case)
    assert logits.shape == (*case.ids.shape, COUNT)
    targets, mask = torch.tensor(case.ids), torch.tensor(case.mask)
    loss = sequence_cross_entropy(logits, targets, mask)
    other = torch.where(mask, targets, 5)
    assert torch.equal(loss, sequence_cross_entropy(logits, other, mask))


@pytest.mark.parametrize("case", cases(("right",), dtype="float32"), ids=str)
def test_a_step_of_training_changes_the_logits_and_lowers_the_loss(case: Case) -> None:
    module = Torch.new(case.concept, **case.options)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.01)
    targets, mask = torch.tensor(np.where(case.present, case.ids, 0)).roll(-1, 1), torch.tensor(case.mask)
    losses = []
    for _ in range(2):
        loss = sequence_cross_entropy(Torch.result(module, case), targets, mask)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
