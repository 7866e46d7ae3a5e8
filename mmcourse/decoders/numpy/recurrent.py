"""Recurrent decoder."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.decoders import checks
from mmcourse.encoders.numpy import embedding, gru, inputs
from mmcourse.encoders.numpy.inputs import specification

WHERE = "recurrent decoder"


def recurrent_decoder(
    ids: ArrayLike,
    vector: ArrayLike,
    *,
    words: Mapping[str, ArrayLike],
    start: Mapping[str, ArrayLike],
    recurrence: Mapping[str, Any],
    head: Mapping[str, ArrayLike],
    every_step: bool = False,
    mask: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """The logits of each next word, by a gated recurrent unit whose first state comes from a vector v:

        h_0 = tanh(v start + b_s),   h_t = GRU(words[id_t], h_t-1),   logits_t = h_t head + b_h
        every_step:  h_t = GRU([words[id_t], v], h_t-1)

    ids: (batch, time), the words before: logits_t speaks of word t + 1;  vector: (batch, vector_dim)
    words: {"vectors": (count, dim)};  start: kernel (vector_dim, hidden) and bias;  recurrence: the parameters of `gru`
    head: kernel (hidden, count) and bias
    mask: (batch, time) booleans, True = present; a masked word is passed over, and its logits are zero
    returns (batch, time, count).  Raises a ModalityError naming what does not fit.
    Source: Sutskever et al. (2014); from a picture: Vinyals et al. (2015), with an LSTM.
    """
    read, given = np.asarray(ids), np.asarray(vector)
    present = np.ones(read.shape, np.bool_) if mask is None else np.asarray(mask)
    checks.check_words(specification(read), specification(present), None, WHERE)
    width = (*np.shape(start["kernel"]), 1)[0]
    checks.check_vector(specification(given), width, len(read), WHERE)
    checks.check_finite("vector", np.isfinite(given).all(), WHERE)
    v = given.astype(np.float64)
    x = embedding(read, mask=present, **words)
    if every_step:
        x = np.concatenate([x, np.repeat(v[:, None], read.shape[1], axis=1)], axis=2)
    first = np.tanh(inputs.linear(v, start, "start", WHERE))
    outputs, _ = gru(x, mask=present, initial_state=first, **recurrence)
    return np.where(present[..., None], inputs.linear(outputs, head, "head", WHERE), 0)
