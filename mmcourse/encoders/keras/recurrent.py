"""Recurrent network."""

from typing import Any

import keras
from keras import ops

from mmcourse.encoders.keras.recurrence import Parameters, Recurrence, States


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class RecurrentEncoder(Recurrence):
    """Read a sequence step by step with one state:  h_t = tanh(x_t kernel + h_t-1 recurrent_kernel + bias).

    dim: the width of a step;  hidden_size: that of h;  kernel: (dim, hidden), recurrent_kernel: (hidden, hidden)
    bidirectional, and how parameters begin: see Recurrence
    A masked step keeps the state, and its output is zero.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Elman (1990).
    """

    where = "recurrent encoder"

    def call(self, sequence: Any, mask: Any = None, initial_state: Any = None) -> tuple[Any, Any]:
        """Return all h_t and the state after the last step present.

        sequence: (batch, time, dim);  mask: (batch, time) bool;  initial_state: (batch, out_dim), zero if not given
        returns (batch, time, out_dim) and (batch, out_dim)
        """
        outputs, (hidden,) = self.run(sequence, mask, None if initial_state is None else (initial_state,))
        return outputs, hidden

    def step(self, projected: Any, states: States, parameters: Parameters) -> States:
        """One step in time."""
        return (ops.tanh(projected + states[0] @ parameters["recurrent_kernel"]),)
