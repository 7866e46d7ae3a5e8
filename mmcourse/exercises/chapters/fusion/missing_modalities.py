"""The laws of the exercises on missing modalities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

import numpy as np
from numpy.random import Generator
from scipy.optimize import minimize_scalar

from mmcourse.data import subset_chances, subsets
from mmcourse.exercises.laws import Answer, Array, Law, close, compare, diagnose, exercise
from mmcourse.training import fit_temperature, probabilities

NAMES = ("image", "text", "audio", "depth")

# --------------------------------------------------------------------------------------------------- subset_chance


@exercise("fusion")
def subset_chance(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The probability that modality dropout leaves just these of the modalities that are there."""
    coins = {"image": 0.5, "text": 0.5}
    both = answer.number(coins, ["image", "text"], ["image", "text"])
    yield Law(
        "two modalities, each dropped by a fair coin, never both: both stay in a third of the examples",
        close(both, 1 / 3),
        diagnose(
            both,
            {
                "Of four equally likely draws one leaves nothing and is drawn again. What share of the other three? "
                "You do not divide by the chance that something is left.": 0.25,
                "You divide by the chance that nothing is left. Those draws count that leave something.": 1.0,
            },
            "Write down the four draws, cross out the one that leaves nothing, and count.",
        ),
        compare(both, 1 / 3),
    )
    rates = {name: float(rng.uniform(0.05, 0.9)) for name in NAMES}
    absent = str(rng.choice(NAMES))
    present = [name for name in NAMES if name != absent]
    right = subset_chances({name: rates[name] for name in present})
    found = {left: answer.number(rates, present, list(left)) for left in subsets(present)}
    for left, wanted in right.items():
        yield Law(
            "each of the modalities that are there is dropped with its rate, independently, given that not all are",
            close(found[left], wanted),
            diagnose(found[left], _mistakes(rates, present, left), "Begin with one modality alone: it always stays."),
            f"rates {_shown(rates)}, there: {', '.join(present)}, left: {', '.join(left)}. "
            f"{compare(found[left], wanted)}",
        )
    yield Law(
        "the probabilities of all subsets that can be left add up to one",
        close(sum(found.values()), 1.0),
        "Something is left in every example. Divide by the chance of that.",
        f"They add up to {sum(found.values()):.4g}.",
    )
    for left, what in (((), "nothing"), ((*present[:1], absent), f"{absent}, which is not there")):
        chance = answer.number(rates, present, list(left))
        yield Law(
            "what cannot be left has probability zero",
            close(chance, 0.0),
            "Nothing is never all that is left, and what was missing before does not come back. Ask for both before "
            "you multiply.",
            f"Asked for {what}, the function says {chance:.4g}.",
        )


def _mistakes(rates: dict[str, float], present: list[str], left: tuple[str, ...]) -> dict[str, float]:
    def chance(keep: Callable[[float], float], among: list[str]) -> float:
        return prod(keep(rates[m]) if m in left else 1 - keep(rates[m]) for m in among)

    dropped_all = prod(rates[m] for m in present)
    every, stays = list(rates), lambda rate: 1 - rate
    own = chance(stays, present)
    return {
        "You do not divide by the chance that something is left.": own,
        "A rate is the chance to be *dropped*; you use it as the chance to stay.": chance(lambda rate: rate, present)
        / (1 - prod(1 - rates[m] for m in present)),
        "The modality that was missing before is no draw any more. Leave it out of both products.": chance(stays, every)
        / (1 - prod(rates.values())),
        "Below, only those that are there count: the chance that all of *them* are dropped.": own
        / (1 - prod(rates.values())),
        "You multiply what stays and forget what goes: the others must be dropped for just these to be left.": prod(
            1 - rates[m] for m in left
        )
        / (1 - dropped_all),
        "The subsets are not equally likely unless all rates are one half.": 1 / (2 ** len(present) - 1),
    }


def _shown(rates: dict[str, float]) -> str:
    return ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items())


# ------------------------------------------------------------------------------------------------ best_temperature


@exercise("fusion", trials=3)
def best_temperature(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The temperature at which the labels are likeliest, for models that are too sure and models that are not."""
    for truth in (rng.uniform(0.9, 1.3), rng.uniform(0.12, 0.2)):  # too sure, not sure enough
        logits, labels = _drawn(rng, truth)
        wanted, got = fit_temperature(logits, labels), answer.number(logits, labels)
        what = "too sure of itself" if wanted > 1 else "not sure enough"
        yield Law(
            "the temperature is a positive number",
            got > 0,
            "A negative temperature turns the order of the classes round. Search among positive numbers only.",
            f"It is {got:.4g}.",
        )
        yield Law(
            "no other temperature makes the labels likelier: the mean of -log softmax(z / T)[label] is least",
            close(got, wanted, 2e-3),
            _near(got, _temperatures(logits, labels, wanted)),
            f"The model is {what}. Got {got:.4g}, wanted {wanted:.4g}.",
        )
    factor = float(rng.uniform(10, 20))
    scaled = answer.number(factor * logits, labels)
    yield Law(
        "logits that are c times as large need a temperature c times as high",
        close(scaled, factor * wanted, 2e-3),
        "Is your interval of temperatures wide enough? Do not begin with a grid that suits one model only.",
        f"c = {factor:.3g}: got {scaled:.4g}, wanted {factor * wanted:.4g}.",
    )


def _drawn(rng: Generator, truth: float) -> tuple[Array, Array]:
    """Labels that half of the rows tell five times as badly: other aims than the likelihood find other temperatures."""
    logits = 2.5 * rng.standard_normal((600, 4))
    hardness = truth * np.where(rng.random(600) < 0.5, 1.0, 5.0)
    sums = probabilities(logits / hardness[:, None]).cumsum(axis=1)
    return logits, (sums < rng.random((600, 1))).sum(axis=1).clip(max=3)


def _temperatures(logits: Array, labels: Array, wanted: float) -> dict[str, float | tuple[float, ...]]:
    """What other aims would give."""
    rows = np.arange(len(labels))

    def least(loss: Callable[[Array], float], z: Array = logits) -> float:
        found = minimize_scalar(lambda t: loss(probabilities(z, np.exp(t))), bounds=(-4, 4), method="bounded")
        return float(np.exp(found.x))

    right = logits.argmax(axis=1) == labels
    return {
        "You return 1/T. The logits are *divided* by the temperature.": 1 / wanted,
        "You leave the logits as they are."
        if wanted > 1
        else "You never go below 1. A model may be less sure than it could be; then the temperature is below 1.": 1.0,
        "You bring the mean confidence to the accuracy. That makes one bin right, not the labels likely.": least(
            lambda p: (p.max(axis=1).mean() - right.mean()) ** 2
        ),
        "You minimise the squared error (the Brier score). It is a good score, but another one.": least(
            lambda p: float(((p - np.eye(p.shape[1])[labels]) ** 2).sum())
        ),
        "You divide probabilities by the temperature, so that a softmax is taken of a softmax.": least(
            lambda p: -float(np.log(p[rows, labels]).mean()), probabilities(logits)
        ),
        "You take the largest probability in place of that of the label.": (np.exp(-4), np.exp(4)),
    }


def _near(got: float, mistakes: dict[str, float | tuple[float, ...]]) -> str:
    """As diagnose, for results of a search: the hint of the nearest, if it is within a thousandth."""
    apart = {
        hint: min(abs(got / value - 1) for value in (values if isinstance(values, tuple) else (values,)))
        for hint, values in mistakes.items()
    }
    nearest = min(apart, key=lambda hint: apart[hint])
    if apart[nearest] < 1e-3:
        return nearest
    return "Plot the loss over T and see where your answer lies. A coarse grid is not fine enough; search on."
