"""Recurrent network."""

import torch
from torch import Tensor

from mmcourse.encoders.torch.recurrence import Recurrence, States


class RecurrentEncoder(Recurrence):
    """Read a sequence step by step with one state:  h_t = tanh(x_t kernel + h_t-1 recurrent_kernel + bias).

    dim: the width of a step;  hidden_size: that of h;  kernel: (dim, hidden), recurrent_kernel: (hidden, hidden)
    bidirectional, and how parameters begin: see Recurrence
    A masked step keeps the state, and its output is zero.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Elman (1990).
    """

    where = "recurrent encoder"

    def forward(
        self, sequence: Tensor, mask: Tensor | None = None, initial_state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return all h_t and the state after the last step present.

        sequence: (batch, time, dim);  mask: (batch, time) bool;  initial_state: (batch, out_dim), zero if not given
        returns (batch, time, out_dim) and (batch, out_dim)
        """
        outputs, (hidden,) = self.run(sequence, mask, None if initial_state is None else (initial_state,))
        return outputs, hidden

    def fused(self, x: Tensor, sizes: Tensor | None, states: States, weights: list[Tensor]) -> States:
        """PyTorch's own kernel."""
        if sizes is None:
            return torch.rnn_tanh(x, states[0], weights, True, 1, 0.0, True, False, True)
        return torch.rnn_tanh(x, sizes, states[0], weights, True, 1, 0.0, True, False)
