"""Answers to the exercises on products of features that the checks must tell apart."""

import numpy as np
import torch

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# ---------------------------------------------------------------------------------------------------- low_rank


def projected(x, factor, here):
    """[1, x] times the factor of every rank, a missing x set to zero: (rank, rows, out)"""
    return np.hstack([np.ones((len(x), 1)), np.where(here[:, None], x, 0.0)]) @ factor


def parts(features, factors, mask):
    return [projected(x, factors[m], mask[m]) for m, x in features.items()]


@another("low_rank")
def rank_by_rank_in_torch(features, factors, weights, bias, mask):
    total = torch.tensor(bias)
    for r, weight in enumerate(weights):
        product = torch.ones(len(next(iter(features.values()))), len(bias), dtype=torch.float64)
        for m, x in features.items():
            factor = torch.tensor(factors[m][r])
            there = torch.where(torch.tensor(mask[m])[:, None], torch.tensor(x), 0.0)
            product = product * (factor[0] + there @ factor[1:])
        total = total + weight * product
    return total


@wrong("low_rank", hint="You add the modalities")
def modalities_added(features, factors, weights, bias, mask):
    return np.tensordot(weights, sum(parts(features, factors, mask)), axes=1) + bias


@wrong("low_rank", hint="sum over the ranks before you multiply")
def ranks_first(features, factors, weights, bias, mask):
    return np.prod([np.tensordot(weights, part, axes=1) for part in parts(features, factors, mask)], axis=0) + bias


@wrong("low_rank", hint="The constant is missing")
def without_the_constant(features, factors, weights, bias, mask):
    return np.tensordot(weights, np.prod([x @ factors[m][:, 1:] for m, x in features.items()], axis=0), axes=1) + bias


@wrong("low_rank", hint="You put the 1 after x")
def constant_last(features, factors, weights, bias, mask):
    product = np.prod([np.hstack([x, np.ones((len(x), 1))]) @ factors[m] for m, x in features.items()], axis=0)
    return np.tensordot(weights, product, axes=1) + bias


@wrong("low_rank", hint="weights of the ranks are missing")
def without_weights(features, factors, weights, bias, mask):
    return np.prod(parts(features, factors, mask), axis=0).sum(axis=0) + bias


@wrong("low_rank", hint="The bias is missing")
def without_bias(features, factors, weights, bias, mask):
    return np.tensordot(weights, np.prod(parts(features, factors, mask), axis=0), axes=1)


@wrong("low_rank", hint="Nothing is missing here")
def mask_upside_down(features, factors, weights, bias, mask):
    return right(features, factors, weights, bias, {m: ~here for m, here in mask.items()})


@wrong("low_rank", hint="0 · NaN is NaN")
def mask_as_a_factor(features, factors, weights, bias, mask):
    masked = {m: x * mask[m][:, None] for m, x in features.items()}
    return right(masked, factors, weights, bias, {m: np.ones_like(here) for m, here in mask.items()})


@wrong("low_rank", hint="leave a missing modality out")
def left_out(features, factors, weights, bias, mask):
    there = [
        np.where(mask[m][:, None], part, 1.0) for m, part in zip(features, parts(features, factors, mask), strict=True)
    ]
    return np.tensordot(weights, np.prod(there, axis=0), axes=1) + bias


@wrong("low_rank", hint="The 1 stays")
def all_zero(features, factors, weights, bias, mask):
    there = [part * mask[m][:, None] for m, part in zip(features, parts(features, factors, mask), strict=True)]
    return np.tensordot(weights, np.prod(there, axis=0), axes=1) + bias


def right(features, factors, weights, bias, mask):
    return np.tensordot(weights, np.prod(parts(features, factors, mask), axis=0), axes=1) + bias


# --------------------------------------------------------------------------------------------- film_as_product


@another("film_as_product")
def by_a_formula(G, B):
    width = G.shape[1]
    return np.einsum("io,jo->ijo", G, np.eye(width)), B.copy(), np.eye(width), [0.0] * width


@wrong("film_as_product", hint="multiplies all features of x")
def every_feature(G, B):
    width = G.shape[1]
    return np.repeat(G[:, None, :], width, axis=1), B, np.eye(width), np.zeros(width)


@wrong("film_as_product", hint="Every output gets the sum")
def every_output(G, B):
    width = G.shape[1]
    return np.repeat(G[:, :, None], width, axis=2), B, np.eye(width), np.zeros(width)


@wrong("film_as_product", hint="the 1 in 1 + zG is lost")
def without_the_one(G, B):
    W, U, V, b = by_a_formula(G, B)
    return W, U, 0 * V, b


@wrong("film_as_product", hint="counted twice")
def one_inside_too(G, B):
    _, U, V, b = by_a_formula(G, B)
    return by_a_formula(1 + G, B)[0], U, V, b


@wrong("film_as_product", hint="You exchanged G and B")
def exchanged(G, B):
    return by_a_formula(B, G)


@wrong("film_as_product", hint="b is all that is left")
def one_as_a_bias(G, B):
    W, U, V, _ = by_a_formula(G, B)
    return W, U, 0 * V, np.ones(G.shape[1])


@wrong("film_as_product", hint="return W, U, V, b")
def three_things(G, B):
    return by_a_formula(G, B)[:3]
