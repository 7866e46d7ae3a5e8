"""Laws of entropy and mutual information, against SciPy and against sums written out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mmcourse.errors import ModalityError, NotFiniteError, ShapeError
from mmcourse.information import conditional_mutual_information, entropy, mutual_information, partial_information

ROUNDING = 1e-12


def draw(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A random distribution with some zeros."""
    rng = np.random.default_rng(seed)
    joint = rng.dirichlet(np.ones(int(np.prod(shape)))).reshape(shape) * (rng.random(shape) < 0.8)
    return joint / joint.sum()


@pytest.mark.parametrize(("probabilities", "bits"), [([1.0], 0), ([0.5, 0.5], 1), ([0.25] * 4, 2), ([0.5, 0, 0.5], 1)])
def test_entropies_that_are_known(probabilities: list[float], bits: float) -> None:
    assert entropy(probabilities) == pytest.approx(bits, abs=ROUNDING)


@pytest.mark.parametrize("seed", range(5))
def test_mutual_information_is_the_divergence_from_independence(seed: int) -> None:
    joint = draw((3, 4), seed)
    apart = np.outer(joint.sum(1), joint.sum(0))
    wanted = stats.entropy(joint.ravel(), apart.ravel(), base=2)
    assert mutual_information(joint) == pytest.approx(wanted, abs=ROUNDING)


@pytest.mark.parametrize("seed", range(5))
def test_chain_rule_and_bounds(seed: int) -> None:
    """I(A, B; C) = I(A; C) + I(B; C | A), and 0 <= I(A; B | C) <= H(A)."""
    joint = draw((2, 3, 4), seed)
    given_a = conditional_mutual_information(joint.transpose(1, 2, 0))
    together = mutual_information(joint.reshape(6, 4))
    assert together == pytest.approx(mutual_information(joint.sum(1)) + given_a, abs=ROUNDING)
    assert -ROUNDING <= conditional_mutual_information(joint) <= entropy(joint.sum((1, 2)))


@pytest.mark.parametrize("seed", range(3))
def test_conditional_mutual_information_is_the_mean_over_its_condition(seed: int) -> None:
    joint = draw((2, 3, 4), seed)
    chances = joint.sum((0, 1))
    wanted = sum(chance * mutual_information(joint[:, :, c] / chance) for c, chance in enumerate(chances))
    assert conditional_mutual_information(joint) == pytest.approx(wanted, abs=ROUNDING)


def test_independent_variables_share_nothing() -> None:
    assert mutual_information(np.outer([0.2, 0.8], [0.5, 0.3, 0.2])) == pytest.approx(0, abs=ROUNDING)


MEASURES: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "entropy": (entropy, (2, 2)),
    "mutual_information": (mutual_information, (2, 2)),
    "conditional_mutual_information": (conditional_mutual_information, (2, 2, 2)),
    "partial_information": (partial_information, (2, 2, 2)),
}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda p: p - 0.5 * (np.arange(p.size) == 1).reshape(p.shape), ModalityError, "a probability of -"),
        (lambda p: 2 * p, ModalityError, "got a sum of 2, wanted 1"),
        (lambda p: np.where(p > 0, np.nan, p), NotFiniteError, "got NaN or infinity, wanted probabilities"),
        (lambda p: p[:0], ShapeError, "got shape (0"),
    ],
    ids=["negative", "sum", "NaN", "empty"],
)
def test_what_is_no_distribution_is_refused(
    spoil: Callable[[Any], Any], error: type[ModalityError], message: str, name: str
) -> None:
    measure, shape = MEASURES[name]
    with pytest.raises(error) as caught:
        measure(spoil(np.full(shape, 1 / np.prod(shape))))
    assert type(caught.value) is error
    assert str(caught.value).startswith(f"{name}: joint: got ")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", [name for name in MEASURES if name != "entropy"])
def test_another_number_of_axes_is_refused(name: str) -> None:
    measure, _ = MEASURES[name]
    with pytest.raises(ShapeError, match=rf"^{name}: joint: got shape \(8,\), wanted an entry for each of \("):
        measure(np.full(8, 1 / 8))
