"""The laws of the exercises on attention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from mmcourse.exercises.laws import Answer, Array, Law, as_array, close, compare, diagnose, exercise, show

Mistakes = dict[str, Any]  # from a hint to what its mistake gives, as diagnose takes them
SINGLE = 1e-5  # a softmax in single precision
LARGE = 1e-3  # the same of logits in the thousands, which are rounded by as much


def _softmax(scores: Array, axis: int = -1) -> Array:
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _shaped(result: Any, shape: tuple[int, ...], hints: Mapping[tuple[int, ...], str]) -> Array:
    """The result as an array of a shape; another shape gets the hint that fits it."""
    try:
        found = tuple(np.shape(result))
    except ValueError:
        found = ()  # a ragged list: as_array says so
    return as_array(result, shape, "the result", hints.get(found, ""))


def _worst(got: Array, wanted: Array) -> str:
    """The row that differs most, beside what was wanted."""
    row = int(np.nan_to_num(np.abs(got - wanted), nan=np.inf).max(axis=1).argmax())
    return f"Row {row}: {compare(got[row], wanted[row])}"


# ------------------------------------------------------------------------------------------------ masked attention


@exercise("fusion")
def masked_attention(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Each query's mean of the values that are present, weighed by how well their keys fit."""
    asking, steps, dim, width = 3, int(rng.integers(5, 8)), int(rng.integers(8, 11)), 4
    queries, keys = 1.5 * rng.normal(size=(asking, dim)), 1.5 * rng.normal(size=(steps, dim))
    values, mask = rng.normal(size=(steps, width)), np.arange(steps) < steps - 2
    mask = mask[rng.permutation(steps)]
    hints = {
        (asking, steps): "These are the weights. With them comes a mean of the values: weights @ values.",
        (width, asking): "It is turned over: a row for each query, a column for each number of a value.",
        (asking, dim): "You take the mean of the keys. Keys say how much, values say of what.",
        (steps, width): "A row for each query is wanted, not for each key. Sum over the keys.",
        (width,): "That is one mean for all. Each query has its own.",
    }
    got = _shaped(answer(queries, keys, values, mask), (asking, width), hints)
    scores = queries @ keys.T / np.sqrt(dim)
    wanted = _softmax(np.where(mask, scores, -np.inf)) @ values
    yield Law(
        "row i: the mean of the values present, weighed by softmax over the keys of q_i · k_j / sqrt(d)",
        close(got, wanted, SINGLE),
        diagnose(
            got,
            _attention_mistakes(queries, keys, values, mask),
            "Take one query and two keys, and compute both weights by hand. They are positive and sum to 1.",
        ),
        _worst(got, wanted),
    )
    no_values = np.where(mask[:, None], values, np.nan)
    got = answer.array(queries, keys, no_values, mask, shape=(asking, width))
    yield Law(
        "what a masked value holds has no influence, even if it is no number",
        close(got, wanted, SINGLE),
        "0 * NaN is NaN: a weight of 0 is not enough. Set masked values to zero first, or leave them out.",
        _worst(got, wanted),
    )
    got = answer.array(queries, np.where(mask[:, None], keys, np.nan), values, mask, shape=(asking, width))
    yield Law(
        "what a masked key holds has no influence, even if it is no number",
        close(got, wanted, SINGLE),
        "NaN - 1e9 is NaN: to lower the score of a masked key is not enough. Replace it, or leave the key out.",
        _worst(got, wanted),
    )
    got = answer.array(200 * queries, 200 * keys, values, mask, shape=(asking, width))
    wanted = _softmax(np.where(mask, 40_000 * scores, -np.inf)) @ values
    yield Law(
        "scores may be large",
        close(got, wanted, LARGE),
        "exp(1000) is infinite. Take the largest score of each row away before exp; the softmax stays the same. Of "
        "the masked scores none counts.",
        _worst(got, wanted),
    )


def _attention_mistakes(queries: Array, keys: Array, values: Array, mask: Array) -> Mistakes:
    products, dim = queries @ keys.T, queries.shape[1]

    def mixed(scores: Array, present: Array = mask) -> Array:
        return _softmax(np.where(present, scores, -np.inf)) @ values

    scores = products / np.sqrt(dim)
    whole, over_queries = _softmax(scores), _softmax(scores, axis=0)
    exponentials = np.exp(scores) * mask
    return {
        "The root is missing: divide the scores by sqrt(d), d the width of a query.": mixed(products),
        "You divide by d. Divide by its root.": mixed(products / dim),
        "You multiply by sqrt(d). Divide by it.": mixed(products * np.sqrt(dim)),
        "The root is of the wrong number. It is the width of a query and a key that counts, not how many there are.": (
            mixed(products / np.sqrt(len(keys))), mixed(products / np.sqrt(len(queries))),
            mixed(products / np.sqrt(values.shape[1])),
        ),
        "Your softmax runs over the queries (axis=0): there a key shares itself out. Each query shares itself out over "
        "the keys: axis=1.": (
            (over_queries * mask) @ values, over_queries @ values,
            _softmax(np.where(mask, scores, -1e9), axis=0) @ values,
        ),
        "You mask after the softmax. The weights that are left no longer sum to 1: mask the scores, with -inf.": (
            (whole * mask) @ values
        ),
        "You set masked scores to 0. A score of 0 has weight too, exp(0) = 1: set them to -inf.": (
            _softmax(np.where(mask, scores, 0)) @ values
        ),
        "What is masked adds nothing, but it still takes its share of the weights, exp(0) = 1 each: set its scores to "
        "-inf.": _softmax(np.where(mask, scores, 0)) * mask @ values,
        "The mask is upside down: True is a step that is present.": mixed(scores, ~mask),
        "The mask has no influence.": whole @ values,
        "You leave the softmax out. Weights are positive and sum to 1.": (
            np.where(mask, scores, 0) @ values, scores @ values,
        ),
        "The weights do not sum to 1: divide the exponentials by their sum, over the keys.": exponentials @ values,
        "You divide by the sum over all. Each query has a sum of its own: axis=1, with keepdims=True.": (
            exponentials @ values / exponentials.sum()
        ),
        "All weights are equal: the queries have no influence.": np.tile(values[mask].mean(axis=0), (len(queries), 1)),
        "You take the value of the best key alone. A softmax mixes them.": values[
            np.where(mask, scores, -np.inf).argmax(axis=1)
        ],
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------- hard negatives


@exercise("fusion")
def negative_shares(answer: Answer, rng: Generator) -> Iterator[Law]:
    """How likely each wrong caption is drawn against each picture."""
    rows = int(rng.integers(5, 7))  # few enough to be shown
    similarity, scale = rng.uniform(-1, 1, size=(rows, rows)), float(rng.uniform(3, 6))
    groups = np.arange(rows)
    groups[-1] = groups[0]
    groups = groups[rng.permutation(rows)] * 7 - 3  # any whole numbers
    wrong = groups[:, None] != groups
    hints = {
        (rows,): "That is one number for each picture, or a draw. The probabilities of all captions are wanted.",
        (): "That is one number. A table is wanted: a row for each picture, a column for each caption.",
    }
    got = _shaped(answer(similarity, groups, scale), (rows, rows), hints)
    wanted = _softmax(np.where(wrong, scale * similarity, -np.inf))
    yield Law(
        "row i: softmax of scale * similarity over the captions of other groups, 0 for those of its own",
        close(got, wanted, SINGLE),
        diagnose(
            got,
            _share_mistakes(similarity, groups, scale),
            "Is each row positive where groups differ, zero where they agree, and is its sum 1?",
        ),
        f"{_worst(got, wanted)} The groups are {show(groups)}.",
    )
    near = np.where(wrong, similarity, 1.0)  # the right ones are the nearest, as after training
    got = answer.array(near, groups, 2000.0, shape=(rows, rows))
    wanted = _softmax(np.where(wrong, 2000.0 * near, -np.inf))
    yield Law(
        "the scale may be large, and the right captions the nearest by far",
        close(got, wanted, LARGE),
        "Take the largest logit of each row away before exp, the largest among the wrong captions: beside a right one "
        "all of their exponentials may be 0, and 0 / 0 is no number.",
        _worst(got, wanted),
    )


def _share_mistakes(similarity: Array, groups: Array, scale: float) -> Mistakes:
    logits, wrong, own = scale * similarity, groups[:, None] != groups, np.eye(len(groups), dtype=bool)

    def shares(logits: Array, drawn: Array = wrong, axis: int = -1) -> Array:
        return _softmax(np.where(drawn, logits, -np.inf), axis)

    return {
        "Right captions are drawn as well. Their share is 0.": _softmax(logits),
        "You leave out the picture's own caption, but not its twins: rows of one group are right for each other.": (
            shares(logits, ~own), _softmax(logits) * ~own,
        ),
        "The shares that are left do not sum to 1. Leave the right captions out before the softmax, or divide again.": (
            _softmax(logits) * wrong
        ),
        "You set the logits of right captions to 0. A logit of 0 has a share too, exp(0) = 1: set them to -inf.": (
            _softmax(np.where(wrong, logits, 0))
        ),
        "Your softmax runs over the pictures (axis=0). A row belongs to a picture, and is what sums to 1.": (
            shares(logits, axis=0)
        ),
        "You divide by the scale. Multiply: a large scale draws the nearest.": shares(similarity / scale),
        "The scale has no influence.": shares(similarity),
        "It is turned round: the least similar are drawn most. Those are the easy ones.": shares(-logits),
        "It is upside down: only the right captions are drawn.": shares(logits, ~wrong),
        "The shares do not sum to 1: divide by the sum of each row.": np.exp(logits) * wrong,
        "You divide by the sum of the whole table. Each picture draws for itself: axis=1, with keepdims=True.": (
            np.exp(logits) * wrong / (np.exp(logits) * wrong).sum()
        ),
        "All wrong captions are drawn alike. Draw those more often that are more similar.": (
            wrong / wrong.sum(axis=1, keepdims=True)
        ),
        "You always take the nearest. It is to be likely, not certain: a softmax.": (
            np.where(wrong, logits, -np.inf) == np.where(wrong, logits, -np.inf).max(axis=1, keepdims=True)
        ).astype(float),
    }  # fmt: skip
