"""What InfoNCE cannot go below: exact expectations against simulation, bounds against optimisation."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from mmcourse.alignment.numpy import expected_floor, expected_log_multiplicity, info_nce, least_info_nce
from mmcourse.alignment.torch import info_nce as torch_info_nce
from mmcourse.errors import ModalityError

POPULATIONS = [[1, 1, 1, 2, 2, 3, 5], [4, 4, 4], [1] * 8, [10], [1, 9]]
# Pairs as (picture, name): a name with three pictures; a picture with two names; a plain pair; both at once.
STARS = ([0, 1, 2, 3, 3, 4], [0, 0, 0, 1, 2, 3])
TANGLED = ([0, 0, 1, 1, 2, 3, 3], [0, 1, 0, 1, 2, 2, 3])


def log_multiplicity(groups: np.ndarray) -> float:
    return float(np.log((groups[:, None] == groups).sum(axis=1)).mean())


@pytest.mark.parametrize("sizes", POPULATIONS, ids=str)
def test_the_expected_log_multiplicity_is_what_drawing_finds(sizes: list[int]) -> None:
    rng = np.random.default_rng(0)
    population = np.repeat(np.arange(len(sizes)), sizes)
    for batch in (2, 5):
        if batch > len(population):
            continue
        drawn = [log_multiplicity(rng.permutation(population)[:batch]) for _ in range(4000)]
        error = 4 * np.std(drawn) / math.sqrt(len(drawn))
        assert abs(np.mean(drawn) - expected_log_multiplicity(sizes, batch)) <= error + 1e-12


def test_two_of_a_pair_and_one_more_by_hand() -> None:
    """Sizes 2 and 1, two drawn: the pair in one of three draws, then log 2 for both rows."""
    assert expected_log_multiplicity([2, 1], 2) == pytest.approx(math.log(2) / 3, rel=1e-12)


@pytest.mark.parametrize("sizes", POPULATIONS, ids=str)
def test_the_whole_population_is_one_batch_and_one_row_is_alone(sizes: list[int]) -> None:
    n = np.array(sizes)
    assert expected_log_multiplicity(sizes, sum(sizes)) == pytest.approx((n * np.log(n)).sum() / n.sum(), abs=1e-12)
    assert expected_log_multiplicity(sizes, 1) == 0


def test_larger_batches_have_a_higher_floor() -> None:
    floors = [expected_log_multiplicity([1] * 50 + [4] * 20, batch) for batch in range(1, 131)]
    assert (np.diff(floors) > 0).all()


def test_the_size_of_real_populations_is_no_trouble() -> None:
    """17,000 pictures of 5,800 names: nearly C(17000, 256) ways."""
    floor = expected_log_multiplicity(np.repeat([4, 3, 1], [3_500, 500, 1_800]), 256)
    # At most log of the mean multiplicity (Jensen).
    mean_others = 255 * (14_000 * 3 + 1_500 * 2) / 17_300 / 17_299
    assert 0 < floor < math.log1p(mean_others)


@pytest.mark.parametrize(("pictures", "names"), [STARS, TANGLED], ids=["stars", "tangled"])
def test_the_expected_floor_is_the_mean_of_the_floors_of_batches(pictures: list[int], names: list[int]) -> None:
    rng = np.random.default_rng(0)
    u, v = np.array(pictures), np.array(names)
    drawn = []
    for _ in range(4000):
        chosen = rng.permutation(len(u))[:4]
        drawn.append(
            log_multiplicity(u[chosen]) + log_multiplicity(v[chosen]) - log_multiplicity(9 * u[chosen] + v[chosen])
        )
    error = 4 * np.std(drawn) / math.sqrt(len(drawn))
    assert abs(np.mean(drawn) - expected_floor(pictures, names, 4)) <= error


def test_pictures_and_names_trade_places() -> None:
    assert expected_floor(*TANGLED, 4) == pytest.approx(expected_floor(*TANGLED[::-1], 4), rel=1e-12)


def test_pairs_that_come_twice_are_no_twins_but_share_their_place() -> None:
    """The same pair n times: its answer is one of m alike, whichever side shares, so it counts once."""
    ids = [0, 0, 1, 1, 1, 2]
    assert expected_floor(ids, ids, 4) == pytest.approx(expected_log_multiplicity([2, 3, 1], 4), rel=1e-12)


def test_labels_may_be_any() -> None:
    letters = [["abcd"[label] for label in ids] for ids in TANGLED]
    assert expected_floor(*letters, 4) == expected_floor(*TANGLED, 4)


def test_twins_at_a_large_scale_reach_the_expected_floor() -> None:
    """One embedding a picture and one a name, equal within a star, far apart otherwise; the mean over batches."""
    pictures, names = (np.array(ids) for ids in STARS)
    star = np.array([0, 0, 0, 1, 1, 2])
    corners = np.eye(3)[star]
    rng = np.random.default_rng(0)
    losses = []
    for _ in range(3000):
        chosen = rng.permutation(len(star))[:4]
        losses.append(info_nce(corners[chosen], corners[chosen], scale=60))
    error = 4 * np.std(losses) / math.sqrt(len(losses))
    assert abs(np.mean(losses) - expected_floor(pictures, names, 4)) <= error


@pytest.mark.parametrize(("pictures", "names"), [STARS, TANGLED], ids=["stars", "tangled"])
def test_no_logits_get_below_the_floor_and_the_best_reach_it_both_ways(pictures: list[int], names: list[int]) -> None:
    """The whole population as one batch, a free logit for each picture with each name, found by optimisation."""
    u, v = torch.tensor(pictures), torch.tensor(names)
    free = torch.zeros(int(u.max()) + 1, int(v.max()) + 1, dtype=torch.float64, requires_grad=True)
    right = torch.arange(len(u))

    def sides() -> list[torch.Tensor]:
        logits = free[u][:, v]
        return [torch.nn.functional.cross_entropy(side, right) for side in (logits, logits.T)]

    minimise(lambda: sum(sides()), [free])
    floor = expected_floor(pictures, names, len(pictures))
    for side in sides():
        assert floor - 1e-9 <= side.item() <= floor + 1e-3


@pytest.mark.parametrize("scale", [0.5, 3.0, 20.0])
@pytest.mark.parametrize("batch", [2, 5, 9])
def test_a_simplex_reaches_the_least_loss(batch: int, scale: float) -> None:
    corners = np.eye(batch) - 1 / batch
    wanted = math.log1p((batch - 1) * math.exp(-scale * batch / (batch - 1)))
    assert least_info_nce(scale, np.ones(batch, int)) == pytest.approx(wanted, rel=1e-9)
    assert info_nce(corners, corners, scale=scale) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("scale", [0.5, 3.0])
@pytest.mark.parametrize("width", [2, 8])
@pytest.mark.parametrize("shared", ["neither", "both", "image", "text"])
def test_no_embedding_found_by_optimisation_gets_below(shared: str, width: int, scale: float) -> None:
    multiplicities = [1] * 6 if shared == "neither" else [3, 1, 2]
    groups = np.repeat(np.arange(len(multiplicities)), multiplicities)
    rows = {"image": groups if shared in ("image", "both") else np.arange(6)}
    rows["text"] = groups if shared in ("text", "both") else np.arange(6)
    found = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        free = {
            name: torch.tensor(rng.normal(size=(ids.max() + 1, width)), requires_grad=True)
            for name, ids in rows.items()
        }

        def loss(free: Any = free) -> torch.Tensor:
            return torch_info_nce(*(free[name][ids] for name, ids in rows.items()), scale=scale, check_values=False)

        minimise(loss, list(free.values()))
        found.append(loss().item())
    least = least_info_nce(scale, multiplicities)
    assert least - 1e-9 <= min(found)
    if shared == "neither" and width == 8:  # room for the simplex
        assert min(found) == pytest.approx(least, rel=1e-6)
    if shared != "neither":
        assert min(found) < 1.15 * least if width == 8 else min(found) < 2 * least  # a bound that says something


def test_groups_of_one_size_multiply() -> None:
    """K groups of m: log m, and the simplex of the K groups."""
    for size, groups in ((2, 3), (4, 5)):
        alone = least_info_nce(3.0, np.ones(groups, int))
        assert least_info_nce(3.0, [size] * groups) == pytest.approx(math.log(size) + alone, rel=1e-9)


def test_at_a_large_scale_the_log_multiplicity_is_left() -> None:
    sizes = np.array([1, 2, 5])
    assert least_info_nce(100, sizes) == pytest.approx((sizes * np.log(sizes)).sum() / 8, rel=1e-6)


def test_without_a_scale_the_least_is_log_batch_and_a_larger_scale_allows_less() -> None:
    assert least_info_nce(0, [1, 2, 3]) == least_info_nce(5, [6]) == pytest.approx(math.log(6), rel=1e-12)
    for multiplicities in ([1] * 6, [1, 2, 3]):
        least = [least_info_nce(scale, multiplicities) for scale in (0, 0.01, 1, 10, 15)]
        assert (np.diff(least) < 0).all()


@pytest.mark.parametrize(
    ("sizes", "batch", "message"),
    [
        ([], 1, r"sizes: got \[\], wanted whole numbers above 0"),
        ([1, 0], 1, r"sizes: got \[1, 0\]"),
        ([1.5], 1, r"sizes: got \[1.5\]"),
        ([[1]], 1, r"sizes: got \[\[1\]\]"),
        ([1, 2], 4, "batch: got 4, wanted 1 to 3, the population"),
        ([1, 2], 0, "batch: got 0"),
        ([1, 2], 1.0, r"batch: got 1\.0"),
    ],
)
def test_expected_log_multiplicity_refuses(sizes: Sequence[Any], batch: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expected_log_multiplicity(sizes, batch)


def test_expected_floor_refuses() -> None:
    with pytest.raises(ValueError, match=r"got ids \(2,\) and \(3,\), wanted \(N,\) of the same pairs"):
        expected_floor([0, 1], [0, 1, 2], 2)
    with pytest.raises(ValueError, match="batch: got 3, wanted 1 to 2"):
        expected_floor([0, 1], [0, 1], 3)


def test_least_info_nce_refuses() -> None:
    with pytest.raises(ModalityError, match="least_info_nce: scale: got -1, wanted at least 0"):
        least_info_nce(-1, [1, 1])
    for wrong in ([], [0, 1], [0.5]):
        with pytest.raises(ValueError, match=r"multiplicities: got .* wanted whole numbers above 0"):
            least_info_nce(1, wrong)


def minimise(loss: Any, free: list[torch.Tensor]) -> None:
    optimiser = torch.optim.LBFGS(
        free, max_iter=400, tolerance_grad=1e-12, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    optimiser.step(closure)
