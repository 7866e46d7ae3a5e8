"""Long short-term memory."""

import torch
from torch import Tensor

from mmcourse.encoders.torch.recurrence import Recurrence, States


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

    def __init__(
        self,
        dim: int,
        *,
        hidden_size: int,
        bidirectional: bool = False,
        forget_bias: float = 1.0,
        check_values: bool = True,
    ) -> None:
        self.forget_bias = forget_bias
        super().__init__(dim, hidden_size=hidden_size, bidirectional=bidirectional, check_values=check_values)

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        super().reset_parameters()
        for parameters in self._directions():
            parameters["bias"].data[self.hidden_size : 2 * self.hidden_size] = self.forget_bias

    def forward(
        self, sequence: Tensor, mask: Tensor | None = None, initial_state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return all h_t, and h and c after the last step present.

        sequence: (batch, time, dim);  mask: (batch, time) bool
        initial_state: (h, c), each (batch, out_dim), zero if not given
        returns (batch, time, out_dim) and (h, c), each (batch, out_dim)
        """
        outputs, (hidden, cell) = self.run(sequence, mask, initial_state)
        return outputs, (hidden, cell)

    def fused(self, x: Tensor, sizes: Tensor | None, states: States, weights: list[Tensor]) -> States:
        """PyTorch's own kernel."""
        if sizes is None:
            return torch.lstm(x, states, weights, True, 1, 0.0, True, False, True)
        return torch.lstm(x, sizes, states, weights, True, 1, 0.0, True, False)
