"""What a Transformer decoder keeps of the words that it has read."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from numpy.typing import ArrayLike
from torch import Tensor


@dataclass(frozen=True)
class Cache:
    """Keys and values, one tensor a layer: those of the words read so far, and those of the memory.

    keys, values: (rows, heads, length, width), no tensor where nothing was read yet
    present: (rows, length) bool, None where all is present
    memory_keys, memory_values: (rows, heads, steps, width), no tensor without a memory;  memory_mask: (rows, steps)
    A cache is never changed: reading on gives a new one.
    """

    keys: tuple[Tensor, ...] = ()
    values: tuple[Tensor, ...] = ()
    present: Tensor | None = None
    memory_keys: tuple[Tensor, ...] = ()
    memory_values: tuple[Tensor, ...] = ()
    memory_mask: Tensor | None = None

    @property
    def length(self) -> int:
        """How many words, or visual tokens, were read, masked ones too."""
        return self.keys[0].shape[2] if self.keys else 0

    @property
    def rows(self) -> int | None:
        """The batch size, None where nothing tells it yet."""
        known = (*self.keys, *self.memory_keys)
        return len(known[0]) if known else None

    def take(self, rows: ArrayLike) -> Self:
        """The rows of these numbers, in that order; a number may come several times, as beams need it."""

        def chosen(x: Tensor) -> Tensor:
            return x[torch.as_tensor(rows, dtype=torch.int64, device=x.device)]

        return replace(
            self,
            keys=tuple(map(chosen, self.keys)),
            values=tuple(map(chosen, self.values)),
            present=None if self.present is None else chosen(self.present),
            memory_keys=tuple(map(chosen, self.memory_keys)),
            memory_values=tuple(map(chosen, self.memory_values)),
            memory_mask=None if self.memory_mask is None else chosen(self.memory_mask),
        )
