"""What the fusions of sequences share: declared widths, checks, masked steps."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse import checks
from mmcourse.checks import keras as values
from mmcourse.encoders.keras.sequence import silence, specification
from mmcourse.encoders.keras.values import check_sizes
from mmcourse.errors import ShapeError
from mmcourse.fusion import sequence_checks


class SequenceFusion(keras.layers.Layer):
    """A sequence (batch, time_m, dim_m) of each modality, in the order of `dims`; lengths may differ between them.

    A mask (batch, time_m) is True where a step is present; a modality without a mask is present throughout. A masked
    step may hold anything, NaN included: it influences neither value nor gradient. A row may mask all steps of a
    modality, which is then missing there: nothing attends to it, and its own stream is zero.
    check_values: also refuse NaN, infinity and rows in which every modality is missing. These checks need the numbers,
        so on a GPU each call waits for the device; names, shapes and dtypes are checked in any case.
        In a graph (`fit`, `predict`, tf.function) they are assertions with the same message, raised by TensorFlow as
        InvalidArgumentError; sizes that are not known before the graph runs are checked there too. XLA drops
        assertions, so a layer that checks values declares `supports_jit = False`: Keras then compiles without XLA.
    """

    where = "fusion of sequences"

    def __init__(self, dims: Mapping[str, int], *, check_values: bool = True, **layer: Any) -> None:
        # Keras would cast features of another dtype in silence; here they are refused as in the other halves.
        super().__init__(**layer, autocast=False)
        self.dims = checks.check_dims(dims, self.where)
        self.check_values = check_values
        self.supports_jit = not check_values
        self.supports_masking = True
        self.built = True  # every weight is made at once

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "check_values": self.check_values}

    def check_structure(self, features: Mapping[str, Any], mask: Mapping[str, Any] | None) -> dict[str, Any]:
        """Check all but the numbers; return the masks that came."""
        checks.check_mapping(features, "features", self.where)
        came = sequence_checks.masks_that_came(mask, self.where)
        specs, of_masks = ({name: specification(x) for name, x in group.items()} for group in (features, came))
        sequence_checks.check_sequences(specs, of_masks, self.dims, self.where, dtype=self.compute_dtype)
        return came

    def prepare(
        self, features: Mapping[str, Any], mask: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Check everything; return the sequences with masked steps set to zero, and the masks, None where none came.

        Both have a key for every modality, in the order of dims.
        Zeros are put in before anything is computed: NaN times zero would be NaN, in the value and in the gradient.
        """
        came = {m: ops.convert_to_tensor(here) for m, here in self.check_structure(features, mask).items()}
        x = {modality: ops.convert_to_tensor(features[modality]) for modality in self.dims}
        if self.check_values:
            x, came = self._check_sizes(x, came)
        inputs = {modality: silence(x[modality], came.get(modality)) for modality in self.dims}
        present = {modality: came.get(modality) for modality in self.dims}
        if self.check_values:
            self._check_values(inputs, present)
        return inputs, present

    def _check_sizes(self, x: dict[str, Any], came: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """In a graph, assert what is known only when it runs; return tensors that wait for the assertions."""
        if tf.executing_eagerly():  # every shape was known and has been checked
            return x, came
        batch, assertions = tf.shape(next(iter(x.values())))[0], []
        for modality, sequence in x.items():
            got = tf.shape(sequence)[0]
            unequal = ShapeError(modality, got=f"batch size {values.UNKNOWN}", wanted=values.UNKNOWN, where=self.where)
            assertions.append(values.refuse(got != batch, unequal, got, batch))
        with tf.control_dependencies(assertions):
            pairs = {m: check_sizes(m, s, came.get(m), self.where, mask_name=f"mask of {m}") for m, s in x.items()}
        return {m: s for m, (s, _) in pairs.items()}, {m: here for m, (_, here) in pairs.items() if here is not None}

    def _check_values(self, inputs: dict[str, Any], present: dict[str, Any]) -> None:
        finite = tf.stack([tf.reduce_all(tf.math.is_finite(x), axis=(1, 2)) for x in inputs.values()], axis=1)
        some = tf.stack([some_present(inputs[m], present[m]) for m in self.dims], axis=1)
        if tf.executing_eagerly():
            checks.check_values(self.dims, finite.numpy(), some.numpy(), self.where)
            return
        values.refuse_rows(~tf.reduce_any(some, axis=1), checks.all_missing(self.dims, values.UNKNOWN, self.where))
        for modality, rows in zip(self.dims, tf.unstack(finite, axis=1), strict=True):
            values.refuse_rows(~rows, checks.not_finite(modality, values.UNKNOWN, self.where))


def some_present(x: Any, mask: Any) -> Any:
    """In which rows is a step present?  x: (batch, time, width);  mask: (batch, time) or None;  returns (batch,)"""
    return tf.ones(tf.shape(x)[:1], tf.bool) if mask is None else tf.reduce_any(mask, axis=1)
