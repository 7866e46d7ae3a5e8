"""From frames to a transcript: what the likeliest path says, and what transcript is the likeliest."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.alignment import ctc_checks as checks
from mmcourse.alignment.numpy.ctc import log_softmax
from mmcourse.checks import Spec, shape_text
from mmcourse.errors import ModalityError, ShapeError

Floats = NDArray[np.float64]
Labels = tuple[int, ...]


class Hypothesis(NamedTuple):
    """A transcript and the logarithm of its probability, in nats."""

    labels: Labels
    log_probability: float


def collapse(path: Sequence[int] | NDArray[np.int64], *, blank: int = 0) -> Labels:
    """What a path says: runs of one class become one, then blanks are left out.  Source: Graves et al. (2006)."""
    classes = [int(k) for k in path]
    runs = [k for k, before in zip(classes, [None, *classes], strict=False) if k != before]
    return tuple(k for k in runs if k != blank)


def greedy_decoding(logits: ArrayLike, *, blank: int = 0) -> Hypothesis:
    """What the likeliest path says, and the probability of that one path; other paths may say the same.

    logits: (time, classes).  Raises a ModalityError.  Source: Graves et al. (2006), "best path decoding".
    """
    log_probs = single(logits, blank, "greedy_decoding")
    return Hypothesis(collapse(log_probs.argmax(axis=1), blank=blank), float(log_probs.max(axis=1).sum()))


def prefix_beam_search(logits: ArrayLike, *, width: int = 8, blank: int = 0) -> list[Hypothesis]:
    """The likeliest transcripts, each with the probability of all its paths that were kept, the likeliest first.

    A prefix carries two numbers, for its paths that end in a blank and for those that end in its last label: only
    after a blank does the same label again make a longer prefix. After each frame the `width` likeliest prefixes stay;
    with width above the number of prefixes nothing is lost, and the first is the likeliest transcript.
    logits: (time, classes);  width: at least 1.  Raises a ModalityError.
    Source: Graves et al. (2006) for prefix search; Hannun et al. (2014) for this form, with a beam.
    """
    log_probs = single(logits, blank, "prefix_beam_search")
    if not isinstance(width, int | np.integer) or width < 1:
        raise ModalityError("width", got=width, wanted="a whole number, at least 1", where="prefix_beam_search")
    beam: dict[Labels, list[float]] = {(): [0.0, -np.inf]}  # log p of its paths ending in a blank, in its last label
    for frame in log_probs:
        longer: dict[Labels, list[float]] = defaultdict(lambda: [-np.inf, -np.inf])
        for prefix, (in_blank, in_label) in beam.items():
            either = np.logaddexp(in_blank, in_label)
            _add(longer[prefix], 0, either + frame[blank])
            for label, log_p in enumerate(frame):
                if label == blank:
                    continue
                if prefix and label == prefix[-1]:
                    _add(longer[prefix], 1, in_label + log_p)
                    _add(longer[(*prefix, label)], 1, in_blank + log_p)
                else:
                    _add(longer[(*prefix, label)], 1, either + log_p)
        possible = [item for item in longer.items() if _total(item[1]) > -np.inf]  # a repeat asks for a blank before it
        beam = dict(sorted(possible, key=lambda item: -_total(item[1]))[:width])
    return [Hypothesis(prefix, _total(ends)) for prefix, ends in beam.items()]


def _add(ends: list[float], which: int, log_probability: float) -> None:
    ends[which] = float(np.logaddexp(ends[which], log_probability))


def _total(ends: list[float]) -> float:
    return float(np.logaddexp(ends[0], ends[1]))


def single(logits: ArrayLike, blank: int, where: str) -> Floats:
    """log p_t(k) of one recording, (time, classes), or a ModalityError."""
    x = np.asarray(logits)
    if x.ndim != 2:
        got, wanted = f"shape {shape_text(x.shape)}", "(time, classes), of one recording"
        raise ShapeError("logits", got=got, wanted=wanted, where=where)
    checks.check_logits(Spec((1, *x.shape), x.dtype.name), where)
    checks.check_blank(blank, x.shape[1], where)
    checks.check_finite(np.isfinite(x).all(keepdims=True).ravel(), where)
    return log_softmax(x.astype(np.float64))
