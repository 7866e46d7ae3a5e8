"""Answers to the exercises on matching sequences in time that the checks must tell apart."""

from functools import cache
from itertools import product

import numpy as np

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# ------------------------------------------------------------------------------------------------ cheapest_path


def table(costs, *, diagonal=True, border=np.inf):
    total = np.full((len(costs) + 1, costs.shape[1] + 1), border)
    total[0, 0] = 0
    for i, j in np.ndindex(*costs.shape):
        ways = [total[i, j + 1], total[i + 1, j]] + [total[i, j]] * (diagonal or i + j == 0)
        total[i + 1, j + 1] = costs[i, j] + min(ways)
    return total[1:, 1:]


@wrong("cheapest_path", hint="goes on in both sequences at once")
def no_diagonal(costs):
    return table(costs, diagonal=False)[-1, -1]


@wrong("cheapest_path", hint="first row and column as they are")
def open_border(costs):
    return table(costs, border=0.0)[-1, -1]


@wrong("cheapest_path", hint="cheapest of the next three pairs")
def greedy(costs):
    i = j = 0
    total = costs[0, 0]
    while i < costs.shape[0] - 1 or j < costs.shape[1] - 1:
        steps = [(i + 1, j + 1), (i + 1, j), (i, j + 1)]
        steps = [s for s in steps if s[0] < costs.shape[0] and s[1] < costs.shape[1]]
        i, j = min(steps, key=lambda s: costs[s])
        total += costs[i, j]
    return total


@wrong("cheapest_path", hint="number of pairs, or of frames")
def per_frame(costs):
    return table(costs)[-1, -1] / sum(costs.shape)


@wrong("cheapest_path", hint="pay for the first pair")
def first_pair_free(costs):
    return table(costs)[-1, -1] - costs[0, 0]


@another("cheapest_path")
def from_the_end(costs):
    @cache
    def best(i, j):
        if i == j == 0:
            return costs[0, 0]
        before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        return costs[i, j] + min(best(a, b) for a, b in before if a >= 0 and b >= 0)

    return best(costs.shape[0] - 1, costs.shape[1] - 1)


# --------------------------------------------------------------------------------------- transcript_probability


def walks(probabilities, target, skips, begins=2, ends=2):
    places = [0]
    for label in target:
        places += [int(label), 0]
    alpha = np.zeros(len(places))
    for s in range(min(begins, len(places))):
        alpha[s] = probabilities[0, places[s]]
    for frame in probabilities[1:]:
        new = np.zeros_like(alpha)
        for s, place in enumerate(places):
            new[s] = alpha[s] + (alpha[s - 1] if s else 0)
            if s >= 2 and skips(place, places[s - 2]):
                new[s] += alpha[s - 2]
            new[s] *= frame[place]
        alpha = new
    return alpha[-ends:].sum()


def right(place, two_before):
    return place not in (0, two_before)


@wrong("transcript_probability", hint="step of two places always")
def over_the_blank_of_a_repeat(probabilities, target):
    return walks(probabilities, target, lambda place, _: place != 0)


@wrong("transcript_probability", hint="never allow the step of two")
def never_two(probabilities, target):
    return walks(probabilities, target, lambda *_: False)


@wrong("transcript_probability", hint="step over a label")
def over_labels(probabilities, target):
    return walks(probabilities, target, lambda place, before: place == 0 or place != before)


@wrong("transcript_probability", hint="must end in a blank")
def last_place_alone(probabilities, target):
    return walks(probabilities, target, right, ends=1)


@wrong("transcript_probability", hint="must begin with a blank")
def first_place_alone(probabilities, target):
    return walks(probabilities, target, right, begins=1)


def paths(probabilities):
    for path in product(range(probabilities.shape[1]), repeat=len(probabilities)):
        yield path, np.prod([p[k] for p, k in zip(probabilities, path, strict=True)])


def runs(classes):
    return [k for t, k in enumerate(classes) if t == 0 or k != classes[t - 1]]


@wrong("transcript_probability", hint="likeliest path")
def best_path(probabilities, target):
    return max(p for path, p in paths(probabilities) if [k for k in runs(path) if k] == list(target))


@wrong("transcript_probability", hint="leave out the blanks first")
def blanks_first(probabilities, target):
    return sum(p for path, p in paths(probabilities) if runs([k for k in path if k]) == list(target))


@wrong("transcript_probability", hint="minus the logarithm")
def the_loss(probabilities, target):
    return -np.log(walks(probabilities, target, right))


@wrong("transcript_probability", hint="Keep the table of one frame at a time")
def in_single_precision(probabilities, target):
    single = probabilities.astype(np.float32)
    places = np.zeros(2 * len(target) + 1, dtype=int)
    places[1::2] = target
    alpha = np.zeros(len(places), dtype=np.float32)
    alpha[:2] = single[0, places[:2]]
    for frame in single[1:]:
        came = alpha.copy()
        came[1:] += alpha[:-1]
        for s in range(2, len(places)):
            if right(places[s], places[s - 2]):
                came[s] += alpha[s - 2]
        alpha = frame[places] * came
    return float(alpha[-2:].sum())


@another("transcript_probability")
def in_logarithms(probabilities, target):
    logs = np.log(probabilities)
    places = np.zeros(2 * len(target) + 1, dtype=int)
    places[1::2] = target
    alpha = np.full(len(places), -np.inf)
    alpha[:2] = logs[0, places[:2]]
    for frame in logs[1:]:
        one = np.concatenate([[-np.inf], alpha[:-1]])
        two = np.concatenate([[-np.inf, -np.inf], alpha[:-2]])
        allowed = np.array([s >= 2 and right(places[s], places[s - 2]) for s in range(len(places))])
        alpha = frame[places] + np.logaddexp.reduce([alpha, one, np.where(allowed, two, -np.inf)])
    return np.exp(np.logaddexp(alpha[-1], alpha[-2]))
