"""Recurrent decoder."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.checks import check_size
from mmcourse.decoders import checks
from mmcourse.decoders.keras.words import WordDecoder
from mmcourse.encoders.keras.gru import GRUEncoder
from mmcourse.encoders.keras.sequence import linear, silence, specification


@keras.saving.register_keras_serializable(package="mmcourse.decoders")
class RecurrentDecoder(WordDecoder):
    """The logits of each next word, by a gated recurrent unit whose first state comes from a vector v:

        h_0 = tanh(v start + b_s),   h_t = GRU(words[id_t], h_t-1),   logits_t = h_t head + b_h
        every_step:  h_t = GRU([words[id_t], v], h_t-1)

    count: how many words;  dim: the width of a word's vector;  hidden_size: that of h;  vector_dim: that of v
    Parameters "words.vectors" (count, dim), "start.kernel" (vector_dim, hidden), "recurrence.kernel" as in GRUEncoder,
    "head.kernel" (hidden, count), and so on.
    A masked word is passed over, and its logits are zero.
    check_values: see WordDecoder.  Raises a ModalityError naming what does not fit.
    Source: Sutskever et al. (2014); from a picture: Vinyals et al. (2015), with an LSTM.
    """

    where = "recurrent decoder"

    def __init__(
        self, count: int, *, dim: int, hidden_size: int, vector_dim: int, every_step: bool = False, **layer: Any
    ) -> None:
        super().__init__(count, dim=dim, **layer)
        self.vector_dim, self.every_step = check_size("vector_dim", vector_dim, self.where), every_step
        self.hidden_size = check_size("hidden_size", hidden_size, self.where)
        reads = self.dim + (self.vector_dim if every_step else 0)
        inner = {"dtype": self.dtype_policy, "check_values": False}
        self.recurrence = GRUEncoder(reads, hidden_size=self.hidden_size, **inner)
        self.start = linear(self.vector_dim, self.hidden_size, self.dtype_policy)
        self.head = linear(self.hidden_size, self.count, self.dtype_policy)

    def get_config(self) -> dict[str, Any]:
        own = {"hidden_size": self.hidden_size, "vector_dim": self.vector_dim, "every_step": self.every_step}
        return {**super().get_config(), **own}

    def call(self, ids: Any, vector: Any, mask: Any = None) -> Any:
        """ids: (batch, time);  vector: (batch, vector_dim);  mask: (batch, time) bool;  returns (batch, time, count)"""
        x, mask = self.read(ids, mask)
        checks.check_vector(specification(vector), self.vector_dim, ids.shape[0], self.where)
        vector = ops.convert_to_tensor(vector)
        self.check_finite("vector", vector)
        if self.every_step:
            x = ops.concatenate([x, tf.repeat(vector[:, None], tf.shape(x)[1], axis=1)], axis=2)
        outputs, _ = self.recurrence(x, mask=mask, initial_state=ops.tanh(self.start(vector)))
        return silence(self.head(outputs), mask)
