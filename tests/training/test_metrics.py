"""Laws of accuracy and of the paired interval."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from mmcourse.training import accuracy, paired_interval


def test_accuracy_is_scikit_learns():
    rng = np.random.default_rng(0)
    for classes in (2, 5):
        logits, labels = rng.standard_normal((200, classes)), rng.integers(classes, size=200)
        assert accuracy(logits, labels) == accuracy_score(labels, logits.argmax(axis=1))


def test_accuracy_does_not_see_the_scale_or_a_constant_of_the_logits():
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((100, 3)), rng.integers(3, size=100)
    assert accuracy(7 * logits + rng.standard_normal((100, 1)), labels) == accuracy(logits, labels)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((3, 2)), [0, 1], r"got logits \(3, 2\) and labels \(2,\)"),
        (np.zeros(3), [0, 1, 1], r"got logits \(3,\)"),
        (np.zeros((0, 2)), np.zeros(0, int), "with n > 0"),
        (np.zeros((2, 2)), [0, 2], "labels: got int64 from 0 to 2, wanted integers from 0 to 1"),
        (np.zeros((2, 2)), [-1, 0], "labels: got int64 from -1 to 0"),
        (np.zeros((2, 2)), [0.0, 1.0], "labels: got float64"),
        (np.array([[0.0, np.nan], [0.0, 1.0]]), [0, 1], "logits: got NaN"),
    ],
)
def test_accuracy_refuses(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        accuracy(logits, np.asarray(labels))


def answers(n, *chances, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.random(n) < chance for chance in chances)


def test_the_difference_is_that_of_the_accuracies_and_lies_inside():
    a, b = answers(300, 0.8, 0.7)
    interval = paired_interval(a, b)
    assert interval.difference == pytest.approx(a.mean() - b.mean(), abs=1e-15)
    assert interval.low < interval.difference < interval.high


def test_identical_answers_differ_by_nothing_for_sure():
    (a,) = answers(300, 0.8)
    assert paired_interval(a, a) == (0, 0, 0)


def test_antisymmetric():
    a, b = answers(300, 0.8, 0.7)
    ab, ba = paired_interval(a, b), paired_interval(b, a)
    assert (-ba.difference, -ba.high, -ba.low) == pytest.approx(tuple(ab), abs=1e-12)


def test_a_higher_level_is_wider_and_more_examples_are_narrower():
    a, b = answers(300, 0.8, 0.7)
    narrow, wide = paired_interval(a, b, level=0.8), paired_interval(a, b, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high
    many = paired_interval(np.tile(a, 16), np.tile(b, 16))
    one = paired_interval(a, b)
    assert (many.high - many.low) / (one.high - one.low) == pytest.approx(1 / 4, rel=0.15)


def test_for_many_examples_the_interval_is_the_normal_one():
    a, b = answers(2000, 0.8, 0.7)
    error = np.std(a.astype(float) - b) / np.sqrt(2000)
    for level, quantile in ((0.95, 1.960), (0.8, 1.282)):
        interval = paired_interval(a, b, level=level, draws=4000)
        for end in (interval.difference - interval.low, interval.high - interval.difference):
            assert end == pytest.approx(quantile * error, rel=0.1), level


def test_what_is_hard_for_both_cancels():
    a, b = answers(300, 0.8, 0.8)
    almost = a.copy()
    almost[:5] ^= True
    assert np.ptp(paired_interval(a, almost)[1:]) < np.ptp(paired_interval(a, b)[1:]) / 2


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    level, trials, n = 0.9, 300, 150
    covered = 0
    for trial in range(trials):
        # Right answers that hang together: 0.5 + 0.3 for one, 0.5 + 0.2 for the other.
        easy = rng.random(n) < 0.5
        a, b = easy | (rng.random(n) < 0.6), easy | (rng.random(n) < 0.4)
        interval = paired_interval(a, b, level=level, draws=200, seed=trial)
        covered += interval.low <= 0.1 <= interval.high
    # Four standard deviations, and 2% for what the percentile bootstrap and 200 draws miss at n = 150.
    assert abs(covered / trials - level) < 4 * np.sqrt(level * (1 - level) / trials) + 0.02


def test_the_seed_decides_the_interval():
    a, b = answers(300, 0.8, 0.7)
    assert paired_interval(a, b, seed=1) == paired_interval(a, b, seed=1)
    assert paired_interval(a, b, seed=1) != paired_interval(a, b, seed=2)


@pytest.mark.parametrize(
    ("a", "b", "options", "message"),
    [
        (np.ones(3, bool), np.ones(2, bool), {}, r"got bool \(3,\) and bool \(2,\), wanted two boolean arrays"),
        (np.ones(3), np.ones(3, bool), {}, r"got float64 \(3,\)"),
        (np.ones(0, bool), np.ones(0, bool), {}, r"got bool \(0,\)"),
        (np.ones(3, bool), np.ones(3, bool), {"level": 95}, "level: got 95, wanted a number between 0 and 1"),
        (np.ones(3, bool), np.ones(3, bool), {"draws": 0}, "draws: got 0, wanted at least 1"),
    ],
)
def test_paired_interval_refuses(a, b, options, message):
    with pytest.raises(ValueError, match=message):
        paired_interval(a, b, **options)
