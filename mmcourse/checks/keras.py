"""Checks that need the numbers: at once where they are there, as assertions where a graph is being made.

An assertion writes the rows at fault into its message, which takes operations on text. XLA would drop the assertion in
silence, but it cannot compile those operations: forced compilation (`tf.function(jit_compile=True)`) fails aloud.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from mmcourse import checks
from mmcourse.errors import EmptyBatchError, MaskError, ModalityError, ShapeError

if keras.backend.backend() != "tensorflow":
    raise ImportError(f"mmcourse needs Keras on TensorFlow, not KERAS_BACKEND={keras.backend.backend()}")

Tensors = Mapping[str, Any]
UNKNOWN = "\0"  # stands in a message for what is known only when the graph runs


def check_batch(features: Tensors, mask: Tensors, where: str) -> tuple[Tensors, Tensors]:
    """In a graph, assert that all batch sizes agree and are not 0; return tensors that wait for the assertions."""
    if tf.executing_eagerly():  # every shape was known and has been checked
        return features, mask
    name = next(iter(features))
    batch = tf.shape(features[name])[0]
    assertions = [refuse(batch == 0, EmptyBatchError(name, got="batch size 0", wanted="at least 1", where=where))]
    for modality, x in features.items():
        unequal = ShapeError(modality, got=f"batch size {UNKNOWN}", wanted=UNKNOWN, where=where)
        assertions.append(refuse(tf.shape(x)[0] != batch, unequal, tf.shape(x)[0], batch))
    for modality, x in mask.items():
        unfit = MaskError(modality, got=f"mask of shape ({UNKNOWN},)", wanted=f"({UNKNOWN},)", where=where)
        assertions.append(refuse(tf.shape(x)[0] != batch, unfit, tf.shape(x)[0], batch))
    with tf.control_dependencies(assertions):
        return {m: tf.identity(x) for m, x in features.items()}, {m: tf.identity(x) for m, x in mask.items()}


def check_values(names: list[str], inputs: list[Any], present: Any, where: str) -> None:
    """Refuse rows in which all is missing, NaN and infinity.

    inputs: M tensors (batch, dim_m), missing rows already zero;  present: (batch, M) or None
    """
    finite = [tf.reduce_all(tf.math.is_finite(x), axis=1) for x in inputs]
    if tf.executing_eagerly():
        missing = None if present is None else present.numpy()
        checks.check_values(names, tf.stack(finite, axis=1).numpy(), missing, where)
        return
    if present is not None:
        refuse_rows(~tf.reduce_any(present, axis=1), checks.all_missing(names, UNKNOWN, where))
    for modality, rows in zip(names, finite, strict=True):
        refuse_rows(~rows, checks.not_finite(modality, UNKNOWN, where))


def refuse_rows(bad: Any, error: ModalityError) -> Any:
    """Assert that no row is bad; the message names the first rows at fault."""
    rows = tf.where(bad)[:, 0]
    shown = tf.strings.reduce_join(tf.strings.as_string(rows[: checks.ROWS_SHOWN]), separator=", ")
    more = tf.where(tf.size(rows) > checks.ROWS_SHOWN, ", ...", "")
    return refuse(tf.reduce_any(bad), error, shown + more)


def refuse(bad: Any, error: ModalityError, *unknown: Any) -> Any:
    """Assert that `bad` is false; the message is the error's own, with what is known now filled in."""
    head, *rest = f"{type(error).__name__}: {error}".split(UNKNOWN)
    pieces = [head]
    for value, text in zip(unknown, rest, strict=True):
        pieces += [value if value.dtype == tf.string else tf.strings.as_string(value), text]
    return tf.debugging.Assert(~bad, [tf.strings.join(pieces)])
