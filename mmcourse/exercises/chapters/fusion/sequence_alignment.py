"""The laws of the exercises on matching sequences in time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.random import Generator

from mmcourse.alignment.numpy import collapse, ctc_loss, dynamic_time_warping
from mmcourse.exercises.laws import Answer, Array, Law, close, compare, diagnose, exercise

OPEN_BORDER = (
    "You take the first row and column as they are, as if a path could begin anywhere in them. It begins at the first "
    "pair, and there, too, costs add up: a border of infinity, but for a zero at its corner, does both."
)
DIVIDED = "You divide the sum by the number of pairs, or of frames. Here the sum itself is asked for."
UNPAID = "You forgot to pay for the first pair."

# ---------------------------------------------------------------------------------------------- the cheapest path


@exercise("fusion")
def cheapest_path(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The cost of the cheapest warping path through a table."""
    costs = _telling_table(rng)
    n, m = costs.shape
    got, wanted = answer.number(costs), dynamic_time_warping(costs).cost
    yield Law(
        "the result is the smallest sum of costs over all warping paths",
        close(got, wanted),
        diagnose(
            got,
            {
                "The step that goes on in both sequences at once is missing.": _without_diagonal(costs),
                "You take the cheapest of the next three pairs at each step. A step that is cheap now may lead to dear "
                "ones: the table keeps the best way to every pair.": _greedy(costs),
                "You allow the diagonal step alone as far as it goes. Each step has three ways to come.": _diagonal(
                    costs
                ),
                OPEN_BORDER: _open_border(costs),
                DIVIDED: (
                    wanted / len(dynamic_time_warping(costs).path),
                    wanted / (n + m),
                ),
                UNPAID: wanted - costs[0, 0],
            },
            "Compute a table of two rows and two columns by hand: D = C + the smallest of the three before it.",
        ),
        compare(got, wanted),
    )
    frames = rng.normal(size=(5, 2))
    slowed = np.repeat(frames, rng.integers(1, 4, size=5), axis=0)
    distance = np.sqrt(((frames[:, None] - slowed[None]) ** 2).sum(axis=2))
    got = answer.number(distance)
    yield Law(
        "a sequence and the same one slowed down have distance zero",
        abs(got) < 1e-9,
        "Repeating a frame costs nothing: the step aside pays the cost of its pair, and nothing more.",
        f"It is {got:.3g}.",
    )
    wide = rng.uniform(0.1, 1, size=(m, n))
    got, wanted = answer.number(wide), dynamic_time_warping(wide).cost
    yield Law(
        "it works for more rows than columns as for fewer",
        close(got, wanted),
        "Have you written n where m should stand?",
        compare(got, wanted),
    )
    yield from _of_single_rows(answer, rng)


def _of_single_rows(answer: Answer, rng: Generator) -> Iterator[Law]:
    row = rng.uniform(0.1, 1, size=(1, 4))
    for costs, name in ((row, "row"), (row.T, "column")):
        got = answer.number(costs)
        yield Law(
            f"with a single {name} there is one path, and it pays for every pair",
            close(got, row.sum()),
            "Whatever lies outside the table cannot be come from.",
            compare(got, row.sum()),
        )


def _telling_table(rng: Generator) -> Array:
    """A table for which every mistake, and no other, gives its own result."""
    while True:
        costs = rng.uniform(0.1, 1, size=(rng.integers(3, 5), rng.integers(5, 8)))
        ways = (_table, _without_diagonal, _greedy, _diagonal, _open_border)
        if np.diff(np.sort([way(costs) for way in ways])).min() > 1e-3:
            return costs


def _table(costs: Array, diagonal: bool = True, border: float = np.inf) -> float:
    total = np.full((len(costs) + 1, costs.shape[1] + 1), border)
    total[0, 0] = 0
    for i, j in np.ndindex(*costs.shape):
        ways = [total[i, j + 1], total[i + 1, j]]
        if diagonal or (i, j) == (0, 0):
            ways.append(total[i, j])
        total[i + 1, j + 1] = costs[i, j] + min(ways)
    return float(total[-1, -1])


def _without_diagonal(costs: Array) -> float:
    return _table(costs, diagonal=False)


def _open_border(costs: Array) -> float:
    return _table(costs, border=0.0)


def _greedy(costs: Array) -> float:
    i, j = 0, 0
    total = costs[0, 0]
    while (i, j) != (costs.shape[0] - 1, costs.shape[1] - 1):
        steps = [(i + 1, j + 1), (i + 1, j), (i, j + 1)]
        i, j = min((s for s in steps if s[0] < costs.shape[0] and s[1] < costs.shape[1]), key=lambda s: costs[s])
        total += costs[i, j]
    return float(total)


def _diagonal(costs: Array) -> float:
    n, m = costs.shape
    steps = np.minimum(np.arange(max(n, m)), (n if n < m else m) - 1)
    rows, columns = (steps, np.arange(m)) if n < m else (np.arange(n), steps)
    return float(costs[rows, columns].sum())


# ------------------------------------------------------------------------------------ the probability of a transcript


@exercise("fusion")
def transcript_probability(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The sum over all paths that say a transcript, class 0 the blank."""
    for transcript in ([1, 2], [1, 1], [2, 1, 2], [2, 2, 1]):
        frames = int(rng.integers(5, 7))
        probabilities = rng.dirichlet(np.full(3, 2.0), size=frames)
        target = np.array(transcript)
        got, wanted = answer.number(probabilities, target), _probability(probabilities, target)
        yield Law(
            "the result is the sum over all paths that say the transcript",
            close(got, wanted),
            diagnose(got, _mistakes(probabilities, target), "Compute two frames and one label by hand: three paths."),
            f"Transcript {transcript}, {frames} frames. {compare(got, wanted)}",
        )
    exact = rng.dirichlet(np.full(3, 2.0), size=3)
    got, wanted = answer.number(exact, np.array([1, 1])), exact[0, 1] * exact[1, 0] * exact[2, 1]
    yield Law(
        "where there is just room enough, one path is left",
        close(got, wanted),
        "A label and its repeat in three frames: label, blank, label.",
        compare(got, wanted),
    )
    long = rng.dirichlet(np.full(3, 2.0), size=120)
    got, wanted = answer.number(long, np.array([1, 2, 2])), _probability(long, np.array([1, 2, 2]))
    yield Law(
        "a hundred frames are no hindrance",
        close(got, wanted, 1e-5, size=wanted),
        "Is the result zero, or does it take for ever? Keep the table of one frame at a time, in double precision.",
        compare(got, wanted),
    )


def _probability(probabilities: Array, target: Array) -> float:
    return float(np.exp(-ctc_loss(np.log(probabilities)[None], target[None])[0]))


def _mistakes(probabilities: Array, target: Array) -> dict[str, float | tuple[float, ...]]:
    return {
        "You allow the step of two places always. Between a label and its repeat there must be a blank.": _walks(
            probabilities, target, always=True
        ),
        "You never allow the step of two places. A blank between two different labels may be left out.": _walks(
            probabilities, target, never=True
        ),
        "You let a path step over a label: two places on from a blank is a blank again.": _walks(
            probabilities, target, over_labels=True
        ),
        "Your paths must end in a blank. They may end in the last label, too.": _walks(probabilities, target, ends=1),
        "Your paths must begin with a blank. They may begin with the first label, too.": _walks(
            probabilities, target, begins=1
        ),
        "You take the likeliest path. All paths that say the transcript add up.": _best(probabilities, target),
        "You leave out the blanks first and then make runs one: so no label can ever be said twice.": _blanks_first(
            probabilities, target
        ),
        "That is minus the logarithm. Here the probability itself is asked for.": -np.log(
            _probability(probabilities, target)
        ),
    }


def _walks(
    probabilities: Array,
    target: Array,
    *,
    always: bool = False,
    never: bool = False,
    over_labels: bool = False,
    ends: int = 2,
    begins: int = 2,
) -> float:
    """The forward recursion, with what people get wrong in it."""
    places = np.zeros(2 * len(target) + 1, dtype=int)
    places[1::2] = target
    alpha = np.zeros(len(places))
    alpha[:begins] = probabilities[0, places[:begins]]
    for frame in probabilities[1:]:
        came = alpha.copy()
        came[1:] += alpha[:-1]
        for s in range(2, len(places)):
            different = places[s] != places[s - 2] or (always and places[s] != 0)
            if not never and ((places[s] != 0 and different) or (over_labels and places[s] == 0)):
                came[s] += alpha[s - 2]
        alpha = frame[places] * came
    return float(alpha[-ends:].sum())


def _best(probabilities: Array, target: Array) -> float:
    return max((p for path, p in _paths(probabilities) if collapse(path) == tuple(target)), default=0.0)


def _blanks_first(probabilities: Array, target: Array) -> float:
    def says(path: tuple[int, ...]) -> tuple[int, ...]:
        labels = [k for k in path if k]
        return tuple(k for i, k in enumerate(labels) if i == 0 or k != labels[i - 1])

    return float(sum(p for path, p in _paths(probabilities) if says(path) == tuple(target)))


def _paths(probabilities: Array) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every path and its probability: 729 for six frames of three classes."""
    for path in product(range(probabilities.shape[1]), repeat=len(probabilities)):
        yield path, float(probabilities[np.arange(len(path)), path].prod())
