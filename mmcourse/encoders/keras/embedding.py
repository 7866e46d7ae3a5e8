"""Vectors of whole numbers."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.checks import check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.keras import values
from mmcourse.encoders.keras.sequence import SequenceEncoder, silence, specification


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class Embedding(SequenceEncoder):
    """Look up a vector for each id:  x_t = vectors[id_t],  which is  onehot(id_t) vectors.

    count: how many ids there are, 0 to count - 1;  out_dim: the width of "vectors" (count, out_dim)
    A masked step may hold any number, and its vector is zero.
    check_values: also refuse ids that have no vector and rows in which all is masked; see SequenceEncoder. Without
        these checks such a row becomes zero, and such an id is TensorFlow's error on a CPU, a vector of zeros on a GPU.
    Raises a ModalityError naming what does not fit.
    """

    where = "embedding"

    def __init__(self, count: int, *, out_dim: int, **layer: Any) -> None:
        out_dim = check_size("out_dim", out_dim, self.where)
        super().__init__(out_dim, out_dim=out_dim, **layer)
        self.count = check_size("count", count, self.where)
        drawn = keras.initializers.RandomNormal(stddev=self.out_dim**-0.5)
        self.vectors = self.add_weight(name="vectors", shape=(self.count, self.out_dim), initializer=drawn)

    def get_config(self) -> dict[str, Any]:
        own = {"count": self.count, "out_dim": self.out_dim}
        return {**{name: value for name, value in super().get_config().items() if name != "dim"}, **own}

    def check_structure(self, ids: Any, mask: Any) -> None:
        """Check all but the numbers."""
        checks.check_ids(specification(ids), None if mask is None else specification(mask), self.where)

    def call(self, ids: Any, mask: Any = None) -> Any:
        """ids: (batch, time) whole numbers;  mask: (batch, time) bool;  returns (batch, time, out_dim)"""
        self.check_structure(ids, mask)
        ids, mask = ops.convert_to_tensor(ids), None if mask is None else ops.convert_to_tensor(mask)
        if self.check_values:
            ids, mask = values.check_sizes("ids", ids, mask, self.where)
        if mask is not None:
            ids = tf.where(mask, ids, tf.zeros((), ids.dtype))
        if self.check_values:
            ids = values.check_ids(ids, mask, self.count, self.where)
        return silence(tf.gather(self.cast(self.vectors), ids), mask)
