"""Gated recurrent unit."""

import torch
from torch import Tensor

from mmcourse.encoders.torch.recurrence import Recurrence, States


class GRUEncoder(Recurrence):
    """Read a sequence step by step with one state, which a gate moves towards a candidate.

        [r, z, n] = x_t kernel + bias,   [r', z', n'] = h_t-1 recurrent_kernel + recurrent_bias
        candidate = tanh(n + sigmoid(r + r') n')                          reset, update, candidate
        h_t = u h_t-1 + (1 - u) candidate,   u = sigmoid(z + z')

    The reset gate acts after the recurrent kernel, as in PyTorch and in Keras with reset_after; in the paper it acts
    before. PyTorch orders the columns r, z, n as here, Keras z, r, n.
    dim: the width of a step;  hidden_size: that of h
    kernel: (dim, 3 hidden), recurrent_kernel: (hidden, 3 hidden), bias and recurrent_bias: (3 hidden,)
    bidirectional, and how parameters begin: see Recurrence
    A masked step keeps the state, and its output is zero.
    check_values: see SequenceEncoder.  Raises a ModalityError naming what does not fit.
    Source: Cho et al. (2014).
    """

    where = "GRU"
    gates = 3
    biases = ("bias", "recurrent_bias")

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
            return torch.gru(x, states[0], weights, True, 1, 0.0, True, False, True)
        return torch.gru(x, sizes, states[0], weights, True, 1, 0.0, True, False)
