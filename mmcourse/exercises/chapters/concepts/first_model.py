"""The laws of the exercises on the first model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mmcourse.data import PairedData, controlled_pairs
from mmcourse.exercises.laws import (
    Answer,
    Array,
    Law,
    Rejected,
    as_array,
    as_number,
    as_pair,
    close,
    compare,
    concluded,
    diagnose,
    exercise,
    names_in,
    show,
)
from mmcourse.parity import central_differences
from mmcourse.training import correct


def _softmax(scores: Array, axis: int = -1) -> Array:
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


# -------------------------------------------------------------------------------------------------- a training step


@exercise("concepts")
def training_step(answer: Answer, rng: Generator) -> Iterator[Law]:
    """One gradient step of a linear layer under the mean cross-entropy, held to central differences."""
    n, width, classes = int(rng.integers(4, 7)), int(rng.integers(7, 9)), 3
    x, labels = rng.normal(size=(n, width)), rng.integers(classes, size=n)
    labels[:classes] = rng.permutation(classes)  # every class occurs
    weights, bias = rng.normal(size=(width, classes)), rng.normal(size=classes)
    rate = float(rng.choice([rng.uniform(0.1, 0.4), rng.uniform(2, 4)]))

    def loss(at: dict[str, Array]) -> float:
        logits = x @ at["W"] + at["b"]
        top = logits.max(axis=1)
        log_sums = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return float((log_sums - logits[np.arange(n), labels]).mean())

    measured = central_differences(loss, {"W": weights, "b": bias})
    pair = as_pair(answer(x, labels, weights, bias, rate), "the new W", "the new b")
    if np.shape(pair[0]) == (classes,) and np.shape(pair[1]) == (width, classes):
        raise Rejected(Law("the new W comes first, then the new b", False, "Exchange what you return."))
    new_weights = as_array(pair[0], (width, classes), "the new W", "X is (n, width), P - Y is (n, classes): X.T @ …")
    new_bias = as_array(pair[1], (classes,), "the new b", "One number for each class: P - Y, over the examples.")

    logits, truth = x @ weights + bias, np.eye(classes)[labels]
    excess = _softmax(logits) - truth
    step = weights - new_weights  # what a right answer subtracts: the rate times the gradient
    wanted = rate * x.T @ excess / n
    mistakes = {
        "You go uphill. The gradient points to where the loss grows; the step goes against it.": -excess / n,
        "You add up where the loss is a mean: divide by the number of examples.": excess,
        "You divide by the number of examples and of classes. The mean is over the examples alone.": excess
        / (n * classes),
        "The softmax runs over the examples. Its probabilities must sum to one in each row, over the classes: axis=1.":
        (_softmax(logits, axis=0) - truth) / n,
        "The softmax is missing: p - y are probabilities minus truth, not logits minus truth.": (logits - truth) / n,
        "Only the right class moves in your step. The others must be pushed down, each by its probability.": excess
        * truth / n,
        "The truth is missing: the gradient is p - y, and you take p alone.": (excess + truth) / n,
        "This is another loss: the square of p - y brings the slope of the softmax in. Cross-entropy has p - y alone.":
        _through_softmax(_softmax(logits), excess) / n,
    }  # fmt: skip
    yield Law(
        "W moves against the gradient of the mean cross-entropy, by the learning rate",
        close(step, rate * measured["W"], 1e-5, float(np.abs(wanted).max())),
        diagnose(
            step,
            {hint: rate * x.T @ change for hint, change in mistakes.items()}
            | {
                "The learning rate is missing, or it is in there twice.": (wanted / rate, wanted * rate),
                "You return the gradient, not the new W.": weights - wanted / rate,
                "You return the step, not the new W.": (weights - wanted, weights + wanted),
                "W stays as it is. Return new arrays.": np.zeros_like(step),
            },
            "Logits, softmax, minus one at the right class, then X.T times that, divided by n.",
        ),
        f"With the rate {rate:.3g}, W moves by: {compare(-step[0], -wanted[0])}",
    )
    step_of_bias, wanted = bias - new_bias, rate * excess.mean(axis=0)
    yield Law(
        "b moves against its gradient, by the learning rate",
        close(step_of_bias, rate * measured["b"], 1e-5, float(np.abs(rate * excess).max())),
        diagnose(
            step_of_bias,
            {
                "The bias stays as it was. It is trained like the weights.": np.zeros(classes),
                "The bias goes uphill.": -wanted,
                "You add up where the loss is a mean, for the bias.": wanted * n,
                "The learning rate does not reach the bias.": wanted / rate,
            },
            "The gradient by b is the mean of P - Y over the examples, one number for each class.",
        ),
        f"b moves by: {compare(-step_of_bias, -wanted)}",
    )

    far = 1000.0 * weights  # logits of some thousands
    pair = as_pair(answer(x, labels, far, bias, rate), "the new W", "the new b")
    got = as_array(pair[0], (width, classes), "the new W")
    wanted = far - rate * x.T @ (_softmax(x @ far + bias) - truth) / n
    yield Law(
        "logits may be large",
        close(got, wanted),
        "exp(1000) is infinite, and infinity over infinity is NaN. Subtract the largest logit of each row before exp: "
        "the softmax stays the same.",
        compare(got[0], wanted[0]),
    )


def _through_softmax(p: Array, by_p: Array) -> Array:
    """Gradient by the logits of something that has the gradient by_p by the probabilities: p (g - sum p g)."""
    return p * (by_p - (p * by_p).sum(axis=1, keepdims=True))


# ------------------------------------------------------------------------------------------------ does it pay?

VERDICTS = ("it pays", "it costs", "not decided")
ENTRIES = ("gain", "low", "high", "verdict")


Diary = list[tuple[PairedData, PairedData]]


def _trainer(products: bool, diary: Diary) -> Callable[[PairedData, PairedData], Array]:
    """Least squares on all features, and on the products of two modalities if asked for; calls go into the diary.

    A function, since an answer gets copies of objects, and the diary must not be one.
    """

    def inputs(part: PairedData) -> Array:
        columns = [np.ones((len(part), 1)), *part.features.values()]
        if products and len(part.features) == 2:
            one, other = part.features.values()
            columns.append((one[:, :, None] * other[:, None, :]).reshape(len(part), -1))
        return np.concatenate(columns, axis=1)

    def train_and_predict(train: PairedData, test: PairedData) -> Array:
        for part in (train, test):
            if not isinstance(part, PairedData):
                raise TypeError(f"train_and_predict(train, test) wants paired data, got {type(part).__name__}")
        if set(train.features) != set(test.features):
            raise ValueError(f"train_and_predict: trained on {set(train.features)}, asked about {set(test.features)}")
        diary.append((train, test))
        truth = np.eye(len(train.classes))[train.labels] - 1 / len(train.classes)
        return inputs(test) @ np.linalg.lstsq(inputs(train), truth, rcond=None)[0]

    return train_and_predict


@dataclass(frozen=True)
class _Case:
    story: str
    modality: str
    train: PairedData
    test: PairedData
    products: bool = False


def _cases(rng: Generator) -> Iterator[_Case]:
    """A modality that adds evidence; one without any bearing, with many and with few examples; one at chance alone."""
    seed = int(rng.integers(2**31))
    widths = {"image": 3, "text": 2}
    pairs = controlled_pairs("redundant", 1400, separation=dict.fromkeys(widths, 1.0), widths=widths, seed=seed)
    yield _Case("Image and text both say something about the label.", "text", *_split(pairs, 400))
    pairs = controlled_pairs(
        "unique", 1300, separation={"image": 1.5, "noise": 1.0}, widths={"image": 3, "noise": 10}, seed=seed
    )
    yield _Case("The noise has no bearing on the label.", "noise", *_split(pairs, 300))
    pairs = controlled_pairs(
        "unique", 1060, separation={"image": 1.5, "noise": 1.0}, widths={"image": 3, "noise": 40}, seed=seed
    )
    yield _Case("The noise has no bearing on the label, and there are few training pairs.", "noise", *_split(pairs, 60))
    widths = {"image": 2, "text": 2}
    pairs = controlled_pairs("synergistic", 1400, separation=dict.fromkeys(widths, 2.0), widths=widths, seed=seed)
    story = "The label is the product of two signs: each modality alone is at chance."
    yield _Case(story, "text", *_split(pairs, 400), products=True)


def _split(pairs: PairedData, rows: int) -> tuple[PairedData, PairedData]:
    return pairs.take(slice(rows)), pairs.take(slice(rows, None))


@exercise("concepts", trials=2)
def does_it_pay(answer: Answer, rng: Generator) -> Iterator[Law]:
    """What a modality adds to a fused model, with its paired interval, and a verdict that follows from it."""
    for case in _cases(rng):
        diary: Diary = []
        trainer = _trainer(case.products, diary)
        result = names_in(answer(case.modality, case.train, case.test, trainer), ENTRIES, "what it returns")
        gain, low, high = (as_number(result[name], name) for name in ENTRIES[:3])
        yield from _honestly(case, list(diary))

        right = {}
        for name, part in (("all", (case.train, case.test)), ("rest", _without(case)), ("alone", _alone(case))):
            right[name] = correct(trainer(*part), case.test.labels)
        wanted = float(right["all"].mean() - right["rest"].mean())
        chance = float(np.bincount(case.test.labels).max() / len(case.test))
        yield Law(
            "the gain is the accuracy with all modalities minus the accuracy without this one",
            close(gain, wanted, size=1.0),
            diagnose(
                gain,
                {
                    "The sign is turned: with the modality minus without it.": -wanted,
                    "You compare all modalities with this one alone. That tells what the others add; leave this one "
                    "out instead.": float(right["all"].mean() - right["alone"].mean()),
                    "You ask what the modality can do alone. A modality at chance alone may decide everything "
                    "together, and one that is good alone may add nothing.": (
                        float(right["alone"].mean()),
                        float(right["alone"].mean() - chance),
                        float(right["alone"].mean() - 0.5),
                        float(right["alone"].mean() - right["rest"].mean()),
                    ),
                    "You count right answers. A gain is a difference of shares: divide by the number of examples.":
                    wanted * len(case.test),
                },
                "Two models, trained apart: with all modalities and without this one. The difference of their test "
                "accuracies.",
            ),
            f"{case.story} The gain of the {case.modality} is {wanted:.4f}; yours is {gain:.4f}.",
        )  # fmt: skip
        yield from _interval(low, high, right["all"], right["rest"], case)
        fitting = VERDICTS[0] if low > 0 else VERDICTS[1] if high < 0 else VERDICTS[2]
        said = str(result["verdict"]).strip(" .`").lower()
        yield from concluded(
            result["verdict"],
            VERDICTS,
            fitting,
            _verdict_hint(said, gain, fitting),
            f"{case.story} Your interval runs from {low:.3f} to {high:.3f}, and you say {show(result['verdict'])}.",
        )


def _without(case: _Case) -> tuple[PairedData, PairedData]:
    others = [name for name in case.train.features if name != case.modality]
    return case.train.only(*others), case.test.only(*others)


def _alone(case: _Case) -> tuple[PairedData, PairedData]:
    return case.train.only(case.modality), case.test.only(case.modality)


def _honestly(case: _Case, diary: Diary) -> Iterator[Law]:
    """The models are trained on the training part and asked about the test part."""
    trained_on_test = any(_has_rows_of(train, case.test) for train, _ in diary)
    asked_training = any(_has_rows_of(test, case.train) for _, test in diary)
    yield Law(
        "models are trained on the training part and asked about the test part",
        not trained_on_test and not asked_training,
        "A model that has seen the test examples is no witness: train_and_predict gets the training part first."
        if trained_on_test
        else "You ask about the training part. What counts is examples that the model has not seen.",
        f"{case.story} You called train_and_predict {len(diary)} times.",
    )
    shuffled = any(
        not np.array_equal(test.features[name], case.test.features[name]) for _, test in diary for name in test.features
    )
    yield Law(
        "the test examples are those that came, in their order",
        not shuffled,
        "A shuffle tells what one model relies on. Here the question is what the task gains: train a second model "
        "without this modality.",
    )


def _has_rows_of(part: PairedData, other: PairedData) -> bool:
    name = next(iter(part.features))
    return name in other.features and bool(np.isin(part.features[name][:, 0], other.features[name][:, 0]).any())


def _interval(low: float, high: float, fused: Array, rest: Array, case: _Case) -> Iterator[Law]:
    """The ends are those of the paired bootstrap, whose means are nearly normal, as far as its own chance allows."""
    gains, n = fused.astype(float) - rest, len(fused)
    wanted = 1.96 * float(gains.std()) / np.sqrt(n)
    yield Law(
        "the interval lies around the gain",
        low <= high and abs((low + high) / 2 - gains.mean()) <= 0.2 * wanted + 1 / n,
        "Are low and high exchanged?"
        if low > high
        else "Resample the gains of the examples, each 1, 0 or -1: the mean of such a draw lies near the gain.",
        f"{case.story} Yours runs from {low:.4f} to {high:.4f}, the gain is {gains.mean():.4f}.",
    )
    widths = {
        "You draw the examples of the two models apart. They answered the same examples: draw the differences.": (
            1.96 * float(np.sqrt((fused.var() + rest.var()) / n))
        ),
        "That is one standard error to each side. The middle 95% takes nearly two.": wanted / 1.96,
        "You cut off five per cent on each side. The middle 95% leaves two and a half.": wanted * 1.645 / 1.96,
        "That is the spread of single gains. How sure one is of their mean is told by the spread of means: draw as "
        "many gains as there are examples, and take the mean of each draw.": 1.96 * float(gains.std()),
    }
    got = (high - low) / 2
    distances = {hint: abs(got / width - 1) for hint, width in widths.items() if width > 0}
    nearest = min(distances, key=lambda hint: distances[hint], default="")
    yield Law(
        "the interval is the middle 95% of the means of resampled gains",
        abs(got - wanted) <= 0.1 * wanted + 0.5 / n,
        nearest
        if distances.get(nearest, 1.0) < 0.12
        else "Draw as many gains as there are examples, with replacement; take the mean; two thousand times; the "
        "quantiles 0.025 and 0.975.",
        f"{case.story} The half width is {got:.4f}, wanted about {wanted:.4f}.",
    )


def _verdict_hint(said: str, gain: float, fitting: str) -> str:
    if said == VERDICTS[0] and fitting != VERDICTS[0]:
        return "More modalities do not always help. Only an interval that lies wholly above zero says that it pays."
    if fitting == VERDICTS[2]:
        return "An interval that holds zero decides nothing, whatever the sign of the gain."
    return "Above zero: it pays. Below zero: it costs. Holds zero: not decided."
