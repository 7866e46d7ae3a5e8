"""Gated recurrent unit."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.encoders.numpy import recurrence
from mmcourse.encoders.numpy.activations import sigmoid
from mmcourse.encoders.numpy.inputs import Array

WHERE = "GRU"


def gru(
    sequence: ArrayLike,
    *,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    recurrent_bias: ArrayLike,
    reverse: Mapping[str, ArrayLike] | None = None,
    mask: ArrayLike | None = None,
    initial_state: ArrayLike | None = None,
) -> tuple[Array, Array]:
    """Read a sequence step by step with one state, which a gate moves towards a candidate.

        [r, z, n] = x_t kernel + bias,   [r', z', n'] = h_t-1 recurrent_kernel + recurrent_bias
        candidate = tanh(n + sigmoid(r + r') n')                          reset, update, candidate
        h_t = u h_t-1 + (1 - u) candidate,   u = sigmoid(z + z')

    The reset gate acts after the recurrent kernel, as in PyTorch and in Keras with reset_after; in the paper it acts
    before. PyTorch orders the columns r, z, n as here, Keras z, r, n.
    sequence: (batch, time, dim)
    kernel: (dim, 3 hidden);  recurrent_kernel: (hidden, 3 hidden);  bias, recurrent_bias: (3 hidden,)
    reverse: parameters of the same names for a second network, which reads from the last step to the first
    mask: (batch, time) booleans, True = present; a masked step keeps the state, and its output is zero
    initial_state: (batch, hidden), zero if not given
    returns all h_t (batch, time, hidden) and the state after the last step present (batch, hidden); with reverse both
    are 2 hidden wide, and the second half of the state is that after the first step present
    Raises a ModalityError naming the input or parameter that does not fit.
    Source: Cho et al. (2014).
    """
    parameters = {
        "kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias, "recurrent_bias": recurrent_bias
    }  # fmt: skip
    begin = None if initial_state is None else (initial_state,)
    outputs, (hidden,) = recurrence.run(
        sequence, mask, _step, parameters, reverse, begin, gates=3, states=1, where=WHERE
    )
    return outputs, hidden


def _step(
    x: Array, hidden: Array, *, kernel: Array, recurrent_kernel: Array, bias: Array, recurrent_bias: Array
) -> tuple[Array]:
    r, z, n = np.split(x @ kernel + bias, 3, axis=1)
    r_, z_, n_ = np.split(hidden @ recurrent_kernel + recurrent_bias, 3, axis=1)
    candidate = np.tanh(n + sigmoid(r + r_) * n_)
    update = sigmoid(z + z_)
    return (update * hidden + (1 - update) * candidate,)
