"""The laws of the exercises on decoders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
from numpy.random import Generator

from mmcourse.decoders.numpy import sequence_cross_entropy
from mmcourse.exercises.laws import (
    Answer,
    Array,
    Law,
    Rejected,
    as_number,
    as_pair,
    close,
    compare,
    diagnose,
    exercise,
    show,
)

# ------------------------------------------------------------------------------------------------- caption_loss


@exercise("fusion")
def caption_loss(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Teacher forcing: what each next word costs, given the true words before it, without the padding."""
    count, length = int(rng.integers(5, 9)), 7
    lengths = np.array([7, 3, 5])
    ids = np.where(np.arange(length) < lengths[:, None], rng.integers(1, count, size=(3, length)), 0)
    logits = 2 * rng.normal(size=(3, length - 1, count))
    said, present = ids[:, 1:], ids[:, 1:] != 0
    wanted = sequence_cross_entropy(logits, said, mask=present)
    got = answer.number(logits, ids)
    yield Law(
        "the mean of -log p over the words that are said",
        close(got, wanted),
        diagnose(
            got, _mistakes(logits, ids), "Compute one caption by hand: softmax at each place, then the word after."
        ),
        compare(got, wanted),
    )
    broken = np.where(present[..., None], logits, np.nan)
    got = answer.number(broken, ids)
    yield Law(
        "what stands in the padding has no influence, NaN included",
        close(got, wanted),
        "NaN times zero is NaN. Choose the places that are present first, logits[mask], then compute.",
        f"The logits of the padding hold NaN. {compare(got, wanted)}",
    )
    got = answer.number(logits + 1000.0, ids)
    yield Law(
        "a number added to all logits changes nothing",
        close(got, wanted),
        "exp(1000) is infinite. Subtract the largest logit of each place before exp.",
        f"All logits are near 1000. {compare(got, wanted)}",
    )


def _mistakes(logits: Array, ids: Array) -> dict[str, Any]:
    read, said = ids[:, :-1], ids[:, 1:]
    present = said != 0
    largest = logits.max(axis=2, keepdims=True)
    log_p = logits - largest - np.log(np.exp(logits - largest).sum(axis=2, keepdims=True))

    def costs(words: Array) -> Array:
        return -np.take_along_axis(log_p, words[..., None], axis=2)[..., 0]

    cost = costs(said)
    scores = -np.take_along_axis(logits, said[..., None], axis=2)[..., 0]
    return {
        "You ask for the word that was just read. The logits at place t speak of word t + 1: use ids[:, 1:].": (
            costs(read)[read != 0].mean(),
            costs(read)[present].mean(),
        ),
        "You count the padding. Its id is 0 and nobody says it: leave these places out.": cost.mean(),
        "You divide by all places, the padding among them. Divide by the number of the others.": (
            np.where(present, cost, 0).mean()
        ),
        "You take the mean of each caption, then the mean of these. Every word counts alike here, so a long caption "
        "counts more.": np.mean([row[here].mean() for row, here in zip(cost, present, strict=True)]),
        "You sum where you should take the mean over the words.": cost[present].sum(),
        "The sign: probabilities are below one, their logarithms negative; a cost is -log p.": -cost[present].mean(),
        "You take the logits themselves for log p. Subtract the logarithm of the sum of their exponentials first.": (
            scores[present].mean()
        ),
        "You count in bits. The natural logarithm is wanted here.": cost[present].mean() / np.log(2),
    }  # fmt: skip


# --------------------------------------------------------------------------------------------------------- beam

Model = Callable[[tuple[int, ...]], Array]
Found = tuple[tuple[int, ...], float]
COUNT, LONGEST, MODELS = 4, 4, 60


@exercise("fusion", trials=3)
def beam(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Beam search over words for one caption, with an end token."""
    end = int(rng.integers(COUNT))
    # On one model most mistakes find the right caption; on all of these each shows, and shows which it is.
    models = [_random_model(int(rng.integers(2**31))) for _ in range(MODELS)]
    # Captions set aside for good are found by so few that one such model is looked for.
    drawn = (_random_model(int(rng.integers(2**31))) for _ in count())
    models.append(next(m for m in drawn if _search(m, end, 2)[0] != _search(m, end, 2, "aside")[0]))
    for width, states, some in (
        (2, "with width 2 it keeps the two best beginnings, whichever they continue", models),
        (1, "with width 1 it is greedy search", models[:5]),
        (200, "with room for everything it finds the most probable caption", models[:5]),
    ):
        answers = [_sequence(answer(model, end, width, LONGEST)) for model in some]
        for model, (words, score) in zip(some, answers, strict=True):
            ended = words.index(end) if end in words else len(words) - 1
            yield Law(
                f"at most {LONGEST} words, and nothing after the end token",
                bool(words) and len(words) <= LONGEST and ended == len(words) - 1,
                "A beginning whose last word is the end token is complete: carry it along as it is, do not extend it.",
                f"width {width}: your words are {show(words)}, the end token is {end}.",
            )
            gains = [float(model(words[:t])[word]) for t, word in enumerate(words)]
            summed = sum(gains)
            yield Law(
                "its log-probability is the sum over its words",
                close(score, summed),
                diagnose(
                    score,
                    {
                        "You return a probability. Its logarithm is wanted.": np.exp(summed),
                        "You multiply logarithms. Probabilities are multiplied, their logarithms added.": np.prod(
                            gains
                        ),
                        "You return what the last word adds. Keep a running sum for each beginning.": gains[-1],
                        "You divide by the length. Here beginnings are compared by their sums.": summed / len(words),
                    },
                    "Add the log-probability of each word, given those before it, the end token included.",
                ),
                f"{show(words)}: {compare(score, summed)}",
            )
        wanted = [_search(model, end, width) for model in some]
        unlike = [place for place, (got, right) in enumerate(zip(answers, wanted, strict=True)) if got[0] != right[0]]
        fits = (
            hint
            for hint, kind in HINTS.items()
            if all(_search(m, end, width, kind)[0] == got[0] for m, got in zip(some, answers, strict=True))
        )
        yield Law(
            states,
            not unlike,
            next(fits, OTHERWISE),
            "".join(
                f"width {width}: yours is {show(answers[place][0])} with {answers[place][1]:.4g}, "
                f"wanted {show(wanted[place][0])} with {wanted[place][1]:.4g}."
                for place in unlike[:1]
            ),
        )


HINTS = {
    "Each beginning keeps its own best word, so that no other beginning can be pushed out. Put the continuations of "
    "all beginnings into one list, and keep the best of that list.": "own",
    "Captions that ended are lost. They keep their place among the best, and compete with those that go on.": "drop",
    "You put captions that ended aside, so that none can be pushed out. Here each stays in the comparison, and is lost "
    "when `width` better beginnings are found.": "aside",
    "You stop when the first caption has ended. Another beginning may still be the better one.": "first",
    "You rank by the last word alone. A beginning is as probable as all its words together.": "last",
    "You keep the worst. The best has the largest log-probability, which is the one nearest to zero.": "worst",
}
OTHERWISE = "Print the list of beginnings with their sums after each word, for width 2, and follow it by hand."


def _search(model: Model, end: int, width: int, kind: str = "") -> Found:
    """The right search, or the one of a mistake."""
    beams: list[tuple[tuple[int, ...], float, float]] = [((), 0.0, 0.0)]  # words, sum, what ranks them
    aside: list[tuple[tuple[int, ...], float, float]] = []
    for _ in range(LONGEST):
        lists = []
        for words, total, rank in beams:
            if words[-1:] == (end,):
                lists.append([] if kind == "drop" else [(words, total, rank)])
                continue
            gains = [float(gain) for gain in model(words)]
            lists.append([((*words, w), total + g, g if kind == "last" else total + g) for w, g in enumerate(gains)])
        order = (lambda beam: beam[2]) if kind == "worst" else (lambda beam: -beam[2])
        if kind == "own" and len(beams) > 1:
            kept = [sorted(each, key=order)[0] for each in lists if each]
        else:
            kept = sorted([beam for each in lists for beam in each], key=order)[:width]
        if not kept:
            break
        beams = kept
        if kind == "aside":
            aside += [beam for beam in kept if beam[0][-1:] == (end,)]
            beams = [beam for beam in kept if beam[0][-1:] != (end,)]
        if kind == "first" and any(words[-1:] == (end,) for words, _, _ in beams):
            beams = [beam for beam in beams if beam[0][-1:] == (end,)]
            break
        if all(words[-1:] == (end,) for words, _, _ in beams) and kind != "drop":
            break
    best = min(aside + beams, key=lambda beam: -beam[1])
    return best[0], best[1]


def _random_model(seed: int) -> Model:
    def next_log_p(words: tuple[int, ...]) -> Array:
        logits = 1.2 * np.random.default_rng([seed, *map(int, words)]).normal(size=COUNT)
        return logits - np.log(np.exp(logits).sum())

    return next_log_p


def _sequence(result: Any) -> Found:
    words, score = as_pair(result, "the words", "their log-probability")
    try:
        made = tuple(int(word) for word in words)
    except (TypeError, ValueError):
        law = "the words are a sequence of whole numbers"
        raise Rejected(Law(law, False, "Return the beginning itself, a tuple or a list.", show(words))) from None
    return made, as_number(score, "the log-probability")
