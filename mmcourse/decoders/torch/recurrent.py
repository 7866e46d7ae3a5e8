"""Recurrent decoder."""

from dataclasses import dataclass
from typing import Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from mmcourse.checks import check_size
from mmcourse.decoders import checks
from mmcourse.decoders.torch.words import WordDecoder
from mmcourse.encoders.torch.gru import GRUEncoder
from mmcourse.encoders.torch.sequence import Linear, silence


@dataclass(frozen=True)
class RecurrentState:
    """All that a recurrent decoder keeps of the words read, whatever their number.

    hidden: (rows, hidden);  vector: (rows, vector_dim) where the decoder reads it at every step, else None
    """

    hidden: Tensor
    vector: Tensor | None = None
    length: int = 0

    def take(self, rows: ArrayLike) -> Self:
        """The rows of these numbers, in that order; a number may come several times, as beams need it."""
        chosen = torch.as_tensor(rows, dtype=torch.int64, device=self.hidden.device)
        vector = None if self.vector is None else self.vector[chosen]
        return type(self)(self.hidden[chosen], vector, self.length)


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
        self,
        count: int,
        *,
        dim: int,
        hidden_size: int,
        vector_dim: int,
        every_step: bool = False,
        check_values: bool = True,
    ) -> None:
        super().__init__(count, dim=dim, check_values=check_values)
        self.vector_dim, self.every_step = check_size("vector_dim", vector_dim, self.where), every_step
        reads = self.dim + (self.vector_dim if every_step else 0)
        self.recurrence = GRUEncoder(reads, hidden_size=hidden_size, check_values=False)
        self.start = Linear(self.vector_dim, hidden_size)
        self.head = Linear(hidden_size, self.count)

    def forward(self, ids: Tensor, vector: Tensor, mask: Tensor | None = None) -> Tensor:
        """ids: (batch, time);  vector: (batch, vector_dim);  mask: (batch, time) bool;  returns (batch, time, count)"""
        return self.extend(ids, self.begin(vector), mask)[0]

    def begin(self, vector: Tensor) -> RecurrentState:
        """The state before any word.  vector: (batch, vector_dim)"""
        checks.check_vector(self.spec("vector", vector), self.vector_dim, None, self.where)
        self.check_finite("vector", vector)
        return RecurrentState(self.start(vector).tanh(), vector if self.every_step else None)

    def extend(self, ids: Tensor, state: RecurrentState, mask: Tensor | None = None) -> tuple[Tensor, RecurrentState]:
        """Read on: the logits after each of these words, (rows, time, count), and the state after the last."""
        x = self.read(ids, mask, before=state.length)
        checks.check_vector(self.spec("vector", state.hidden), self.recurrence.hidden_size, len(ids), self.where)
        if state.vector is not None:
            x = torch.cat([x, state.vector[:, None].expand(-1, ids.shape[1], -1)], dim=2)
        outputs, hidden = self.recurrence(x, mask, state.hidden)
        read_on = RecurrentState(hidden, state.vector, state.length + ids.shape[1])
        return silence(self.head(outputs), mask), read_on
