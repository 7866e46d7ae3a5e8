"""Cross-entropy of a sequence of words."""

from typing import Any

import tensorflow as tf
from keras import ops

from mmcourse.decoders import checks
from mmcourse.encoders.keras.sequence import specification
from mmcourse.errors import MaskError

WHERE = "sequence cross-entropy"


def sequence_cross_entropy(logits: Any, targets: Any, mask: Any = None) -> Any:
    """The mean over all words that are present of what the right one costs, in nats:

        -(1 / N) sum_{b,t present} log softmax(logits_bt)[target_bt]

    logits: (batch, time, count);  targets: (batch, time) whole numbers from 0 to count - 1
    mask: (batch, time) bool, True = present; a masked target may be any number, and its logits anything
    A long caption counts more than a short one, as in PyTorch's cross_entropy with ignore_index.
    Raises a ModalityError naming what does not fit; in a graph, where nothing is present, the result is NaN.
    """
    given = None if mask is None else specification(mask)
    checks.check_targets(specification(logits), specification(targets), given, WHERE)
    logits, targets = ops.convert_to_tensor(logits), ops.convert_to_tensor(targets)
    if mask is None:
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
    mask = ops.convert_to_tensor(mask)
    if tf.executing_eagerly() and not tf.reduce_any(mask):
        raise MaskError("mask", got="no word present", wanted="at least one", where=WHERE)
    # Before the softmax: NaN times the zero gradient of an ignored word would be NaN.
    logits = tf.where(mask[..., None], logits, tf.zeros((), logits.dtype))
    targets = tf.where(mask, targets, tf.zeros((), targets.dtype))
    costs = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    present = tf.cast(mask, costs.dtype)
    return tf.reduce_sum(costs * present) / tf.reduce_sum(present)
