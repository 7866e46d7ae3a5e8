"""Laws of dynamic time warping, and its soft form, against all paths one by one and against librosa."""

from itertools import pairwise

import librosa
import numpy as np
import pytest
import torch

from mmcourse import parity
from mmcourse.alignment.numpy import accumulated_costs, dynamic_time_warping, pairwise_costs
from mmcourse.alignment.torch import soft_dtw
from mmcourse.errors import DtypeError, ModalityError, NotFiniteError, ShapeError
from tests.alignment.brute import warping_paths

SIZES = [(1, 1), (1, 4), (3, 1), (3, 4), (5, 4), (4, 4)]
DISTANCES = ["euclidean", "squared", "manhattan", "cosine"]
over_sizes = pytest.mark.parametrize(("n", "m"), SIZES)


def costs(n, m, seed=0):
    return np.random.default_rng([seed, n, m]).random((n, m))


def cost_of(path, table):
    return sum(table[cell] for cell in map(tuple, path))


@over_sizes
@pytest.mark.parametrize("band", [None, 4, 3])
def test_it_is_the_cheapest_of_all_paths(n, m, band):
    if band is not None and band < abs(n - m):
        pytest.skip("no path fits")
    table = costs(n, m)
    inside = [p for p in warping_paths(n, m) if band is None or all(abs(i - j) <= band for i, j in p)]
    cheapest = min(inside, key=lambda path: cost_of(path, table))
    found = dynamic_time_warping(table, band=band)
    assert parity.relative_error(found.cost, cost_of(cheapest, table)) < 1e-12
    assert list(map(tuple, found.path.tolist())) == list(cheapest)


@pytest.mark.parametrize("band", [0, 1, 2])
def test_a_band_is_the_cheapest_of_the_paths_inside_it(band):
    table = costs(5, 5)
    inside = [cost_of(p, table) for p in warping_paths(5, 5) if all(abs(i - j) <= band for i, j in p)]
    assert parity.relative_error(dynamic_time_warping(table, band=band).cost, min(inside)) < 1e-12


@pytest.mark.parametrize(("n", "m"), [(30, 40), (50, 20), (25, 25)])
def test_it_is_librosa_s(n, m):
    table = costs(n, m)
    summed, path = librosa.sequence.dtw(C=table)
    found = dynamic_time_warping(table)
    assert parity.relative_error(accumulated_costs(table), summed) < 1e-12
    assert np.array_equal(found.path, path[::-1])


def test_a_band_is_librosa_s_which_counts_its_edge_out():
    table = costs(40, 40)
    summed = librosa.sequence.dtw(C=table.copy(), global_constraints=True, band_rad=0.25, backtrack=False)
    assert parity.relative_error(dynamic_time_warping(table, band=9).cost, summed[-1, -1]) < 1e-12


@pytest.mark.parametrize("distance", DISTANCES)
def test_distances_are_scipy_s_by_their_own_names(distance):
    from scipy.spatial.distance import cdist

    x, y = (np.random.default_rng(seed).normal(size=(5, 3)) for seed in (0, 1))
    theirs = {"squared": "sqeuclidean", "manhattan": "cityblock"}.get(distance, distance)
    assert parity.relative_error(pairwise_costs(x, y, distance), cdist(x, y, theirs)) < 1e-10


@pytest.mark.parametrize("distance", DISTANCES)
def test_it_is_symmetric_and_zero_from_a_sequence_to_itself(distance):
    x, y = (np.random.default_rng(size).normal(size=(size, 3)) for size in (7, 5))
    there, back = (dynamic_time_warping(pairwise_costs(a, b, distance)).cost for a, b in ((x, y), (y, x)))
    assert parity.relative_error(there, back) < 1e-12
    itself = dynamic_time_warping(pairwise_costs(x, x, distance))
    assert abs(itself.cost) < 1e-6
    if distance != "cosine":  # there rounding leaves costs of either sign on the diagonal
        assert itself.path.tolist() == [[i, i] for i in range(7)]


@over_sizes
def test_the_path_goes_from_end_to_end_without_a_leap_and_costs_what_is_said(n, m):
    table = costs(n, m, seed=1)
    found = dynamic_time_warping(table)
    assert found.path[0].tolist() == [0, 0]
    assert found.path[-1].tolist() == [n - 1, m - 1]
    steps = set(map(tuple, np.diff(found.path, axis=0).tolist()))
    assert steps <= {(1, 0), (0, 1), (1, 1)}
    assert parity.relative_error(cost_of(found.path, table), found.cost) < 1e-12


def test_repeating_a_frame_costs_nothing():
    x = np.random.default_rng(0).normal(size=(6, 2))
    slowed = np.repeat(x, [1, 3, 1, 2, 1, 4], axis=0)
    assert dynamic_time_warping(pairwise_costs(x, slowed)).cost == 0


def test_many_tables_are_warped_as_one_by_one_and_shorter_ones_may_be_filled_up():
    tables = np.random.default_rng(0).random((2, 3, 4, 5))
    summed = accumulated_costs(tables)
    assert all(np.array_equal(summed[k], accumulated_costs(tables[k])) for k in np.ndindex(2, 3))
    assert np.array_equal(summed[..., :3, :4], accumulated_costs(tables[..., :3, :4]))


def test_a_band_wide_enough_changes_nothing_and_outside_it_stands_infinity():
    table = costs(6, 6)
    assert np.array_equal(accumulated_costs(table, band=5), accumulated_costs(table))
    assert np.isinf(accumulated_costs(table, band=1)[0, 2:]).all()


@over_sizes
@pytest.mark.parametrize("gamma", [0.05, 0.5, 3.0])
def test_soft_warping_is_the_soft_minimum_of_all_paths(n, m, gamma):
    table = costs(n, m)
    every = np.array([cost_of(path, table) for path in warping_paths(n, m)])
    wanted = every.min() - gamma * np.log(np.exp(-(every - every.min()) / gamma).sum())
    assert abs(float(soft_dtw(torch.tensor(table), gamma=gamma)) - wanted) < 1e-10


def test_its_gradient_is_that_of_central_differences_and_the_probability_of_each_pair():
    table, gamma = costs(3, 4), 0.4
    x = torch.tensor(table, requires_grad=True)
    (gradient,) = torch.autograd.grad(soft_dtw(x, gamma=gamma), x)
    wanted = parity.central_differences(lambda p: float(soft_dtw(torch.tensor(p["c"]), gamma=gamma)), {"c": table})
    assert parity.relative_error(gradient.numpy(), wanted["c"]) < 1e-6
    paths = list(warping_paths(3, 4))
    weights = np.exp([-cost_of(path, table) / gamma for path in paths])
    drawn = np.zeros((3, 4))
    for path, weight in zip(paths, weights / weights.sum(), strict=True):
        drawn[tuple(np.array(path).T)] += weight
    assert parity.relative_error(gradient.numpy(), drawn) < 1e-10


def test_without_softness_it_is_the_hard_one_and_it_is_never_above_it():
    table = costs(9, 7)
    hard = dynamic_time_warping(table).cost
    soft = [float(soft_dtw(torch.tensor(table), gamma=gamma)) for gamma in (10.0, 1.0, 0.1, 1e-3, 1e-6)]
    assert all(a <= b + 1e-12 for a, b in pairwise(soft))
    assert soft[0] < 0 < soft[2] < hard
    assert hard - 1e-9 < soft[-1] <= hard


def test_soft_warping_takes_many_tables_and_single_precision():
    tables = torch.tensor(np.random.default_rng(0).random((2, 3, 4, 5)))
    found = soft_dtw(tables, gamma=0.2)
    assert found.shape == (2, 3)
    one_by_one = torch.stack([soft_dtw(table, gamma=0.2) for table in tables.flatten(0, 1)]).view(2, 3)
    assert torch.equal(found, one_by_one)
    single = soft_dtw(tables.float(), gamma=0.2)
    assert single.dtype == torch.float32
    assert parity.relative_error(single.numpy(), found.numpy()) < 1e-5


FAULTS = {
    "rank": (lambda: dynamic_time_warping(np.ones(3)), ShapeError, r"costs: got shape \(3,\), wanted \(n, m\)"),
    "nothing": (lambda: accumulated_costs(np.ones((0, 3))), ShapeError, r"costs: got shape \(0, 3\)"),
    "words": (lambda: accumulated_costs(np.array([["a"]])), DtypeError, "costs: got dtype str32, wanted numbers"),
    "NaN": (lambda: accumulated_costs([[np.nan]]), NotFiniteError, "costs: got NaN or infinity"),
    "a band too narrow": (
        lambda: dynamic_time_warping(np.ones((3, 7)), band=3),
        ModalityError,
        "band: got 3, wanted at least 4, by which the lengths 3 and 7 differ",
    ),
    "a band below zero": (lambda: dynamic_time_warping(np.ones((3, 3)), band=-1), ModalityError, "band: got -1"),
    "half a frame": (lambda: dynamic_time_warping(np.ones((3, 3)), band=0.5), ModalityError, "band: got 0.5"),
    "widths": (lambda: pairwise_costs(np.ones((2, 3)), np.ones((2, 4))), ShapeError, "y: got width 4, wanted 3"),
    "batches": (
        lambda: pairwise_costs(np.ones((2, 4, 3)), np.ones((5, 4, 3))),
        ShapeError,
        r"y: got shape \(5, 4, 3\), wanted batch axes that fit those of x, \(2, 4, 3\)",
    ),
    "no frames": (lambda: pairwise_costs(np.ones((0, 3)), np.ones((2, 3))), ShapeError, r"x: got shape \(0, 3\)"),
    "booleans": (lambda: pairwise_costs(np.ones((2, 3), bool), np.ones((2, 3))), DtypeError, "x: got dtype bool"),
    "frames of NaN": (lambda: pairwise_costs([[np.nan]], [[1.0]]), NotFiniteError, "x: got NaN or infinity"),
    "no direction": (
        lambda: pairwise_costs([[1.0]], [[0.0]], "cosine"),
        NotFiniteError,
        "y: got a frame of zeros, wanted a length above 0",
    ),
    "distance": (lambda: pairwise_costs([[1.0]], [[1.0]], "far"), ValueError, "distance: got 'far', wanted 'euclid"),
    "softness": (lambda: soft_dtw(torch.ones(2, 2), gamma=0.0), ModalityError, "gamma: got 0.0, wanted a finite"),
    "soft NaN": (lambda: soft_dtw(torch.full((2, 2), torch.nan), gamma=1.0), NotFiniteError, "costs: got NaN"),
    "no tensor": (lambda: soft_dtw(np.ones((2, 2)), gamma=1.0), DtypeError, "costs: got ndarray, wanted a torch"),
}


@pytest.mark.parametrize(("call", "error", "message"), FAULTS.values(), ids=FAULTS)
def test_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()
