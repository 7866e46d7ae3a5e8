"""For each picture a caption that could be mistaken for its own, and for each caption a picture."""

from typing import Any

import tensorflow as tf
from keras import ops

from mmcourse.alignment import checks
from mmcourse.alignment.keras import values
from mmcourse.alignment.keras.base import cosines, dtype_name, number, same_group, spec

WHERE = "hard_negatives"


def negative_probabilities(
    image: Any, text: Any, *, scale: Any, groups: Any = None, check_values: bool = True
) -> tuple[Any, Any]:
    """With what probability each text is drawn against each picture, and each picture against each text.

        q(t_j | x_i) = exp(s cos(x_i, t_j)) / sum over k outside P(i) of exp(s cos(x_i, t_k)),   0 for j in P(i)

    P(i): the rows of the group of row i, itself without groups; q(x_j | t_i) likewise. It is the softmax of InfoNCE
    without the right answers: the likelier a wrong text is taken for the right one, the more often it is drawn.
    image, text: (batch, width);  scale: s, at least 0, and 0 draws evenly;  groups: (batch,) whole numbers
    check_values: see ContrastiveLoss; without it a row that has no negative becomes NaN
    returns texts against pictures and pictures against texts, (batch, batch) each, whose rows sum to 1; no gradient
    Raises a ModalityError naming what does not fit, and the rows that have no negative.
    Source: Li et al. (2021); rows of one group left out as false negatives.
    """
    cosine, groups = cosines(image, text, groups=groups, check_values=check_values, where=WHERE)
    logits = number(scale, "scale", dtype_name(cosine), check_values, WHERE) * cosine
    right = same_group(groups)
    if check_values:
        values.check_negatives(~tf.reduce_all(right, axis=1), WHERE)
    texts, pictures = (
        tf.stop_gradient(tf.nn.softmax(ops.where(right, -float("inf"), side), axis=1))
        for side in (logits, ops.transpose(logits))
    )
    return texts, pictures


def hard_negatives(
    image: Any, text: Any, *, scale: Any, uniform: Any, groups: Any = None, check_values: bool = True
) -> tuple[Any, Any]:
    """Draw for each picture a text, for each text a picture, by `negative_probabilities`.

    uniform: (2, batch) numbers from [0, 1), a row for the texts and a row for the pictures: drawn is the first j with
        q(1) + ... + q(j) > u, which comes with probability q(j)
    image, text, scale, groups, check_values: see `negative_probabilities`; unchecked, a row without a negative draws 0
    returns the rows of the texts, and the rows of the pictures: (batch,) each
    Raises a ModalityError naming what does not fit, and the rows that have no negative.
    Source: Li et al. (2021).
    """
    texts, pictures = negative_probabilities(image, text, scale=scale, groups=groups, check_values=check_values)
    uniform = tf.convert_to_tensor(uniform)
    checks.check_uniform(spec(uniform), texts.shape[0], WHERE)
    if check_values:
        values.check_uniform(uniform, WHERE)
    return _draw(texts, uniform[0]), _draw(pictures, uniform[1])


def _draw(probabilities: Any, u: Any) -> Any:
    sums, u = (ops.cast(x, "float64") for x in (ops.cumsum(probabilities, axis=1), u))  # u below 1 stays below 1
    passed = ops.sum(ops.cast(sums <= u[:, None], "int64"), axis=1)
    # Rounding may leave the last sum below u: then it is the last that can be drawn.
    places = tf.range(tf.shape(probabilities, out_type=tf.int64)[1])
    return ops.minimum(passed, ops.max(ops.where(probabilities > 0, places, tf.zeros_like(places)), axis=1))
