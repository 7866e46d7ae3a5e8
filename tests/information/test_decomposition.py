"""Laws of the decomposition into redundancy, unique and synergy, and an optimum found by brute force."""

import numpy as np
import pytest

from mmcourse.information import (
    ConvergenceError,
    PartialInformation,
    conditional_mutual_information,
    decomposition,
    mutual_information,
    partial_information,
)

CLOSE = 1e-6


def gate(outcomes: dict[tuple[int, int, int], float]) -> np.ndarray:
    joint = np.zeros(np.max(list(outcomes), axis=0) + 1)
    for outcome, chance in outcomes.items():
        joint[outcome] = chance
    return joint


BITS = [(a, b) for a in (0, 1) for b in (0, 1)]
KNOWN = {  # redundancy, unique, unique, synergy; AND as in Bertschinger et al. (2014)
    "AND": (gate({(a, b, a & b): 0.25 for a, b in BITS}), (0.311278, 0, 0, 0.5)),
    "XOR": (gate({(a, b, a ^ b): 0.25 for a, b in BITS}), (0, 0, 0, 1)),
    "the same bit twice": (gate({(a, a, a): 0.5 for a in (0, 1)}), (1, 0, 0, 0)),
    "both bits": (gate({(a, b, 2 * a + b): 0.25 for a, b in BITS}), (0, 1, 1, 0)),
    "the first bit": (gate({(a, b, a): 0.25 for a, b in BITS}), (0, 1, 0, 0)),
    "the first bit behind the second": (gate({(y + e, e, y): 0.25 for y, e in BITS}), (0, 0.5, 0, 0.5)),
    "nothing": (np.full((2, 2, 2), 1 / 8), (0, 0, 0, 0)),
    "one value": (np.ones((1, 1, 1)), (0, 0, 0, 0)),
}


def parts(found: PartialInformation) -> np.ndarray:
    return np.array([found.redundancy, found.unique_first, found.unique_second, found.synergy])


def draw(seed: int) -> np.ndarray:
    """Two to four values each, every third with zeros."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 5, size=3))
    joint = rng.dirichlet(np.full(int(np.prod(shape)), rng.choice([0.5, 1, 3]))).reshape(shape)
    if seed % 3 == 0:
        joint = joint * (rng.random(shape) < 0.7)
    return joint / joint.sum()


@pytest.mark.parametrize("name", KNOWN)
def test_gates_that_are_known(name: str) -> None:
    joint, wanted = KNOWN[name]
    np.testing.assert_allclose(parts(partial_information(joint)), wanted, atol=CLOSE)


@pytest.mark.parametrize("seed", range(12))
def test_the_parts_add_up_and_none_is_negative(seed: int) -> None:
    joint = draw(seed)
    found = partial_information(joint)
    first, second = mutual_information(joint.sum(1)), mutual_information(joint.sum(0))
    whole = mutual_information(joint.reshape(-1, joint.shape[2]))
    assert parts(found).min() >= 0
    assert found.redundancy + found.unique_first == pytest.approx(first, abs=1e-9)
    assert found.redundancy + found.unique_second == pytest.approx(second, abs=1e-9)
    assert parts(found).sum() == pytest.approx(whole, abs=1e-9)
    assert 0 <= found.gap <= CLOSE
    # The unique part cannot exceed what the source adds where the other is known.
    assert found.unique_first <= conditional_mutual_information(joint.transpose(0, 2, 1)) + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_sources_may_change_places_and_values_their_names(seed: int) -> None:
    joint, rng = draw(seed), np.random.default_rng(seed)
    found = parts(partial_information(joint))
    np.testing.assert_allclose(parts(partial_information(joint.transpose(1, 0, 2))), found[[0, 2, 1, 3]], atol=2e-6)
    renamed = joint[np.ix_(*(rng.permutation(size) for size in joint.shape))]
    np.testing.assert_allclose(parts(partial_information(renamed)), found, atol=2e-6)


@pytest.mark.parametrize("seed", range(4))
def test_a_value_that_never_comes_changes_nothing(seed: int) -> None:
    joint = draw(seed)
    padded = np.pad(joint, ((0, 1), (1, 0), (0, 1)))
    found, wanted = partial_information(padded), partial_information(joint)
    np.testing.assert_allclose(parts(found), parts(wanted), atol=2e-6)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_least_over_a_fine_grid(seed: int) -> None:
    """With two values each, q has one free number for each y: what is fixed are the sums of a 2 x 2 table."""
    joint = np.random.default_rng(seed).dirichlet(np.ones(8)).reshape(2, 2, 2)
    first, second, targets = joint.sum(1), joint.sum(0), joint.sum((0, 1))
    ranges = []
    for y in (0, 1):
        low = max(0.0, first[0, y] + second[0, y] - targets[y])
        ranges.append(np.linspace(low, min(first[0, y], second[0, y]), 401))
    corner = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1)  # q(0, 0, y), (grid, grid, y)
    q = np.stack([corner, first[0] - corner, second[0] - corner, targets - first[0] - second[0] + corner])
    q = np.maximum(q, 0)
    over_y = q.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        union = np.where(q > 0, q * np.log2(q / (over_y * targets)), 0).sum((0, -1))  # I_q(Y; X1, X2) on the grid
    found = partial_information(joint)
    assert parts(found)[:3].sum() <= union.min() + CLOSE
    assert parts(found)[:3].sum() == pytest.approx(union.min(), abs=1e-4)


def test_noise_on_the_target_takes_synergy_away() -> None:
    """XOR through a channel that flips one answer in ten: 1 - H(0.1) bits, all of them synergy."""
    joint = gate({(a, b, (a ^ b) ^ flip): 0.25 * (0.1 if flip else 0.9) for a, b in BITS for flip in (0, 1)})
    wanted = 1 + 0.1 * np.log2(0.1) + 0.9 * np.log2(0.9)
    np.testing.assert_allclose(parts(partial_information(joint)), [0, 0, 0, wanted], atol=CLOSE)


def test_an_optimum_without_a_certificate_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """An optimiser that does not move leaves the gap open, and that is said."""
    monkeypatch.setattr(decomposition, "_centre", lambda q, *_: q)
    with pytest.raises(ConvergenceError, match=r"partial_information: got a gap of .* bits, wanted at most 1\.0e-06"):
        partial_information(draw(1))


@pytest.mark.parametrize("seed", range(6))
def test_the_certificate_is_a_lower_bound_even_far_from_the_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the optimiser that does not move says of the minimum must not be above the minimum."""
    joint = draw(seed)
    first, second = joint.sum(1), joint.sum(0)
    value, _ = decomposition._least_negative_entropy(first, second, CLOSE)
    bounds = []
    honest = decomposition._bound
    monkeypatch.setattr(decomposition, "_bound", lambda *arguments: bounds.append(honest(*arguments)) or bounds[-1])
    monkeypatch.setattr(decomposition, "_centre", lambda q, *_: q)
    decomposition._least_negative_entropy(first, second, 1e9)
    assert len(bounds) >= 1
    assert max(bounds) <= value + 1e-9
