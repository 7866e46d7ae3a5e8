"""What the decoders share: words as vectors, checked."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.checks import check_size
from mmcourse.decoders import checks
from mmcourse.encoders.keras.embedding import Embedding
from mmcourse.encoders.keras.sequence import SequenceEncoder, specification


class WordDecoder(SequenceEncoder):
    """A layer with vectors of words "words.vectors" (count, dim), whose result is a logit for each of the count words.

    check_values: also refuse ids of no word, NaN, and rows in which all is masked; see SequenceEncoder.
    """

    where = "decoder"
    length: int | None = None

    def __init__(self, count: int, *, dim: int, **layer: Any) -> None:
        count = check_size("count", count, self.where)
        super().__init__(dim, out_dim=count, **layer)
        self.count = count
        self.words = Embedding(count, out_dim=self.dim, dtype=self.dtype_policy, check_values=self.check_values)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}

    def compute_output_spec(self, sequence: Any, mask: Any = None, *_: Any, **__: Any) -> Any:
        return keras.KerasTensor((*sequence.shape[:2], self.count), self.compute_dtype)

    def read(self, ids: Any, mask: Any) -> tuple[Any, Any]:
        """The vectors of words, masked ones zero, and the mask as a tensor or None."""
        given = None if mask is None else specification(mask)
        checks.check_words(specification(ids), given, self.length, self.where)
        mask = None if mask is None else ops.convert_to_tensor(mask)
        return self.words(ids, mask=mask), mask

    def check_finite(self, name: str, x: Any) -> None:
        """Raise NotFiniteError for NaN and infinity, where values are checked and known."""
        if self.check_values and tf.executing_eagerly():
            checks.check_finite(name, bool(tf.reduce_all(tf.math.is_finite(x))), self.where)
