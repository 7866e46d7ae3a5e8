"""Answers to the exercises on attention that the checks must tell apart."""

import numpy as np
import torch
from torch.nn import functional

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another


def softmax(scores, axis=1):
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def scores_of(queries, keys):
    return queries @ keys.T / np.sqrt(queries.shape[1])


# ---------------------------------------------------------------------------------------------- masked_attention


@another("masked_attention")
def present_steps_alone(queries, keys, values, mask):
    return softmax(scores_of(queries, keys[mask])) @ values[mask]


@another("masked_attention")
def by_torch_in_single_precision(queries, keys, values, mask):
    keys, values = (np.where(mask[:, None], x, 0) for x in (keys, values))
    q, k, v = (torch.tensor(x).float() for x in (queries, keys, values))
    allowed = torch.tensor(mask).expand(len(q), -1)
    return functional.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=allowed[None])[0]


@wrong("masked_attention", hint="The root is missing")
def without_root(queries, keys, values, mask):
    return softmax(np.where(mask, queries @ keys.T, -np.inf)) @ values


@wrong("masked_attention", hint="You divide by d. Divide by its root")
def divided_by_the_width(queries, keys, values, mask):
    return softmax(np.where(mask, queries @ keys.T / queries.shape[1], -np.inf)) @ values


@wrong("masked_attention", hint="The root is of the wrong number")
def root_of_the_number_of_keys(queries, keys, values, mask):
    return softmax(np.where(mask, queries @ keys.T / np.sqrt(len(keys)), -np.inf)) @ values


@wrong("masked_attention", hint="Your softmax runs over the queries")
def softmax_over_queries(queries, keys, values, mask):
    return softmax(scores_of(queries, keys), axis=0) * mask @ values


@wrong("masked_attention", hint="You mask after the softmax")
def masked_too_late(queries, keys, values, mask):
    return softmax(scores_of(queries, keys)) * mask @ values


@wrong("masked_attention", hint="A score of 0 has weight too")
def masked_with_zero(queries, keys, values, mask):
    return softmax(scores_of(queries, keys) * mask) @ values


@wrong("masked_attention", hint="still takes its share of the weights")
def keys_and_values_set_to_zero(queries, keys, values, mask):
    keys, values = (np.where(mask[:, None], x, 0) for x in (keys, values))
    return softmax(scores_of(queries, keys)) @ values


@wrong("masked_attention", hint="NaN - 1e9 is NaN")
def scores_lowered_by_adding(queries, keys, values, mask):
    values = np.where(mask[:, None], values, 0)
    return softmax(scores_of(queries, keys) - 1e9 * ~mask) @ values


@wrong("masked_attention", hint="The mask is upside down")
def true_is_masked(queries, keys, values, mask):
    return softmax(np.where(mask, -np.inf, scores_of(queries, keys))) @ values


@wrong("masked_attention", hint="The mask has no influence")
def mask_ignored(queries, keys, values, mask):
    return softmax(scores_of(queries, keys)) @ values


@wrong("masked_attention", hint="You leave the softmax out")
def without_softmax(queries, keys, values, mask):
    return scores_of(queries, keys) * mask @ values


@wrong("masked_attention", hint="Each query has a sum of its own")
def one_sum_for_all(queries, keys, values, mask):
    exponentials = np.exp(scores_of(queries, keys)) * mask
    return exponentials / exponentials.sum() @ values


@wrong("masked_attention", hint="You take the value of the best key alone")
def best_key_alone(queries, keys, values, mask):
    return values[np.where(mask, scores_of(queries, keys), -np.inf).argmax(axis=1)]


@wrong("masked_attention", hint="These are the weights")
def weights_alone(queries, keys, values, mask):
    return softmax(np.where(mask, scores_of(queries, keys), -np.inf))


@wrong("masked_attention", hint="You take the mean of the keys")
def keys_mixed(queries, keys, values, mask):
    return softmax(np.where(mask, scores_of(queries, keys), -np.inf)) @ keys


@wrong("masked_attention", hint="0 * NaN is NaN")
def nothing_set_to_zero(queries, keys, values, mask):
    return softmax(np.where(mask, scores_of(queries, keys), -np.inf)) @ values


@wrong("masked_attention", hint=r"exp(1000) is infinite")
def overflowing(queries, keys, values, mask):
    with np.errstate(all="ignore"):
        exponentials = np.exp(scores_of(queries, keys[mask]))
        return exponentials / exponentials.sum(axis=1, keepdims=True) @ values[mask]


# ----------------------------------------------------------------------------------------------- negative_shares


def right(groups):
    return groups[:, None] == groups


@another("negative_shares")
def by_a_loop(similarity, groups, scale):
    table = np.zeros_like(similarity)
    for i, row in enumerate(similarity):
        others = [j for j in range(len(row)) if groups[j] != groups[i]]
        table[i, others] = softmax(scale * row[others], axis=0)
    return table


@another("negative_shares")
def by_torch(similarity, groups, scale):
    logits = scale * torch.tensor(similarity).float()
    return logits.masked_fill(torch.tensor(right(groups)), -torch.inf).softmax(dim=1)


@wrong("negative_shares", hint="Right captions are drawn as well")
def right_ones_drawn(similarity, groups, scale):
    return softmax(scale * similarity)


@wrong("negative_shares", hint="but not its twins")
def diagonal_alone(similarity, groups, scale):
    return softmax(np.where(np.eye(len(groups), dtype=bool), -np.inf, scale * similarity))


@wrong("negative_shares", hint="The shares that are left do not sum to 1")
def left_out_too_late(similarity, groups, scale):
    return np.where(right(groups), 0, softmax(scale * similarity))


@wrong("negative_shares", hint="A logit of 0 has a share too")
def zeroed_logits(similarity, groups, scale):
    return softmax(np.where(right(groups), 0, scale * similarity))


@wrong("negative_shares", hint="Your softmax runs over the pictures")
def over_pictures(similarity, groups, scale):
    return softmax(np.where(right(groups), -np.inf, scale * similarity), axis=0)


@wrong("negative_shares", hint="You divide by the scale")
def divided_by_the_scale(similarity, groups, scale):
    return softmax(np.where(right(groups), -np.inf, similarity / scale))


@wrong("negative_shares", hint="The scale has no influence")
def without_scale(similarity, groups, scale):
    return softmax(np.where(right(groups), -np.inf, similarity))


@wrong("negative_shares", hint="the least similar are drawn most")
def easy_negatives(similarity, groups, scale):
    return softmax(np.where(right(groups), -np.inf, -scale * similarity))


@wrong("negative_shares", hint="only the right captions are drawn")
def upside_down(similarity, groups, scale):
    return softmax(np.where(right(groups), scale * similarity, -np.inf))


@wrong("negative_shares", hint="All wrong captions are drawn alike")
def evenly(similarity, groups, scale):
    return (~right(groups)) / (~right(groups)).sum(axis=1, keepdims=True)


@wrong("negative_shares", hint="You always take the nearest")
def nearest_alone(similarity, groups, scale):
    nearest = np.where(right(groups), -np.inf, similarity).argmax(axis=1)
    return np.eye(len(groups))[nearest]


@wrong("negative_shares", hint="the largest among the wrong captions")
def largest_of_all(similarity, groups, scale):
    exponentials = np.exp(scale * (similarity - similarity.max(axis=1, keepdims=True))) * ~right(groups)
    with np.errstate(invalid="ignore"):
        return exponentials / exponentials.sum(axis=1, keepdims=True)
