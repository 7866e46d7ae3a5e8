"""Forced alignment: when is each label of a known transcript said?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.alignment import ctc_checks as checks
from mmcourse.alignment.numpy.ctc import states
from mmcourse.alignment.numpy.ctc_decoding import single
from mmcourse.errors import ShapeError

WHERE = "forced_alignment"


class ForcedAlignment(NamedTuple):
    """path: (time,) the class of each frame;  log_probability: of that path, in nats

    starts, ends: (labels,) label u is said in frames starts[u] to ends[u] - 1
    """

    path: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    log_probability: float


def forced_alignment(logits: ArrayLike, target: ArrayLike, *, blank: int = 0) -> ForcedAlignment:
    """The likeliest path that says the transcript: the forward recursion of ctc_loss with max in place of the sum.

        v_t(s) = log p_t(l'_s) + max( v_t-1(s), v_t-1(s - 1), v_t-1(s - 2) ),   then back from the better end

    Its probability is one term of the sum p(l | x), and so never above it. Of equal ways the one that stays is taken.
    logits: (time, classes);  target: (labels,) whole numbers, possibly none.  Raises a ModalityError as ctc_loss does.
    Source: Viterbi (1967) on the graph of Graves et al. (2006).
    """
    log_probs = single(logits, blank, WHERE)
    labels = np.asarray(target)
    if labels.ndim != 1 or (labels.size and labels.dtype.kind not in "iu"):
        got = f"shape {labels.shape} of {labels.dtype.name}"
        raise ShapeError("targets", got=got, wanted="(labels,) whole numbers", where=WHERE)
    labels = labels.astype(np.int64)
    times, classes = log_probs.shape
    checks.check_target(labels, times, classes, blank, "", WHERE)
    spaced, skip = states(labels, blank)
    count = len(spaced)
    best = np.full(count, -np.inf)
    best[:2] = log_probs[0, spaced[:2]]
    came_from = np.zeros((times, count), dtype=np.int64)  # how many states the best step into a state goes
    for t in range(1, times):
        ways = np.full((3, count), -np.inf)
        ways[0] = best
        ways[1, 1:] = best[:-1]
        ways[2, 2:] = np.where(skip[2:], best[:-2], -np.inf)
        came_from[t] = ways.argmax(axis=0)
        best = log_probs[t, spaced] + ways.max(axis=0)
    state = count - 1 if count == 1 or best[-1] >= best[-2] else count - 2
    score = float(best[state])
    visited = np.empty(times, dtype=np.int64)
    for t in reversed(range(times)):
        visited[t] = state
        state -= came_from[t, state]
    own = np.arange(len(labels)) * 2 + 1  # the states of the labels
    starts = np.searchsorted(visited, own)  # states never go down
    ends = np.searchsorted(visited, own, side="right")
    return ForcedAlignment(spaced[visited], starts, ends, score)
