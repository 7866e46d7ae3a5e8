"""The laws of the exercises on contrastive learning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import combinations, groupby
from typing import Any

import numpy as np
from numpy.random import Generator

from mmcourse.alignment.numpy import info_nce, multi_positive_info_nce
from mmcourse.data import WordTokens, glyphs
from mmcourse.exercises.laws import (
    Answer,
    Array,
    Law,
    as_array,
    close,
    compare,
    concluded,
    diagnose,
    exercise,
    names_in,
    require_shares,
    show,
)
from mmcourse.training import embed, fit_pairs, hits_at, recall_at, seed_everything

Mistakes = dict[str, Any]  # from a hint to what its mistake gives, as diagnose takes them
HUGE = 1000.0
SINGLE = 1e-5  # logarithms of sums of exponentials in single precision


def _shaped(result: Any, shape: tuple[int, ...], hints: Mapping[tuple[int, ...], str]) -> Array:
    """The result as an array of a shape; another shape gets the hint that fits it."""
    try:
        found = tuple(np.shape(result))  # also of tensors and of tuples of numbers
    except ValueError:
        found = ()  # a ragged list: as_array says so
    return as_array(result, shape, "the result", hints.get(found, ""))


def _unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _vectors(rng: Generator, rows: int, width: int) -> Array:
    """Rows of different lengths, for else it would not show who forgets the lengths."""
    return rng.normal(size=(rows, width)) * rng.uniform(0.5, 3, size=(rows, 1))


def _log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


# ------------------------------------------------------------------------------------------------ table of cosines


@exercise("fusion")
def cosine_table(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The cosine of every picture's vector with every name's."""
    rows, width = int(rng.integers(5, 8)), int(rng.integers(2, 5))
    image, text = _vectors(rng, rows, width), _vectors(rng, rows, width)
    one_each = "You compare row i with row i alone. Every picture with every name is wanted."
    summed = "You compare the columns. The sum in x · t goes over the width, so the rows stay."
    hints: dict[tuple[int, ...], str] = {
        (): "That is one number. A table is wanted, of every picture with every name.",
        (rows,): one_each,
        (rows, width): "You multiply number by number. A cosine adds these products up, over the width.",
        (width, width): summed,
    }
    got = _shaped(answer(image, text), (rows, rows), hints)
    products, wanted = image @ text.T, _unit(image) @ _unit(text).T
    yield Law(
        "row i, column j: the cosine of picture i with name j",
        close(got, wanted, 1e-4),
        diagnose(got, _cosine_mistakes(image, text), "Compute the corner [0, 0] by hand: x · t over the two lengths."),
        f"{compare(got[0, :3], wanted[0, :3])} The scalar products are {show(products[0, :3])}.",
    )
    tiny = answer.array(image * 1e-6, text * 1e6, shape=(rows, rows))
    yield Law(
        "lengths have no influence, however short or long",
        close(tiny, wanted, 1e-4),
        "Is something added to the lengths, or are they cut off or rounded? A short vector has a direction too.",
        f"Pictures a millionth as long, names a million times: {compare(tiny[0, :3], wanted[0, :3])}",
    )
    fewer = image[: rows - 2]
    turned = "It is turned over: a row for each picture, a column for each name."
    hints = {(rows, rows - 2): turned, (rows, rows): "Use the number of rows of each of the two, not of one for both."}
    got = _shaped(answer(fewer, text), (rows - 2, rows), hints)
    yield Law(
        "there may be more names than pictures",
        close(got, wanted[: rows - 2], 1e-4),
        "With as many names as pictures it was right. Where do you use one number of rows for the other?",
        compare(got[0, :3], wanted[0, :3]),
    )


def _cosine_mistakes(image: Array, text: Array) -> Mistakes:
    dot, cos = image @ text.T, _unit(image) @ _unit(text).T
    x, t = np.linalg.norm(image, axis=1), np.linalg.norm(text, axis=1)
    angle = np.arccos(cos.clip(-1, 1))
    by_column = [rows / np.linalg.norm(rows, axis=0) for rows in (image, text)]
    centred = [rows - rows.mean(axis=1, keepdims=True) for rows in (image, text)]
    level = [rows - rows.mean(axis=0) for rows in (image, text)]
    by_sum = [rows / np.abs(rows).sum(axis=1, keepdims=True) for rows in (image, text)]
    return {
        "These are scalar products. Divide by both lengths.": dot,
        "You divide by one of the two lengths. The other is still in it.": (dot / x[:, None], dot / t),
        "You divide by the squares of the lengths: a root is missing.": dot / np.outer(x**2, t**2),
        "You take a root too many: divide by the product of the lengths.": dot / np.sqrt(np.outer(x, t)),
        "Lengths below 1 count as 1 in your table. A short vector has a direction too.": dot
        / np.outer(np.maximum(x, 1), np.maximum(t, 1)),
        "The lengths meet the wrong rows: that of picture i belongs to row i, that of name j to column j. Look at how "
        "your arrays are broadcast.": (dot / np.outer(t, x), dot / (x * t), dot / (x * t)[:, None]),
        "You add the lengths. The scalar product is divided by their product.": dot / (x[:, None] + t),
        "It is turned over: a row for each picture, a column for each name.": cos.T,
        "You take the lengths of columns (axis=0). A vector is a row: axis=1, with keepdims=True.": by_column[0]
        @ by_column[1].T,
        "You take one length for the whole array. Each row has its own: axis=1, with keepdims=True.": dot
        / (np.linalg.norm(image) * np.linalg.norm(text)),
        "You subtract means first, which makes a correlation. A cosine looks at the vectors as they are.": (
            _unit(centred[0]) @ _unit(centred[1]).T,
            _unit(level[0]) @ _unit(level[1]).T,
        ),
        "You divide by the sum of the magnitudes. A length is the root of the sum of squares.": by_sum[0] @ by_sum[1].T,
        "You compare one of the two with itself.": (_unit(image) @ _unit(image).T, _unit(text) @ _unit(text).T),
        "You turned it into a distance, 1 - cosine. The cosine itself is wanted.": 1 - cos,
        "You dropped the sign: opposite directions have the cosine -1.": (np.abs(cos), cos.clip(0)),
        "This is the angle. Its cosine is wanted.": (angle, np.degrees(angle)),
        "You take a softmax as well. The table of cosines comes before it.": np.exp(_log_softmax(cos)),
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------ contrastive loss

OVERFLOW = (
    "exp(1000) is infinite. Take the largest logit of a row away before exp: log sum exp(z) = m + log sum exp(z - m)."
)
LOG_OF_ZERO = (
    "A probability became 0, and its log infinite. Never form the probability: log p is the logit minus log sum exp."
)
ONE_LARGEST = (
    "Which maximum do you take away? Each softmax needs its own, that of its row or of its column: with another, all "
    "its exponentials may be 0."
)
CUT_OFF = "Is anything cut off: a probability from below, the scale, the logits? A loss may be large."


def _per_row(result: object, rows: int) -> float:
    """One number of a loss; a loss that was not averaged gets the hint that fits."""
    hints = {
        (rows,): "That is one number for each row. Take the mean over the batch.",
        (2,): "These are the two directions. Take their mean.",
        (2, rows): "One number for each row and direction: take the mean of all.",
        (rows, rows): "That is a table. Of each row, only its right answer counts; then comes the mean.",
    }
    return float(_shaped(result, (), hints or {}))


def _loss_mistakes(image: Array, text: Array, scale: float, rows_of: Callable[[Array], Array]) -> Mistakes:
    """What the usual mistakes make of a loss over both directions. rows_of: from logits to the loss of each row."""
    cos = _unit(image) @ _unit(text).T
    by_column = [rows / np.linalg.norm(rows, axis=0) for rows in (image, text)]

    def both(logits: Array) -> float:
        return float((rows_of(logits).mean() + rows_of(logits.T).mean()) / 2)

    right, batch = both(scale * cos), len(image)
    halves = rows_of(scale * cos).mean(), rows_of(scale * cos.T).mean()
    return {
        "One direction is missing: each picture looks for its name. Let each name look for its picture.": halves[0],
        "One direction is missing: each name looks for its picture. Let each picture look for its name.": halves[1],
        "You add the two directions. Their mean is wanted.": 2 * right,
        "You halve too much: each direction is a mean by itself, and of the two you take the mean once.": right / 2,
        "You add the rows of the batch. Their mean is wanted.": (batch * right, 2 * batch * right),
        "You divide by the batch once too often.": (right / batch, 2 * right / batch),
        "The sign is turned: log p is negative, the loss is -log p.": (-right, -2 * right),
        "That is a logarithm with base 2 or 10. Nats are wanted: np.log.": (right / np.log(2), right / np.log(10)),
        "You multiply scalar products by the scale. Divide them by the lengths first, for cosines.": (
            both(scale * image @ text.T), both(scale * _unit(image) @ text.T), both(scale * image @ _unit(text).T),
        ),
        "You take the lengths of columns (axis=0). A vector is a row: axis=1, with keepdims=True.": both(
            scale * by_column[0] @ by_column[1].T
        ),
        "The scale has no influence. Multiply the cosines by it before the softmax.": both(cos),
        "You divide by the scale. It is one over the temperature: multiply.": both(cos / scale),
        "The scale enters twice.": both(scale**2 * cos),
        "You compare distances, 1 - cosine, so that the nearest gets the least. Use the cosines.": both(-scale * cos),
        "There is a mean where the denominator has a sum.": right - np.log(batch),
        "You take a softmax of a softmax. Does the function that you call take logits, and make the softmax itself?":
        (
            both(np.exp(_log_softmax(scale * cos))),
            np.mean([rows_of(np.exp(_log_softmax(scale * table))).mean() for table in (cos, cos.T)]),
        ),
        "You divide the cosines by their largest magnitude, or shift some of them. Only the scale belongs there.": both(
            scale * cos / np.abs(cos).max()
        ),
    }  # fmt: skip


def _own(logits: Array) -> Array:
    """-log p of the diagonal: the loss of each row."""
    return -np.diag(_log_softmax(logits))


@exercise("fusion")
def contrastive_loss(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Symmetric InfoNCE from raw vectors, at any scale."""
    rows, width = int(rng.integers(5, 9)), int(rng.integers(3, 6))
    image, text = _vectors(rng, rows, width), _vectors(rng, rows, width)
    scale = float(rng.uniform(3, 8))
    got = _per_row(answer(image, text, scale), rows)
    wanted = info_nce(image, text, scale=scale)
    hint = _explained(
        got,
        _info_nce_mistakes(image, text, scale),
        "Write it for a batch of two: a table of four cosines, two softmaxes along its rows, two along its columns.",
    )
    lengths = rng.uniform(0.5, 3, size=(2, rows, 1))
    alike = _per_row(answer(lengths[0] * image[0], lengths[1] * text[0], scale), rows)
    yield Law(
        "without an opinion, all cosines alike, it is log B",
        close(alike, np.log(rows), SINGLE),
        hint if not close(got, wanted, SINGLE) else "All probabilities are 1/B there, in both directions.",
        f"B is {rows}: {compare(alike, float(np.log(rows)))}",
    )
    yield Law(
        "it is the mean of -log p of the right answers, over rows and both directions",
        close(got, wanted, SINGLE),
        hint,
        f"{compare(got, wanted)} The scale is {scale:.3g}.",
    )
    yield from _at_a_huge_scale(answer, rng, rows, lambda x, t: info_nce(x, t, scale=HUGE))


def _explained(got: float, mistakes: Mistakes, otherwise: str) -> str:
    if not np.isfinite(got):
        return (
            "It is not a finite number, though the scale is small. Which row has no right answer, or a zero in a log?"
        )
    return diagnose(got, mistakes, otherwise)


def _info_nce_mistakes(image: Array, text: Array, scale: float) -> Mistakes:
    logits = scale * _unit(image) @ _unit(text).T
    sides = [_log_softmax(logits), _log_softmax(logits.T)]
    own = [np.exp(np.diag(side)) for side in sides]
    powers, batch = np.exp(logits), len(logits)
    others = [np.log(p.sum(axis=1) - np.diag(p)) - np.diag(logits) for p in (powers, powers.T)]
    whole = np.log(powers.sum()) - np.diag(logits)
    return _loss_mistakes(image, text, scale, _own) | {
        "You leave the right answer out of the denominator. All B answers stand there.": np.mean(others),
        "Your softmax runs over the whole table. Each row is a question of its own, and so is each column.": (
            whole.mean(), 2 * whole.mean(), whole.sum(),
        ),
        "The log comes too late: take it of each probability, then the mean.": (
            -np.mean([np.log(p.mean()) for p in own]), -np.log(np.mean(own)),
        ),
        "The log is missing: the loss is -log p of the right answers.": (
            np.mean(own), 1 - np.mean(own), -np.mean(own), np.sum(own) / batch, -np.sum(own) / batch,
        ),
        "You average -log p over the whole table. Of each row only the right answer counts: the diagonal.": -np.mean(
            sides
        ),
        "The probability is missing: that is the mean of the right answers' logits.": (
            -np.diag(logits).mean(), np.diag(logits).mean(),
        ),
    }  # fmt: skip


def _at_a_huge_scale(
    answer: Answer, rng: Generator, rows: int, loss: Callable[[Array, Array], float], *groups: Array
) -> Iterator[Law]:
    """Pairs that fit, then pairs that do not, at a scale whose exponentials are infinite or zero."""
    image = _vectors(rng, rows, 2 * rows)
    text = image + 0.1 * rng.normal(size=image.shape)
    with np.errstate(all="ignore"):
        got, wanted = _per_row(answer(image, text, *groups, HUGE), rows), loss(image, text)
    yield Law(
        "the scale may be large: where pairs fit, the loss is zero",
        close(got, wanted, 1e-3, size=1.0),
        OVERFLOW if not np.isfinite(got) else CUT_OFF,
        f"The scale is {HUGE:g}. {compare(got, wanted)}",
    )
    image, text = _far_apart(rng, rows, *groups)
    with np.errstate(all="ignore"):
        got, wanted = _per_row(answer(image, text, *groups, HUGE), rows), loss(image, text)
    hint = CUT_OFF if np.isfinite(got) else LOG_OF_ZERO if got > 0 else ONE_LARGEST
    yield Law(
        "the scale may be large: where pairs do not fit, so is the loss",
        close(got, wanted, 1e-4),
        hint,
        f"The scale is {HUGE:g}. {compare(got, wanted)}",
    )


def _far_apart(rng: Generator, rows: int, groups: Array | None = None) -> tuple[Array, Array]:
    """Pairs of which one has its own name opposite and another's name on the spot, and one is far from all names."""
    labels = list(range(rows) if groups is None else groups)
    alone = next(row for row, label in enumerate(labels) if labels.count(label) == 1)
    other, far = [row for row in range(rows) if row != alone][:2]
    image, text = _vectors(rng, rows, 2 * rows), _vectors(rng, rows, 2 * rows)
    text[:, 0] = np.abs(text[:, 0])
    image[alone, 0] = 0.0
    text[alone], text[other] = -image[alone], image[alone]
    image[far] = 0.0
    image[far, 0] = -2.0
    return image, text


# ------------------------------------------------------------------------------------------------------ least loss

LETTERS = ("A", "B", "E", "O")
MARKS = ("", " WITH ACUTE", " WITH GRAVE", " WITH GRAVE AND ACUTE")


@exercise("fusion", trials=10)
def least_loss(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The least InfoNCE of one batch in which names repeat."""
    known = [f"LATIN SMALL LETTER {letter}{mark}" for letter in LETTERS for mark in MARKS]
    chosen = [known[i] for i in rng.permutation(len(known))]
    different = chosen[: int(rng.integers(5, 9))]
    alike = different[:1] * len(different)
    names = _names_that_tell(chosen, rng)
    # What went wrong shows best in the batch in which some repeat; the first two laws are its ends.
    found = answer.number(names)
    wanted = _mean_log(names)
    hint = diagnose(
        found,
        _floor_mistakes(names),
        "Go through the members of the batch, not through the names: m of them have the name of member i; its share "
        "is 1/m at best, and costs log m.",
    )
    right = close(found, wanted)
    for some, law, end in (
        (different, "where all names differ, a loss of zero is possible", 0.0),
        (alike, "where all are called the same, log B is the best", float(np.log(len(alike)))),
    ):
        got = answer.number(some)
        yield Law(
            law,
            close(got, end, size=1.0),
            hint if not right else "Right where some names repeat, wrong at this end. What does your code do with it?",
            f"{len(some)} pictures with {len(set(some))} different names: {compare(got, end)}",
        )  # fmt: skip
    yield Law(
        "a member whose name m members have costs log m; the floor is the mean over the members",
        right,
        hint,
        f"Names are borne by {', '.join(map(str, sorted(Counter(names).values())))} members. {compare(found, wanted)}",
    )


def _mean_log(names: list[str]) -> float:
    counts = Counter(names)
    return float(np.mean([np.log(counts[name]) for name in names]))


def _names_that_tell(known: list[str], rng: Generator) -> list[str]:
    """A batch in which names repeat and in which every mistake gives a number of its own."""
    while True:
        counts = [*rng.permutation([4, 3, 2, 2]), *np.ones(rng.integers(2, 5), dtype=int)]
        used = [name for name, count in zip(known, counts, strict=False) for _ in range(count)]
        names = [used[i] for i in rng.permutation(len(used))]
        if _all_differ([_mean_log(names), *_floor_mistakes(names).values()]):
            return names


def _all_differ(values: list[Any]) -> bool:
    """Whether no two entries (numbers or tuples of numbers) have a number in common."""
    sets = [value if isinstance(value, tuple) else (value,) for value in values]
    return not any(close(a, b, 1e-4) for one, two in combinations(sets, 2) for a in one for b in two)


def _floor_mistakes(names: list[str]) -> Mistakes:
    counts, batch = Counter(names), len(names)
    each = np.array([counts[name] for name in names])
    logs, once = np.log(each), np.log(list(counts.values()))
    floor = logs.mean()
    runs = [len(list(run)) for _, run in groupby(names)]
    within = [sum(name in other for other in names) for name in names]
    around = [sum(other in name for other in names) for name in names]
    joined = [" ".join(names).count(name) for name in names]
    return {
        "That is log B, the loss without any opinion. The least loss is below it unless all have one name.": np.log(
            batch
        ),
        "That is the mean over the different names. Each member of the batch counts: a name that four have, four "
        "times.": once.mean(),
        "You add up. A mean over the members is wanted.": (logs.sum(), once.sum()),
        "You add over the names and divide by the members: a name that m members have must come in m times.": once.sum()
        / batch,
        "You take the mean over those alone whose name repeats. The others cost nothing, but they count as members.":
        logs[each > 1].mean(),
        "You take the log of a mean. First the log of each member's number, then the mean.": (
            np.log(each.mean()), np.log(np.mean(list(counts.values()))),
        ),
        "The log is missing: 1/m at best is a loss of log m.": (
            each.mean(), np.mean(list(counts.values())), (each - 1).mean(), (1 / each).mean(), 1 - (1 / each).mean(),
            (each > 1).mean(),
        ),
        "The sign is turned: -log(1/m) is log m.": -floor,
        "It is zero though names repeat. Two pictures with one name cannot both get all of its probability.": 0.0,
        "You go by the name that repeats most. Each member has an m of its own.": (np.log(each.max()), each.max()),
        "That is the entropy of the names. It is large where names differ, the floor where they repeat.": (
            np.log(batch) - floor, floor - np.log(batch),
        ),
        "That is the log of the number of different names, which is large where names differ.": np.log(len(counts)),
        "You halve it. It costs log m in both directions, and the loss is the mean of the two: a name, too, must share "
        "itself out among the m pictures that bear it.": floor / 2,
        "You add the two directions. The loss is their mean.": 2 * floor,
        "You count the others alone. The member itself has its name as well.": np.log(np.maximum(each - 1, 1)).mean(),
        "You count one too many. A member with a name of its own has m = 1, and costs nothing.": np.log1p(each).mean(),
        "That is a logarithm with base 2 or 10. Nats are wanted: np.log.": (floor / np.log(2), floor / np.log(10)),
        "You count neighbours that are equal. Members with one name may stand anywhere in the batch.": (
            np.sum(runs * np.log(runs)) / batch, np.log(runs).mean(), np.log(runs).sum() / batch,
        ),
        "You count names that contain one another: A is in A WITH ACUTE. Names are the same if they are equal (==); "
        "a text's own `in` and `count` look for parts.": (
            np.log(within).mean(), np.log(around).mean(), np.log(joined).mean(),
        ),
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------ joint loss


@exercise("fusion")
def joint_loss(answer: Answer, rng: Generator) -> Iterator[Law]:
    """InfoNCE in which all rows of a group are right answers of each other."""
    rows, width = int(rng.integers(6, 10)), int(rng.integers(3, 6))
    image, text = _vectors(rng, rows, width), _vectors(rng, rows, width)
    scale = float(rng.uniform(3, 8))
    numbers = rng.choice(1000, size=rows, replace=False)
    groups = rng.permutation(numbers[[0, 0, 0, 1, 1, *range(2, rows - 3)]])
    got = _per_row(answer(image, text, groups, scale), rows)
    wanted = multi_positive_info_nce(image, text, groups, scale=scale)
    right = close(got, wanted, SINGLE)
    hint = _explained(
        got,
        _joint_mistakes(image, text, groups, scale),
        "Of the probabilities of a row, add those of all members of its group; then -log; then the mean.",
    )
    alone = _per_row(answer(image, text, numbers, scale), rows)
    plain = info_nce(image, text, scale=scale)
    yield Law(
        "where every row is a group of its own, it is InfoNCE",
        close(alone, plain, SINGLE),
        hint if not right else "With larger groups it was right. What is different in a group of one?",
        compare(alone, plain),
    )
    together = _per_row(answer(image, text, np.full_like(groups, groups[0]), scale), rows)
    yield Law(
        "where all rows are one group nothing can be wrong: zero",
        close(together, 0.0, SINGLE, size=1.0),
        hint if not right else "With smaller groups it was right. Here all probabilities of a row are added, to 1.",
        compare(together, 0.0),
    )
    yield Law(
        "it is the mean of -log of the probability of all right answers together",
        right,
        hint,
        f"{compare(got, wanted)} The groups are of three, of two and of one; the scale is {scale:.3g}.",
    )
    yield from _at_a_huge_scale(
        answer, rng, rows, lambda x, t: multi_positive_info_nce(x, t, groups, scale=HUGE), groups
    )


def _joint_mistakes(image: Array, text: Array, groups: Array, scale: float) -> Mistakes:
    same = groups[:, None] == groups
    mates = same & ~np.eye(len(same), dtype=bool)

    def joint(logits: Array) -> Array:
        return -np.log((np.exp(_log_softmax(logits)) * same).sum(axis=1))

    logits = scale * _unit(image) @ _unit(text).T
    sides = [_log_softmax(logits), _log_softmax(logits.T)]
    chances = [np.exp(side) for side in sides]
    sizes = same.sum(axis=1)
    own, group, others = ([(p * m).sum(axis=1) for p in chances] for m in (np.eye(len(same)), same, mates))
    logs = [(side * same).sum(axis=1) for side in sides]
    paired = mates.any(axis=1)
    without_own = [-np.log(p[paired]) for p in others]
    best = [-np.where(same, side, -np.inf).max(axis=1) for side in sides]
    return _loss_mistakes(image, text, scale, joint) | {
        "The groups have no influence: each row has one right answer. Add the probabilities of its group.": np.mean(
            [-np.log(p) for p in own]
        ),
        "You take the log of each right answer and then add, or take the mean. That asks for all of them alike; here "
        "it is enough to find one: add the probabilities first, then take the log.": (
            -np.mean([log / sizes for log in logs]), -np.mean(logs), -np.sum(logs) / (2 * same.sum()),
        ),
        "You take the mean of the probabilities of the group. Their sum is wanted, which can reach 1.": -np.mean(
            [np.log(p / sizes) for p in group]
        ),
        "You take the other members of the group out of the table. They stay in it, as right answers.": -np.mean(
            [np.log(a / (1 - b)) for a, b in zip(own, others, strict=True)]
        ),
        "A row's own pair is missing from its right answers. The group holds the row itself as well.": (
            np.mean([loss.mean() for loss in without_own]), np.sum(without_own) / (2 * len(same)),
        ),
        "You leave the right answers out of the denominator. All B answers stand there.": -np.mean(
            [np.log(p / (1 - p)) for p in group]
        ),
        "You take the best of the right answers. All of them count: their sum.": np.mean(best),
        "The log comes too late: take it of each row's sum, then the mean.": (
            -np.log(np.mean(group)), -np.mean([np.log(p.mean()) for p in group]),
        ),
        "The log is missing: the loss is -log of the sum.": (np.mean(group), 1 - np.mean(group), -np.mean(group)),
        "The groups enter in one direction alone. Names, too, have several right pictures.": tuple(
            -np.mean([np.log(group[i]), np.log(own[1 - i])]) for i in (0, 1)
        ),
        "You add the logits of the group and compare these. Exponentials first, then the sum.": -np.mean(
            [np.diag(_log_softmax(z @ same)) for z in (logits, logits.T)]
        ),
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- recall


@exercise("fusion")
def recall_at_k(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Share of queries with a right answer among the first k, where several may be right and ties count against."""
    similarity, right, k = _retrieval(rng, _single_mistakes, several=False)
    got, wanted = answer.number(similarity, right, k), recall_at(similarity, right, k)
    yield Law(
        "with one right answer a query, it is the share of queries whose answer is among the k most similar",
        close(got, wanted),
        diagnose(
            got,
            _single_mistakes(similarity, right, k),
            "For one row: which similarity has the right answer, and how many candidates have more?",
        ),
        f"{compare(got, wanted)} k is {k}; {len(right)} queries (rows), {right.shape[1]} candidates.",
    )
    similarity, right, k = _retrieval(rng, _several_mistakes, several=True)
    got, wanted = answer.number(similarity, right, k), recall_at(similarity, right, k)
    yield Law(
        "with several right answers, one of them among the first k is enough",
        close(got, wanted),
        diagnose(
            got,
            _several_mistakes(similarity, right, k),
            "Of the right answers of a row only the most similar one matters. How many wrong ones are before it?",
        ),
        f"{compare(got, wanted)} k is {k}; queries have up to {right.sum(axis=1).max()} right answers.",
    )
    right = np.eye(11, dtype=bool)[[0, 10, *rng.integers(11, size=8)]]
    k = int(rng.integers(1, 5))
    got = answer.number(np.full(right.shape, float(rng.normal())), right, k)
    yield Law(
        "a model that gives one similarity to all finds nothing",
        close(got, 0.0, size=1.0),
        FOR_YOU if close(got, 1.0) else BY_PLACE,
        f"All similarities are equal, k is {k} of 11 candidates: {compare(got, 0.0)}",
    )
    right = rng.permuted(np.arange(7) < 3, axis=0)[None] ^ np.zeros((4, 1), dtype=bool)
    got = answer.number(np.where(right, 0.9, rng.uniform(-0.5, 0.5, size=right.shape)), right, 1)
    yield Law(
        "right answers that tie with each other do no harm",
        close(got, 1.0),
        RIGHT_AHEAD,
        f"Three right answers share the highest similarity of each row: {compare(got, 1.0)}",
    )
    similarity, right, k = _retrieval(rng, _tie_mistakes, several=True, levels=4)
    got, wanted = answer.number(similarity, right, k), recall_at(similarity, right, k)
    yield Law(
        "a wrong answer as similar as the best right one counts as before it",
        close(got, wanted),
        diagnose(
            got,
            _tie_mistakes(similarity, right, k),
            "Count, row by row, the wrong answers that are at least as similar as the best right one: fewer than k?",
        ),
        f"{compare(got, wanted)} k is {k}; many similarities are equal.",
    )
    got = answer.number(similarity, right, right.shape[1] + 1)
    yield Law(
        "with k beyond the number of candidates all is found",
        close(got, 1.0),
        "Fewer than k wrong answers there are in any case. Does k serve as an index?",
        compare(got, 1.0),
    )


FOR_YOU = "Ties count for you: count the wrong ones that are at least as similar (>=), not only those that are more."
BY_PLACE = "Among equals the place in the row decides: sorting puts some of them first. Count in place of sorting."
RIGHT_AHEAD = "You count right answers among those that are before the best one. Only wrong ones stand in its way."
BELOW_ZERO = "A similarity may be negative, so a zero in place of one that does not count may be the largest: use -inf."
WORST_ONLY = "You ask for all right answers among the first k. One of them is enough."


def _retrieval(
    rng: Generator, mistakes: Callable[[Array, Array, int], Mistakes], *, several: bool, levels: int = 0
) -> tuple[Array, Array, int]:
    """Similarities, right answers and k for which every mistake gives a share of its own."""
    while True:
        rows, candidates, k = int(rng.integers(29, 40)), int(rng.integers(41, 50)), int(rng.integers(3, 7))
        right = np.zeros((rows, candidates), dtype=bool)
        right[np.arange(rows), rng.integers(candidates, size=rows)] = True
        if several:
            right |= rng.random(right.shape) < rng.choice([0, 0.03, 0.06], size=(rows, 1))
        similarity = rng.normal(size=right.shape) + 1.3 * right - 2  # of the best right ones, too, many are negative
        if levels:
            similarity = np.floor(similarity.clip(-3, -0.1) * levels / 2) / levels
        if _all_differ([recall_at(similarity, right, k), *mistakes(similarity, right, k).values()]):
            return similarity, right, k


def _ranks(similarity: Array) -> Array:
    """How many of a row come before each candidate; equal ones by their place."""
    return np.argsort(np.argsort(-similarity, axis=1, kind="stable"), axis=1, kind="stable")


def _zero_in_place_of_wrong(similarity: Array, right: Array, k: int) -> float:
    best = (similarity * right).max(axis=1, keepdims=True)
    return float(((~right & (similarity >= best)).sum(axis=1) < k).mean())


def _single_mistakes(similarity: Array, right: Array, k: int) -> Mistakes:
    hits, before = hits_at(similarity, right, k), _ranks(similarity)[right]
    in_column = _ranks(similarity.T).T
    columns = right & (in_column < k)
    share = hits.mean()
    return {
        "That is a number of queries. Divide by how many there are.": hits.sum(),
        "That is a percentage. A share lies between 0 and 1.": 100 * share,
        "That is the share of those that were missed.": 1 - share,
        "You take the least similar ones. Larger is nearer; np.argsort begins with the smallest.": recall_at(
            -similarity, right, k
        ),
        "You go down the columns. A row is a query, its candidates stand side by side: axis=1.": (
            columns.any(axis=1).mean(), columns.any(axis=0).mean(),
        ),
        "You look at one candidate more: before a hit stand at most k - 1 wrong ones.": recall_at(
            similarity, right, k + 1
        ),
        "You look at one candidate too few: a hit may be the last of k.": recall_at(similarity, right, k - 1),
        "You look at the k-th place alone. The places before it count as well.": (before == k - 1).mean(),
        "k has no influence: you look at the first place only.": recall_at(similarity, right, 1),
        "You divide by k, which makes a precision. A query is found or it is not.": share / k,
        "You divide by the number of candidates. The share is one of queries, of rows.": hits.sum() / right.shape[1],
        BELOW_ZERO: _zero_in_place_of_wrong(similarity, right, k),
        "You look at the diagonal. Where the right answers are, `right` tells.": np.mean(
            np.diag(_ranks(similarity)) < k
        ),
    }  # fmt: skip


def _several_mistakes(similarity: Array, right: Array, k: int) -> Mistakes:
    found = right & (_ranks(similarity) < k)
    rows = np.arange(len(right))
    first, last = right.argmax(axis=1), right.shape[1] - 1 - right[:, ::-1].argmax(axis=1)
    placed = _ranks(similarity)
    before_worst = np.where(right, placed, -1).max(axis=1)
    worst = np.where(right, similarity, np.inf).min(axis=1, keepdims=True)
    wrong_before_worst = (~right & (similarity >= worst)).sum(axis=1)
    mean_rank = np.array([ranks[mask].mean() for ranks, mask in zip(placed, right, strict=True)])
    return {
        WORST_ONLY: ((before_worst < k).mean(), (wrong_before_worst < k).mean()),
        BELOW_ZERO: _zero_in_place_of_wrong(similarity, right, k),
        "You take the share of right answers that are found. A query counts as found with one of them.": (
            (found.sum(axis=1) / right.sum(axis=1)).mean(), found.sum() / right.sum(),
        ),
        "You divide by k, which makes a precision. A query is found or it is not.": found.sum(axis=1).mean() / k,
        "You count right answers. A query with two among the first k is one found query.": (
            found.sum(axis=1).mean(), found.sum(),
        ),
        "You look at one right answer of each row, the first or the last in it. The most similar one matters.": (
            (placed[rows, first] < k).mean(), (placed[rows, last] < k).mean(),
        ),
        "You take the mean place of the right answers. The best of them matters.": (mean_rank < k).mean(),
    }  # fmt: skip


def _tie_mistakes(similarity: Array, right: Array, k: int) -> Mistakes:
    best = np.where(right, similarity, -np.inf).max(axis=1, keepdims=True)
    more = (similarity > best).sum(axis=1)
    equal_wrong = (~right & (similarity == best)).sum(axis=1)
    at_least = (similarity >= best).sum(axis=1)
    placed, turned = _ranks(similarity), _ranks(similarity[:, ::-1])[:, ::-1]
    return {
        FOR_YOU: (more < k).mean(),
        RIGHT_AHEAD: ((at_least <= k).mean(), (at_least < k).mean()),
        BY_PLACE: tuple((right & (order < k)).any(axis=1).mean() for order in (placed, turned)),
        "A tie is no half: a wrong answer that is as similar counts as before the right one.": (
            more + equal_wrong / 2 < k
        ).mean(),
    }


# ------------------------------------------------------------------------------------- an experiment of one's own

SIZES = {"small": 16, "large": 64}
STEPS = 144
ALL_ROWS = "You measure over all rows at once. Draw batches of the size that the model was trained with."
OTHER_SIZE = "You measure with batches of the other size. Each model gets the size that it was trained with."
LETTER = re.compile(r"LATIN (SMALL|CAPITAL) LETTER [AEIOUY] WITH (ACUTE|GRAVE|CIRCUMFLEX|DIAERESIS)")
CONCLUSIONS = (
    "the lower loss belongs to the better model",
    "the lower loss belongs to the worse model",
    "the two models are equally good",
)
Study = dict[str, dict[str, Array]]
Trained = tuple[Array, Array, float]


@cache
def _letters() -> tuple[Array, Array, Array]:
    """Pictures, words and groups: as the notebook's `letters`."""
    everything = glyphs(("sans", "bold", "serif", "mono"), font_size=16)
    some = everything.take([row for row, name in enumerate(everything.names) if LETTER.fullmatch(name)])
    return some.images, WordTokens(some.vocabulary).encode(some.names), some.group


def _train_pair(images: Array, texts: Array, batch_size: int, seed: int) -> Trained:
    """Vectors of pictures and names, and the scale: as the notebook's `train_small_pair`."""
    from mmcourse.alignment.torch import InfoNCE
    from mmcourse.encoders.torch import ConvolutionalEncoder, MeanOfWords

    seed_everything(seed)
    picture_encoder = ConvolutionalEncoder((4, 8), out_dim=16, pool="mean")
    name_encoder = MeanOfWords(int(texts.max()), out_dim=16)
    loss = InfoNCE()
    fit_pairs(
        picture_encoder, name_encoder, loss, images, texts, epochs=STEPS * batch_size // len(images),
        batch_size=batch_size, learning_rate=1e-2, seed=seed, device="cpu", progress=False,
    )  # fmt: skip
    return embed(picture_encoder, images), embed(name_encoder, texts), loss.scale().item()


def _mean_loss(trained: Trained, batch_size: int, scale: float | None = None) -> float:
    x, t, learned = trained
    rng = np.random.default_rng(0)
    scale = learned if scale is None else scale

    def of(rows: Array) -> float:
        logits = scale * x[rows] @ t[rows].T
        return float(np.mean([_own(logits), _own(logits.T)]))

    return float(np.mean([of(rng.choice(len(x), batch_size, replace=False)) for _ in range(200)]))


def _near(got: float, mistakes: Mapping[str, Any], otherwise: str) -> str:
    """As diagnose, for numbers that random batches blur."""
    for hint, values in mistakes.items():
        if any(close(got, value, 0.03) for value in (values if isinstance(values, tuple) else (values,))):
            return hint
    return otherwise


def _study(result: object, seeds: int) -> Study:
    found = names_in(result, (*SIZES, "conclusion"), "what it returns")
    hint = "A list with one number per seed: no mean, no pairs."
    study: Study = {}
    for name in SIZES:
        part = names_in(found[name], ("loss", "recall"), f"the part {name!r}")
        study[name] = {key: as_array(part[key], (seeds,), f"{name}: {key}", hint) for key in ("loss", "recall")}
        require_shares(
            study[name]["recall"], name, "recall lies between 0 and 1", "A share of pictures, no percentage."
        )
    return study


def _listed(study: Study, place: int) -> str:
    return "; ".join(
        f"{name}: loss {part['loss'][place]:.4f}, recall {part['recall'][place]:.3f}" for name, part in study.items()
    )


@exercise("fusion", trials=1)
def batch_study(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Whether a lower InfoNCE means a better model, where the sizes of the batches differ."""
    images, texts, groups = _letters()
    first, second = (int(seed) for seed in rng.choice(1_000, size=2, replace=False))
    result = answer(images, texts, groups, [first, second])
    both = _study(result, 2)
    alone = _study(answer(images, texts, groups, [second]), 1)
    yield Law(
        "a seed gives the same numbers, whichever seeds went before it",
        all(np.isclose(both[name][key][1], alone[name][key][0]) for name in both for key in ("loss", "recall")),
        "What is drawn for a seed must come from that seed alone. Do the random batches of the measurement share one "
        "generator over all seeds? Make a new one for each: np.random.default_rng(seed).",
        f"Seed {second} gave after another seed {_listed(both, 1)}. By itself it gave {_listed(alone, 0)}.",
    )
    yield Law(
        "another seed is another run",
        any(both[name]["loss"][0] != both[name]["loss"][1] for name in both),
        "All seeds give one result. Does train_small_pair get the seed?",
        f"Seeds {first} and {second} both gave {_listed(both, 0)}.",
    )
    blind = _study(answer(np.broadcast_to(images[:1], images.shape).copy(), texts, groups, [first]), 1)
    for name, size in SIZES.items():
        value = float(blind[name]["loss"][0])
        yield Law(
            "where all pictures look alike, the loss is log B: the most that it can mean differs with B",
            close(value, np.log(size), 0.03),
            _near(
                value,
                {
                    ALL_ROWS: float(np.log(len(images))),
                    OTHER_SIZE: tuple(
                        float(np.log(other)) for other in SIZES.values() if other != size
                    ),
                    "You add the rows of a batch. The mean is wanted.": size * float(np.log(size)),
                    "You add the batches. Their mean is wanted.": tuple(
                        count * float(np.log(size)) for count in (20, 50, 100, 200, 300, 500, 1000)
                    ),
                },
                "A loss of InfoNCE over batches of B, at the scale that train_small_pair returns: is it that?",
            ),
            f"{name}: {compare(value, float(np.log(size)))}",
        )  # fmt: skip
        share = float(blind[name]["recall"][0])
        chance = float((groups[:, None] == groups).mean())
        yield Law(
            "where all pictures look alike, recall is at chance",
            share <= 2 * chance,
            "Who sees nothing finds one name for all. Is a row of your similarities a picture, and a column a name? Do "
            "equal similarities count as found?",
            f"{name}: recall is {share:.3f}, chance is {chance:.3f}.",
        )
    for name, size in SIZES.items():
        yield from _as_trained(name, both, _train_pair(images, texts, size, first), groups)
    yield from _conclusion(result["conclusion"], both)


def _as_trained(name: str, both: Study, trained: Trained, groups: Array) -> Iterator[Law]:
    """The learner's numbers of the first seed are those of the same training, done here."""
    size, other = SIZES[name], next(other for key, other in SIZES.items() if key != name)
    loss, share = float(both[name]["loss"][0]), float(both[name]["recall"][0])
    wanted = _mean_loss(trained, size)
    yield Law(
        "the loss is InfoNCE of the trained vectors, at the learned scale, over batches of its own size",
        close(loss, wanted, 0.08),
        _near(
            loss,
            {
                "The scale is missing. train_small_pair returns it beside the vectors.":
                _mean_loss(trained, size, scale=1.0),
                ALL_ROWS: _mean_loss(trained, len(groups)),
                OTHER_SIZE: _mean_loss(trained, other),
            },
            "Use the vectors that train_small_pair returns for this seed and this size, pictures first, and take the "
            "mean of 200 batches or so, drawn without replacement.",
        ),
        f"{name}: {compare(loss, wanted)}",
    )  # fmt: skip
    x, t, _ = trained
    right = groups[:, None] == groups
    similarity = x @ t.T
    wanted = recall_at(similarity, right, 1)
    rows = np.arange(len(x))
    yield Law(
        "recall: the share of pictures whose most similar name is that of their group",
        close(share, wanted, 0.02, size=1.0),
        diagnose(
            share,
            {
                "You count one right answer a picture, the row of its own. Each name stands there once for each style: "
                "all rows of a group are right.": (
                    recall_at(similarity, np.eye(len(x), dtype=bool), 1),
                    (similarity.argmax(axis=1) == rows).mean(),
                ),
                "You look for the picture of each name. Let each picture look for its name: pictures are the rows.": (
                    recall_at(similarity.T, right, 1)
                ),
                "You look further than the first place.": tuple(recall_at(similarity, right, k) for k in (2, 3, 5, 10)),
            },
            "recall_at(similarity, right, 1) over all pictures and all names, with right where groups are equal.",
        ),
        f"{name}: {compare(share, wanted)}",
    )  # fmt: skip


def _conclusion(said: Any, both: Study) -> Iterator[Law]:
    means = {key: [float(both[name][key].mean()) for name in SIZES] for key in ("loss", "recall")}
    gained, risen = (means[key][1] - means[key][0] for key in ("recall", "loss"))
    yield from concluded(
        said,
        CONCLUSIONS,
        CONCLUSIONS[2] if abs(gained) < 0.02 else CONCLUSIONS[0] if gained * risen < 0 else CONCLUSIONS[1],
        "Which of the two has the lower mean loss, and which finds more names?",
        f"Batches of {SIZES['small']}: loss {means['loss'][0]:.3f}, recall {means['recall'][0]:.3f}. "
        f"Batches of {SIZES['large']}: loss {means['loss'][1]:.3f}, recall {means['recall'][1]:.3f}.",
    )
