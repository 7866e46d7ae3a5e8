"""Cross-entropy of a sequence of words."""

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.decoders import checks
from mmcourse.encoders import sequence_checks
from mmcourse.encoders.numpy.inputs import specification
from mmcourse.errors import MaskError

WHERE = "sequence cross-entropy"


def sequence_cross_entropy(logits: ArrayLike, targets: ArrayLike, *, mask: ArrayLike | None = None) -> float:
    """The mean over all words that are present of what the right one costs, in nats:

        -(1 / N) sum_{b,t present} log softmax(logits_bt)[target_bt]

    logits: (batch, time, count);  targets: (batch, time) whole numbers from 0 to count - 1
    mask: (batch, time) booleans, True = present; a masked target may be any number, and its logits anything
    A long caption counts more than a short one, as in PyTorch's cross_entropy with ignore_index.
    Raises a ModalityError naming what does not fit.
    """
    scores, words = np.asarray(logits), np.asarray(targets)
    present = np.ones(words.shape, np.bool_) if mask is None else np.asarray(mask)
    checks.check_targets(specification(scores), specification(words), specification(present), WHERE)
    if not present.any():
        raise MaskError("mask", got="no word present", wanted="at least one", where=WHERE)
    count = scores.shape[2]
    known = ~present | ((words >= 0) & (words < count))
    sequence_checks.check_ids_known(np.ones(len(words), np.bool_), known.all(axis=1), count, WHERE)
    chosen = scores[present].astype(np.float64)  # (N, count)
    checks.check_finite("logits", np.isfinite(chosen).all(), WHERE)
    shifted = chosen - chosen.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-log_probabilities[np.arange(len(chosen)), words[present]].mean())
