"""Laws of greedy search, beam search and sampling, on small random models of which everything can be enumerated."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
import torch

from mmcourse.decoders.decoding import (
    Decoded,
    Prefixes,
    PrefixStep,
    beam_search,
    greedy,
    log_probability,
    sample,
    sampling_probabilities,
)
from mmcourse.decoders.torch import RecurrentDecoder, StepOf, TransformerDecoder, VisualTokenDecoder

PADDING, A, B, END, START = range(5)
COUNT, BATCH, LENGTH = 5, 4, 4
FIRST = np.full(BATCH, START)
OPTIONS = {"first": FIRST, "end": END, "max_length": LENGTH}


def table(seed: int, sharpness: float = 1.5) -> PrefixStep:
    """Random probabilities of the next word after each prefix, of which the first row's differ from the second's."""

    def function(words: np.ndarray, about: np.ndarray) -> np.ndarray:
        rows = []
        for row, key in zip(words, about, strict=True):
            logits = sharpness * np.random.default_rng([seed, int(key), *row]).normal(size=COUNT)
            logits[[PADDING, START]] = -np.inf
            rows.append(logits - np.log(np.exp(logits).sum()))
        return np.array(rows)

    return PrefixStep(function)


def begin(batch: int = BATCH) -> Prefixes:
    return Prefixes.empty(batch, np.arange(batch))


def every_sequence() -> Iterator[tuple[int, ...]]:
    """All that a search can return: ended, or of the greatest length."""
    for length in range(LENGTH):
        yield from ((*words, END) for words in product((A, B), repeat=length))
    yield from product((A, B), repeat=LENGTH)


def scored(step: PrefixStep) -> list[dict[tuple[int, ...], float]]:
    """The log-probability of every sequence, for each row, word by word from the table."""
    rows = []
    for row in range(BATCH):
        found = {}
        for words in every_sequence():
            prefix, total = [START], 0.0
            for word in words:
                total += step.function(np.array([prefix]), np.array([row]))[0, word]
                prefix.append(word)
            found[words] = total
        rows.append(found)
    return rows


def sequence(decoded: Decoded, *place: int) -> tuple[int, ...]:
    return tuple(decoded.words[place][: decoded.length[place]].tolist())


def test_probabilities_of_all_sequences_sum_to_one() -> None:
    """What the tests below compare with is a distribution."""
    for row in scored(table(0)):
        assert np.isclose(sum(np.exp(value) for value in row.values()), 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.0])
def test_beam_of_full_width_is_exhaustive(seed: int, length_penalty: float) -> None:
    step = table(seed)
    found = beam_search(step, begin(), width=40, length_penalty=length_penalty, **OPTIONS)
    for row, all_of_them in enumerate(scored(step)):
        ranked = sorted(all_of_them, key=lambda words: -all_of_them[words] / len(words) ** length_penalty)
        beams = [sequence(found, row, beam) for beam in range(len(ranked))]
        assert beams == ranked
        assert np.allclose(found.log_probability[row, : len(ranked)], [all_of_them[words] for words in ranked])
        assert np.isneginf(found.log_probability[row, len(ranked) :]).all()
        assert not found.length[row, len(ranked) :].any()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_beam_of_width_one_is_greedy(seed: int, length_penalty: float) -> None:
    step = table(seed)
    one = beam_search(step, begin(), width=1, length_penalty=length_penalty, **OPTIONS).best()
    other = greedy(step, begin(), **OPTIONS)
    assert np.array_equal(one.words, other.words)
    assert np.array_equal(one.length, other.length)
    assert np.array_equal(one.finished, other.finished)
    assert np.allclose(one.log_probability, other.log_probability)


def test_greedy_takes_the_most_probable_word_each_time() -> None:
    step = table(1)
    found = greedy(step, begin(), **OPTIONS)
    for row in range(BATCH):
        prefix = [START]
        for word in sequence(found, row):
            assert word == step.function(np.array([prefix]), np.array([row]))[0].argmax()
            prefix.append(word)


def searches(step: PrefixStep, seed: int = 0) -> Iterator[Decoded]:
    yield greedy(step, begin(), **OPTIONS)
    yield from (beam_search(step, begin(), width=width, **OPTIONS).best() for width in (2, 3, 7))
    yield sample(step, begin(), rng=np.random.default_rng(seed), **OPTIONS)
    yield sample(step, begin(), rng=np.random.default_rng(seed), top_k=2, temperature=3.0, **OPTIONS)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_after_the_end_and_log_probabilities_as_recomputed(seed: int) -> None:
    step = table(seed)
    for found in searches(step, seed):
        again = log_probability(step, begin(), found.words, first=FIRST, length=found.length)
        assert np.allclose(found.log_probability, again)
        for row in range(BATCH):
            words = sequence(found, row)
            assert not found.words[row, len(words) :].any()  # padding alone
            assert words.count(END) == found.finished[row]
            assert END not in words or words[-1] == END
            assert found.finished[row] or len(words) == LENGTH


@pytest.mark.parametrize("seed", range(5))
def test_rows_do_not_know_of_each_other(seed: int) -> None:
    step = table(seed)
    together = beam_search(step, begin(), width=3, **OPTIONS)
    for row in range(BATCH):
        state = begin().take([row])
        alone = beam_search(step, state, width=3, **OPTIONS | {"first": FIRST[:1]})
        assert [sequence(alone, 0, beam) for beam in range(3)] == [sequence(together, row, b) for b in range(3)]


def test_no_beam_is_better_than_the_best_sequence() -> None:
    gains = []
    for seed in range(20):
        step = table(seed)
        best = [max(row.values()) for row in scored(step)]
        one, two = (beam_search(step, begin(), width=w, **OPTIONS).best().log_probability for w in (1, 2))
        assert (one <= np.array(best) + 1e-12).all()
        assert (two <= np.array(best) + 1e-12).all()
        gains.extend(two - one)
    assert np.mean(gains) > 0.01


def test_a_wider_beam_can_find_a_worse_sequence() -> None:
    """That a beam is never worse than greedy search is no law: two beginnings with B push out the one with A A."""
    after = {(): (0.5, 0.4, 0.1), (A,): (0.36, 0.34, 0.3), (B,): (0.5, 0.5, 0.0), (A, A): (0.0, 0.0, 1.0)}

    def function(words: np.ndarray) -> np.ndarray:
        rows = [after.get(tuple(row[1:].tolist()), (0.34, 0.33, 0.33)) for row in words]
        with np.errstate(divide="ignore"):
            return np.log([[0, *row, 0] for row in rows])

    step, options = PrefixStep(function), OPTIONS | {"first": FIRST[:1], "max_length": 3}
    narrow, wide = (beam_search(step, Prefixes.empty(1), width=width, **options).best() for width in (1, 2))
    assert sequence(narrow, 0) == (A, A, END)
    assert sequence(wide, 0) == (B, A, A)
    assert np.allclose(np.exp([narrow.log_probability[0], wide.log_probability[0]]), [0.18, 0.068])


def test_low_temperature_is_greedy() -> None:
    for seed in range(5):
        step = table(seed)
        cold = sample(step, begin(), rng=np.random.default_rng(0), temperature=1e-6, **OPTIONS)
        assert np.array_equal(cold.words, greedy(step, begin(), **OPTIONS).words)


@pytest.mark.parametrize("options", [{}, {"temperature": 2.0}, {"top_k": 2}, {"top_p": 0.6}], ids=str)
def test_frequencies_match_probabilities(options: dict[str, float]) -> None:
    """Of whole sequences: the chain rule with the probabilities that are drawn from, in 4,000 draws."""
    step, draws = table(3, sharpness=0.7), 4000
    state = Prefixes.empty(draws, np.zeros(draws, np.int64))
    first = np.full(draws, START)
    rng = np.random.default_rng(1)
    drawn = sample(step, state, rng=rng, **options, **OPTIONS | {"first": first})
    counted: dict[tuple[int, ...], int] = {}
    for row in range(draws):
        words = sequence(drawn, row)
        counted[words] = counted.get(words, 0) + 1
    for words in every_sequence():
        prefix, probability = [START], 1.0
        for word in words:
            scores = step.function(np.array([prefix]), np.array([0]))
            probability *= sampling_probabilities(scores, **options)[0, word]
            prefix.append(word)
        spread = np.sqrt(probability * (1 - probability) / draws)
        assert abs(counted.get(words, 0) / draws - probability) <= 4.5 * spread


def test_top_k_and_top_p_keep_what_they_promise() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(50, 9)) * 2
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    plain = np.exp(log_probabilities)
    for k in (1, 3, 9, 20):
        kept = sampling_probabilities(log_probabilities, top_k=k)
        assert ((kept > 0).sum(axis=1) == min(k, 9)).all()
    for p in (0.1, 0.5, 0.9, 1.0):
        kept = sampling_probabilities(log_probabilities, top_p=p)
        mass = np.where(kept > 0, plain, 0).sum(axis=1)
        least = np.where(kept > 0, plain, np.inf).min(axis=1)
        assert (mass >= p - 1e-12).all()
        assert (mass - least < p).all()
        assert np.where(kept > 0, np.inf, -plain).min(axis=1).min() >= -1
        assert (np.where(kept > 0, 0, plain).max(axis=1) <= least).all()
    assert np.allclose(sampling_probabilities(log_probabilities), plain)
    hot = sampling_probabilities(log_probabilities, temperature=2.0)
    assert np.allclose(hot, np.sqrt(plain) / np.sqrt(plain).sum(axis=1, keepdims=True))
    tied = sampling_probabilities(np.log(np.full((1, 4), 0.25)), top_k=2)
    assert np.array_equal(tied, [[0.5, 0.5, 0, 0]])
    for options in ({"top_k": 4}, {"top_p": 0.7}, {"temperature": 0.3}):
        assert np.allclose(sampling_probabilities(log_probabilities, **options).sum(axis=1), 1)


@pytest.mark.parametrize("width", [1, 3])
def test_decoders_with_a_cache_find_what_they_find_without(width: int) -> None:
    """Beam search in PyTorch: the cache is reordered with the beams."""
    torch.manual_seed(0)
    memory, vector = torch.randn(BATCH, 3, 6), torch.randn(BATCH, 6)
    plain = TransformerDecoder(COUNT, dim=8, layers=2, heads=2, length=9)
    models = [
        (TransformerDecoder(COUNT, dim=8, layers=2, heads=2, length=9, memory_dim=6), memory),
        (VisualTokenDecoder(plain, patch_dim=6), memory),
        (RecurrentDecoder(COUNT, dim=8, hidden_size=8, vector_dim=6), vector),
    ]
    for model, about in models:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2)  # sharp enough that the pictures differ in what they say

        def anew(words: np.ndarray, rows: np.ndarray, model=model, about=about) -> np.ndarray:
            with torch.no_grad():
                return model(torch.tensor(words), about[rows])[:, -1].double().log_softmax(-1).numpy()

        cached = beam_search(StepOf(model), model.begin(about), width=width, **OPTIONS)
        uncached = beam_search(PrefixStep(anew), begin(), width=width, **OPTIONS)
        assert np.array_equal(cached.words, uncached.words)
        assert np.allclose(cached.log_probability, uncached.log_probability, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"width": 0}, "width: got 0, wanted a whole number above 0"),
        ({"width": 1.5}, "width: got 1.5"),
        ({"length_penalty": -1}, "length_penalty: got -1"),
        ({"max_length": 0}, "max_length: got 0"),
        ({"end": None}, "end: got None, wanted the id of the end token, 0 to 4"),
        ({"end": COUNT}, "end: got 5"),
        ({"end": PADDING}, "end: got 0, wanted another id"),
        ({"first": np.zeros((2, 2), int)}, r"first: got int64 \(2, 2\)"),
        ({"first": np.zeros(3)}, "first: got float64"),
    ],
)
def test_bad_input_of_a_search(changes: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        beam_search(table(0), begin(), **{"width": 2} | OPTIONS | changes)
    if not {"width", "length_penalty"} & set(changes):
        with pytest.raises(ValueError, match=said):
            greedy(table(0), begin(), **OPTIONS | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"temperature": 0}, "temperature: got 0, wanted a finite number above 0"),
        ({"temperature": -1.0}, "temperature: got -1.0"),
        ({"top_k": 0}, "top_k: got 0"),
        ({"top_p": 0}, r"top_p: got 0, wanted a number in \(0, 1\]"),
        ({"top_p": 1.1}, "top_p: got 1.1"),
        ({"top_p": float("nan")}, "top_p: got nan"),
    ],
)
def test_bad_input_of_sampling(changes: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sample(table(0), begin(), rng=np.random.default_rng(0), **OPTIONS, **changes)


def test_logits_are_refused_where_log_probabilities_are_wanted() -> None:
    for answer in (np.ones((BATCH, COUNT)), np.full((BATCH, COUNT), np.nan), np.log(np.full((2, COUNT), 0.2))):
        with pytest.raises(ValueError, match="log-probabilities: got"):
            greedy(PrefixStep(lambda *_, answer=answer: answer), begin(), **OPTIONS)


@pytest.mark.parametrize(
    ("words", "length", "said"),
    [
        ([[1, -1], [1, 2]], None, "words: got -1 to 2, wanted ids from 0"),
        ([[1, 99], [1, 2]], None, "words: got 2 to 99, wanted ids from 0"),
        ([[1, 2], [1, 2]], [1, 3], r"length: got \[1 3\] of shape \(2,\), wanted \(2,\) from 0 to 2"),
        ([[1, 2], [1, 2]], [1, 2, 2], "length: got"),
    ],
)
def test_bad_input_of_a_score(words: list, length: list | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        log_probability(table(0), begin(2), words, first=[3, 3], length=length)


@pytest.mark.parametrize("scores", [0.0, [], [np.nan, 0.0], [-np.inf, -np.inf]])
def test_no_probabilities_from_what_has_none(scores: object) -> None:
    with pytest.raises(ValueError, match="sampling: log_probabilities: got"):
        sampling_probabilities(scores)
    assert sampling_probabilities([0.0, -np.inf]).tolist() == [1, 0]
