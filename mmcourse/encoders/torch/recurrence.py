"""What the recurrent encoders share: kernels, masks, both directions."""

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmcourse.checks import check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.torch.sequence import SequenceEncoder

States = tuple[Tensor, ...]


class Recurrence(SequenceEncoder):
    """Parameters "kernel" (dim, gates hidden), "recurrent_kernel" (hidden, gates hidden) and "bias" (gates hidden,).

    With bidirectional there are also "reverse.kernel" and so on, for a second network that reads from the last step to
    the first; outputs and states of both stand side by side, so that out_dim is twice the hidden size.
    Kernels begin as Glorot and Bengio (2010), recurrent ones orthogonal (Saxe et al., 2013), each gate
    on its own; biases are zero.
    PyTorch's fused kernels do the work, with a mask as well; they want the lengths on the CPU, so that with a mask each
    call waits for a GPU.
    """

    kernel: Tensor
    gates = states = 1
    biases: tuple[str, ...] = ("bias",)

    def __init__(self, dim: int, *, hidden_size: int, bidirectional: bool = False, check_values: bool = True) -> None:
        hidden_size = check_size("hidden_size", hidden_size, self.where)
        super().__init__(dim, out_dim=hidden_size * (2 if bidirectional else 1), check_values=check_values)
        self.hidden_size = hidden_size
        wide = self.gates * hidden_size
        shapes: dict[str, tuple[int, ...]] = {"kernel": (self.dim, wide), "recurrent_kernel": (hidden_size, wide)}
        shapes |= dict.fromkeys(self.biases, (wide,))
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))
        self.reverse = nn.ParameterDict({n: torch.empty(s) for n, s in shapes.items()}) if bidirectional else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        for parameters in self._directions():
            for gate in parameters["kernel"].data.split(self.hidden_size, dim=1):
                nn.init.xavier_uniform_(gate)
            for gate in parameters["recurrent_kernel"].data.split(self.hidden_size, dim=1):
                nn.init.orthogonal_(gate)
            for name in self.biases:
                nn.init.zeros_(parameters[name])

    def run(self, sequence: Tensor, mask: Tensor | None, initial: States | None) -> tuple[Tensor, States]:
        """Check everything and run each direction; outputs and states of both stand side by side."""
        x = self.prepare(sequence, mask).to(self.kernel.dtype)  # of another dtype only under autocast
        begin = self._initial(initial, x)
        results = []
        for index, parameters in enumerate(self._directions()):
            part = slice(index * self.hidden_size, (index + 1) * self.hidden_size)
            states = tuple(state[:, part].contiguous() for state in begin)
            results.append(self._over_time(x, mask, states, parameters, backwards=index == 1))
        outputs = torch.cat([outputs for outputs, _ in results], dim=2)
        return outputs, tuple(torch.cat(parts, dim=1) for parts in zip(*(last for _, last in results), strict=True))

    @abstractmethod
    def fused(self, x: Tensor, sizes: Tensor | None, states: States, weights: list[Tensor]) -> States:
        """PyTorch's own kernel, outputs first and states (1, batch, hidden) after.

        x: (batch, time, dim), or packed with the batch sizes of each step;  weights: as PyTorch lays them out
        Always as in training, which differs only in that cuDNN lets gradients through.
        """

    def _over_time(
        self, x: Tensor, mask: Tensor | None, states: States, parameters: Mapping[str, Tensor], backwards: bool
    ) -> tuple[Tensor, States]:
        """A masked step keeps the states, so it is left out: what is present moves to the front, is run, moves back."""
        bias = parameters["bias"]
        recurrent_bias = parameters["recurrent_bias"] if "recurrent_bias" in self.biases else torch.zeros_like(bias)
        kernels = [parameters[name].T.contiguous() for name in ("kernel", "recurrent_kernel")]
        weights = [*kernels, bias, recurrent_bias]
        begin = tuple(state[None] for state in states)
        if mask is None:
            outputs, *last = self.fused(x.flip(1) if backwards else x, None, begin, weights)
            return outputs.flip(1) if backwards else outputs, tuple(state[0] for state in last)

        order = _present_first(mask, backwards)
        lengths = mask.sum(dim=1)
        packed = pack_padded_sequence(
            _take(x, order), lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False
        )
        sort, unsort = packed.sorted_indices, packed.unsorted_indices
        data, *last = self.fused(packed.data, packed.batch_sizes, tuple(state[:, sort] for state in begin), weights)
        done = torch.nn.utils.rnn.PackedSequence(data, packed.batch_sizes, sort, unsort)
        outputs, _ = pad_packed_sequence(done, batch_first=True, total_length=x.shape[1])
        present = lengths[:, None] > 0  # where nothing is, one step of zeros was run
        kept = (torch.where(present, state[0, unsort], old) for state, old in zip(last, states, strict=True))
        return torch.where(mask[..., None], _take(outputs, order.argsort(dim=1)), 0.0), tuple(kept)

    def _initial(self, given: States | None, x: Tensor) -> States:
        if given is None:
            return tuple(x.new_zeros(len(x), self.out_dim) for _ in range(self.states))
        checks.check_state_count(len(given), self.states, self.where)
        for state in given:
            checks.check_state(self.spec("initial_state", state), (len(x), self.out_dim), self.where)
        return given

    def _directions(self) -> list[Mapping[str, Tensor]]:
        own = {name: getattr(self, name) for name in ("kernel", "recurrent_kernel", *self.biases)}
        return [own] if self.reverse is None else [own, dict(self.reverse.items())]


def _present_first(mask: Tensor, backwards: bool) -> Tensor:
    """Where the steps present stand, in the order of reading, then the masked ones.  (batch, time)"""
    time = mask.shape[1]
    places = torch.arange(time, device=mask.device)
    if backwards:
        places = places.flip(0)
    return torch.where(mask, places, places + time).argsort(dim=1)


def _take(x: Tensor, order: Tensor) -> Tensor:
    """x: (batch, time, width);  order: (batch, time) places;  returns x in that order"""
    return x.gather(1, order[..., None].expand_as(x))
