"""Laws of calibration: bins, scores, and the one temperature that is best."""

import numpy as np
import pytest
import torch
from sklearn.metrics import brier_score_loss, log_loss
from torchmetrics.functional.classification import multiclass_calibration_error

from mmcourse.training import (
    accuracy,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    probabilities,
    reliability,
)

BINS = ("width", "mass")


def drawn(n=500, classes=4, scale=2.0, truth=1.0, seed=0):
    """Logits, and labels drawn from softmax(logits / truth): calibrated at the temperature `truth`."""
    rng = np.random.default_rng(seed)
    logits = scale * rng.standard_normal((n, classes))
    p = probabilities(logits, truth)
    return logits, (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=classes - 1)


# -------------------------------------------------------------------------------------------------- temperature


def nll(logits, labels, temperature):
    return log_loss(labels, probabilities(logits, temperature), labels=range(logits.shape[1]))


@pytest.mark.parametrize("truth", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("classes", [2, 7])
def test_at_the_temperature_the_slope_is_zero_and_everywhere_else_the_loss_is_higher(truth, classes):
    logits, labels = drawn(classes=classes, truth=truth)
    best = fit_temperature(logits, labels)
    b, step = 1 / best, 1e-4
    above, below = nll(logits, labels, 1 / (b + step)), nll(logits, labels, 1 / (b - step))
    assert abs(above - below) / (2 * step) < 1e-6
    for factor in (0.2, 0.8, 0.99, 1.01, 1.3, 5):
        assert nll(logits, labels, factor * best) > nll(logits, labels, best)


def test_the_slope_vanishes_to_rounding():
    logits, labels = drawn(truth=2.0)
    z = torch.tensor(logits)
    b = torch.tensor(1 / fit_temperature(logits, labels), dtype=torch.float64, requires_grad=True)
    torch.nn.functional.cross_entropy(b * z, torch.tensor(labels)).backward()
    assert abs(b.grad.item()) < 1e-13


def test_the_loss_is_convex_in_the_inverse_temperature():
    logits, labels = drawn()
    losses = np.array([nll(logits, labels, 1 / b) for b in np.linspace(0.05, 4, 60)])
    assert (np.diff(losses, 2) > 0).all()


@pytest.mark.parametrize("truth", [0.5, 1.0, 4.0])
def test_it_finds_the_temperature_that_the_labels_were_drawn_with(truth):
    logits, labels = drawn(n=60_000, truth=truth)
    assert fit_temperature(logits, labels) == pytest.approx(truth, rel=0.03)


def test_accuracy_does_not_change_and_scaled_logits_need_the_scaled_temperature():
    logits, labels = drawn(truth=3.0)
    best = fit_temperature(logits, labels)
    assert accuracy(logits / best, labels) == accuracy(logits, labels)
    np.testing.assert_array_equal(probabilities(logits, best).argmax(axis=1), logits.argmax(axis=1))
    for factor in (1e-3, 50.0):
        assert fit_temperature(factor * logits, labels) == pytest.approx(factor * best, rel=1e-9)
    shifted = logits + np.random.default_rng(1).standard_normal((len(logits), 1))
    assert fit_temperature(shifted, labels) == pytest.approx(best, rel=1e-9)


def test_probabilities_are_softmax_and_survive_large_logits():
    logits, _ = drawn()
    np.testing.assert_allclose(probabilities(logits, 2.0), torch.tensor(logits / 2).softmax(dim=1), rtol=1e-12)
    np.testing.assert_array_equal(probabilities(np.array([[1e4, 0.0]])), [[1, 0]])


# ----------------------------------------------------------------------------------------------------- the error


@pytest.mark.parametrize("bins", [1, 5, 15, 40])
@pytest.mark.parametrize("truth", [0.4, 1.0, 3.0])
def test_of_equal_width_it_is_that_of_torchmetrics(bins, truth):
    logits, labels = drawn(truth=truth)
    p = probabilities(logits)
    wanted = multiclass_calibration_error(torch.tensor(p), torch.tensor(labels), num_classes=4, n_bins=bins, norm="l1")
    assert expected_calibration_error(p, labels, bins=bins) == pytest.approx(wanted.item(), abs=1e-6)


def test_by_hand():
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55]])
    labels = np.array([0, 1, 1, 0])
    # of width, two bins: all in (1/2, 1]: accuracy 1/2, confidence 0.7375
    assert expected_calibration_error(p, labels, bins=2) == pytest.approx(0.2375)
    # of mass: {0.55, 0.7} right 1/2, sure 0.625; {0.8, 0.9} right 1/2, sure 0.85
    assert expected_calibration_error(p, labels, bins=2, equal="mass") == pytest.approx((0.125 + 0.35) / 2)
    found = reliability(p, labels, bins=2, equal="mass")
    np.testing.assert_array_equal(found.rows, [2, 2])
    np.testing.assert_allclose(found.edges, [0, 0.7, 0.9])


def test_the_end_of_a_bin_belongs_to_it_as_in_guo():
    p = np.array([[0.75, 0.25], [0.5, 0.5], [1.0, 0.0]])
    np.testing.assert_array_equal(reliability(p, np.zeros(3, int), bins=4).rows, [0, 1, 1, 1])


@pytest.mark.parametrize("equal", BINS)
def test_calibrated_answers_have_no_error_in_the_limit(equal):
    small, large = (
        expected_calibration_error(probabilities(logits), labels, equal=equal)
        for logits, labels in (drawn(n=500), drawn(n=200_000))
    )
    assert large < 0.005 < small


@pytest.mark.parametrize("equal", BINS)
def test_the_order_of_the_rows_does_not_matter(equal):
    logits, labels = drawn(n=300)
    p = probabilities(logits).round(2)  # many rows of one confidence
    p /= p.sum(axis=1, keepdims=True)
    order = np.random.default_rng(1).permutation(300)
    error = expected_calibration_error(p, labels, equal=equal)
    assert expected_calibration_error(p[order], labels[order], equal=equal) == pytest.approx(error, abs=1e-12)
    assert brier_score(p[order], labels[order]) == pytest.approx(brier_score(p, labels), abs=1e-12)


@pytest.mark.parametrize("equal", BINS)
def test_the_names_of_the_classes_do_not_matter(equal):
    logits, labels = drawn(n=300)
    p = probabilities(logits)
    for score in (lambda *rows: expected_calibration_error(*rows, equal=equal), brier_score):
        assert score(p[:, ::-1], 3 - labels) == pytest.approx(score(p, labels), abs=1e-12)


@pytest.mark.parametrize("equal", BINS)
def test_bounds_and_their_ends(equal):
    labels = np.arange(20) % 3
    sure = np.eye(3)
    assert expected_calibration_error(sure[labels], labels, equal=equal) == 0
    assert expected_calibration_error(sure[(labels + 1) % 3], labels, equal=equal) == 1
    assert brier_score(sure[labels], labels) == 0
    assert brier_score(sure[(labels + 1) % 3], labels) == 2
    logits, labels = drawn()
    assert 0 <= expected_calibration_error(probabilities(logits), labels, equal=equal) <= 1


@pytest.mark.parametrize("equal", BINS)
def test_one_bin_is_the_gap_of_the_means_and_more_bins_see_no_less(equal):
    logits, labels = drawn(truth=2.0)
    p = probabilities(logits)
    gap = abs(p.max(axis=1).mean() - accuracy(logits, labels))
    assert expected_calibration_error(p, labels, bins=1, equal=equal) == pytest.approx(gap, abs=1e-12)
    for bins in (2, 10):
        split = expected_calibration_error(p, labels, bins=2 * bins, equal="width")
        assert split >= expected_calibration_error(p, labels, bins=bins, equal="width") - 1e-12


@pytest.mark.parametrize("equal", BINS)
def test_a_diagram_accounts_for_every_row(equal):
    logits, labels = drawn()
    p = probabilities(logits)
    found = reliability(p, labels, bins=10, equal=equal)
    filled = found.rows > 0
    assert found.rows.sum() == len(labels)
    assert np.isnan(found.accuracy[~filled]).all()
    assert (found.rows * found.accuracy)[filled].sum() / len(labels) == pytest.approx(accuracy(logits, labels))
    assert ((found.confidence > found.edges[:-1]) & (found.confidence <= found.edges[1:]))[filled].all()
    if equal == "mass":
        assert found.rows.max() - found.rows.min() <= 1


def test_the_brier_score_is_scikit_learns_and_the_truth_has_the_lowest():
    logits, labels = drawn(n=20_000)
    p = probabilities(logits)
    assert brier_score(p, labels) == pytest.approx(brier_score_loss(labels, p, labels=range(4), scale_by_half=False))
    for temperature in (0.5, 0.8, 1.3, 2.0):
        assert brier_score(probabilities(logits, temperature), labels) > brier_score(p, labels)


# ----------------------------------------------------------------------------------------------------- bad input

P, LABELS = np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([0, 1])


@pytest.mark.parametrize("function", [reliability, expected_calibration_error, brier_score])
@pytest.mark.parametrize(
    ("p", "labels", "message"),
    [
        (P * 0.9, LABELS, r"probabilities: got a sum of 0\.9 in row 0, wanted 1"),
        (np.array([[1.5, -0.5]]), [0], r"probabilities: got -0\.5 to 1\.5, wanted 0 to 1"),
        (np.array([[np.nan, 1.0]]), [0], "probabilities: got nan"),
        (P[0], LABELS, r"probabilities: got shape \(2,\), wanted \(n, classes\)"),
        (P[:0], LABELS[:0], r"probabilities: got shape \(0, 2\)"),
        (P, [0, 2], "labels: got int64 from 0 to 2, wanted integers from 0 to 1"),
        (P, [0, -1], "labels: got int64 from -1 to 0"),
        (P, [0.0, 1.0], "labels: got float64"),
        (P, [0], r"labels \(1,\)"),
    ],
)
def test_refuses_probabilities_and_labels(function, p, labels, message):
    with pytest.raises(ValueError, match=message):
        function(p, np.asarray(labels))


@pytest.mark.parametrize("bins", [0, -1, 2.5])
def test_refuses_bins(bins):
    with pytest.raises(ValueError, match=r"reliability: bins: got .*, wanted a whole number of at least 1"):
        expected_calibration_error(P, LABELS, bins=bins)


def test_refuses_another_kind_of_bin():
    with pytest.raises(ValueError, match='equal: got \'size\', wanted "width" or "mass"'):
        reliability(P, LABELS, equal="size")


@pytest.mark.parametrize("temperature", [0, -1, np.inf, np.nan])
def test_refuses_temperatures(temperature):
    with pytest.raises(ValueError, match=r"temperature: got .*, wanted a finite number above 0"):
        probabilities(P, temperature)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.eye(3), [0, 1, 2], "every row is right, so the smallest T is the best"),
        (np.eye(3), [1, 2, 0], "so the largest T is the best"),
        (np.array([[0.0, np.inf]]), [0], "logits: got NaN or infinity"),
        (np.zeros(3), [0], r"logits: got shape \(3,\)"),
        (np.eye(2), [0, 5], "labels: got int64 from 0 to 5"),
    ],
)
def test_refuses_where_no_temperature_is_best(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        fit_temperature(logits, np.asarray(labels))
