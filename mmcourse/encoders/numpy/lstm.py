"""Long short-term memory."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.encoders.numpy import recurrence
from mmcourse.encoders.numpy.activations import sigmoid
from mmcourse.encoders.numpy.inputs import Array

WHERE = "LSTM"


def lstm(
    sequence: ArrayLike,
    *,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    reverse: Mapping[str, ArrayLike] | None = None,
    mask: ArrayLike | None = None,
    initial_state: Sequence[ArrayLike] | None = None,
) -> tuple[Array, tuple[Array, Array]]:
    """Read a sequence step by step with a state h and a cell c that gates write, keep and show.

        [i, f, g, o] = x_t kernel + h_t-1 recurrent_kernel + bias        input, forget, candidate, output
        c_t = sigmoid(f) c_t-1 + sigmoid(i) tanh(g),     h_t = sigmoid(o) tanh(c_t)

    sequence: (batch, time, dim)
    kernel: (dim, 4 hidden);  recurrent_kernel: (hidden, 4 hidden);  bias: (4 hidden,);  columns in the order i, f, g, o
    reverse: parameters of the same names for a second network, which reads from the last step to the first
    mask: (batch, time) booleans, True = present; a masked step keeps h and c, and its output is zero
    initial_state: (h, c), each (batch, hidden), zero if not given
    returns all h_t (batch, time, hidden) and (h, c) after the last step present, each (batch, hidden); with reverse all
    are 2 hidden wide, and the second half of h and c is that after the first step present
    Raises a ModalityError naming the input or parameter that does not fit.
    Source: Hochreiter and Schmidhuber (1997); the forget gate: Gers et al. (2000).
    """
    parameters = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
    outputs, (hidden, cell) = recurrence.run(
        sequence, mask, _step, parameters, reverse, initial_state, gates=4, states=2, where=WHERE
    )
    return outputs, (hidden, cell)


def _step(
    x: Array, hidden: Array, cell: Array, *, kernel: Array, recurrent_kernel: Array, bias: Array
) -> tuple[Array, Array]:
    i, f, g, o = np.split(x @ kernel + hidden @ recurrent_kernel + bias, 4, axis=1)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell
