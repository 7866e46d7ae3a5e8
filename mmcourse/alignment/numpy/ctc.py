"""Connectionist temporal classification: the probability of a transcript, summed over all ways to say it in time."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.alignment import ctc_checks as checks
from mmcourse.checks import Spec

Floats = NDArray[np.float64]
WHERE = "ctc_loss"


def ctc_loss(logits: ArrayLike, targets: ArrayLike, **options: Any) -> Floats:
    """Minus the logarithm of the probability of each transcript, in nats: (batch,), neither averaged nor divided.

        p(l | x) = sum over all paths pi with collapse(pi) = l of  prod_t p_t(pi_t),    p_t = softmax(logits_t)

    With l' = (blank, l_1, blank, l_2, …, blank), by the forward recursion over its states s,
        a_t(s) = p_t(l'_s) [ a_t-1(s) + a_t-1(s - 1) + a_t-1(s - 2) ],   p(l | x) = a_T(S) + a_T(S - 1),
    the last term of the bracket only where l'_s is a label other than l'_s-2; in logarithms throughout.
    logits: (batch, time, classes);  targets: (batch, labels) whole numbers, anything after a row's end
    mask, target_mask: (batch, time) and (batch, labels) bool, True up to the end of each row; or
    input_lengths, target_lengths: (batch,) the same as counts; where both are given they must agree
    blank: the class that stands for no label, 0 if none is given
    A target may be empty: then all frames are blank. Frames after a row's end may hold NaN.
    Raises a ModalityError naming the row where a transcript holds the blank or an unknown label, or where it has more
    labels, counting a blank between repeats, than there are frames.
    PyTorch: ctc_loss(reduction="none") of log-probabilities (time, batch, classes); its "mean" divides each loss by the
    length of its target first. TensorFlow: tf.nn.ctc_loss of logits; its blank must be named, in Keras it is class 0.
    Source: Graves et al. (2006).
    """
    return _forward(_prepare(logits, targets, **options))[1]


def ctc_occupancy(logits: ArrayLike, targets: ArrayLike, **options: Any) -> Floats:
    """The probability that frame t says class k, given the transcript: (batch, time, classes), 0 after a row's end.

        g_t(k) = sum over s with l'_s = k of  a_t(s) b_t(s) / p(l | x)

    b_t(s) is the probability of all that follows frame t in state s. Arguments and errors as of ctc_loss.
    """
    graph = _prepare(logits, targets, **options)
    forward, loss = _forward(graph)
    share = np.exp(forward + _backward(graph) + loss[:, None, None]) * graph.present[..., None]  # (batch, time, states)
    one_hot = np.eye(graph.log_probs.shape[2])[graph.labels]  # (batch, states, classes)
    return share @ one_hot


def ctc_gradient(logits: ArrayLike, targets: ArrayLike, **options: Any) -> Floats:
    """The gradient of every row's ctc_loss by its logits:  p_t(k) - g_t(k),  0 after a row's end.

    What the network says minus what it should have said, as of cross-entropy; g is ctc_occupancy.
    returns (batch, time, classes);  arguments and errors as of ctc_loss
    """
    graph = _prepare(logits, targets, **options)
    said = np.exp(graph.log_probs) * graph.present[..., None]
    return said - ctc_occupancy(logits, targets, **options)


def states(target: ArrayLike, blank: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The classes of l' = (blank, l_1, blank, …, blank) and into which states the step over a blank is allowed.

    target: (..., labels);  returns (..., 2 labels + 1) twice
    """
    labels = np.asarray(target)
    spaced = np.full((*labels.shape[:-1], 2 * labels.shape[-1] + 1), blank)
    spaced[..., 1::2] = labels
    skip = np.zeros(spaced.shape, dtype=bool)
    skip[..., 3::2] = labels[..., 1:] != labels[..., :-1]
    return spaced, skip


def log_softmax(logits: Floats) -> Floats:
    """log softmax over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


class _Graph(NamedTuple):
    log_probs: Floats  # (batch, time, classes)
    present: NDArray[np.bool_]  # (batch, time)
    labels: NDArray[np.int64]  # (batch, states)
    skip: NDArray[np.bool_]  # (batch, states)
    last: NDArray[np.bool_]  # (batch, states), in which a path may end
    frames: NDArray[np.int64]  # (batch,)

    def said(self) -> Floats:
        """log p_t(l'_s): (batch, time, states)."""
        return np.take_along_axis(self.log_probs, self.labels[:, None, :], axis=2)


def _prepare(
    logits: ArrayLike,
    targets: ArrayLike,
    *,
    mask: ArrayLike | None = None,
    target_mask: ArrayLike | None = None,
    input_lengths: ArrayLike | None = None,
    target_lengths: ArrayLike | None = None,
    blank: int = 0,
) -> _Graph:
    x = np.asarray(logits)
    shape = checks.check_logits(Spec(x.shape, x.dtype.name), WHERE)
    found = checks.transcripts(
        shape, targets, mask=mask, target_mask=target_mask, input_lengths=input_lengths,
        target_lengths=target_lengths, blank=blank, where=WHERE,
    )  # fmt: skip
    present = np.arange(shape[1]) < found.frames[:, None]
    x = np.where(present[..., None], x.astype(np.float64), 0.0)
    checks.check_finite(np.isfinite(x).all(axis=(1, 2)), WHERE)
    labels, skip = states(found.targets, blank)
    place, end = np.arange(labels.shape[1]), 2 * found.lengths[:, None]
    last = (place == end) | ((place == end - 1) & (end > 0))
    return _Graph(log_softmax(x), present, labels, skip, last, found.frames)


def _forward(graph: _Graph) -> tuple[Floats, Floats]:
    """log a, (batch, time, states), and the loss (batch,)."""
    said = graph.said()
    log_a = np.full(said.shape, -np.inf)
    log_a[:, 0, :2] = said[:, 0, :2]  # a path begins with the blank or the first label
    for t in range(1, said.shape[1]):
        before = log_a[:, t - 1]
        one, two = _shifted(before, 1), np.where(graph.skip, _shifted(before, 2), -np.inf)
        log_a[:, t] = said[:, t] + np.logaddexp(np.logaddexp(before, one), two)
    end = np.take_along_axis(log_a, graph.frames[:, None, None] - 1, axis=1)[:, 0]  # (batch, states)
    return log_a, -np.logaddexp.reduce(np.where(graph.last, end, -np.inf), axis=1)


def _backward(graph: _Graph) -> Floats:
    """log b, (batch, time, states), without what frame t itself says."""
    said, times = graph.said(), graph.log_probs.shape[1]
    log_b = np.full(said.shape, -np.inf)
    final = np.where(graph.last, 0.0, -np.inf)
    for t in reversed(range(times)):
        if t + 1 < times:
            after = log_b[:, t + 1] + said[:, t + 1]
            one, two = _shifted(after, -1), _shifted(np.where(graph.skip, after, -np.inf), -2)
            log_b[:, t] = np.logaddexp(np.logaddexp(after, one), two)
        log_b[:, t] = np.where((graph.frames == t + 1)[:, None], final, log_b[:, t])
    return log_b


def _shifted(x: Floats, by: int) -> Floats:
    """What stood `by` states earlier (later, if negative), minus infinity where nothing stood.  x: (batch, states)"""
    moved = np.full(x.shape, -np.inf)
    if by > 0:
        moved[:, by:] = x[:, :-by]
    else:
        moved[:, :by] = x[:, -by:]
    return moved
