"""What late fusion asks of its rule and its prior, in all halves with the same words; free of any framework."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.errors import ModalityError

RULES = ("product", "mean")


def check_rule(rule: str, prior: ArrayLike | Iterable[float] | None, where: str) -> str:
    """Return a rule that is known, or raise ValueError; a prior has no place in a mean."""
    if rule not in RULES:
        raise ValueError(f"{where}: rule: got {rule!r}, wanted {' or '.join(RULES)}")
    if rule == "mean" and prior is not None:
        raise ValueError(f"{where}: prior: got one for the rule mean, wanted none (the mean does not use it)")
    return rule


def check_prior(prior: Any, classes: int, where: str) -> NDArray[np.float64]:
    """Return p(y) (classes,), uniform for None, or raise a ModalityError unless it is positive and sums to one."""
    if prior is None:
        return np.full(classes, 1 / classes)
    array = check_shape(prior, "prior", (classes,), where)
    if not ((array > 0).all() and abs(array.sum() - 1) < 1e-6):
        wanted = "positive probabilities that sum to 1"
        raise ModalityError("prior", got=array.tolist(), wanted=wanted, where=where)
    return array
