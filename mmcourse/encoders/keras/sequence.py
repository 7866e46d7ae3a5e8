"""What the encoders of sequences share: checks, masked steps."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.checks import Spec, check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.keras import values


class SequenceEncoder(keras.layers.Layer):
    """A layer that reads (batch, time, dim) with a mask (batch, time), True where a step is present.

    A masked step may hold anything, NaN included: it influences neither value nor gradient.
    check_values: also refuse NaN, infinity and rows in which all is masked. These checks need the numbers, so on a GPU
        each call waits for the device; shapes and dtypes are checked in any case. Without them a row in which all is
        masked becomes zero.
        In a graph (`fit`, `predict`, tf.function) they are assertions with the same message, raised by TensorFlow as
        InvalidArgumentError; sizes that are not known before the graph runs are checked there too. XLA drops
        assertions, so a layer that checks values declares `supports_jit = False`: Keras then compiles without XLA.
    """

    where = "sequence encoder"

    def __init__(self, dim: int, *, out_dim: int, check_values: bool = True, **layer: Any) -> None:
        # Keras would cast a sequence of another dtype in silence; here it is refused as in the other halves.
        super().__init__(**layer, autocast=False)
        self.dim = check_size("dim", dim, self.where)
        self.out_dim = check_size("out_dim", out_dim, self.where)
        self.check_values = check_values
        self.supports_jit = not check_values
        self.supports_masking = True
        self.built = True  # every weight is made at once

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """A mask is given to each layer by name."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dim": self.dim, "check_values": self.check_values}

    def compute_output_spec(self, sequence: Any, mask: Any = None) -> Any:
        self.check_structure(sequence, mask)
        return keras.KerasTensor((*sequence.shape[:2], self.out_dim), self.compute_dtype)

    def check_structure(self, sequence: Any, mask: Any) -> None:
        """Check all but the numbers."""
        here = None if mask is None else specification(mask)
        checks.check_sequence(specification(sequence), here, self.dim, self.where, dtype=self.compute_dtype)

    def prepare(self, sequence: Any, mask: Any) -> tuple[Any, Any]:
        """Check everything; return the sequence with masked steps set to zero, and the mask as a tensor or None.

        Zeros are put in before anything is computed: NaN times zero would be NaN, in the value and in the gradient.
        """
        self.check_structure(sequence, mask)
        mask = None if mask is None else ops.convert_to_tensor(mask)
        if self.check_values:
            sequence, mask = values.check_sizes("sequence", sequence, mask, self.where)
        x = silence(ops.convert_to_tensor(sequence), mask)
        if self.check_values:
            values.check_values("sequence", x, mask, self.where)
        return x, mask

    def cast(self, variable: Any) -> Any:
        """A parameter in the dtype of the computation, which a mixed policy keeps apart from the stored one."""
        return ops.cast(variable, self.compute_dtype)


def linear(dim: int, out_dim: int, dtype: Any) -> keras.layers.Dense:
    """x kernel + bias  with "kernel" (dim, out), drawn as Glorot and Bengio (2010), and "bias" (out,), zero."""
    dense = keras.layers.Dense(out_dim, dtype=dtype)
    dense.build((None, dim))
    return dense


def specification(x: Any) -> Spec:
    """What the checks ask of a tensor; Keras itself refuses what is none."""
    return Spec(tuple(x.shape), keras.backend.standardize_dtype(x.dtype))


def silence(x: Any, mask: Any) -> Any:
    """Set masked steps to zero.  x: (batch, time, width);  mask: (batch, time) or None"""
    return x if mask is None else tf.where(mask[..., None], x, tf.zeros((), x.dtype))
