"""The laws of the exercises on fusion (notebooks/fusion/exercises.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import replace
from functools import partial

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
    close,
    compare,
    diagnose,
    exercise,
    show,
)
from mmcourse.lesson import experiment

Features = dict[str, Array]
MODALITIES = ("image", "text", "audio")


def _norms(rows: Array) -> Array:
    return np.linalg.norm(rows, axis=1)


def _root_mean_square(values: Array) -> float:
    return float(np.sqrt((values**2).mean()))


def _shapes(features: Features) -> dict[str, tuple[int, ...]]:
    return {name: rows.shape for name, rows in features.items()}


def _pair(result: object, what: str) -> tuple[object, object]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise Rejected(Law(f"it returns two things, {what}", False, "`return a, b`", f"It returned {show(result)}."))
    return result


# ----------------------------------------------------------------------------------------------------- lengths


@exercise("fusion")
def match_lengths(answer: Answer, rng: Generator) -> Iterator[Law]:
    """One factor a modality, from the training part, so that its rows have root mean square length one."""
    widths = {name: int(rng.integers(2, 9)) for name in MODALITIES}
    # Lengths differ from row to row and columns have means and sizes of their own: every wrong factor shows.
    loud = {name: rng.uniform(0.5, 20) for name in MODALITIES}
    train, test = (
        {name: loud[name] * scale * rng.gamma(1.0, size=(rows, width)) for name, width in widths.items()}
        for rows, scale in ((12, 1.0), (7, rng.uniform(1.5, 2.0)))
    )
    pair = _pair(answer(train, test), "the training part and the test part")
    first, second = (
        as_mapping(part, _shapes(wanted), what)
        for part, wanted, what in zip(pair, (train, test), ("the training part", "the test part"), strict=True)
    )
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
        wanted = 1 / _root_mean_square(_norms(rows))
        yield Law(
            "in the training part, the root mean square length of a modality is one",
            close(factors.flat[0], wanted),
            diagnose(
                factors.flat[0],
                {
                    "You take the root mean square of the numbers. A length first sums the squares along the row "
                    "(axis=1); the mean is over rows only.": 1 / _root_mean_square(rows),
                    "The root is missing: a mean of squares is a squared length.": wanted**2,
                    "You multiply where you should divide.": 1 / wanted,
                    "You take the mean length. The root mean square squares first, then takes the mean, then the root.":
                    1 / _norms(rows).mean(),
                    "You divide by the longest row; one odd example then decides for all.": 1 / _norms(rows).max(),
                },
                "Length of each row, squared; mean over the rows; root. Divide by that.",
            ),
            f"{name}: the length came out as {_root_mean_square(_norms(first[name])):.3g}.",
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


# ----------------------------------------------------------------------------------------------- missing modalities


def _softmax(scores: Array, axis: int = 0) -> Array:
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@exercise("fusion")
def sum_of_present(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The sum with softmax weights, shared among the modalities that are present in a row."""
    rows, width = int(rng.integers(5, 9)), int(rng.integers(2, 5))
    features = {name: rng.normal(size=(rows, width)) for name in MODALITIES}
    weights = {name: float(weight) for name, weight in zip(MODALITIES, rng.normal(size=3), strict=True)}
    everywhere = {name: np.ones(rows, dtype=bool) for name in MODALITIES}
    shape = (rows, width)

    got = answer.array(features, weights, everywhere, shape=shape)
    stacked = np.stack([features[name] for name in MODALITIES])  # (modality, row, width)
    values = np.array([weights[name] for name in MODALITIES])
    shares = _softmax(values)
    yield Law(
        "where all are present, it is the sum with the softmax of the weights",
        close(got, np.tensordot(shares, stacked, 1)),
        diagnose(
            got,
            {
                "You use the weights as they come. Softmax makes them positive with sum one.": np.tensordot(
                    values, stacked, 1
                ),
                "You divide the weights by their sum. Softmax takes exponentials first.": np.tensordot(
                    values / values.sum(), stacked, 1
                ),
                "You take the softmax of the features. It belongs to the weights, one number a modality.":
                (_softmax(stacked) * stacked).sum(axis=0),
                "You take the mean; the weights have no influence.": stacked.mean(axis=0),
            },
            "exp of each weight, divided by the sum of the exponentials; then the weighted sum.",
        ),
        compare(got[0], np.tensordot(shares, stacked, 1)[0]),
    )  # fmt: skip

    mask = {name: rng.random(rows) < 0.6 for name in MODALITIES}
    mask["image"][0], mask["text"][0], mask["audio"][0] = True, False, True
    mask["audio"] |= ~mask["image"] & ~mask["text"]  # no row without any modality
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
    present = np.stack([mask[name] for name in MODALITIES])
    unshared = shares @ present
    yield Law(
        "in each row the weights of those present sum to one",
        close(got, np.ones(shape)),
        diagnose(
            got,
            {
                "You drop the missing terms and keep the weights. The rest must be shared out again: divide by the sum "
                "of the weights of those present.": np.repeat(unshared[:, None], width, axis=1),
                "The missing weight becomes zero before the softmax. exp(0) is 1: it needs -inf, or a zero after "
                "exp.": _ones_with_zero_scores(values, present, width),
            },
            "Where every present number is 1, the result must be 1 in every row.",
        ),
        f"All present numbers are 1; the first row came out as {show(got[0])}.",
    )
    wanted = _present_sum(features, values, present)
    got = answer.array(lost, weights, mask, shape=shape)
    yield Law(
        "the weights of those present are the softmax over them, row by row",
        close(got, wanted),
        "Compute row 0 by hand, with two modalities, and compare.",
        compare(got[0], wanted[0]),
    )
    huge = {name: weight + 1000.0 for name, weight in weights.items()}
    got = answer.array(lost, huge, mask, shape=shape)
    yield Law(
        "adding one number to all weights changes nothing",
        close(got, wanted),
        "exp(1000) is infinite. Subtract the largest weight before exp; the softmax stays the same.",
        "All weights are near 1000. " + compare(got[0], wanted[0]),
    )


def _present_sum(features: Features, values: Array, present: Array) -> Array:
    shares = _softmax(np.where(present, values[:, None], -np.inf))
    return np.einsum("mr,mrw->rw", shares, np.stack([features[name] for name in MODALITIES]))


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

    def loss(changed_weights: Mapping[str, float], changed_projections: Features) -> float:
        fused = sum(changed_weights[name] * features[name] @ changed_projections[name] for name in MODALITIES)
        return float((delta * fused).sum())

    def loss_by_matrix(name: str, matrix: Array) -> float:
        return loss(weights, {**projections, name: matrix})

    def loss_by_weight(name: str, weight: Array) -> float:
        return loss({**weights, name: float(weight)}, projections)

    pair = _pair(answer(features, weights, projections, delta), "the gradients of the weights and of the matrices")
    by_weight = {name: as_number(value, f"the weights' gradient: {name}") for name, value in _named(pair[0]).items()}
    by_matrix = _named(pair[1])
    for name, width in widths.items():
        x = features[name]
        right = weights[name] * x.T @ delta
        got = as_array(
            by_matrix[name],
            (width, out),
            f"the matrices' gradient: {name}",
            "A gradient has the shape of what it is taken by. x has (rows, width), delta (rows, out): which product of "
            "the two has (width, out)?",
        )
        measured = _central(partial(loss_by_matrix, name), projections[name])
        yield Law(
            "the matrix's gradient is the change of the loss by a small change of the matrix",
            close(got, measured, 1e-5),
            diagnose(
                got,
                {
                    "The weight is missing: F holds w·x·P, so a change of P arrives multiplied by w.": x.T @ delta,
                    "The sign is turned: a gradient points uphill, the step of training goes against it.": -right,
                    "You take the mean over the rows. delta already is the gradient of the whole loss; rows add up.":
                    right / rows,
                },
                "One number at a time: how does F change when one entry of P does, and what does delta say to that?",
            ),
            f"{name}: {compare(got[0], measured[0])}",
        )  # fmt: skip
        slope = _central(partial(loss_by_weight, name), np.array(weights[name]))
        yield Law(
            "the weight's gradient is the change of the loss by a small change of the weight",
            close(by_weight[name], slope, 1e-5),
            diagnose(
                by_weight[name],
                {
                    "You multiply by the weight. By its own derivative, w·x·P becomes x·P.": weights[name] * slope,
                    "The sign is turned: a gradient points uphill, the step of training goes against it.": -slope,
                    "You take the mean where the rows add up.": slope / rows,
                    "You take the mean over all numbers; each of them is a path to the loss, and paths add up.": slope
                    / (rows * out),
                    "You leave delta out: it says how much the loss cares for each number of F.": (
                        x @ projections[name]
                    ).sum(),
                },
                "Every number of F holds this weight. Multiply each by what delta says, and add.",
            ),
            f"{name}: {compare(by_weight[name], float(slope))}",
        )


def _named(result: object) -> dict[str, object]:
    """The learner's dictionary with the three modalities."""
    if not isinstance(result, Mapping) or set(result) != set(MODALITIES):
        raise Rejected(
            Law(
                "each kind of gradient is a dictionary with an entry a modality",
                False,
                "Return two dictionaries, first that of the weights, then that of the matrices.",
                f"It is {show(result)}.",
            )
        )
    return dict(result)


def _central(function: Callable[[Array], float], place: Array, step: float = 1e-5) -> Array:
    """Gradient of a function of one array by central differences, error of order step²."""
    slopes = np.empty(place.shape)
    for index in np.ndindex(place.shape):
        moved = np.zeros(place.shape)
        moved[index] = step
        slopes[index] = (function(place + moved) - function(place - moved)) / (2 * step)
    return slopes


# ----------------------------------------------------------------------------------------- weights and importance


@exercise("fusion")
def reweighted(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The same sum, written with weights in any ratio that somebody asks for."""
    widths = {"image": 4, "text": 3}
    weights = {name: float(rng.uniform(0.5, 2)) for name in widths}
    projections = {name: rng.normal(size=(width, 2)) for name, width in widths.items()}
    ratio = float(rng.uniform(3, 10))
    pair = _pair(answer(weights, projections, ratio), "the new weights and the new matrices")
    got = {name: float(value) for name, value in as_mapping(pair[0], dict.fromkeys(widths, ()), "the weights").items()}
    matrices = as_mapping(pair[1], _shapes(projections), "the matrices")
    yield Law(
        "no weight is zero: a modality with the weight zero is lost",
        all(got.values()),
        "Divide the matrix by what you multiply the weight with.",
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

    def additive(pictures: Array, words: Array) -> Array:
        return 3 * np.tanh(pictures @ for_image) + np.sin(words @ for_text) + 1

    def bilinear(pictures: Array, words: Array) -> Array:
        return additive(pictures, words) + np.einsum("ni,nj,ijc->nc", pictures, words, tensor)

    got = answer.array(
        additive, image, text, shape=(4,), hint="One number a class: no row axis, `[0]` if you have one."
    )
    (aa, ab), (ba, bb) = (
        [bilinear(image[i : i + 1], text[j : j + 1])[0] for j in (0, 1)] for i in (0, 1)
    )  # fmt: skip
    plain = [[additive(image[i : i + 1], text[j : j + 1])[0] for j in (0, 1)] for i in (0, 1)]
    yield Law(
        "for an additive model it is zero, whatever the two effects are",
        bool(np.abs(got).max() < 1e-9 * max(np.abs(plain).max(), 1.0)),
        diagnose(
            got,
            {
                "You add all four. The two mixed pairs come with a minus.": plain[0][0]
                + plain[0][1]
                + plain[1][0]
                + plain[1][1],
                "You take one difference: that of changing both at once. It holds both single effects; take them "
                "away.": plain[0][0] - plain[1][1],
                "You change the text only. That is its effect with the first picture; subtract its effect with the "
                "second.": plain[0][0] - plain[0][1],
                "You change the picture only. That is its effect with the first text; subtract its effect with the "
                "second.": plain[0][0] - plain[1][0],
                "The signs pair up the wrong way: same picture must come with opposite signs, and same text too.":
                plain[0][0] + plain[0][1] - plain[1][0] - plain[1][1],
            },
            "The effect of another text, with one picture and with the other: equal in an additive model. Subtract.",
        ),
        f"The model is g(image) + h(text); the interaction came out as {show(got)}.",
    )  # fmt: skip
    right = aa - ab - ba + bb
    got = answer.array(bilinear, image, text, shape=(4,))
    yield Law(
        "for a model with a product it is that product of the two changes",
        close(got, right),
        diagnose(
            got,
            {
                "The sign is turned: both modalities at their first row, or both at their second, come with a plus.":
                -right,
                "You divide by four, a mean. The difference of two differences is wanted.": right / 4,
                "You divide by two, a mean. The difference of two differences is wanted.": right / 2,
                "It is zero for every model: do all four calls get the rows that you mean?": np.zeros(4),
            },
            "Write the four predictions into a table of two by two: rows pictures, columns texts.",
        ),
        compare(got, right),
    )  # fmt: skip


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
    scores = as_mapping(result, {"sum": (seeds,), "gate": (seeds,)}, "what the experiment returns")
    for name, values in scores.items():
        if not ((values >= 0) & (values <= 1)).all():
            raise Rejected(
                Law("accuracies lie between 0 and 1", False, "A share of examples, no percentage and no loss.",
                    f"{name}: {show(values)}.")
            )  # fmt: skip
    return scores


def _listed(scores: Scores, place: int) -> str:
    return ", ".join(f"{name} {values[place]:.3f}" for name, values in scores.items())


def _stored(pairs: int, fusion: str) -> tuple[float, float]:
    """Lowest and highest accuracy of the stored runs, and a margin for another machine."""
    runs = experiment("fusion_gate_data")
    reached = [run["accuracy"] for run in runs if (run["pairs"], run["fusion"]) == (pairs, fusion)]
    return min(reached) - MARGIN, max(reached) + MARGIN


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
    yield Law(
        "with these 300 pairs the sum is ahead of the gate, as in every stored run",
        float((both["sum"] - both["gate"]).min()) > 0,
        "Are the two names exchanged? Are both models trained with the options in TRAINING?",
        f"Sum and gate: {_listed(both, 0)} and {_listed(both, 1)}.",
    )


FEW, ALL = 300, 1170  # pairs
MARGIN = 0.005
CONCLUSIONS = (
    "the gate overtakes the sum",
    "the gate comes closer, the sum stays ahead",
    "the gate stays as far behind as before",
)


@exercise("fusion", trials=1)
def more_data(answer: Answer, rng: Generator) -> Iterator[Law]:
    """A conclusion about more data, held to the learner's own numbers and to the stored ones."""
    result = answer()
    if not isinstance(result, Mapping) or set(result) != {"few", "all", "conclusion"}:
        raise Rejected(
            Law(
                "it returns a dictionary with few, all and conclusion",
                False,
                "`few` and `all` hold what sum_and_gate returned, `conclusion` one of the three sentences.",
                f"It is {show(result)}.",
            )
        )
    scores = {part: _scores(result[part], None) for part in ("few", "all")}
    fewest = min(len(values) for part in scores.values() for values in part.values())
    yield Law(
        "each setting is run with three seeds or more",
        fewest >= 3,
        "One run is an anecdote: the accuracy of the gate differs from seed to seed.",
        f"The shortest list has {fewest} entries.",
    )
    yield Law(
        "few and all are two settings",
        not np.array_equal(scores["few"]["gate"], scores["all"]["gate"]),
        "Both hold the same numbers. Pass the pairs of each to its own run.",
    )
    for part, limit, other in (("few", FEW, ALL), ("all", ALL, FEW)):
        for name, values in scores[part].items():
            mean, (low, high), (other_low, other_high) = values.mean(), _stored(limit, name), _stored(other, name)
            yield Law(
                f"with {limit:,} pairs sum and gate reach what they reach in the stored runs",
                low <= mean <= high,
                "Are `few` and `all` exchanged? That is an accuracy of the other setting."
                if other_low <= mean <= other_high
                else "Use pairs_of(300) and pairs_of(1170) as they come, and the function that passed before.",
                f"The mean of the {name} is {mean:.3f}; the stored runs lie between {low:.3f} and {high:.3f}.",
            )
    yield Law(
        "the conclusion is one of the three sentences",
        result["conclusion"] in CONCLUSIONS,
        "Copy one of the three, word by word.",
        f"It is {show(result['conclusion'])}.",
    )
    few, full = (float((scores[part]["sum"] - scores[part]["gate"]).mean()) for part in ("few", "all"))
    fitting = CONCLUSIONS[0] if full < 0 else CONCLUSIONS[1] if full < few * 0.75 else CONCLUSIONS[2]
    yield Law(
        "the conclusion is what your numbers say",
        result["conclusion"] == fitting,
        "Compare the mean gap, sum minus gate, in both settings: its sign tells who is ahead, its size how far.",
        f"The mean gap goes from {few:.3f} to {full:.3f}.",
    )
