"""Answers to the exercises on sequence encoders that the checks must tell apart."""

import numpy as np
import torch

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# --------------------------------------------------------------------------------------------------- last_state


def reading(sequence, mask, step, hidden):
    """The state after each row's last step present, for any step(x, state)."""
    state = np.zeros((len(sequence), hidden))
    for t in range(sequence.shape[1]):
        here = mask[:, t, None]
        state = np.where(here, step(np.where(here, sequence[:, t], 0), state), state)
    return state


@wrong("last_state", hint="not carried along")
def without_memory(sequence, mask, kernel, recurrent_kernel, bias):
    return reading(sequence, mask, lambda x, h: np.tanh(x @ kernel + bias), len(bias))


@wrong("last_state", hint="The bias is missing")
def without_bias(sequence, mask, kernel, recurrent_kernel, bias):
    return right_state(sequence, mask, kernel, recurrent_kernel, 0 * bias)


@wrong("last_state", hint="The tanh is missing")
def linear(sequence, mask, kernel, recurrent_kernel, bias):
    return reading(sequence, mask, lambda x, h: x @ kernel + h @ recurrent_kernel + bias, len(bias))


@wrong("last_state", hint="squash with the sigmoid")
def with_sigmoid(sequence, mask, kernel, recurrent_kernel, bias):
    return reading(
        sequence, mask, lambda x, h: 1 / (1 + np.exp(-(x @ kernel + h @ recurrent_kernel + bias))), len(bias)
    )


@wrong("last_state", hint="from the last step to the first")
def backwards(sequence, mask, kernel, recurrent_kernel, bias):
    return right_state(sequence[:, ::-1], mask[:, ::-1], kernel, recurrent_kernel, bias)


@wrong("last_state", hint="one step too early")
def one_step_too_few(sequence, mask, kernel, recurrent_kernel, bias):
    return right_state(sequence[:, :-1], mask[:, :-1], kernel, recurrent_kernel, bias)


@wrong("last_state", hint="mean of all states")
def mean_of_states(sequence, mask, kernel, recurrent_kernel, bias):
    ends = [
        right_state(sequence[:, :t], mask[:, :t], kernel, recurrent_kernel, bias)
        for t in range(1, sequence.shape[1] + 1)
    ]
    return np.mean(ends, axis=0)


@wrong("last_state", hint="True means present")
def mask_upside_down(sequence, mask, kernel, recurrent_kernel, bias):
    return right_state(sequence, ~mask, kernel, recurrent_kernel, bias)


@wrong("last_state", hint="0 · NaN is NaN")
def multiplied_by_the_mask(sequence, mask, kernel, recurrent_kernel, bias):
    state = np.zeros((len(sequence), len(bias)))
    for t in range(sequence.shape[1]):
        here = mask[:, t, None]
        new = np.tanh(sequence[:, t] @ kernel + state @ recurrent_kernel + bias)
        state = here * new + (1 - here) * state
    return state


@wrong("last_state", hint="A zero vector is an input too")
def zeros_read_on(sequence, mask, kernel, recurrent_kernel, bias):
    filled = np.where(mask[..., None], sequence, 0)
    return right_state(filled, np.ones_like(mask), kernel, recurrent_kernel, bias)


@wrong("last_state", hint="It must stay what it was")
def state_set_to_zero(sequence, mask, kernel, recurrent_kernel, bias):
    return np.where(mask[:, -1:], right_state(sequence, mask, kernel, recurrent_kernel, bias), 0)


@wrong("last_state", hint="Each row has an end of its own")
def cut_at_the_shortest(sequence, mask, kernel, recurrent_kernel, bias):
    shortest = mask.sum(axis=1).min()
    return right_state(sequence[:, :shortest], mask[:, :shortest], kernel, recurrent_kernel, bias)


@wrong("last_state", hint="not all the states")
def all_states(sequence, mask, kernel, recurrent_kernel, bias):
    state = right_state(sequence, mask, kernel, recurrent_kernel, bias)
    return np.repeat(state[:, None], sequence.shape[1], axis=1)


@another("last_state")
def right_state(sequence, mask, kernel, recurrent_kernel, bias):
    rows = []
    for row, here in zip(sequence, mask, strict=True):
        state = np.zeros(len(bias))
        for x in row[here]:
            state = np.tanh(np.concatenate([x, state]) @ np.vstack([kernel, recurrent_kernel]) + bias)
        rows.append(state)
    return np.array(rows)


@another("last_state")
def by_torch_in_single_precision(sequence, mask, kernel, recurrent_kernel, bias):
    cell = torch.nn.RNNCell(*kernel.shape)
    with torch.no_grad():
        for parameter, array in zip(cell.parameters(), (kernel.T, recurrent_kernel.T, bias, 0 * bias), strict=True):
            parameter.copy_(torch.tensor(array))
        state = torch.zeros(len(sequence), len(bias))
        for t in range(sequence.shape[1]):
            here = torch.tensor(mask[:, t, None])
            state = torch.where(here, cell(torch.tensor(sequence[:, t]).float().nan_to_num(), state), state)
    return state


# ----------------------------------------------------------------------------------------------- attention_mean


def softmax(scores, axis=1):
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@wrong("attention_mean", hint="The root is missing")
def without_root(queries, keys, values, mask):
    return softmax(queries @ keys[mask].T) @ values[mask]


@wrong("attention_mean", hint="It is its square root")
def by_the_width(queries, keys, values, mask):
    return softmax(queries @ keys[mask].T / keys.shape[1]) @ values[mask]


@wrong("attention_mean", hint="It belongs to their width")
def root_of_the_count(queries, keys, values, mask):
    return softmax(queries @ keys[mask].T / np.sqrt(len(keys))) @ values[mask]


@wrong("attention_mean", hint="The softmax runs over the queries")
def over_the_queries(queries, keys, values, mask):
    return softmax(queries @ keys[mask].T / np.sqrt(keys.shape[1]), axis=0) @ values[mask]


@wrong("attention_mean", hint="by the scores themselves")
def without_softmax(queries, keys, values, mask):
    return queries @ keys[mask].T / np.sqrt(keys.shape[1]) @ values[mask]


@wrong("attention_mean", hint="not divided by their sum")
def not_normalised(queries, keys, values, mask):
    return np.exp(queries @ keys[mask].T / np.sqrt(keys.shape[1])) @ values[mask]


@wrong("attention_mean", hint="have no influence")
def plain_mean(queries, keys, values, mask):
    return np.repeat(values[mask].mean(axis=0)[None], len(queries), axis=0)


@wrong("attention_mean", hint="the other way round")
def masked_upside_down(queries, keys, values, mask):
    scores = np.where(mask, -np.inf, queries @ keys.T / np.sqrt(keys.shape[1]))
    with np.errstate(all="ignore"):
        return softmax(scores) @ values


@wrong("attention_mean", hint="0 · NaN is NaN")
def times_the_mask(queries, keys, values, mask):
    scores = np.where(mask, queries @ keys.T / np.sqrt(keys.shape[1]), -np.inf)
    return softmax(scores) @ (values * mask[:, None])


@wrong("attention_mean", hint="no longer sums to one")
def zero_after_the_softmax(queries, keys, values, mask):
    return softmax(queries @ keys.T / np.sqrt(keys.shape[1])) * mask @ values


@wrong("attention_mean", hint="exp(0) is 1")
def zero_before_the_softmax(queries, keys, values, mask):
    return softmax(np.where(mask, queries @ keys.T / np.sqrt(keys.shape[1]), 0)) @ values


@wrong("attention_mean", hint="The mask has no influence")
def without_the_mask(queries, keys, values, mask):
    return softmax(queries @ keys.T / np.sqrt(keys.shape[1])) @ values


@wrong("attention_mean", hint="exp(1000) is infinite")
def overflowing(queries, keys, values, mask):
    with np.errstate(all="ignore"):
        powers = np.exp(queries @ keys[mask].T / np.sqrt(keys.shape[1]))
        return powers / powers.sum(axis=1, keepdims=True) @ values[mask]


@another("attention_mean")
def minus_infinity(queries, keys, values, mask):
    scores = np.where(mask, queries @ np.where(mask[:, None], keys, 0).T / np.sqrt(keys.shape[1]), -np.inf)
    return softmax(scores) @ np.where(mask[:, None], values, 0)


@another("attention_mean")
def by_the_library(queries, keys, values, mask):
    queries, keys, values = (torch.tensor(rows) for rows in (queries, keys[mask], values[mask]))
    return torch.nn.functional.scaled_dot_product_attention(queries, keys, values)
