"""Long short-term memory."""

from typing import Any

import keras
from keras import ops

from mmcourse.encoders.keras.recurrence import Parameters, Recurrence, States


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class LSTMEncoder(Recurrence):
    """Read a sequence step by step with a state h and a cell c that gates write, keep and show.

        [i, f, g, o] = x_t kernel + h_t-1 recurrent_kernel + bias        input, forget, candidate, output
        c_t = sigmoid(f) c_t-1 + sigmoid(i) tanh(g),     h_t = sigmoid(o) tanh(c_t)

    dim: the width of a step;  hidden_size: that of h and c
    kernel: (dim, 4 hidden), recurrent_kernel: (hidden, 4 hidden), bias: (4 hidden,), columns in the order i, f, g, o
    forget_bias: the part f of the bias to begin with; at 1 the cell begins by remembering
    bidirectional, and how parameters begin: see Recurrence
    A masked step keeps h and c, and its output is zero.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Hochreiter and Schmidhuber (1997); the forget gate: Gers et al. (2000).
    """

    where = "LSTM"
    gates, states = 4, 2

    def __init__(self, dim: int, *, hidden_size: int, forget_bias: float = 1.0, **layer: Any) -> None:
        self.forget_bias = forget_bias
        super().__init__(dim, hidden_size=hidden_size, **layer)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "forget_bias": self.forget_bias}

    def call(self, sequence: Any, mask: Any = None, initial_state: Any = None) -> tuple[Any, tuple[Any, Any]]:
        """Return all h_t, and h and c after the last step present.

        sequence: (batch, time, dim);  mask: (batch, time) bool
        initial_state: (h, c), each (batch, out_dim), zero if not given
        returns (batch, time, out_dim) and (h, c), each (batch, out_dim)
        """
        outputs, (hidden, cell) = self.run(sequence, mask, initial_state)
        return outputs, (hidden, cell)

    def step(self, projected: Any, states: States, parameters: Parameters) -> States:
        """One step in time."""
        hidden, cell = states
        i, f, g, o = ops.split(projected + hidden @ parameters["recurrent_kernel"], 4, axis=1)
        cell = ops.sigmoid(f) * cell + ops.sigmoid(i) * ops.tanh(g)
        return ops.sigmoid(o) * ops.tanh(cell), cell

    def bias_to_begin_with(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """The initializer of "bias"."""
        gate = (shape[0] // 4,)
        zeros = ops.zeros(gate, dtype)
        return ops.concatenate([zeros, ops.full(gate, self.forget_bias, dtype), zeros, zeros])
