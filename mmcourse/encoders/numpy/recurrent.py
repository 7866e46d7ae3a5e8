"""Recurrent network."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.encoders.numpy import recurrence
from mmcourse.encoders.numpy.inputs import Array

WHERE = "recurrent encoder"


def recurrent(
    sequence: ArrayLike,
    *,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike,
    reverse: Mapping[str, ArrayLike] | None = None,
    mask: ArrayLike | None = None,
    initial_state: ArrayLike | None = None,
) -> tuple[Array, Array]:
    """Read a sequence step by step with one state:  h_t = tanh(x_t kernel + h_t-1 recurrent_kernel + bias).

    sequence: (batch, time, dim)
    kernel: (dim, hidden);  recurrent_kernel: (hidden, hidden);  bias: (hidden,)
    reverse: parameters of the same names for a second network, which reads from the last step to the first
    mask: (batch, time) booleans, True = present; a masked step keeps the state, and its output is zero
    initial_state: (batch, hidden), zero if not given
    returns all h_t (batch, time, hidden) and the state after the last step present (batch, hidden); with reverse both
    are 2 hidden wide, and the second half of the state is that after the first step present
    Raises a ModalityError naming the input or parameter that does not fit.
    Source: Elman (1990).
    """
    parameters = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
    begin = None if initial_state is None else (initial_state,)
    outputs, (hidden,) = recurrence.run(
        sequence, mask, _step, parameters, reverse, begin, gates=1, states=1, where=WHERE
    )
    return outputs, hidden


def _step(x: Array, hidden: Array, *, kernel: Array, recurrent_kernel: Array, bias: Array) -> tuple[Array]:
    return (np.tanh(x @ kernel + hidden @ recurrent_kernel + bias),)
