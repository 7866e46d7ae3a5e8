"""Laws of accuracy, retrieval and intervals."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from torchmetrics.retrieval import RetrievalHitRate

from mmcourse.training import accuracy, clustered_interval, hits_at, modality_gap, paired_interval, recall_at


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


def retrieval(queries=40, candidates=30, seed=0):
    """Random similarities without ties, one to four right answers a query."""
    rng = np.random.default_rng(seed)
    right = rng.random((queries, candidates)) < 0.07
    right[np.arange(queries), rng.integers(candidates, size=queries)] = True
    return rng.standard_normal((queries, candidates)), right


@pytest.mark.parametrize("k", [1, 5, 10, 30])
def test_recall_is_the_hit_rate_of_torchmetrics(k):
    similarity, right = retrieval()
    queries = torch.arange(len(right))[:, None].expand(right.shape)
    theirs = RetrievalHitRate(top_k=k)(torch.tensor(similarity), torch.tensor(right), indexes=queries)
    assert recall_at(similarity, right, k) == pytest.approx(float(theirs), abs=1e-6)


def test_recall_sees_the_order_alone_and_rises_with_k():
    similarity, right = retrieval()
    recalls = [recall_at(similarity, right, k) for k in range(1, 31)]
    assert recalls == [recall_at(np.exp(3 * similarity + 1), right, k) for k in range(1, 31)]
    assert recalls == sorted(recalls)
    assert recalls[0] < recalls[-1] == 1


def test_by_hand():
    similarity = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])
    right = np.array([[True, False, False], [False, True, True], [False, False, True]])
    for k, hits in ((1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 1])):
        assert hits_at(similarity, right, k).tolist() == [bool(hit) for hit in hits]
        assert recall_at(similarity, right, k) == np.mean(hits)


def test_a_tie_with_a_wrong_answer_counts_against():
    """What gives one similarity to all finds the right one only where there is room for all the wrong ones too."""
    same, right = np.ones((2, 3)), np.array([[True, False, False], [False, False, True]])
    assert [recall_at(same, right, k) for k in (1, 2, 3)] == [0, 0, 1]


def test_a_tie_among_right_answers_is_none():
    similarity, right = np.array([[0.7, 0.7, 0.1]]), np.array([[True, True, False]])
    assert recall_at(similarity, right, 1) == 1


def test_more_right_answers_never_lower_recall():
    similarity, right = retrieval()
    more = right | (np.random.default_rng(1).random(right.shape) < 0.1)
    for k in (1, 3, 10):
        assert (hits_at(similarity, more, k) >= hits_at(similarity, right, k)).all()


@pytest.mark.parametrize(
    ("similarity", "right", "k", "message"),
    [
        (np.ones((2, 3)), np.ones((2, 2), bool), 1, r"got similarity \(2, 3\) and right bool \(2, 2\)"),
        (np.ones((2, 3)), np.ones((2, 3)), 1, "right float64"),
        (np.ones((0, 3)), np.ones((0, 3), bool), 1, r"similarity \(0, 3\)"),
        (np.full((1, 2), np.nan), np.ones((1, 2), bool), 1, "similarity: got NaN"),
        (np.ones((2, 2)), np.array([[True, False], [False, False]]), 1, "right: got no right answer for query 1"),
        (np.ones((1, 2)), np.ones((1, 2), bool), 0, "k: got 0, wanted a whole number of at least 1"),
        (np.ones((1, 2)), np.ones((1, 2), bool), 1.0, r"k: got 1\.0"),
    ],
)
def test_recall_refuses(similarity, right, k, message):
    with pytest.raises(ValueError, match=message):
        recall_at(similarity, right, k)


def hits(characters=200, styles=4, seed=0):
    """Hits of pictures whose characters are easy or hard: all styles of one hang together."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(characters), styles)
    return rng.random(clusters.size) < rng.choice([0.1, 0.9], characters)[clusters], clusters


def test_the_clustered_mean_is_the_mean_and_lies_inside():
    values, clusters = hits()
    interval = clustered_interval(values, clusters)
    assert interval.mean == values.mean()
    assert interval.low < interval.mean < interval.high


def test_copies_within_a_cluster_tell_nothing_new():
    values, clusters = hits(styles=1)
    one, many = (clustered_interval(np.repeat(values, n), np.repeat(clusters, n)) for n in (1, 9))
    assert many == pytest.approx(one, abs=1e-12)
    alone = clustered_interval(np.repeat(values, 9), np.arange(9 * len(values)))
    assert np.ptp(alone[1:]) == pytest.approx(np.ptp(one[1:]) / 3, rel=0.15)


def test_large_clusters_weigh_by_their_size():
    """Three ones and a zero: drawn are both clusters half of the time, mean 3/4, and one of them twice, 0 or 1."""
    interval = clustered_interval(np.array([1, 1, 1, 0]), np.array(["a", "a", "a", "b"]), level=0.4)
    assert interval == (0.75, 0.75, 0.75)


def test_the_names_and_the_order_of_clusters_do_not_matter():
    values, clusters = hits()
    order = np.random.default_rng(1).permutation(len(values))
    names = np.array([f"U+{cluster:04X}" for cluster in clusters])
    assert clustered_interval(values[order], names[order]) == pytest.approx(
        clustered_interval(values, clusters), abs=1e-12
    )


def test_clusters_of_one_value_are_examples():
    values, _ = hits()
    interval = clustered_interval(values, np.arange(len(values)), draws=4000)
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert interval.high - interval.mean == pytest.approx(error, rel=0.1)


def test_the_clustered_interval_covers_the_truth_as_often_as_it_says():
    level, trials = 0.9, 300
    covered, covered_alone = 0, 0
    for trial in range(trials):
        values, clusters = hits(100, seed=trial)
        low, high = clustered_interval(values, clusters, level=level, draws=200, seed=trial)[1:]
        covered += low <= 0.5 <= high
        low, high = clustered_interval(values, np.arange(len(values)), level=level, draws=200, seed=trial)[1:]
        covered_alone += low <= 0.5 <= high
    # Four standard deviations, and 2% for what the percentile bootstrap and 200 draws miss at 100 clusters.
    assert abs(covered / trials - level) < 4 * np.sqrt(level * (1 - level) / trials) + 0.02
    assert covered_alone / trials < 0.8  # what not knowing the clusters does


@pytest.mark.parametrize(
    ("values", "clusters", "options", "message"),
    [
        (np.ones(3), np.arange(2), {}, r"got values \(3,\) and clusters \(2,\)"),
        (np.ones(0), np.arange(0), {}, "with n > 0"),
        (np.array([1, np.nan]), np.arange(2), {}, "values: got NaN or infinity"),
        (np.ones(3), np.zeros(3), {}, "clusters: got one, wanted at least two"),
        (np.ones(3), np.arange(3), {"level": 95}, "clustered_interval: level: got 95"),
        (np.ones(3), np.arange(3), {"draws": 0}, "clustered_interval: draws: got 0"),
    ],
)
def test_clustered_interval_refuses(values, clusters, options, message):
    with pytest.raises(ValueError, match=message):
        clustered_interval(values, clusters, **options)


def test_the_modality_gap_by_hand():
    """Mean directions (1, 0) and (0, 1/2), of (0, 3), (0, 1), (1, 0), (-1, 0)."""
    image, text = np.array([[2.0, 0.0]]), np.array([[0.0, 3.0], [0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]])
    assert modality_gap(image, text) == pytest.approx(np.sqrt(1.25), rel=1e-12)
    assert modality_gap(image, -image) == 2


def test_the_modality_gap_sees_directions_alone_and_no_pairs():
    rng = np.random.default_rng(0)
    image, text = rng.standard_normal((20, 3)), rng.standard_normal((30, 3)) + 1
    lengths = rng.uniform(0.1, 10, (20, 1))
    gap = modality_gap(image, text)
    assert modality_gap(lengths * image, text[::-1]) == pytest.approx(gap, rel=1e-12)
    assert modality_gap(text, image) == pytest.approx(gap, rel=1e-12)
    assert modality_gap(image, image) == 0


@pytest.mark.parametrize(
    ("image", "text", "message"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), r"got image \(2, 3\) and text \(2, 4\)"),
        (np.ones(3), np.ones((2, 3)), r"got image \(3,\)"),
        (np.ones((2, 3)), np.zeros((2, 3)), "text: got a row of zeros"),
        (np.full((2, 3), np.nan), np.ones((2, 3)), "image: got a row of zeros, NaN"),
    ],
)
def test_modality_gap_refuses(image, text, message):
    with pytest.raises(ValueError, match=message):
        modality_gap(image, text)
