"""What book/fusion/attention.md derives, each formula beside a computation that does not use it."""

from itertools import product

import numpy as np
import pytest
import torch

from mmcourse.alignment.numpy import negative_probabilities
from mmcourse.encoders.numpy import scaled_dot_product_attention
from mmcourse.fusion.torch import CrossAttention, GatedCrossAttention
from mmcourse.parity import central_differences, relative_error

ROUNDING = 1e-12


def drawn(seed: int = 0, n: int = 4, m: int = 6, dim: int = 5, width: int = 3) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)), rng.normal(size=(m, dim)), rng.normal(size=(m, width))


def softmax(scores: np.ndarray) -> np.ndarray:
    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_the_variance_of_a_score_is_the_width_and_one_after_the_root(dim: int) -> None:
    """Over all vectors of signs, which have mean 0 and variance 1 in each place, independently."""
    signs = np.array(list(product((-1, 1), repeat=dim)))
    scores = signs @ signs.T
    assert scores.mean() == 0
    assert scores.var() == pytest.approx(dim, rel=ROUNDING)
    assert (scores / np.sqrt(dim)).var() == pytest.approx(1, rel=ROUNDING)


def test_the_derivative_of_a_softmax_vanishes_where_one_key_has_all_the_weight() -> None:
    scores = np.random.default_rng(0).normal(size=4)
    for stretch, most in ((1.0, 0.3), (50.0, 1e-6)):
        a = softmax(stretch * scores)
        formula = a[:, None] * (np.eye(4) - a)
        for j in range(4):
            found = central_differences(lambda point, j=j: float(softmax(point["s"])[j]), {"s": stretch * scores})["s"]
            assert np.abs(found - formula[j]).max() <= 1e-8
        assert np.abs(formula).max() < most


def test_a_bias_of_the_keys_changes_nothing_and_one_of_the_queries_does() -> None:
    queries, keys, values = drawn()
    bias = np.random.default_rng(1).normal(size=5)
    plain, weights = scaled_dot_product_attention(queries, keys, values)
    assert weights.sum(axis=1) == pytest.approx(np.ones(4), rel=ROUNDING)
    assert relative_error(scaled_dot_product_attention(queries, keys + bias, values)[0], plain) <= ROUNDING
    assert relative_error(scaled_dot_product_attention(queries + bias, keys, values)[0], plain) > 1e-2
    assert (plain <= values.max(axis=0) + ROUNDING).all()
    assert (plain >= values.min(axis=0) - ROUNDING).all()


def test_with_one_key_every_query_gets_the_same_and_nothing_learns_to_ask() -> None:
    torch.manual_seed(0)
    module = CrossAttention(6, heads=2).double()
    output = module(torch.randn(2, 4, 6).double(), torch.randn(2, 1, 6).double())
    assert torch.allclose(output, output[:, :1].expand_as(output), rtol=0, atol=ROUNDING)
    (output**3).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None
        learns = bool(parameter.grad.abs().max() > ROUNDING)
        assert learns == name.startswith(("value", "out")), name


def test_keys_and_values_are_a_set_and_queries_keep_their_places() -> None:
    queries, keys, values = drawn()
    plain, _ = scaled_dot_product_attention(queries, keys, values)
    order, turn = np.random.default_rng(2).permutation(6), np.array([2, 0, 3, 1])
    moved, _ = scaled_dot_product_attention(queries, keys[order], values[order])
    assert relative_error(moved, plain) <= ROUNDING
    turned, _ = scaled_dot_product_attention(queries[turn], keys, values)
    assert relative_error(turned, plain[turn]) <= ROUNDING
    apart, _ = scaled_dot_product_attention(queries, keys[order], values)
    assert relative_error(apart, plain) > 1e-2


def test_a_mask_before_the_softmax_takes_the_key_out_and_one_after_it_shrinks_the_mean() -> None:
    queries, keys, values = drawn()
    mask = np.array([True, False, True, True, False, True])
    before, _ = scaled_dot_product_attention(queries, keys, values, allowed=mask)
    without, _ = scaled_dot_product_attention(queries, keys[mask], values[mask])
    assert relative_error(before, without) <= ROUNDING
    _, weights = scaled_dot_product_attention(queries, keys, values)
    left = (weights * mask).sum(axis=1, keepdims=True)
    assert (left < 1).all()
    assert relative_error(weights * mask @ values, left * without) <= ROUNDING


def test_a_closed_gate_opens_in_the_first_step_and_what_lies_behind_it_learns_from_the_second() -> None:
    torch.manual_seed(0)
    module = GatedCrossAttention(6, heads=2, hidden_size=8).double()
    text, pictures, target = (torch.randn(2, n, 6).double() for n in (4, 5, 4))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    moved = []
    for _ in range(2):
        before = {name: p.detach().clone() for name, p in module.named_parameters()}
        optimizer.zero_grad()
        ((module(text, pictures) - target) ** 2).sum().backward()
        optimizer.step()
        moved.append({name for name, p in module.named_parameters() if not torch.equal(p, before[name])})
    assert moved[0] == {"attention_gate", "feed_forward_gate"}
    assert moved[1] >= {name for name, _ in module.named_parameters() if not name.endswith("key.bias")}


def test_a_closed_gate_before_an_output_of_zeros_never_opens() -> None:
    torch.manual_seed(0)
    module = GatedCrossAttention(6, heads=2, hidden_size=8).double()
    for out in (module.attention.out, module.feed_forward.out):
        torch.nn.init.zeros_(out.kernel)
    text, pictures = torch.randn(2, 4, 6).double(), torch.randn(2, 5, 6).double()
    (module(text, pictures) ** 2).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None
        assert not parameter.grad.any(), name


def test_hard_negatives_are_the_mistakes_of_the_contrastive_model() -> None:
    """p_ij / (1 - sum over P(i) of p_ik), with p the softmax over all captions."""
    rng = np.random.default_rng(3)
    image, text, groups = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), np.array([0, 1, 0, 2, 3])
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text)]
    p, right = softmax(6 * unit[0] @ unit[1].T), groups[:, None] == groups
    wanted = np.where(right, 0, p) / (1 - np.where(right, p, 0).sum(axis=1, keepdims=True))
    assert relative_error(negative_probabilities(image, text, scale=6.0, groups=groups)[0], wanted) <= ROUNDING
