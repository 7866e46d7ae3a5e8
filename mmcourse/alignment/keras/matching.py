"""Does this picture belong to this caption?"""

from typing import Any

import tensorflow as tf
from keras import ops

from mmcourse.alignment import checks
from mmcourse.alignment.keras import values
from mmcourse.alignment.keras.base import dtype_name, spec

WHERE = "image_text_matching"


def image_text_matching(logits: Any, labels: Any, *, check_values: bool = True) -> Any:
    """Cross-entropy of "belongs" and "does not belong", mean over the pairs:  L = -(1/N) sum_i log p_i(y_i).

    logits: (pairs,), one number a pair:  p_i(true) = sigmoid(logit_i);  or (pairs, 2), the columns "does not" and
        "does":  p_i = softmax(logits_i), which is the sigmoid of their difference
    labels: (pairs,) booleans, True where picture and caption belong together
    check_values: also refuse NaN and infinity, see ContrastiveLoss;  returns nats, a scalar
    Raises a ModalityError naming what does not fit.
    Source: the matching head of Li et al. (2021), with two columns.
    """
    logits, labels = tf.convert_to_tensor(logits), tf.convert_to_tensor(labels)
    checks.check_matching(spec(logits), spec(labels), WHERE)
    z = ops.cast(logits, checks.computed_in(dtype_name(logits)))
    if check_values:
        values.check_logits(z, WHERE)
    z = z if len(z.shape) == 1 else z[:, 1] - z[:, 0]
    return ops.mean(tf.nn.sigmoid_cross_entropy_with_logits(ops.cast(labels, dtype_name(z)), z))
