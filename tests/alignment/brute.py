"""Sums and minima over all paths, one path at a time: slow, short, and the referee of every recursion."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray


def warping_paths(n: int, m: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """All paths from (0, 0) to (n - 1, m - 1) by steps (1, 0), (0, 1), (1, 1)."""

    def onward(path: tuple[tuple[int, int], ...]) -> Iterator[tuple[tuple[int, int], ...]]:
        i, j = path[-1]
        if (i, j) == (n - 1, m - 1):
            yield path
        for down, right in ((1, 0), (0, 1), (1, 1)):
            if i + down < n and j + right < m:
                yield from onward((*path, (i + down, j + right)))

    yield from onward(((0, 0),))


def said(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    """What a path says, label by label."""
    labels: list[int] = []
    before = None
    for k in path:
        if k not in (before, blank):
            labels.append(k)
        before = k
    return tuple(labels)


def log_softmax(logits: Array) -> Array:
    probabilities = np.exp(logits)
    return np.log(probabilities / probabilities.sum(axis=-1, keepdims=True))


def transcripts(logits: Array, blank: int) -> dict[tuple[int, ...], list[tuple[tuple[int, ...], float]]]:
    """{transcript: [(path that says it, its log probability), …]}.  logits: (time, classes)"""
    log_probs = log_softmax(logits)
    times, classes = logits.shape
    found: dict[Any, list[Any]] = defaultdict(list)
    for path in product(range(classes), repeat=times):
        found[said(path, blank)].append((path, sum(log_probs[t, k] for t, k in enumerate(path))))
    return found
