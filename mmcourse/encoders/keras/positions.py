"""Learned positions."""

from typing import Any

import keras

from mmcourse.checks import check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.keras import values
from mmcourse.encoders.keras.sequence import SequenceEncoder, silence


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class LearnedPositions(SequenceEncoder):
    """Tell each step where it stands, by a vector of that place:  x_t + vectors_t.

    dim: the width of a step;  length: the most steps of a sequence, rows of "vectors" (length, dim), which begin small
    Masked steps become zero, and the others keep their places.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Gehring et al. (2017).
    """

    where = "learned positions"

    def __init__(self, dim: int, *, length: int, **layer: Any) -> None:
        super().__init__(dim, out_dim=dim, **layer)
        self.length = check_size("length", length, self.where)
        small = keras.initializers.RandomNormal(stddev=0.02)
        self.vectors = self.add_weight(name="vectors", shape=(self.length, self.dim), initializer=small)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "length": self.length}

    def check_structure(self, sequence: Any, mask: Any) -> None:
        """Check all but the numbers."""
        super().check_structure(sequence, mask)
        checks.check_length(sequence.shape[1], self.length, self.where)

    def call(self, sequence: Any, mask: Any = None) -> Any:
        """sequence: (batch, up to length, dim);  mask: (batch, time) bool;  returns (batch, time, dim)"""
        x, mask = self.prepare(sequence, mask)
        return silence(x + values.first(self.cast(self.vectors), x, self.where), mask)
