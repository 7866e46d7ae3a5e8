"""A chapter for the tests of grading: two functions and a value, laws that anyone can check by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from mmcourse.exercises.laws import Answer, Law, exercise


@exercise("toy", trials=1)
def double(answer: Answer, rng: Generator) -> Iterator[Law]:
    numbers = rng.normal(size=3)
    result = answer.array(numbers, shape=(3,))
    yield Law("it is a number", bool(np.isfinite(result).all()), "Infinity is none.")
    yield Law("twice as large", bool(np.allclose(result, 2 * numbers)), "Multiply by two.", f"Got {result}.")


@exercise("toy", trials=1)
def total(answer: Answer, rng: Generator) -> Iterator[Law]:
    numbers = rng.normal(size=4)
    yield Law("the sum of all", bool(np.isclose(answer.number(numbers), sum(numbers))), "Add them up.")


@exercise("toy", trials=1)
def five(answer: Answer, rng: Generator) -> Iterator[Law]:
    from mmcourse.exercises.laws import show  # late: it must be the official one, whatever the notebook put there

    yield Law("the number of fingers", answer.value == 5, "Count again.", f"Got {show(answer.value)}.")
