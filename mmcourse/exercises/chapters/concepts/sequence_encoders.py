"""The laws of the exercises on sequence encoders."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator

from mmcourse.encoders.numpy import recurrent, scaled_dot_product_attention, sigmoid
from mmcourse.exercises.laws import Answer, Array, Law, close, compare, diagnose, exercise

Activation = Callable[[Array], Array]

LEAK = (
    "What stands in a masked place may be anything, NaN included. Multiplying by the mask does not remove NaN, for "
    "0 · NaN is NaN; choose with np.where."
)
UPSIDE_DOWN = "You read the mask the other way round: True means present."


# ----------------------------------------------------------------------------------------------------- last state


@exercise("concepts")
def last_state(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The state of a recurrent network after the last step present of each row of a padded batch."""
    batch, time, dim, hidden = (int(size) for size in rng.permutation([4, 5, 6, 7]))
    sequence = rng.normal(size=(batch, time, dim))
    kernel, recurrent_kernel = rng.normal(size=(dim, hidden)) / 2, rng.normal(size=(hidden, hidden)) / 2
    bias = rng.normal(size=hidden)
    given = (kernel, recurrent_kernel, bias)
    shape, everywhere = (batch, hidden), np.ones((batch, time), dtype=bool)
    shape_hint = "One row for each sequence of the batch, one column for each number of the state; not all the states."

    def right(sequence: Array, mask: Array | None = None) -> tuple[Array, Array]:
        return recurrent(sequence, kernel=kernel, recurrent_kernel=recurrent_kernel, bias=bias, mask=mask)

    def run(sequence: Array, activation: Activation = np.tanh, memory: float = 1.0, shift: float = 1.0) -> Array:
        state = np.zeros(shape)
        for t in range(sequence.shape[1]):
            state = activation(sequence[:, t] @ kernel + memory * state @ recurrent_kernel + shift * bias)
        return state

    got = answer.array(sequence, everywhere, *given, shape=shape, hint=shape_hint)
    states, wanted = right(sequence)
    yield Law(
        "where every step is present, it is the state after the last step",
        close(got, wanted),
        diagnose(
            got,
            {
                "The state is not carried along: each step must start from the state before it, times "
                "recurrent_kernel.": run(sequence, memory=0.0),
                "The bias is missing.": run(sequence, shift=0.0),
                "The tanh is missing.": run(sequence, activation=lambda x: x),
                "You squash with the sigmoid. A recurrent network takes tanh.": run(sequence, activation=sigmoid),
                "You read from the last step to the first.": run(sequence[:, ::-1]),
                "You stop one step too early: range(time) goes to time - 1 by itself.": states[:, -2],
                "You take the mean of all states; the last one is wanted.": states.mean(axis=1),
                "That is the state before the first step. " + UPSIDE_DOWN: np.zeros(shape),
            },
            "For each t: tanh(x_t kernel + state recurrent_kernel + bias), from a state of zeros.",
        ),
        compare(got[0], wanted[0]),
    )

    counts = rng.permutation(np.arange(batch) % (time - 1) + 1)  # every row shorter than the batch is long
    mask = np.arange(time) < counts[:, None]
    padded = np.where(mask[..., None], sequence, np.nan)
    got = answer.array(padded, mask, *given, shape=shape, hint=shape_hint)
    yield Law("NaN in the padding has no influence", bool(np.isfinite(got).all()), LEAK)
    wanted = right(padded, mask)[1]
    filled = np.where(mask[..., None], sequence, 0.0)
    yield Law(
        "a step that is masked leaves the state as it is",
        close(got, wanted),
        diagnose(
            got,
            {
                "You fill the padding with zeros and read on. A zero vector is an input too: state and bias move at "
                "each of these steps.": run(filled),
                "You set the state to zero where nothing is present. It must stay what it was.": np.where(
                    mask[:, -1:], wanted, 0.0
                ),
                "You cut all rows at the shortest one. Each row has an end of its own.": right(
                    sequence[:, : counts.min()]
                )[1],
            },
            "np.where(mask[:, t, None], new_state, state)",
        ),
        compare(got[0], wanted[0]),
    )


# --------------------------------------------------------------------------------------------- attention of some


@exercise("concepts")
def attention_mean(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Scaled dot-product attention over the keys that are present."""
    queries_count, keys_count, dim, out = (int(size) for size in rng.permutation([3, 5, 6, 7]))
    queries, keys = rng.normal(size=(queries_count, dim)), rng.normal(size=(keys_count, dim))
    values = rng.normal(size=(keys_count, out))
    everywhere, shape = np.ones(keys_count, dtype=bool), (queries_count, out)

    got = answer.array(queries, keys, values, everywhere, shape=shape)
    wanted, weights = scaled_dot_product_attention(queries, keys, values)
    scores = queries @ keys.T
    yield Law(
        "where every key is present, it is the mean of the values with the softmax of the scores",
        close(got, wanted),
        diagnose(
            got,
            {
                "The root is missing: divide the scores by the square root of the width of a key.": _softmax(scores)
                @ values,
                "You divide by the width. It is its square root.": _softmax(scores / dim) @ values,
                "The root is that of the number of keys. It belongs to their width.": _softmax(
                    scores / np.sqrt(keys_count)
                )
                @ values,
                "The softmax runs over the queries. For each query the weights of all keys sum to one.": _softmax(
                    scores / np.sqrt(dim), axis=0
                )
                @ values,
                "You weigh by the scores themselves. The softmax makes positive weights of them.": scores
                / np.sqrt(dim)
                @ values,
                "The exponentials are not divided by their sum.": np.exp(scores / np.sqrt(dim)) @ values,
                "You take the mean of the values; queries and keys have no influence.": np.broadcast_to(
                    values.mean(axis=0), shape
                ),
            },
            "Scores: (queries, keys). Softmax along the keys. Times the values."
            if np.isfinite(got).all()
            else UPSIDE_DOWN,
        ),
        compare(got[0], wanted[0]),
    )

    mask = np.ones(keys_count, dtype=bool)
    mask[rng.choice(keys_count, int(rng.integers(1, keys_count)), replace=False)] = False
    got = answer.array(queries, keys, values, mask, shape=shape)
    wanted = scaled_dot_product_attention(queries, keys[mask], values[mask])[0]
    zeros = _softmax(np.where(mask, scores / np.sqrt(dim), 0.0))
    yield Law(
        "masked keys get no weight, and the others share all of it",
        close(got, wanted),
        diagnose(
            got,
            {
                "The masked weights are set to zero after the softmax, so the rest no longer sums to one.": weights
                * mask
                @ values,
                "You set masked scores to zero. exp(0) is 1, a weight like any other: minus infinity becomes zero.": (
                    zeros @ values,
                    zeros * mask @ values,
                ),
                "The mask has no influence.": weights @ values,
            },
            "Take away the masked keys first, then the softmax.",
        ),
        compare(got[0], wanted[0]),
    )
    lost_keys, lost_values = (np.where(mask[:, None], rows, np.nan) for rows in (keys, values))
    got = answer.array(queries, lost_keys, lost_values, mask, shape=shape)
    yield Law("NaN in a masked key or value has no influence", close(got, wanted), LEAK)
    loud = 1000 * queries
    got = answer.array(loud, keys, values, everywhere, shape=shape)
    wanted = scaled_dot_product_attention(loud, keys, values)[0]
    yield Law(
        "large scores are no problem",
        close(got, wanted),
        "exp(1000) is infinite. Subtract the largest score of each query first: the softmax does not change by it.",
        compare(got[0], wanted[0]),
    )


def _softmax(scores: Array, axis: int = 1) -> Array:
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)
