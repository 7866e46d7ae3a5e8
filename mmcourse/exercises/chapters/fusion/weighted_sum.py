"""The laws of the exercises on the weighted sum."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.random import Generator

from mmcourse.data import PairedData, digits_with_words, root_mean_square_norms
from mmcourse.exercises.laws import (
    Answer,
    Array,
    Law,
    Rejected,
    as_array,
    as_mapping,
    as_number,
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
from mmcourse.fusion.numpy import weighted_sum
from mmcourse.lesson import experiment
from mmcourse.parity import central_differences

Features = dict[str, Array]
MODALITIES = ("image", "text", "audio")


def _norms(rows: Array) -> Array:
    return np.linalg.norm(rows, axis=1)


def _root_mean_square(values: Array) -> float:
    return float(np.sqrt((values**2).mean()))


def _shapes(features: Features) -> dict[str, tuple[int, ...]]:
    return {name: rows.shape for name, rows in features.items()}


# ----------------------------------------------------------------------------------------------------- lengths


@exercise("fusion")
def match_lengths(answer: Answer, rng: Generator) -> Iterator[Law]:
    """One factor per modality, from the training part, so that its rows have root mean square length one."""
    widths = {name: int(rng.integers(2, 9)) for name in MODALITIES}
    # Lengths differ from row to row and columns have means and sizes of their own: every wrong factor shows.
    loud = {name: rng.uniform(0.5, 20) for name in MODALITIES}
    train, test = (
        {name: loud[name] * scale * rng.gamma(1.0, size=(rows, width)) for name, width in widths.items()}
        for rows, scale in ((12, 1.0), (7, rng.uniform(1.5, 2.0)))
    )
    first, second = as_pair(answer(train, test), "the training part", "the test part")
    if _shapes_of(first) == _shapes(test) and _shapes_of(second) == _shapes(train):
        raise Rejected(Law("the training part comes first, then the test part", False, "Exchange what you return."))
    first, second = (
        as_mapping(part, _shapes(wanted), what)
        for part, wanted, what in ((first, train, "the training part"), (second, test, "the test part"))
    )
    lengths = {name: _root_mean_square(_norms(rows)) for name, rows in train.items()}
    for name, rows in train.items():
        factors = first[name] / rows
        yield Law(
            "all numbers of a modality are multiplied by one factor",
            close(factors, np.full_like(factors, factors.flat[0])),
            diagnose(
                first[name],
                {
                    "You divide each row by its own length. That is another remedy, normalisation: it throws away how "
                    "long a row was. Here one number serves the whole modality.": rows / _norms(rows)[:, None],
                    "You treat each column by itself. A column is one number of the vector, not the modality.": rows
                    / np.sqrt((rows**2).mean(axis=0)),
                    "You subtract the mean and divide by the deviation of each column. Nothing is subtracted here, and "
                    "one number serves the whole modality.": (rows - rows.mean(axis=0)) / rows.std(axis=0),
                },
                "Divide the training rows of one modality by what your function makes of them: the same number "
                "everywhere?",
            ),
            f"{name}: the factors lie between {factors.min():.3g} and {factors.max():.3g}.",
        )
        factor, wanted = factors.flat[0], 1 / lengths[name]
        together = _root_mean_square(_norms(np.vstack([rows, test[name]])))
        yield Law(
            "in the training part, the root mean square length of a modality is one",
            close(factor, wanted),
            diagnose(
                factor,
                {
                    "You take the root mean square of the numbers. A length first sums the squares along the row "
                    "(axis=1); the mean is over rows only.": 1 / _root_mean_square(rows),
                    "The root is missing: a mean of squares is a squared length.": wanted**2,
                    "You multiply where you should divide.": 1 / wanted,
                    "You take the mean length. The root mean square squares first, then takes the mean, then the root.":
                    1 / _norms(rows).mean(),
                    "You divide by the longest row; one odd example then decides for all.": 1 / _norms(rows).max(),
                    "You measure training and test rows together. The test part is not known yet: take the factor "
                    "from the training part alone.": 1 / together,
                    "The factor is negative; it turns every vector round.": -wanted,
                    "You bring the modalities to one another's length. Here each gets the length one.": tuple(
                        length * wanted for length in lengths.values()
                    ),
                },
                "Length of each row, squared; mean over the rows; root. Divide by that.",
            ),
            f"{name}: your factor is {factor:.4g}, wanted {wanted:.4g}.",
        )  # fmt: skip
        yield Law(
            "the test part gets the factors of the training part",
            close(second[name], wanted * test[name]),
            diagnose(
                second[name],
                {
                    "You measure the test part by itself. Its statistics are not known when a model is used, and a "
                    "louder test part must stay louder.": test[name] / _root_mean_square(_norms(test[name])),
                    "The test part came back as it was: the model would meet other lengths than it was trained on.":
                    test[name],
                },
                "Keep the factor of each modality in a dictionary and use it twice.",
            ),
            f"{name}: {compare(second[name][0], wanted * test[name][0])}",
        )  # fmt: skip


def _shapes_of(part: object) -> dict[str, object]:
    return {name: np.shape(rows) for name, rows in part.items()} if isinstance(part, Mapping) else {}


# ----------------------------------------------------------------------------------------------- missing modalities


def _softmax(scores: Array, axis: int = 0) -> Array:
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@exercise("fusion")
def sum_of_present(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The sum with softmax weights, shared among the modalities that are present in a row."""
    rows, width = int(rng.integers(5, 9)), int(rng.integers(2, 5))
    features = {name: rng.normal(size=(rows, width)) for name in MODALITIES}
    weights = _in_another_order({name: float(rng.normal()) for name in MODALITIES}, rng)
    values = np.array([weights[name] for name in MODALITIES])
    everywhere = {name: np.ones(rows, dtype=bool) for name in MODALITIES}
    shape = (rows, width)

    got = answer.array(features, weights, everywhere, shape=shape)
    stacked = np.stack([features[name] for name in MODALITIES])  # (modality, row, width)
    shares = _softmax(values)
    wanted = weighted_sum(features, weights, softmax=True)
    yield Law(
        "where all are present, it is the sum with the softmax of the weights",
        close(got, wanted),
        diagnose(
            got,
            {
                "You use the weights as they come. Softmax makes them positive with sum one.": np.tensordot(
                    values, stacked, 1
                ),
                "You divide the weights by their sum. Softmax takes exponentials first.": np.tensordot(
                    values / values.sum(), stacked, 1
                ),
                "You take the softmax of the features. It belongs to the weights, one number per modality.":
                (_softmax(stacked) * stacked).sum(axis=0),
                "You take the mean; the weights have no influence.": stacked.mean(axis=0),
                MASK_UPSIDE_DOWN: np.zeros(shape),
                "You go by the order of the entries. Dictionaries may come in any order: look up each modality by its "
                "name.": tuple(
                    np.tensordot(shares[list(order)], stacked, 1) for order in itertools.permutations(range(3))
                ),
            }
            if np.isfinite(got).all()
            else {},
            "exp of each weight, divided by the sum of the exponentials; then the weighted sum."
            if np.isfinite(got).all()
            else MASK_UPSIDE_DOWN,
        ),
        compare(got[0], wanted[0]),
    )  # fmt: skip

    for mask in _masks(rows, rng):
        present: Array = np.stack([mask[name] for name in MODALITIES])
        lost = {name: np.where(mask[name][:, None], features[name], np.nan) for name in MODALITIES}
        got = answer.array(lost, weights, mask, shape=shape)
        yield Law(
            "NaN in a missing place has no influence",
            bool(np.isfinite(got).all()),
            "Multiplying by the mask does not remove NaN, for 0 · NaN is NaN; and a mask that is True means *present*. "
            "Put a zero there first: np.where(mask, x, 0).",
            f"In row 0 the text is missing and holds NaN; the result there is {show(got[0])}.",
        )
        ones = {name: np.where(mask[name][:, None], np.ones(shape), -7.0) for name in MODALITIES}
        got = answer.array(ones, weights, mask, shape=shape)
        yield Law(
            "in each row the weights of those present sum to one",
            close(got, np.ones(shape)),
            diagnose(
                got,
                {
                    "You drop the missing terms and keep the weights. The rest must be shared out again: divide by the "
                    "sum of the weights of those present.": np.repeat((shares @ present)[:, None], width, axis=1),
                    "The missing weight becomes zero before the softmax. exp(0) is 1: it needs -inf, or a zero after "
                    "exp.": _ones_with_zero_scores(values, present, width),
                },
                "Where every present number is 1, the result must be 1 in every row.",
            ),
            f"All present numbers are 1; the first row came out as {show(got[0])}.",
        )
        got = answer.array(lost, weights, mask, shape=shape)
        wanted = weighted_sum(features, weights, softmax=True, mask=mask)
        complete = {name: features[name] for name in MODALITIES if mask[name].all()}
        yield Law(
            "the weights of those present are the softmax over them, row by row",
            close(got, wanted),
            diagnose(
                got,
                {
                    "You drop a modality in all rows because it is missing in some. Each row has its own weights.":
                    weighted_sum(complete, {name: weights[name] for name in complete}, softmax=True)
                }
                if complete
                else {},
                "Compute row 0 by hand, with those that are present there, and compare.",
            ),
            compare(got[0], wanted[0]),
        )  # fmt: skip
        for far, story in (
            (dict.fromkeys(MODALITIES, 1000.0), "All weights are near 1000."),
            ({"text": 1000.0}, "The text's weight is 1000 above the others, and in row 0 it is missing."),
        ):
            huge = {name: weight + far.get(name, 0.0) for name, weight in weights.items()}
            got = answer.array(lost, huge, mask, shape=shape)
            wanted = weighted_sum(features, huge, softmax=True, mask=mask)
            hint = "Compute row 0 by hand. Does anything cut off, or round, what is large?"
            if not np.isfinite(got).all():
                hint = (
                    "exp(1000) is infinite. Subtract the largest weight before exp; the softmax stays the same."
                    if len(far) > 1
                    else "The largest weight belongs to a modality that is missing in this row: exp of the others is "
                    "0, and 0/0 is NaN. Take the maximum over those present, row by row."
                )
            yield Law("weights may be large", close(got, wanted, 1e-4), hint, f"{story} {compare(got[0], wanted[0])}")


MASK_UPSIDE_DOWN = "Nothing is missing here. True means *present*: do you read the mask the other way round?"


def _in_another_order(entries: dict[str, Any], rng: Generator) -> dict[str, Any]:
    """The same entries, put in another order: an answer must go by names."""
    names, shift = list(entries), int(rng.integers(1, len(entries)))
    return {name: entries[name] for name in names[shift:] + names[:shift]}


def _masks(rows: int, rng: Generator) -> Iterator[dict[str, Array]]:
    """Two masks: one in which every modality is missing somewhere, and one in which the image never is."""
    for complete in (False, True):
        mask = {name: rng.random(rows) < 0.6 for name in MODALITIES}
        mask["image"][:2], mask["text"][:2], mask["audio"][:2] = (True, complete), (False, True), (True, False)
        mask["image"] |= complete
        mask["audio"] |= ~mask["image"] & ~mask["text"]  # no row without any modality
        yield _in_another_order(mask, rng)


def _ones_with_zero_scores(values: Array, present: Array, width: int) -> Array:
    shares = _softmax(np.where(present, values[:, None], 0.0))
    return np.repeat((shares * present).sum(axis=0)[:, None], width, axis=1)


# ------------------------------------------------------------------------------------------------------- gradients


@exercise("fusion")
def sum_gradients(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Gradients of a loss by the weights and matrices of the sum, held to central differences."""
    rows, out = int(rng.integers(3, 6)), int(rng.integers(2, 4))
    widths = dict(zip(MODALITIES, (4, 5, 6), strict=True))
    features = {name: rng.normal(size=(rows, width)) for name, width in widths.items()}
    weights = {name: float(rng.choice([-1, 1]) * rng.uniform(1.5, 3)) for name in MODALITIES}
    projections = {name: rng.normal(size=(width, out)) for name, width in widths.items()}
    delta = rng.normal(size=(rows, out))

    def loss(changed_weights: Mapping[str, float | Array], changed_projections: Features) -> float:
        fused = sum(changed_weights[name] * features[name] @ changed_projections[name] for name in MODALITIES)
        return float((delta * fused).sum())

    slopes = central_differences(lambda changed: loss(changed, projections), weights)
    measured = central_differences(lambda changed: loss(weights, changed), projections)
    pair = as_pair(answer(features, weights, projections, delta), "the gradients by the weights", "by the matrices")
    for_weights, by_matrix = names_in(pair[0], widths, "by the weights"), names_in(pair[1], widths, "by the matrices")
    if all(np.ndim(by_matrix[name]) == 0 and np.ndim(for_weights[name]) == 2 for name in widths):
        raise Rejected(Law("the weights' gradients come first, then the matrices'", False, "Exchange what you return."))
    by_weight = {name: as_number(value, f"the gradient by the weight: {name}") for name, value in for_weights.items()}
    fused = sum(weights[name] * features[name] @ projections[name] for name in MODALITIES)
    for name, width in widths.items():
        x = features[name]
        right = weights[name] * x.T @ delta
        got = as_array(
            by_matrix[name],
            (width, out),
            f"the gradient by the matrix: {name}",
            "A gradient has the shape of what it is taken by. x has (rows, width), delta (rows, out): which product of "
            "the two has (width, out)?",
        )
        yield Law(
            "the matrix's gradient is the change of the loss by a small change of the matrix",
            close(got, measured[name], 1e-5, float(np.abs(weights[name] * x).T.max() * np.abs(delta).sum())),
            diagnose(
                got,
                {
                    "The weight is missing: F holds w·x·P, so a change of P arrives multiplied by w.": x.T @ delta,
                    "The sign is turned: a gradient points uphill, the step of training goes against it.": -right,
                    "P itself has no place in its own gradient: the loss is linear in it.": right * projections[name],
                    "You take the mean over the rows. delta already is the gradient of the whole loss; rows add up.":
                    right / rows,
                },
                "One number at a time: how does F change when one entry of P does, and what does delta say to that?",
            ),
            f"{name}: {compare(got[0], measured[name][0])}",
        )  # fmt: skip
        slope = float(slopes[name])
        yield Law(
            "the weight's gradient is the change of the loss by a small change of the weight",
            close(by_weight[name], slope, 1e-5, float(np.abs(delta * (x @ projections[name])).sum())),
            diagnose(
                by_weight[name],
                {
                    "You multiply by the weight. By its own derivative, w·x·P becomes x·P.": weights[name] * slope,
                    "The sign is turned: a gradient points uphill, the step of training goes against it.": -slope,
                    "You take the mean where the rows add up.": slope / rows,
                    "You take the mean over all numbers; each of them is a path to the loss, and paths add up.": slope
                    / (rows * out),
                    "You use the whole of F. Only x·P of this modality is multiplied by this weight.": (
                        delta * fused
                    ).sum(),
                    "You leave delta out: it says how much the loss cares for each number of F.": (
                        x @ projections[name]
                    ).sum(),
                },
                "Every number of F holds this weight. Multiply each by what delta says, and add.",
            ),
            f"{name}: {compare(by_weight[name], slope)}",
        )


# ----------------------------------------------------------------------------------------- weights and importance


@exercise("fusion")
def reweighted(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The same sum, written with weights in any ratio that somebody asks for."""
    widths = {"image": 4, "text": 3}
    # Of any sign: the weight of a modality that cancels another's noise is negative.
    weights = {name: float(rng.choice([-1, 1]) * rng.uniform(0.5, 2)) for name in widths}
    projections = {name: rng.normal(size=(width, 2)) for name, width in widths.items()}
    ratio = float(rng.choice([-1, 1]) * rng.choice([rng.uniform(0.1, 0.4), rng.uniform(3, 10)]))
    pair = as_pair(answer(weights, projections, ratio), "the new weights", "the new matrices")
    got = {name: float(value) for name, value in as_mapping(pair[0], dict.fromkeys(widths, ()), "the weights").items()}
    matrices = as_mapping(pair[1], _shapes(projections), "the matrices")
    yield Law(
        "no weight is zero: a modality with the weight zero is lost",
        all(got.values()),
        "With the weight zero nothing of this modality arrives, whatever its matrix; choose any other.",
        f"The weights are {show(got)}.",
    )
    story = got["text"] / got["image"]
    yield Law(
        "the weight of the text is `ratio` times that of the image",
        close(story, ratio),
        diagnose(
            story,
            {
                "The ratio is upside down: text over image is wanted.": 1 / ratio,
                "You multiply the text's weight by the ratio. That is right only where both were equal; aim at "
                "ratio times the weight of the image.": weights["text"] / weights["image"] * ratio,
                "The weights are as they were.": weights["text"] / weights["image"],
                "The sign is lost: a ratio may be negative, and so may a weight.": -ratio,
            },
            "Choose the weight of the image, multiply it by the ratio, and that is the weight of the text.",
        ),
        f"Text over image is {story:.3g}, wanted {ratio:.3g}.",
    )
    features = {name: rng.normal(size=(5, width)) for name, width in widths.items()}
    before, after = (
        {name: w[name] * features[name] @ p[name] for name in widths}
        for w, p in ((weights, projections), (got, matrices))
    )
    wrong = next((name for name in widths if not close(after[name], before[name])), None)
    yield Law(
        "the sum is the same for all inputs",
        wrong is None,
        _reweighting_hint(wrong, matrices, projections, got, weights) if wrong else "",
        f"The {wrong} arrives in the sum multiplied by {_factor(after[wrong], before[wrong]):.3g}." if wrong else "",
    )


def _factor(after: Array, before: Array) -> float:
    return float((after * before).sum() / (before**2).sum())


def _reweighting_hint(
    name: str, matrices: Features, projections: Features, got: Mapping[str, float], weights: Mapping[str, float]
) -> str:
    factor = got[name] / weights[name]
    return diagnose(
        matrices[name],
        {
            "The matrices are as they were: what the weight gained, its matrix must lose.": projections[name],
            "The sign is lost: where the weight changes its sign, the matrix must as well.": -projections[name]
            / factor,
            "You multiply the matrix by the factor as well. Weight times matrix must stay the same: divide it.": factor
            * projections[name],
            "You divide by the new weight. Divide by the factor between the new weight and the old one.": projections[
                name
            ]
            / got[name],
        },
        "Weight times matrix must stay the same, modality by modality.",
    )


# ----------------------------------------------------------------------------------------------------- interaction


@exercise("fusion")
def interaction(answer: Answer, rng: Generator) -> Iterator[Law]:
    """What two modalities do together beyond what each does alone, from four predictions."""
    image, text = rng.normal(size=(2, 5)), rng.normal(size=(2, 3))
    for_image, for_text = rng.normal(size=(5, 4)), rng.normal(size=(3, 4))
    tensor = rng.normal(size=(5, 3, 4))
    signs = np.sign(np.einsum("i,j,ijc->c", image[0] - image[1], text[0] - text[1], tensor))
    tensor[..., :2] *= signs[:2] * [1, -1]  # one class gains by the interaction and one loses, in every case

    def additive(image: Array, text: Array) -> Array:
        for name, rows in (("image", image), ("text", text)):
            if np.ndim(rows) != 2:
                raise ValueError(f"model wants arrays with one row per example: {name}[[0]], not {name}[0]")
        return 3 * np.tanh(image @ for_image) + np.sin(text @ for_text) + 1

    def bilinear(image: Array, text: Array) -> Array:
        return additive(image, text) + np.einsum("ni,nj,ijc->nc", image, text, tensor)

    got = _per_class(answer(additive, image, text))
    (aa, ab), (ba, bb) = _table(bilinear, image, text)
    plain = _table(additive, image, text)
    chances = _softmax(plain, axis=-1)
    yield Law(
        "for an additive model it is zero, whatever the two effects are",
        close(got, np.zeros(4), size=float(np.abs(plain).max())),
        diagnose(
            got,
            {
                "You add all four. The two mixed pairs come with a minus.": plain.sum(axis=(0, 1)),
                "You take one difference: that of changing both at once. It holds both single effects; take them "
                "away.": plain[0][0] - plain[1][1],
                "You change the text only. That is its effect with the first picture; subtract its effect with the "
                "second.": plain[0][0] - plain[0][1],
                "You change the picture only. That is its effect with the first text; subtract its effect with the "
                "second.": plain[0][0] - plain[1][0],
                "The signs pair up the wrong way: same picture must come with opposite signs, and same text too.":
                plain[0][0] + plain[0][1] - plain[1][0] - plain[1][1],
                "You turn scores into probabilities. The softmax makes even an additive model interact; use the "
                "scores.": (
                    chances[0][0] - chances[0][1] - chances[1][0] + chances[1][1],
                    np.abs(chances[0][0] - chances[0][1] - chances[1][0] + chances[1][1]),
                ),
            },
            "The effect of another text, with one picture and with the other: equal in an additive model. Subtract.",
        ),
        f"The model is g(image) + h(text); the interaction came out as {show(got)}.",
    )  # fmt: skip
    right = aa - ab - ba + bb
    got = _per_class(answer(bilinear, image, text))
    yield Law(
        "for a model with a product it is that product of the two changes",
        close(got, right),
        diagnose(
            got,
            {
                "The sign is turned: both modalities at their first row, or both at their second, come with a plus.":
                -right,
                "You dropped the sign: classes gain and lose by the interaction.": np.abs(right),
                "You divide by four, a mean. The difference of two differences is wanted.": right / 4,
                "You divide by two, a mean. The difference of two differences is wanted.": right / 2,
                "It is zero for every model: do all four calls get the rows that you mean?": np.zeros(4),
            },
            "Write the four predictions into a table of two by two: rows pictures, columns texts.",
        ),
        compare(got, right),
    )  # fmt: skip


def _table(model: Callable[[Array, Array], Array], image: Array, text: Array) -> Array:
    """Scores for both pictures with both texts: (picture, text, class)."""
    return np.array([[model(image[[i]], text[[j]])[0] for j in (0, 1)] for i in (0, 1)])


def _per_class(result: object) -> Array:
    """The interaction, one number for each of four classes; another shape gets the hint that fits it."""
    shape = tuple(getattr(result, "shape", ()))  # of an array or a tensor
    hints = {(): "You add up the classes, or choose one; keep them all.", (1, 4): "Take the row out: `[0]`."}
    return as_array(result, (4,), "the result", hints.get(shape, "One difference is still missing, or one too many."))


# ------------------------------------------------------------------------------------- an experiment of one's own


Scores = dict[str, Array]


def _pairs(limit: int, seed: int) -> tuple[PairedData, PairedData]:
    """Digits and mistyped words, the pictures brought to the length of the words: as the notebook's `pairs_of`."""
    draw = partial(digits_with_words, typo_rate=0.7, pixel_noise=0.2, seed=seed)
    train, test = draw("train", limit=limit), draw("test")
    norms = root_mean_square_norms(train)
    factors = {"image": norms["text"] / norms["image"]}
    return train.scaled(factors), test.scaled(factors)


def _scores(result: object, seeds: int | None) -> Scores:
    """{"sum": …, "gate": …}, one accuracy a seed; seeds None: as many as the result has."""
    if seeds is None:
        first = result.get("sum") if isinstance(result, Mapping) else None
        seeds = len(first) if isinstance(first, Sized) else 1
    found = names_in(result, ("sum", "gate"), "what the experiment returns")
    hint = "For each of the two a list with one accuracy per seed: no mean, no pairs."
    scores = {name: as_array(found[name], (seeds,), f"the accuracies of the {name}", hint) for name in ("sum", "gate")}
    for name, values in scores.items():
        require_shares(
            values, name, "accuracies lie between 0 and 1", "A share of examples, no percentage and no loss."
        )
    return scores


def _listed(scores: Scores, place: int) -> str:
    return ", ".join(f"{name} {values[place]:.3f}" for name, values in scores.items())


Bounds = tuple[float, float]
MARGIN = 0.01  # for another machine
SPREAD = 0.02  # between two sums trained on the same pairs from different starts
TRAINING: dict[str, Any] = {"epochs": 60, "batch_size": 64, "learning_rate": 3e-3, "weight_decay": 1e-2}


def _reached(stored: list[dict[str, Any]], **setting: object) -> Bounds:
    """Lowest and highest accuracy of the stored runs with a setting, and a margin."""
    values = [run["accuracy"] for run in stored if setting.items() <= run.items()]
    return min(values) - MARGIN, max(values) + MARGIN


def _within(value: float, bounds: Bounds) -> bool:
    return bounds[0] <= value <= bounds[1]


def _words(bounds: Bounds) -> str:
    return f"between {bounds[0]:.3f} and {bounds[1]:.3f}"


@exercise("fusion", trials=1)
def sum_and_gate(answer: Answer, rng: Generator) -> Iterator[Law]:
    """An honest comparison of two models over seeds: repeatable, without leaks, like the stored one."""
    train, test = _pairs(limit=300, seed=int(rng.integers(1_000_000)))
    first, second = (int(seed) for seed in rng.choice(1_000, size=2, replace=False))
    both = _scores(answer(train, test, [first, second]), 2)
    alone = _scores(answer(train, test, [second]), 1)
    yield Law(
        "a seed gives the same accuracies, whichever seeds went before it",
        all(np.isclose(both[name][1], alone[name][0]) for name in both),
        "Set the seed before a model is *built*, for its matrices start at random, pass it to fit as well, and build a "
        "new model for every seed: one that goes on training has seen more.",
        f"Seed {second} gave {_listed(both, 1)} after another seed and {_listed(alone, 0)} by itself.",
    )
    yield Law(
        "another seed is another run",
        any(both[name][0] != both[name][1] for name in both),
        "All seeds give one result. Does the seed reach seed_everything and fit?",
        f"Seeds {first} and {second} both gave {_listed(both, 0)}.",
    )
    shuffled = replace(train, labels=rng.permutation(train.labels))
    chance = _scores(answer(shuffled, test, [first]), 1)
    yield Law(
        "a model trained on shuffled labels is at chance",
        max(float(values.max()) for values in chance.values()) < 0.3,
        "There is nothing to learn, and it scores: the answers leak. Train on `train` alone, measure on `test` alone.",
        f"There are ten classes; the accuracies are {_listed(chance, 0)}.",
    )
    ours = _accuracy_of_the_sum(train, test, [first, second])
    means = {name: float(values.mean()) for name, values in both.items()}
    exchanged = abs(means["gate"] - ours) <= SPREAD and means["sum"] < means["gate"]
    yield Law(
        "the sum reaches what ours reaches on the same pairs",
        abs(means["sum"] - ours) <= SPREAD,
        "Are the two names exchanged?"
        if exchanged
        else "Is every option of the task passed on: TRAINING, out_dim, learned=False?",
        f"Your sum reaches {means['sum']:.3f}, ours {ours:.3f} with the same seeds.",
    )
    yield Law(
        "with 300 pairs the gate is behind the sum, as in every stored run",
        float((both["sum"] - both["gate"]).min()) > 0,
        "Is the gate trained in the same way as the sum, from its own start? Are hidden_size and out_dim those of the "
        "task?",
        f"Sum and gate: {_listed(both, 0)} and {_listed(both, 1)}.",
    )


def _accuracy_of_the_sum(train: PairedData, test: PairedData, seeds: list[int]) -> float:
    """Mean test accuracy of the plain sum, trained as the task asks."""
    from mmcourse.fusion.torch import FusionClassifier, WeightedSumFusion
    from mmcourse.training import accuracy, fit, predict, seed_everything

    reached = []
    for seed in seeds:
        seed_everything(seed)
        model = FusionClassifier(WeightedSumFusion(train.widths, out_dim=32, learned=False), classes=len(train.classes))
        fit(model, train, seed=seed, progress=False, **TRAINING)
        reached.append(accuracy(predict(model, test), test.labels))
    return float(np.mean(reached))


PAIRS = {"few": 300, "all": 1170}
CONCLUSIONS = (
    "the gate overtakes the sum",
    "the gate comes closer, the sum stays ahead",
    "the gate stays as far behind as before",
)


@exercise("fusion", trials=1)
def more_data(answer: Answer, rng: Generator) -> Iterator[Law]:
    """A conclusion about more data, held to the learner's own numbers and to the stored ones."""
    result = names_in(answer(), (*PAIRS, "conclusion"), "what it returns")
    scores = {part: _scores(result[part], None) for part in PAIRS}
    fewest = min(len(values) for part in scores.values() for values in part.values())
    yield Law(
        "each setting is run with three seeds or more",
        fewest >= 3,
        "One run is an anecdote: the accuracy of the gate differs from seed to seed.",
        f"The shortest list has length {fewest}.",
    )
    yield Law(
        "few and all are two settings",
        not np.array_equal(scores["few"]["gate"], scores["all"]["gate"]),
        "Both hold the same numbers. Pass the pairs of each to its own run.",
    )
    means = {(part, name): float(values.mean()) for part in PAIRS for name, values in scores[part].items()}
    stored = experiment("fusion_gate_data")
    reached = {(part, name): _reached(stored, pairs=PAIRS[part], fusion=name) for part, name in means}
    exchanged = all(
        _within(means[part, name], reached[other, name])
        for part, other in (("few", "all"), ("all", "few"))
        for name in ("sum", "gate")
    )
    for (part, name), mean in means.items():
        yield Law(
            "sum and gate reach what they reach in the stored runs",
            _within(mean, reached[part, name]),
            "Are `few` and `all` exchanged?"
            if exchanged
            else "Use pairs_of(300) and pairs_of(1170) as they come. Look again at exercise 6: TRAINING, out_dim, "
            "hidden_size, learned=False.",
            f"{part}, {name}: the mean is {mean:.3f}; the stored runs lie {_words(reached[part, name])}.",
        )
    few, full = (means[part, "sum"] - means[part, "gate"] for part in PAIRS)
    yield from concluded(
        result["conclusion"],
        CONCLUSIONS,
        CONCLUSIONS[0] if full < 0 else CONCLUSIONS[1] if full < few * 0.75 else CONCLUSIONS[2],
        "Compare the mean lead of the sum in both settings: its sign tells who is ahead, its size how far.",
        f"The mean lead goes from {few:.3f} to {full:.3f}.",
    )
