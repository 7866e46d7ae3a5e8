"""Laws of decoding, forced alignment and edit distance, against all paths and all transcripts one by one."""

import jiwer
import numpy as np
import pytest

from mmcourse.alignment.numpy import (
    collapse,
    ctc_loss,
    edit_distance,
    forced_alignment,
    greedy_decoding,
    label_error_rate,
    prefix_beam_search,
)
from mmcourse.errors import EmptyBatchError, ModalityError, NotFiniteError, ShapeError
from tests.alignment.brute import log_softmax, transcripts

BEST_PATH_IS_NOT_BEST = np.log([[0.6, 0.4], [0.6, 0.4]])  # blank blank 0.36; "a" by three paths 0.64


WORDS = ["zero", "one", "two", "three"]


def logits(times=5, classes=3, seed=0, scale=1.5):
    return scale * np.random.default_rng([seed, times, classes]).normal(size=(times, classes))


def total(paths):
    return np.log(sum(np.exp(log_probability) for _, log_probability in paths))


@pytest.mark.parametrize(
    ("path", "labels"),
    [([], ()), ([0, 0], ()), ([1, 1, 2], (1, 2)), ([1, 0, 1], (1, 1)), ([0, 2, 2, 0, 0, 2, 1, 1, 0], (2, 2, 1))],
)
def test_runs_become_one_then_blanks_are_left_out(path, labels):
    assert collapse(path) == labels
    assert collapse(np.array(path, dtype=int)) == labels
    moved = [{0: 2, 1: 0, 2: 1}[k] for k in path]
    assert collapse(moved, blank=2) == tuple(k - 1 for k in labels)


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_greedy_decoding_is_the_likeliest_of_all_paths(blank, seed):
    x = logits(seed=seed)
    every = [(p, labels) for labels, paths in transcripts(x, blank).items() for _, p in paths]
    best, said = max(every)
    found = greedy_decoding(x, blank=blank)
    assert found.labels == said
    assert abs(found.log_probability - best) < 1e-10


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_finds_every_transcript_with_the_probability_of_all_its_paths(blank, seed):
    x = logits(seed=seed)
    wanted = {labels: total(paths) for labels, paths in transcripts(x, blank).items()}
    found = prefix_beam_search(x, width=10_000, blank=blank)
    assert {h.labels for h in found} == set(wanted)
    assert all(abs(h.log_probability - wanted[h.labels]) < 1e-10 for h in found)
    assert [h.log_probability for h in found] == sorted((h.log_probability for h in found), reverse=True)
    assert found[0].labels == max(wanted, key=lambda labels: wanted[labels])


def test_a_narrow_beam_keeps_as_many_as_asked_and_never_more_probability_than_there_is():
    x = logits(times=7, classes=4)
    for width in (1, 3, 10):
        found = prefix_beam_search(x, width=width)
        assert len(found) == width
        for hypothesis in found:
            loss = ctc_loss(x[None], np.array([hypothesis.labels], dtype=int).reshape(1, -1))[0]
            assert hypothesis.log_probability <= -loss + 1e-10


def test_the_likeliest_path_need_not_say_the_likeliest_transcript():
    greedy, best = greedy_decoding(BEST_PATH_IS_NOT_BEST), prefix_beam_search(BEST_PATH_IS_NOT_BEST)[0]
    assert greedy.labels == ()
    assert best.labels == (1,)
    assert np.allclose(np.exp([greedy.log_probability, best.log_probability]), [0.36, 0.64])


TARGETS = [[], [1], [1, 2], [1, 1], [2, 1, 2], [1, 1, 2]]


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_forced_alignment_is_the_likeliest_of_all_paths_that_say_the_transcript(target, seed):
    x = logits(seed=seed)
    path, best = max(transcripts(x, 0)[tuple(target)], key=lambda pair: pair[1])
    found = forced_alignment(x, target)
    assert tuple(found.path) == path
    assert abs(found.log_probability - best) < 1e-10


@pytest.mark.parametrize("blank", [0, 3])
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_its_path_says_the_transcript_its_spans_are_where_and_its_probability_is_one_term_of_the_sum(target, blank):
    x = logits(times=9, classes=4, seed=5)
    found = forced_alignment(x, target, blank=blank)
    assert collapse(found.path, blank=blank) == tuple(target)
    rebuilt = np.full(9, blank)
    for label, start, end in zip(target, found.starts, found.ends, strict=True):
        assert start < end
        rebuilt[start:end] = label
    assert np.array_equal(rebuilt, found.path)
    assert abs(found.log_probability - log_softmax(x)[np.arange(9), found.path].sum()) < 1e-10
    loss = ctc_loss(x[None], np.array([target], dtype=int).reshape(1, -1), blank=blank)[0]
    assert found.log_probability <= -loss + 1e-12


def test_repeats_keep_a_blank_between_them():
    found = forced_alignment(np.zeros((3, 2)), [1, 1])
    assert found.path.tolist() == [1, 0, 1]
    assert (found.starts.tolist(), found.ends.tolist()) == ([0, 2], [1, 3])


@pytest.mark.parametrize(
    ("wanted", "got", "distance"),
    [("", "", 0), ("ab", "", 2), ("", "abc", 3), ("kitten", "sitting", 3), ("abc", "abc", 0), ("ab", "ba", 2)],
)
def test_edit_distance_of_known_words_either_way(wanted, got, distance):
    assert edit_distance(wanted, got) == edit_distance(got, wanted) == distance


def test_edit_distance_is_at_least_the_difference_of_lengths_and_obeys_the_triangle():
    rng = np.random.default_rng(0)
    for _ in range(30):
        a, b, c = (rng.integers(3, size=rng.integers(6)).tolist() for _ in range(3))
        assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))
        assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


def test_the_label_error_rate_counts_labels_and_not_rows():
    assert label_error_rate([[1, 2, 3], [4]], [(1, 2, 3), (5,)]) == 0.25
    assert label_error_rate([[1]], [[1, 2, 3]]) == 2


@pytest.mark.parametrize("seed", range(3))
def test_the_label_error_rate_of_words_is_jiwer_s_word_error_rate_and_of_letters_its_character_error_rate(seed):
    rng = np.random.default_rng(seed)
    said, heard = ([rng.choice(WORDS, rng.integers(1, 7)).tolist() for _ in range(20)] for _ in range(2))
    heard[0], heard[1] = [], said[1]
    wanted, got = (list(map(" ".join, rows)) for rows in (said, heard))
    assert abs(label_error_rate(said, heard) - jiwer.wer(wanted, got)) < 1e-12
    assert abs(label_error_rate(wanted, got) - jiwer.cer(wanted, got)) < 1e-12


FAULTS = {
    "no room": (
        lambda: forced_alignment(np.zeros((2, 3)), [1, 1]),
        ShapeError,
        "forced_alignment: logits: got 2 frames, wanted at least 3, for 2 labels and 1 repeats",
    ),
    "the blank": (lambda: forced_alignment(np.zeros((2, 3)), [0]), ModalityError, "targets: got the blank 0"),
    "unknown": (lambda: forced_alignment(np.zeros((2, 3)), [3]), ModalityError, "targets: got label 3, wanted 0 to 2"),
    "a batch": (lambda: forced_alignment(np.zeros((2, 3)), [[1]]), ShapeError, r"targets: got shape \(1, 1\)"),
    "halves": (lambda: forced_alignment(np.zeros((2, 3)), [0.5]), ShapeError, "of float64, wanted"),
    "rank": (lambda: greedy_decoding(np.zeros(3)), ShapeError, "greedy_decoding: logits: got shape"),
    "many recordings": (
        lambda: greedy_decoding(np.zeros((1, 2, 3))),
        ShapeError,
        r"logits: got shape \(1, 2, 3\), wanted \(time, classes\), of one recording",
    ),
    "a blank that is no number": (lambda: greedy_decoding(np.zeros((2, 3)), blank=True), ModalityError, "blank: got"),
    "no such blank": (lambda: greedy_decoding(np.zeros((2, 3)), blank=3), ModalityError, "blank: got 3"),
    "NaN": (lambda: prefix_beam_search(np.full((2, 3), np.nan)), NotFiniteError, "logits: got NaN"),
    "no beam": (lambda: prefix_beam_search(np.zeros((2, 3)), width=0), ModalityError, "width: got 0, wanted a whole"),
    "unequal": (lambda: label_error_rate([[1]], []), ShapeError, "got: got 0 sequences, wanted 1"),
    "nothing wanted": (lambda: label_error_rate([[]], [[1]]), EmptyBatchError, "wanted: got no label"),
}


@pytest.mark.parametrize(("call", "error", "message"), FAULTS.values(), ids=FAULTS)
def test_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()
