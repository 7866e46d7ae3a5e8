"""Checks that need the numbers: at once where they are there, as assertions where a graph is being made."""

from typing import Any

import tensorflow as tf

from mmcourse.checks.keras import UNKNOWN, refuse, refuse_rows
from mmcourse.encoders import audio_checks
from mmcourse.encoders import sequence_checks as checks
from mmcourse.errors import EmptyBatchError, MaskError, ShapeError


def check_sizes(name: str, x: Any, mask: Any, where: str, *, mask_name: str = "mask") -> tuple[Any, Any]:
    """In a graph, assert that nothing is empty and that the mask fits; return tensors that wait for the assertions.

    x: (batch, time, ...);  mask: (batch, time) or None;  name, mask_name: what errors call them
    """
    if tf.executing_eagerly():  # every shape was known and has been checked
        return x, mask
    batch, time = tf.unstack(tf.shape(x)[:2])
    assertions = [
        refuse(batch == 0, EmptyBatchError(name, got="batch size 0", wanted="at least 1", where=where)),
        refuse(time == 0, ShapeError(name, got="0 steps", wanted="at least 1", where=where)),
    ]
    if mask is not None:
        came = tf.unstack(tf.shape(mask))
        pair = f"({UNKNOWN}, {UNKNOWN})"
        unfit = MaskError(mask_name, got=f"shape {pair}", wanted=pair, where=where)
        assertions.append(refuse((came[0] != batch) | (came[1] != time), unfit, *came, batch, time))
    with tf.control_dependencies(assertions):
        return tf.identity(x), None if mask is None else tf.identity(mask)


def check_values(name: str, x: Any, mask: Any, where: str) -> None:
    """Refuse rows in which all is masked, NaN and infinity.  x: (batch, time, width), masked steps already zero"""
    finite = tf.reduce_all(tf.math.is_finite(x), axis=(1, 2))
    some = tf.ones_like(finite) if mask is None else tf.reduce_any(mask, axis=1)
    if tf.executing_eagerly():
        checks.check_values(name, some.numpy(), finite.numpy(), where)
        return
    refuse_rows(~some, checks.all_masked(name, UNKNOWN, where))
    refuse_rows(~finite, checks.not_finite(name, UNKNOWN, where))


def first(vectors: Any, x: Any, where: str) -> Any:
    """The first vectors, as many as x has steps; in a graph, assert that there are so many.

    vectors: (length, dim);  x: (batch, time, dim);  returns (time, dim)
    """
    time, length = tf.shape(x)[1], vectors.shape[0]
    if tf.executing_eagerly():
        return vectors[:time]
    wanted = f"at most {length}, one a position"
    unfit = ShapeError("sequence", got=f"{UNKNOWN} steps", wanted=wanted, where=where)
    with tf.control_dependencies([refuse(time > length, unfit, time)]):
        return vectors[:time]


def check_ids(ids: Any, mask: Any, count: int, where: str) -> Any:
    """Refuse rows in which all is masked and ids without a vector; return ids that wait for it.

    ids: (batch, time), masked ones already zero
    """
    known = tf.reduce_all((ids >= 0) & (ids < count), axis=1)
    some = tf.ones_like(known) if mask is None else tf.reduce_any(mask, axis=1)
    if tf.executing_eagerly():
        checks.check_ids_known(some.numpy(), known.numpy(), count, where)
        return ids
    assertions = [
        refuse_rows(~some, checks.all_masked("ids", UNKNOWN, where)),
        refuse_rows(~known, checks.unknown_id(count, UNKNOWN, where)),
    ]
    with tf.control_dependencies(assertions):
        return tf.identity(ids)


def check_waveform(waveform: Any, n_fft: int) -> Any:
    """Refuse NaN and infinity, and in a graph what is empty or short; return a waveform that waits for it."""
    finite = tf.reduce_all(tf.math.is_finite(waveform), axis=-1)
    if tf.executing_eagerly():
        audio_checks.check_finite(finite.numpy())
        return waveform
    where, samples = audio_checks.WHERE, tf.shape(waveform)[-1]
    assertions = [
        refuse(tf.size(finite) == 0, EmptyBatchError("waveform", got="batch size 0", wanted="at least 1", where=where)),
        refuse(samples < n_fft, audio_checks.too_short(UNKNOWN, n_fft), samples),
        refuse_rows(tf.reshape(~finite, (-1,)), audio_checks.not_finite(UNKNOWN)),
    ]
    with tf.control_dependencies(assertions):
        return tf.identity(waveform)
