"""The laws of the exercises on early, late and hybrid fusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.random import Generator

from mmcourse.exercises.laws import Answer, Array, Law, close, compare, diagnose, exercise, show
from mmcourse.fusion.numpy.decisions import mean_of_probabilities, product_rule

MODALITIES = ("image", "text", "sound")


def _normalised(values: Array) -> Array:
    return values / values.sum(axis=-1, keepdims=True)


# ------------------------------------------------------------------------------------------------ combine decisions


@exercise("fusion")
def combine_decisions(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The product rule with a prior and with missing modalities."""
    rows, classes = int(rng.integers(4, 7)), int(rng.integers(3, 5))
    shape = (rows, classes)
    prior = _normalised(rng.uniform(0.2, 3, size=classes))
    said = {name: _normalised(rng.uniform(0.1, 3, size=shape)) for name in MODALITIES}
    everywhere = {name: np.ones(rows, dtype=bool) for name in MODALITIES}
    even = np.full(classes, 1 / classes)

    got = answer.array(said, even, everywhere, shape=shape)
    wanted = _product(said, even, everywhere)
    product = np.prod(list(said.values()), axis=0)
    yield Law(
        "with an even prior it is the product, made to sum to one in each row",
        close(got, wanted),
        diagnose(
            got,
            {
                "The rows do not sum to one. What does not depend on the class is left out of the rule; dividing each "
                "row by its sum finds it again.": (product, product / even ** (len(said) - 1)),
                "You made the columns sum to one. A row is one example, and its classes compete: axis=1.": product
                / product.sum(axis=0),
                "This is the mean of the probabilities. In it two pieces of evidence do not add up.": np.exp(
                    mean_of_probabilities(_logs(said))
                ),
                "You return logarithms. Probabilities are wanted: take exp at the end.": np.log(wanted),
            },
            "Multiply the probabilities of one row by hand, class by class, and divide by the sum.",
        ),
        compare(got[0], wanted[0]),
    )

    got = answer.array(said, prior, everywhere, shape=shape)
    wanted = _product(said, prior, everywhere)
    yield Law(
        "the prior, which every answer holds, is counted once",
        close(got, wanted),
        diagnose(
            got,
            {
                "The prior is not taken out: three answers hold it three times.": _normalised(product),
                "You take the prior out once more than you should: M answers hold it M times, and one must stay.":
                _normalised(product / prior ** len(said)),
                "You multiply by the prior once more. The answers hold it already.": _normalised(product * prior),
                "You take it out a single time. Of three answers two must give it up.": _normalised(product / prior),
            },
            "log p(y) + the sum of log p(y | x_m) - log p(y). Compute one row by hand.",
        ),
        f"The prior is {show(prior)}. {compare(got[0], wanted[0])}",
    )  # fmt: skip

    mask = {name: rng.random(rows) < 0.5 for name in MODALITIES}
    for row in range(rows):
        mask[MODALITIES[row % 3]][row] = True
    mask["image"][0], mask["text"][0], mask["sound"][0] = True, False, False
    mask["image"][1], mask["text"][1], mask["sound"][1] = True, True, False
    lost = {name: np.where(mask[name][:, None], said[name], np.nan) for name in MODALITIES}
    got = answer.array(lost, prior, mask, shape=shape)
    wanted = _product(said, prior, mask)
    yield Law(
        "what stands in a missing place has no influence, not even NaN",
        bool(np.isfinite(got).all()),
        "NaN times zero is NaN. Choose with np.where(mask, …, …) before you add.",
        f"In row 0 only the image is there; the result is {show(got[0])}.",
    )
    yield Law(
        "a missing modality takes its share of the prior along",
        close(got, wanted),
        diagnose(
            got,
            {
                "You leave the modality out and still take the prior out M - 1 times. With k present it is k - 1 "
                "times: in row 0 the image is alone, and its answer is the result.": _normalised(
                    _present_product(said, mask) / prior ** (len(said) - 1)
                ),
                "You read the mask the other way round: True means present.": _product(
                    said, prior, {name: ~here for name, here in mask.items()}
                ),
            },
            "Row 0 has the image alone: what must come out there?",
        ),
        f"Row 0 has the image alone, which says {show(said['image'][0])}. {compare(got[0], wanted[0])}",
    )  # fmt: skip

    # Each is sure of another class, so every class has a product that a float cannot hold.
    sure = {name: np.arange(classes) == number for number, name in enumerate(MODALITIES)}
    tiny = {name: _normalised(np.exp(rng.uniform(-600, -500, size=shape)) + sure[name]) for name in MODALITIES}
    got = answer.array(tiny, prior, everywhere, shape=shape)
    wanted = _product(tiny, prior, everywhere)
    yield Law(
        "probabilities may be tiny",
        close(got, wanted, 1e-4),
        "A product of three such numbers is below what a float can hold, and 0 / 0 is NaN. Add logarithms, and "
        "subtract the largest of a row before exp.",
        compare(got[0], wanted[0]),
    )


def _logs(said: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.log(p) for name, p in said.items()}


def _product(said: Mapping[str, Array], prior: Array, mask: Mapping[str, Array]) -> Array:
    return np.exp(product_rule(_logs(said), mask, prior=prior))


def _present_product(said: Mapping[str, Array], mask: Mapping[str, Array]) -> Array:
    return np.prod([np.where(mask[name][:, None], said[name], 1.0) for name in said], axis=0)


# --------------------------------------------------------------------------------------------- as if independent


@exercise("fusion")
def as_if_independent(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The table with the same pairs (x1, y), (x2, y) in which the sources are independent given the label."""
    shape = (int(rng.integers(2, 4)), int(rng.integers(4, 6)), 3)
    joint = _normalised(rng.uniform(0.1, 1, size=shape).ravel()).reshape(shape)
    first, second, label = joint.sum(axis=1), joint.sum(axis=0), joint.sum(axis=(0, 1))
    one, two = first.sum(axis=1), second.sum(axis=1)
    unscaled = first[:, None, :] * second[None, :, :]
    wanted = unscaled / label
    got = answer.array(joint, shape=shape)
    mistakes = {
        "This is the table that came. In it the sources may depend on each other within a class.": joint,
        "You multiply the two pairs and forget to divide by p(y): it stands in both.": unscaled,
        "Here everything is independent of everything, the label too: p(x1) p(x2) p(y). Only the sources are to be, "
        "and within a class.": one[:, None, None] * two[None, :, None] * label,
        "The sources are independent of each other over all classes. They are to be so within each class.": (
            one[:, None, None] * two[None, :, None] * joint / joint.sum(axis=2, keepdims=True)
        ),
        "This is p(x1, x2 | y): each class sums to one. Multiply by p(y), so that the whole table does.": unscaled
        / label**2,
    }
    hint = diagnose(got, mistakes, "q(x1, x2, y) = p(x1 | y) p(x2 | y) p(y). Check one entry by hand.")
    yield Law("the table sums to one", close(got.sum(), 1.0), hint, f"The sum is {got.sum():.4g}.")
    yield Law(
        "the pairs (x1, y) and (x2, y) stay as they are",
        close(got.sum(axis=1), first) and close(got.sum(axis=0), second),
        hint,
        f"x1 with y = 0: {compare(got.sum(axis=1)[:, 0], first[:, 0])}",
    )
    yield Law(
        "within each class the sources are independent",
        close(got, wanted),
        hint,
        f"The entries (0, 0, y): {compare(got[0, 0], wanted[0, 0])}",
    )
    never = np.concatenate([joint, np.zeros((*shape[:2], 1))], axis=2)
    got = answer.array(never, shape=never.shape)
    yield Law(
        "a class that never comes gets zeros",
        close(got, np.concatenate([wanted, np.zeros((*shape[:2], 1))], axis=2)),
        "Its p(y) is 0, and 0 / 0 is NaN. Divide where p(y) is above 0, and leave the rest zero.",
        f"The entries (0, 0, y): {show(got[0, 0])}; the last class has p(y) = 0.",
    )
