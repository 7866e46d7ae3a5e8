"""The least InfoNCE can be: because answers look alike, because the batch draws them together, because of the scale."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.alignment import checks

STEPS = 200  # halvings of an interval: more than the digits there are


def expected_log_multiplicity(sizes: ArrayLike, batch: int) -> float:
    """E[(1/B) sum_i log m_i],  m_i = how many rows of the batch are of row i's group, row i among them.

    It is the floor of InfoNCE where one group's rows cannot be told apart: row i's answer gets 1/m_i at most.
    The B rows are drawn without replacement from N = sum_g n_g, so m - 1 is hypergeometric and the sum is exact:
        sum_g (n_g / N) sum_k  C(n_g - 1, k) C(N - n_g, B - 1 - k) / C(N - 1, B - 1)  log(1 + k)
    sizes: (groups,) n_g, whole numbers above 0;  batch: B, from 1 to N;  returns nats
    Raises ValueError for sizes or a batch that cannot be.
    """
    n = np.asarray(sizes)
    if n.ndim != 1 or n.size == 0 or not np.issubdtype(n.dtype, np.integer) or n.min() < 1:
        raise ValueError(f"expected_log_multiplicity: sizes: got {sizes!r}, wanted whole numbers above 0")
    population = int(n.sum())
    if not isinstance(batch, int | np.integer) or not 1 <= batch <= population:
        raise ValueError(f"expected_log_multiplicity: batch: got {batch!r}, wanted 1 to {population}, the population")
    log_factorial = np.concatenate([[0.0], np.log(np.arange(1, population + 1)).cumsum()])

    def log_choose(m: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
        return log_factorial[m] - log_factorial[k] - log_factorial[m - k]

    others = np.asarray(batch - 1)
    draws, total = log_choose(population - 1, others), 0.0
    for size, count in zip(*np.unique(n, return_counts=True), strict=True):
        k = np.arange(max(0, batch - 1 - (population - size)), min(size, batch))  # what can be drawn of the group
        chance = np.exp(log_choose(size - 1, k) + log_choose(population - size, others - k) - draws)
        total += count * size / population * float(chance @ np.log1p(k))
    return total


def expected_floor(image_ids: ArrayLike, text_ids: ArrayLike, batch: int) -> float:
    """E[(1/B) sum_i log(a_i b_i / c_i)]: the floor of InfoNCE where pictures share names and names share pictures.

    a_i, b_i, c_i: how many rows of the batch have row i's picture, row i's name, and both
    Image to text: rows of one picture give one distribution over names, best the shares c/a of the names they have (the
    entropy of twins), and the b columns of one name divide its share: p_i <= c/a / b. Text to image: c/b / a, the same.
    By linearity it is E log a + E log b - E log c, each an expected_log_multiplicity. A bound always; reached at large
    scale, if no picture with several names has a name with several pictures (else the best answer varies by batch).
    image_ids, text_ids: (N,) any labels of the N pairs that batches are drawn from;  batch: B;  returns nats
    Raises ValueError for ids of unequal length or a batch that cannot be.
    """
    pictures, names = np.asarray(image_ids), np.asarray(text_ids)
    if pictures.ndim != 1 or pictures.shape != names.shape or pictures.size == 0:
        raise ValueError(f"expected_floor: got ids {pictures.shape} and {names.shape}, wanted (N,) of the same pairs")
    a, b = (np.unique(ids, return_inverse=True)[1] for ids in (pictures, names))
    groups = [a, b, a * len(b) + b]
    images, texts, both = (expected_log_multiplicity(np.unique(g, return_counts=True)[1], batch) for g in groups)
    return images + texts - both


def least_info_nce(scale: float, multiplicities: ArrayLike) -> float:
    """The least InfoNCE that a scale allows, on a sphere of any dimension.

    multiplicities: (groups,) m_g, how many rows of the batch share a picture or a name; B ones where all are distinct
    B distinct pairs:  log(1 + (B - 1) exp(-s B / (B - 1))),  reached where x_i = t_i are the corners of a simplex
    (all other cosines -1/(B - 1)), for which the dimension must be at least B - 1; in a smaller one, only a bound.

    Why: with a_ij = cos(x_i, t_j) - cos(x_i, t_i), the loss of row i is log sum_j exp(s a_ij), convex in a, so no less
    than at the means over groups. And sum_ij a_ij = X . T - B D >= -B (B + D)/2 >= -B^2, for X and T the sums of all
    x and t and D = sum_i cos(x_i, t_i) <= B. What is returned is the least of
        (1/B) sum_g m_g log(m_g + (B - m_g) exp(s a_g))   given   sum_g m_g (B - m_g) a_g = -B^2
    a convex problem with one multiplier; the other direction has the same.
    scale: s, at least 0;  returns nats
    Raises ModalityError for a scale below 0, ValueError for multiplicities that cannot be.
    Source: for distinct pairs Lu and Steinerberger (2022).
    """
    checks.check_scale(scale, "least_info_nce")
    m = np.asarray(multiplicities)
    if m.ndim != 1 or m.size == 0 or not np.issubdtype(m.dtype, np.integer) or m.min() < 1:
        raise ValueError(f"least_info_nce: multiplicities: got {multiplicities!r}, wanted whole numbers above 0")
    batch = m.sum()
    if m.size == 1 or scale == 0:
        return float(np.log(batch))
    weights = m * (batch - m)

    def exponents(log_multiplier: float) -> NDArray[np.float64]:
        """s a_g where the derivative of the loss is the multiplier times that of the condition."""
        return log_multiplier + np.log(m) - np.log1p(-np.exp(log_multiplier) * (batch - m))

    # At the upper end all a_g = 0, at the lower all a_g <= -B^2 / sum of weights.
    high = -np.log(batch)
    low = high - scale * batch**2 / weights.sum()
    for _ in range(STEPS):
        middle = (low + high) / 2
        if weights @ exponents(middle) > -scale * batch**2:
            high = middle
        else:
            low = middle
    return float(m @ (np.log(m) + np.log1p((batch / m - 1) * np.exp(exponents(low)))) / batch)
