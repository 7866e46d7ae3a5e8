"""Checks that need the numbers: at once where they are there, as assertions where a graph is being made."""

from typing import Any

import tensorflow as tf

from mmcourse import checks as shared_checks
from mmcourse.alignment import checks
from mmcourse.checks import keras as values
from mmcourse.checks.keras import UNKNOWN
from mmcourse.errors import ShapeError


def check_batch(image: Any, text: Any, groups: Any, where: str) -> tuple[Any, Any, Any]:
    """In a graph, assert that all batch sizes agree and are not 0; return tensors that wait for the assertions."""
    pair, _ = values.check_batch(dict(zip(checks.NAMES, (image, text), strict=True)), {}, where)
    image, text = pair["image"], pair["text"]
    if groups is None or tf.executing_eagerly():
        return image, text, groups
    batch, came = tf.shape(image)[0], tf.shape(groups)[0]
    unfit = ShapeError("groups", got=f"shape ({UNKNOWN},)", wanted=f"({UNKNOWN},)", where=where)
    with tf.control_dependencies([values.refuse(came != batch, unfit, came, batch)]):
        return image, text, tf.identity(groups)


def check_values(largest: Any, where: str) -> None:
    """Refuse NaN, infinity and rows of zeros.  largest: (batch, 2), the largest magnitudes of image and text"""
    if tf.executing_eagerly():
        checks.check_values(largest.numpy(), where)
        return
    for name, column in zip(checks.NAMES, tf.unstack(largest, axis=1), strict=True):
        values.refuse_rows(~tf.math.is_finite(column), shared_checks.not_finite(name, UNKNOWN, where))
        values.refuse_rows(column == 0, checks.zero_vector(name, UNKNOWN, where))


def check_logits(logits: Any, where: str) -> None:
    """Refuse NaN and infinity.  logits: (pairs,) or (pairs, 2)"""
    finite = tf.math.is_finite(logits)
    finite = finite if len(logits.shape) == 1 else tf.reduce_all(finite, axis=1)
    if tf.executing_eagerly():
        checks.check_logits(finite.numpy(), where)
    else:
        values.refuse_rows(~finite, checks.infinite_logits(UNKNOWN, where))


def check_negatives(some: Any, where: str) -> None:
    """Refuse rows without a negative.  some: (batch,), is there one?"""
    if tf.executing_eagerly():
        checks.check_negatives(some.numpy(), where)
    else:
        values.refuse_rows(~some, checks.no_negative(UNKNOWN, where))


def check_uniform(uniform: Any, where: str) -> None:
    """Refuse numbers outside [0, 1)."""
    within = tf.reduce_all((uniform >= 0) & (uniform < 1))
    if tf.executing_eagerly():
        checks.check_uniform_values(bool(within), where)
    else:
        values.refuse(~within, checks.outside_unit_interval(where))
