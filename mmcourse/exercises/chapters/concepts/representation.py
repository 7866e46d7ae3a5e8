"""The laws of the exercises on what two modalities tell together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from mmcourse.exercises.laws import (
    Answer,
    Array,
    Law,
    Rejected,
    as_array,
    as_pair,
    close,
    compare,
    concluded,
    diagnose,
    exercise,
    names_in,
    require_shares,
    show,
)
from mmcourse.lesson import experiment

# ------------------------------------------------------------------------------------------------- second_given_first


def _entropy(p: Array) -> float:
    some = p[p > 0]
    return float(-(some * np.log2(some)).sum())


def _information(p: Array) -> float:
    return _entropy(p.sum(axis=1)) + _entropy(p.sum(axis=0)) - _entropy(p)


def _mistakes(counts: Array) -> dict[str, float | tuple[float, ...]]:
    """What people compute in place of I(X2;Y|X1), by hint."""
    p = counts / counts.sum()
    first, second = _information(p.sum(axis=1)), _information(p.sum(axis=0))
    both = _information(p.reshape(-1, p.shape[2]))
    slices = [_information(part / part.sum()) for part in p]
    # The sum of all slices' terms with counts in place of probabilities.
    raw = _information(counts.reshape(-1, counts.shape[2])) - _information(counts.sum(axis=1))
    return {
        "That is what the second tells alone. Alone it may be at chance and still add a bit for somebody who has the "
        "first.": second,
        "That is what both tell. Take away what the first tells without the second.": both,
        "That is what the first adds to the second. Which axis do you sum away?": both - second,
        "You take away what the second tells alone as well. That difference, synergy minus redundancy, can be "
        "negative; what is added cannot.": both - first - second,
        "These are nats. Bits take the logarithm to the base two.": (both - first) * float(np.log(2)),
        "The sign is turned.": first - both,
        "You take a plain mean over the values of the first. Those that are frequent weigh more.": float(
            np.mean(slices)
        ),
        "The table holds counts. Divide it by its sum first.": raw,
        "That is the doubt left after the first. How much of it does the second take away?": _entropy(p.sum(axis=1))
        - _entropy(p.sum(axis=(1, 2))),
    }


@exercise("concepts")
def second_given_first(answer: Answer, rng: Generator) -> Iterator[Law]:
    """I(X2;Y|X1) in bits from a table of counts (x1, x2, y)."""
    shape = tuple(int(size) for size in rng.integers(2, 5, size=3))
    full = rng.integers(1, 30, size=shape).astype(float)
    full[0] *= 5  # values of the first differ in frequency
    yield _as_wanted("it is I(X1,X2;Y) - I(X1;Y), in bits", answer, full)
    sparse = np.where(rng.random(shape) < 0.4, 0.0, full)
    sparse[:, 0, 0] += 1  # no value of the first is without rows
    got = answer.number(sparse)
    yield Law(
        "an empty cell counts as nothing",
        bool(np.isfinite(got)) and close(got, _wanted(sparse)),
        "The logarithm of zero is minus infinity, and zero times that is NaN. Take the entropy over the cells that are "
        "above zero.",
        compare(got, _wanted(sparse)),
    )
    exclusive = np.zeros((2, 2, 2))
    for first, second in np.ndindex(2, 2):
        exclusive[first, second, first ^ second] = 25.0
    yield _as_wanted("with the exclusive or, the second adds one bit", answer, exclusive)
    copy = np.zeros((2, 2, 2))
    copy[0, 0, 0] = copy[1, 1, 1] = 50.0
    yield _as_wanted("a copy of the first adds nothing", answer, copy)


def _wanted(counts: Array) -> float:
    p = counts / counts.sum()
    return _information(p.reshape(-1, p.shape[2])) - _information(p.sum(axis=1))


def _as_wanted(states: str, answer: Answer, counts: Array) -> Law:
    got, wanted = answer.number(counts), _wanted(counts)
    hint = diagnose(got, _mistakes(counts), "Sum the table over x2 for the first alone; reshape it for both.")
    return Law(states, close(got, wanted, size=1.0), hint, compare(got, wanted))


# ------------------------------------------------------------------------------------------------------ pushed_apart


def _squared(left: Array, right: Array) -> Array:
    return ((left[:, None] - right[None]) ** 2).sum(axis=2)


def _order(similarity: Array) -> Array:
    return np.argsort(similarity, axis=1)


@exercise("concepts")
def pushed_apart(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Two clouds with a gap between them and every ranking as it was."""
    images, texts, width = (int(size) for size in rng.integers(4, 9, size=3))
    u, v = rng.normal(size=(images, width)), rng.normal(size=(texts, width))
    v[0] = u[0]  # one pair coincides before
    gap = float(rng.uniform(2, 9))
    far_u, far_v = _clouds(answer(u, v, gap), images, texts)
    kept = all(close(_squared(far, far), _squared(near, near)) for far, near in ((far_u, u), (far_v, v)))
    yield Law(
        "distances inside each cloud stay as they were",
        kept,
        "Do you multiply? That blows the clouds up. Move each cloud as a whole: add one vector to all its rows.",
    )
    yield Law(
        "each picture ranks the texts as before, by dot product",
        bool((_order(far_u @ far_v.T) == _order(u @ v.T)).all()),
        "Moving the pictures by c adds the dot product of c and a text, which differs from text to text. Is there a "
        "direction in which no vector has any length yet?",
    )
    yield Law(
        "each text ranks the pictures as before, by dot product",
        bool((_order(far_v @ far_u.T) == _order(v @ u.T)).all()),
        "One direction of asking is as it was, the other is not: moving the texts by c adds the dot product of c and a "
        "picture. Both clouds need a coordinate that neither used.",
    )
    least = float(np.sqrt(_squared(far_u, far_v).min()))
    yield Law(
        "every picture is at least `gap` away from every text",
        least >= gap * (1 - 1e-9),
        diagnose(
            least,
            {
                "Both clouds went the same way. One goes up, the other down or nowhere.": 0.0,
                "You moved each cloud by a quarter of the gap. The two ways add up: half each.": gap / 2,
            },
            "A pair that coincided is now just as far apart as the two moves together. How far is that?",
        ),
        f"The closest are {least:.3g} apart, the gap is {gap:.3g}.",
    )


def _clouds(result: object, images: int, texts: int) -> tuple[Array, Array]:
    first, second = as_pair(result, "the pictures", "the texts")
    width = np.shape(first)[-1] if np.ndim(first) else 0
    hint = "Both clouds need the same width, whatever it is; the rows stay."
    return as_array(first, (images, width), "the pictures", hint), as_array(second, (texts, width), "the texts", hint)


# -------------------------------------------------------------------------------------------------- one_more_modality

CONCLUSIONS = (
    "the second modality helps",
    "the second modality changes nothing",
    "the second modality costs accuracy",
)
MODELS = ("image", "both")
SPREAD = 0.05


@exercise("concepts", trials=1)
def one_more_modality(answer: Answer, rng: Generator) -> Iterator[Law]:
    """A conclusion about a useless modality, held to the learner's own numbers and to the stored ones."""
    result = names_in(answer(), (*MODELS, "conclusion"), "what it returns")
    scores = {name: _scores(name, result[name]) for name in MODELS}
    if len({len(values) for values in scores.values()}) > 1:
        seen = f"The lists have the lengths {len(scores['image'])} and {len(scores['both'])}."
        raise Rejected(Law("both models are run with the same seeds", False, "One loop over seeds, two models.", seen))
    yield Law(
        "there are three seeds or more",
        len(scores["image"]) >= 3,
        "One run is an anecdote: another draw of a hundred pairs gives another accuracy.",
    )
    yield Law(
        "another seed is another run",
        all(len(set(values.tolist())) > 1 for values in scores.values()),
        "All seeds give one result. Does the seed reach pairs_of, seed_everything and fit?",
    )
    means = {name: float(values.mean()) for name, values in scores.items()}
    stored = {
        name: experiment("concepts_representation").values(name, sweep="useless", text_width=64) for name in MODELS
    }
    low, high = ({name: float(reach(values)) for name, values in stored.items()} for reach in (np.min, np.max))
    exchanged = means["both"] > means["image"] and low["both"] - SPREAD <= means["image"] <= high["both"] + SPREAD
    for name in MODELS:
        yield Law(
            "each model reaches what it reaches in the stored runs",
            low[name] - SPREAD <= means[name] <= high[name] + SPREAD,
            "Are the two lists exchanged?"
            if exchanged
            else "Train on the hundred pairs, test on the others, with TRAINING as it is; the image alone is "
            '`train.only("image")`.',
            f"{name}: the mean is {means[name]:.3f}; the stored runs lie between {low[name]:.3f} and {high[name]:.3f}.",
        )
    gain = means["both"] - means["image"]
    yield from concluded(
        result["conclusion"],
        CONCLUSIONS,
        CONCLUSIONS[0] if gain > 0.01 else CONCLUSIONS[2] if gain < -0.01 else CONCLUSIONS[1],
        "Compare the two means: the sign of their difference tells whether the second modality helped.",
        f"The mean gain of both over the image alone is {gain:.3f}.",
    )


def _scores(name: str, values: object) -> Array:
    try:
        count = len(values)  # type: ignore[arg-type]
    except TypeError:
        law = f"{name}: one accuracy for each seed"
        raise Rejected(
            Law(law, False, "A list with an accuracy for each seed, no mean.", f"It is {show(values)}.")
        ) from None
    found = as_array(values, (count,), name)
    require_shares(
        found, name, "accuracies lie between 0 and 1", "A share of right answers, no percentage and no loss."
    )
    return found
