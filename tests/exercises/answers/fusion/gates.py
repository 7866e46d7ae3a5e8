"""Answers to the exercises on gates that the checks must tell apart."""

import numpy as np
import torch

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another


def softmax(scores, axis=1):
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def gate(vectors, kernel, bias, score, mask, *, axis=1, bend=np.tanh, missing=-np.inf, shares=softmax):
    """softmax_gate with one thing changed."""
    x = np.where(mask[:, :, None], vectors, 0.0)
    scores = np.where(mask, bend(x @ kernel + bias) @ score, missing)
    weights = shares(scores, axis)
    return (weights[:, :, None] * x).sum(axis=1), weights


@wrong("softmax_gate", hint="goes over the rows")
def over_the_rows(*arguments):
    return gate(*arguments, axis=0)


@wrong("softmax_gate", hint="over all numbers at once")
def without_an_axis(*arguments):
    return gate(*arguments, axis=None)


@wrong("softmax_gate", hint="your score is linear")
def linear_score(*arguments):
    return gate(*arguments, bend=lambda state: state)


@wrong("softmax_gate", hint="A sigmoid looks at each score alone")
def sigmoids(*arguments):
    return gate(*arguments, shares=lambda scores, axis: 1 / (1 + np.exp(-scores)))


@wrong("softmax_gate", hint="The bias is missing")
def without_bias(vectors, kernel, bias, score, mask):
    return gate(vectors, kernel, 0 * bias, score, mask)


@wrong("softmax_gate", hint="weights sum to one already")
def mean_after_weighing(*arguments):
    fused, weights = gate(*arguments)
    return fused / weights.shape[1], weights


@wrong("softmax_gate", hint="0 · NaN is NaN")
def weights_of_zero(vectors, kernel, bias, score, mask):
    _, weights = gate(vectors, kernel, bias, score, mask)
    return (weights[:, :, None] * vectors).sum(axis=1), weights


@wrong("softmax_gate", hint="exp(0) is 1")
def zero_for_a_missing_score(*arguments):
    return gate(*arguments, missing=0.0)


@wrong("softmax_gate", hint="its vector of zeros has a score too")
def mask_forgotten_in_the_softmax(vectors, kernel, bias, score, mask):
    x = np.where(mask[:, :, None], vectors, 0.0)
    return gate(x, kernel, bias, score, np.ones_like(mask))


@wrong("softmax_gate", hint="after the softmax")
def not_shared_out(vectors, kernel, bias, score, mask):
    x = np.where(mask[:, :, None], vectors, 0.0)
    _, weights = gate(x, kernel, bias, score, np.ones_like(mask))
    weights = np.where(mask, weights, 0.0)
    return (weights[:, :, None] * x).sum(axis=1), weights


@wrong("softmax_gate", hint="still your weights are not finite")
def mask_upside_down(vectors, kernel, bias, score, mask):
    with np.errstate(all="ignore"):
        return gate(vectors, kernel, bias, score, ~mask)


@wrong("softmax_gate", hint="exp(1000) is infinite")
def overflowing(*arguments):
    def plain(scores, axis):
        with np.errstate(all="ignore"):
            return np.exp(scores) / np.exp(scores).sum(axis=axis, keepdims=True)

    with np.errstate(all="ignore"):
        return gate(*arguments, shares=plain)


@another("softmax_gate")
def row_by_row(vectors, kernel, bias, score, mask):
    fused, weights = [], np.zeros(mask.shape)
    for row, here in enumerate(mask):
        x = vectors[row, here]
        scores = [sum(np.tanh(one @ kernel + bias) * score) for one in x]
        weights[row, here] = softmax(np.array(scores), axis=0)
        fused.append(weights[row, here] @ x)
    return np.array(fused), weights


@another("softmax_gate")
def in_torch(vectors, kernel, bias, score, mask):
    x, kernel, bias, score = (torch.tensor(array) for array in (np.nan_to_num(vectors), kernel, bias, score))
    scores = (torch.tanh(x @ kernel + bias) @ score).masked_fill(~torch.tensor(mask), -torch.inf)
    weights = scores.softmax(dim=1)
    return torch.einsum("nm,nmd->nd", weights, x), weights


# ------------------------------------------------------------------------------------------------------- modulate


def film(maps, condition, scale_kernel, shift_kernel, mask, *, one=1.0, axes=(2, 3)):
    """modulate with one thing changed."""
    c = np.where(mask[:, None], condition, 0.0)
    gamma, beta = (np.expand_dims(values, axes) for values in (one + c @ scale_kernel, c @ shift_kernel))
    return gamma * maps + beta


@wrong("modulate", hint="without the one")
def without_one(*arguments):
    return film(*arguments, one=0.0)


@wrong("modulate", hint="You scale the columns")
def columns(*arguments):
    return film(*arguments, axes=(1, 2))


@wrong("modulate", hint="You scale the lines")
def lines(*arguments):
    return film(*arguments, axes=(1, 3))


@wrong("modulate", hint="kernels are exchanged")
def exchanged(maps, condition, scale_kernel, shift_kernel, mask):
    return film(maps, condition, shift_kernel, scale_kernel, mask)


@wrong("modulate", hint="shift first and scale then")
def shifted_first(maps, condition, scale_kernel, shift_kernel, mask):
    c = np.where(mask[:, None], condition, 0.0)
    return (1 + c @ scale_kernel)[:, :, None, None] * (maps + (c @ shift_kernel)[:, :, None, None])


@wrong("modulate", hint="you give back the maps")
def condition_mask_upside_down(maps, condition, scale_kernel, shift_kernel, mask):
    return np.where(mask[:, None, None, None], maps, film(maps, condition, scale_kernel, shift_kernel, ~mask))


@wrong("modulate", hint="The shift is missing")
def without_shift(maps, condition, scale_kernel, shift_kernel, mask):
    return film(maps, condition, scale_kernel, 0 * shift_kernel, mask)


@wrong("modulate", hint="0 · NaN is NaN")
def mask_forgotten(maps, condition, scale_kernel, shift_kernel, mask):
    return film(maps, condition, scale_kernel, shift_kernel, np.ones_like(mask))


@wrong("modulate", hint="Nobody asked anything there")
def zeros_where_nobody_asks(maps, condition, scale_kernel, shift_kernel, mask):
    return np.where(mask[:, None, None, None], film(maps, condition, scale_kernel, shift_kernel, mask), 0.0)


@another("modulate")
def channel_by_channel(maps, condition, scale_kernel, shift_kernel, mask):
    result = maps.copy()
    for row in np.flatnonzero(mask):
        for channel in range(maps.shape[1]):
            gamma = 1 + condition[row] @ scale_kernel[:, channel]
            result[row, channel] = gamma * maps[row, channel] + condition[row] @ shift_kernel[:, channel]
    return result


@another("modulate")
def in_single_precision(maps, condition, scale_kernel, shift_kernel, mask):
    x, c, scale, shift = (torch.tensor(a).float() for a in (maps, np.nan_to_num(condition), scale_kernel, shift_kernel))
    asked = torch.tensor(mask)[:, None, None, None]
    changed = x * (1 + c @ scale)[..., None, None] + (c @ shift)[..., None, None]
    return torch.where(asked, changed, x)
