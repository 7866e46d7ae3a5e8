"""What two sources say of a target together, apart, and only in combination."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import null_space

from mmcourse.information.measures import check_distribution, mutual_information

WHERE = "partial_information"
NEGLIGIBLE = 1e-12  # a hundred such probabilities change an entropy by 1e-8 bits at most
Array = NDArray[np.float64]


class ConvergenceError(ArithmeticError):
    """An optimum that could not be certified."""


@dataclass(frozen=True)
class PartialInformation:
    """Parts of I(Y; X1, X2) in bits: redundancy + unique_first + unique_second + synergy.

    redundancy + unique_first = I(Y; X1) and redundancy + unique_second = I(Y; X2)
    gap: by how much each part may be wrong at most: the value found less a lower bound of the optimum
    """

    redundancy: float
    unique_first: float
    unique_second: float
    synergy: float
    gap: float


def partial_information(joint: ArrayLike, *, tolerance: float = 1e-6) -> PartialInformation:
    """Decompose I(Y; X1, X2) as Bertschinger et al. (2014) do (BROJA, after its authors).

        union = min over q of I_q(Y; X1, X2),  q with the pairs q(x1, y) = p(x1, y) and q(x2, y) = p(x2, y)
        synergy = I(Y; X1, X2) - union;  unique_first = union - I(Y; X2);  unique_second = union - I(Y; X1)
        redundancy = I(Y; X1) + I(Y; X2) - union

    joint: p(x1, x2, y), three axes; a probability below 1e-12 counts as 0
    tolerance: the largest gap, in bits, that is taken
    The minimum is found by a barrier method. Its certificate: by convex duality the minimum of -H_q(Y | X1, X2) is at
    least sum p(x1, y) a(x1, y) + sum p(x2, y) b(x2, y) for all a, b with sum_y 2^(a + b) <= 1 for every x1, x2.
    Raises a ModalityError unless joint is a distribution with three axes, ConvergenceError where the gap stays larger.
    """
    p = check_distribution(joint, ("x1", "x2", "y"), WHERE)
    p = np.where(p < NEGLIGIBLE, 0, p)
    p = p / p.sum()
    first, second = p.sum(1), p.sum(0)  # p(x1, y), p(x2, y)
    one, two = mutual_information(first), mutual_information(second)
    both = mutual_information(p.reshape(-1, p.shape[2]))
    targets = p.sum((0, 1))
    target_entropy = -sum(t * np.log2(t) for t in targets if t > 0)
    least, bound = _least_negative_entropy(first, second, tolerance)
    # p itself and the independent coupling are among the q: the minimum is not above what they give.
    union = min(max(target_entropy + least, one, two), both, one + two)
    parts = (one + two - union, union - two, union - one, both - union, least - bound)
    return PartialInformation(*(float(max(0.0, part)) for part in parts))


def _least_negative_entropy(first: Array, second: Array, tolerance: float) -> tuple[float, float]:
    """min -H_q(Y | X1, X2) in bits, and a lower bound of it, over q(x1, x2, y) with the given pairs."""
    targets = first.sum(0)
    safe = np.where(targets > 0, targets, 1)
    start = first[:, None, :] * second[None, :, :] / safe  # q(x1, x2 | y) = p(x1 | y) p(x2 | y)
    cells = np.argwhere(start > 0)
    q = start[start > 0]
    pairs = _indicator(cells[:, [0, 1]])  # (pairs x1 x2, cells): sums over y
    constraints = np.vstack([_indicator(cells[:, [0, 2]]), _indicator(cells[:, [1, 2]])])
    # (cells, free): changes of q that keep both pairs; in units of q and of the pairs, so that tiny ones count as well.
    moves = q[:, None] * null_space(constraints * q / (constraints @ q)[:, None])
    best = (np.inf, -np.inf)
    sharpness = 10.0
    while best[0] - best[1] > tolerance / 10 and sharpness < 1e13:
        q = _centre(q, pairs, moves, sharpness)
        value = float((q * _log_conditional(q, pairs)).sum()) / np.log(2)
        best = (min(best[0], value), max(best[1], _bound(q, start[start > 0], pairs, constraints, sharpness)))
        sharpness *= 10
    if not best[0] - best[1] <= tolerance:
        raise ConvergenceError(f"{WHERE}: got a gap of {best[0] - best[1]:.1e} bits, wanted at most {tolerance:.1e}")
    return best


def _centre(q: Array, pairs: Array, moves: Array, sharpness: float) -> Array:
    """Minimise sharpness * sum q log q(y | x1, x2) - sum log q along `moves` by Newton's method."""

    def value(at: Array) -> float:
        return float(sharpness * (at * _log_conditional(at, pairs)).sum() - np.log(at).sum())

    for _ in range(50):
        if moves.shape[1] == 0:
            break
        gradient = moves.T @ (sharpness * _log_conditional(q, pairs) - 1 / q)
        curved = np.diag(sharpness / q + 1 / q**2) - sharpness * pairs.T @ (pairs / (pairs @ q)[:, None])
        step = -np.linalg.lstsq(moves.T @ curved @ moves, gradient, rcond=None)[0]
        decrease = -gradient @ step
        if decrease < 1e-12:
            break
        change, length = moves @ step, 1.0
        shrinking = change < 0
        if shrinking.any():
            length = min(1.0, 0.99 * float((-q[shrinking] / change[shrinking]).min()))
        now = value(q)
        while value(q + length * change) > now - 0.1 * length * decrease and length > 1e-10:
            length /= 2
        if length <= 1e-10:  # rounding is all that is left
            break
        q = q + length * change
    return q


def _bound(q: Array, start: Array, pairs: Array, constraints: Array, sharpness: float) -> float:
    """A lower bound of the minimum in bits from any a, b made feasible: near the centre log q(y | x) - 1 / (t q).

    A fit that weighs likely cells more is exact where it counts, an even one where probabilities are tiny.
    """
    wanted = _log_conditional(q, pairs) - 1 / (sharpness * q)
    bounds = []
    for weights in (np.ones_like(q), np.sqrt(q), q):
        multipliers = np.linalg.lstsq(constraints.T * weights[:, None], wanted * weights, rcond=None)[0]
        dual = constraints.T @ multipliers  # a + b of each cell
        highest = dual.max()
        excess = highest + np.log((pairs @ np.exp(dual - highest)).max())
        bounds.append(float(start @ dual - excess))  # start has the pairs of p to the last digit
    return max(bounds) / np.log(2)


def _log_conditional(q: Array, pairs: Array) -> Array:
    """log q(y | x1, x2), (cells,)."""
    return np.log(q / (pairs.T @ (pairs @ q)))


def _indicator(labels: NDArray[np.int64]) -> Array:
    """(kinds of label, cells), 1 where a cell has the label."""
    _, kinds = np.unique(labels, axis=0, return_inverse=True)
    return (np.arange(kinds.max() + 1)[:, None] == kinds.ravel()).astype(np.float64)
