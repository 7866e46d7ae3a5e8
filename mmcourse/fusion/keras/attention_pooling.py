"""A sequence summed up by learned queries."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.checks import check_size
from mmcourse.encoders.keras.sequence import SequenceEncoder, linear
from mmcourse.encoders.sequence_checks import check_heads
from mmcourse.fusion.keras.cross_attention import allowed_keys, attend, cut, softmax_weights


@keras.saving.register_keras_serializable(package="mmcourse")
class AttentionPooling(SequenceEncoder):
    """Sum up a sequence of any length in a fixed number of vectors, one for each learned query.

        K = x key + b_k,  V = x value + b_v,  cut into heads of width d = dim / heads, and so is Q = queries
        head_h = softmax(Q_h K_h^T / sqrt(d)) V_h,     y = [head_1, ..., head_H] out + b_o

    dim: the width of y;  key_dim: the width of a step x, dim if not given;  count: of queries;  heads: divides dim
    "queries" (count, dim), "key.kernel" and "value.kernel" (key_dim, dim), "out.kernel" (dim, dim), biases (dim,)
    Queries that are learned need no projection of their own: it would be learned into them. A masked step is seen by
    none; with all scores equal the result is the mean of the steps present, projected.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Lee et al. (2019), without their network after the attention.
    """

    where = "attention pooling"

    def __init__(self, dim: int, *, key_dim: int | None = None, count: int = 1, heads: int = 1, **layer: Any) -> None:
        dim = check_size("dim", dim, self.where)
        super().__init__(dim if key_dim is None else key_dim, out_dim=dim, **layer)
        check_heads(dim, heads, False, self.where)
        self.heads, self.count = heads, check_size("count", count, self.where)
        drawn = keras.initializers.RandomNormal(stddev=1.0)
        self.queries = self.add_weight(name="queries", shape=(self.count, dim), initializer=drawn)
        self.key, self.value = (linear(self.dim, dim, self.dtype_policy) for _ in range(2))
        self.out = linear(dim, dim, self.dtype_policy)

    def get_config(self) -> dict[str, Any]:
        own = {"dim": self.out_dim, "key_dim": self.dim, "count": self.count, "heads": self.heads}
        return {**super().get_config(), **own}

    def compute_output_spec(self, sequence: Any, mask: Any = None) -> Any:
        self.check_structure(sequence, mask)
        return keras.KerasTensor((sequence.shape[0], self.count, self.out_dim), self.compute_dtype)

    def call(self, sequence: Any, mask: Any = None) -> Any:
        """sequence: (batch, time, key_dim);  mask: (batch, time) bool;  returns (batch, count, dim)"""
        x, mask = self.prepare(sequence, mask)
        key, value = cut(self.key(x), self.heads), cut(self.value(x), self.heads)
        return attend(self._queries(x), key, value, allowed_keys(mask), self.out)

    def attention_weights(self, sequence: Any, mask: Any = None) -> Any:
        """The softmax of `call`: (batch, heads, count, time), zero for a masked step."""
        x, mask = self.prepare(sequence, mask)
        return softmax_weights(self._queries(x), cut(self.key(x), self.heads), allowed_keys(mask))

    def _queries(self, x: Any) -> Any:
        learned = cut(self.cast(self.queries)[None], self.heads)
        return ops.broadcast_to(learned, (tf.shape(x)[0], *learned.shape[1:]))
