"""The laws of the exercises on gates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from mmcourse.exercises.laws import Answer, Array, Law, as_array, as_pair, close, compare, diagnose, exercise, show

MASK_UPSIDE_DOWN = "Is the mask read the other way round? True means *present*."


@exercise("fusion")
def softmax_gate(answer: Answer, rng: Generator) -> Iterator[Law]:
    """A weight for each modality of each example, from a score; missing modalities get none."""
    rows, modalities, width, hidden = 6, 3, int(rng.integers(4, 7)), 5
    vectors = rng.normal(size=(rows, modalities, width))
    kernel, bias, score = rng.normal(size=(width, hidden)), rng.normal(size=hidden), 2 * rng.normal(size=hidden)
    everywhere = np.ones((rows, modalities), dtype=bool)

    def gate(vectors: Array, score: Array, present: Array) -> tuple[Array, Array]:
        result = answer(vectors, kernel, bias, score, present)
        fused, weights = as_pair(result, "the fused vectors", "the weights")
        return as_array(fused, (rows, width), "the first result"), as_array(
            weights, (rows, modalities), "the second result", "One weight for each modality of each row."
        )

    fused, weights = gate(vectors, score, everywhere)
    scores = np.tanh(vectors @ kernel + bias) @ score
    wanted = _softmax(scores)
    yield Law(
        "in each row the weights of the modalities sum to one",
        close(weights.sum(axis=1), np.ones(rows)),
        diagnose(
            weights,
            {
                "Your softmax goes over the rows: then the weights of one *modality* sum to one over the examples. "
                "Take it over the modalities.": _softmax(scores, axis=0),
                "Your softmax goes over all numbers at once, rows and modalities together. Give it the axis of the "
                "modalities.": _softmax(scores, axis=None),
                "These are the scores. Softmax makes weights of them.": scores,
                "A sigmoid looks at each score alone; nothing makes the weights sum to one.": 1 / (1 + np.exp(-scores)),
            },
            "Softmax over the modalities, row by row: exponentials, divided by their sum in the row."
            if np.isfinite(weights).all()
            else "Here all modalities are present, and still your weights are not finite. " + MASK_UPSIDE_DOWN,
        ),
        f"The first row of weights is {show(weights[0])}, its sum {weights[0].sum():.4g}.",
    )
    yield Law(
        "the weights are the softmax of score . tanh(vector kernel + bias)",
        close(weights, wanted),
        diagnose(
            weights,
            {
                "The tanh is missing: your score is linear, and cannot see the size of a noise.": _softmax(
                    (vectors @ kernel + bias) @ score
                ),
                "The bias is missing.": _softmax(np.tanh(vectors @ kernel) @ score),
                "The tanh comes before `score`, on the hidden numbers; you take it of the score.": _softmax(
                    np.tanh((vectors @ kernel + bias) @ score)
                ),
                "You leave `score` out and add the hidden numbers.": _softmax(
                    np.tanh(vectors @ kernel + bias).sum(axis=-1)
                ),
            },
            "Vector times kernel, plus bias, tanh, then the dot product with `score`: one number a modality.",
        ),
        compare(weights[0], wanted[0]),
    )
    summed = np.einsum("nm,nmd->nd", wanted, vectors)
    yield Law(
        "the fused vector is the weighted sum of the vectors",
        close(fused, summed),
        diagnose(
            fused,
            {
                "You take the mean over the modalities after weighing. The weights sum to one already.": summed
                / modalities,
                "You add the vectors without their weights.": vectors.sum(axis=1),
            },
            "Weight times vector, added over the modalities. weights[:, :, None] meets every number of a vector.",
        ),
        compare(fused[0], summed[0]),
    )

    present = rng.random((rows, modalities)) < 0.6
    present[np.arange(rows), rng.integers(modalities, size=rows)] = True
    present[0] = [True, False, True]
    lost = np.where(present[:, :, None], vectors, np.nan)
    fused, weights = gate(lost, score, present)
    yield Law(
        "NaN in a missing place has no influence",
        bool(np.isfinite(fused).all() and np.isfinite(weights).all()),
        "0 · NaN is NaN, so a weight of zero does not help. Put zeros into the missing places first: "
        "np.where(mask[:, :, None], vectors, 0). " + MASK_UPSIDE_DOWN,
        f"In row 0 the second modality is missing and holds NaN; the weights there are {show(weights[0])}.",
    )
    wanted = _softmax(np.where(present, scores, -np.inf))
    zeroed = np.tanh(np.nan_to_num(lost) @ kernel + bias) @ score
    yield Law(
        "the weights are shared among the modalities that are present",
        close(weights, wanted),
        diagnose(
            weights,
            {
                "A missing modality gets a weight: its vector of zeros has a score too. Its score must be -inf.":
                _softmax(zeroed),
                "You set missing weights to zero after the softmax; those left no longer sum to one.": np.where(
                    present, _softmax(zeroed), 0
                ),
                "A missing score becomes 0, and exp(0) is 1. It must be -inf.": _softmax(np.where(present, scores, 0)),
            },
            "Score -inf where the mask is False, then the softmax. " + MASK_UPSIDE_DOWN,
        ),
        f"Row 0, where the second is missing: got {show(weights[0])}, wanted {show(wanted[0])}.",
    )  # fmt: skip
    large = 1000 * score
    fused, weights = gate(vectors, large, everywhere)
    yield Law(
        "large scores do no harm",
        close(weights, _softmax(1000 * scores)),
        "exp(1000) is infinite. Subtract the largest score of the row first; the softmax stays the same.",
        f"With `score` a thousand times as large the first row is {show(weights[0])}.",
    )


@exercise("fusion")
def modulate(answer: Answer, rng: Generator) -> Iterator[Law]:
    """FiLM of feature maps: each channel scaled and shifted by what a condition asks."""
    rows, channels, condition_dim = 4, int(rng.integers(3, 6)), 2
    maps = rng.normal(size=(rows, channels, channels, channels))  # every wrong axis fits
    condition = rng.normal(size=(rows, condition_dim))
    scale, shift = (rng.normal(size=(condition_dim, channels)) for _ in range(2))
    asked = np.ones(rows, dtype=bool)
    nothing = np.zeros_like(scale)

    got = answer.array(maps, condition, nothing, nothing, asked, shape=maps.shape)
    yield Law(
        "with kernels of zero the maps stay as they are",
        close(got, maps),
        diagnose(
            got,
            {"The scale is 1 + c K: without the one, a kernel of zero switches every channel off.": 0 * maps},
            "gamma = 1 + condition times scale_kernel is one there, and beta is zero.",
        ),
        f"The first number is {got.flat[0]:.4g}, wanted {maps.flat[0]:.4g}.",
    )
    gamma, beta = 1 + condition @ scale, condition @ shift
    axes = {"rows": (slice(None), None, slice(None), None), "columns": (slice(None), None, None, slice(None))}
    here = (slice(None), slice(None), None, None)
    wanted = gamma[here] * maps + beta[here]
    got = answer.array(maps, condition, scale, shift, asked, shape=maps.shape)
    yield Law(
        "each channel is scaled and shifted by numbers of its own",
        close(got, wanted),
        diagnose(
            got,
            {
                "You scale the columns of the picture. Channels are axis 1: gamma[:, :, None, None].": gamma[
                    axes["columns"]
                ]
                * maps
                + beta[axes["columns"]],
                "You scale the lines of the picture. Channels are axis 1: gamma[:, :, None, None].": gamma[axes["rows"]]
                * maps
                + beta[axes["rows"]],
                "The two kernels are exchanged.": (1 + condition @ shift)[here] * maps + (condition @ scale)[here],
                "You shift first and scale then; the shift is not scaled.": gamma[here] * (maps + beta[here]),
                "The shift is missing.": gamma[here] * maps,
                f"Here every row has a condition, and you give back the maps. {MASK_UPSIDE_DOWN}": maps,
                "The shift gets a one as well. Only the scale is 1 + c K.": wanted + 1,
            },
            "gamma = 1 + condition @ scale_kernel and beta = condition @ shift_kernel, both (rows, channels).",
        ),
        compare(got[0, :, 0, 0], wanted[0, :, 0, 0]),
    )
    asked[rng.permutation(rows)[:2]] = False
    unasked = np.where(asked[:, None], condition, np.nan)
    got = answer.array(maps, unasked, scale, shift, asked, shape=maps.shape)
    yield Law(
        "NaN in a missing condition has no influence",
        bool(np.isfinite(got).all()),
        "Set the missing conditions to zero before you multiply: 0 · NaN is NaN. " + MASK_UPSIDE_DOWN,
    )
    mended = np.where(asked[:, None, None, None], wanted, maps)
    yield Law(
        "without a condition the maps stay as they are",
        close(got, mended),
        diagnose(
            got,
            {
                "You give zeros where the condition is missing. Nobody asked anything there: give back the maps.":
                np.where(asked[:, None, None, None], wanted, 0),
            },
            "Where the mask is False the scale is one and the shift zero.",
        ),
        f"Without a condition are rows {show(np.flatnonzero(~asked))}.",
    )  # fmt: skip


def _softmax(scores: Array, axis: int | None = 1) -> Array:
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)
