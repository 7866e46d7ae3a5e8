"""What the recurrent encoders share: kernels, masks, both directions."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.checks import check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.keras.sequence import SequenceEncoder, silence, specification

Parameters = Mapping[str, Any]
States = tuple[Any, ...]


class Recurrence(SequenceEncoder):
    """Parameters "kernel" (dim, gates hidden), "recurrent_kernel" (hidden, gates hidden) and "bias" (gates hidden,).

    With bidirectional there are also "reverse.kernel" and so on, for a second network that reads from the last step to
    the first; outputs and states of both stand side by side, so that out_dim is twice the hidden size.
    Kernels begin as Glorot and Bengio (2010), recurrent ones orthogonal (Saxe et al., 2013), each gate
    on its own; biases are zero.
    """

    gates = states = 1
    biases: tuple[str, ...] = ("bias",)

    def __init__(self, dim: int, *, hidden_size: int, bidirectional: bool = False, **layer: Any) -> None:
        hidden_size = check_size("hidden_size", hidden_size, self.where)
        super().__init__(dim, out_dim=hidden_size * (2 if bidirectional else 1), **layer)
        self.hidden_size, self.bidirectional = hidden_size, bidirectional
        self.directions = [self._add_direction(prefix) for prefix in ("", "reverse.")[: 2 if bidirectional else 1]]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden_size": self.hidden_size, "bidirectional": self.bidirectional}

    def compute_output_spec(self, sequence: Any, mask: Any = None, initial_state: Any = None) -> Any:
        outputs = super().compute_output_spec(sequence, mask)
        states = [keras.KerasTensor((sequence.shape[0], self.out_dim), self.compute_dtype) for _ in range(self.states)]
        return outputs, states[0] if self.states == 1 else tuple(states)

    def run(self, sequence: Any, mask: Any, initial: States | None) -> tuple[Any, States]:
        """Check everything and run each direction; outputs and states of both stand side by side."""
        x, mask = self.prepare(sequence, mask)
        begin = self._initial(initial, x)
        results = []
        for index, parameters in enumerate(self.directions):
            states = tuple(ops.split(state, len(self.directions), axis=1)[index] for state in begin)
            results.append(self._over_time(x, mask, states, parameters, backwards=index == 1))
        outputs = ops.concatenate([outputs for outputs, _ in results], axis=2)
        last = zip(*(last for _, last in results), strict=True)
        return outputs, tuple(ops.concatenate(parts, axis=1) for parts in last)

    @abstractmethod
    def step(self, projected: Any, states: States, parameters: Parameters) -> States:
        """One step in time.  projected: x_t kernel + bias (batch, gates hidden);  returns the states after it"""

    def bias_to_begin_with(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """The initializer of "bias"."""
        return ops.zeros(shape, dtype)

    def _over_time(
        self, x: Any, mask: Any, states: States, parameters: Parameters, backwards: bool
    ) -> tuple[Any, States]:
        """A masked step keeps the states, and its output is zero."""
        parameters = {name: self.cast(variable) for name, variable in parameters.items()}
        projected = ops.tensordot(x, parameters["kernel"], axes=1) + parameters["bias"]
        present = tf.ones(tf.shape(x)[:2], tf.bool) if mask is None else mask
        steps = ops.transpose(projected, (1, 0, 2)), ops.transpose(present)[..., None]  # time first

        def move(states: States, step: tuple[Any, Any]) -> States:
            moved = self.step(step[0], states, parameters)
            return tuple(tf.where(step[1], new, old) for new, old in zip(moved, states, strict=True))

        history = tf.scan(move, steps, initializer=states, reverse=backwards)  # each (time, batch, hidden)
        outputs = silence(ops.transpose(history[0], (1, 0, 2)), mask)
        return outputs, tuple(states[0 if backwards else -1] for states in history)

    def _initial(self, given: States | None, x: Any) -> States:
        if given is None:
            return tuple(tf.zeros((tf.shape(x)[0], self.out_dim), x.dtype) for _ in range(self.states))
        checks.check_state_count(len(given), self.states, self.where)
        for state in given:
            checks.check_state(specification(state), (x.shape[0], self.out_dim), self.where)
        return tuple(ops.convert_to_tensor(state) for state in given)

    def _add_direction(self, prefix: str) -> dict[str, Any]:
        wide = (self.gates * self.hidden_size,)
        kernels = {"kernel": (self.dim, "glorot_uniform"), "recurrent_kernel": (self.hidden_size, "orthogonal")}
        added = {
            name: self.add_weight(
                name=prefix + name, shape=(rows, *wide), initializer=self._gate_by_gate(rows, initializer)
            )
            for name, (rows, initializer) in kernels.items()
        }
        for name in self.biases:
            initializer = self.bias_to_begin_with if name == "bias" else "zeros"
            added[name] = self.add_weight(name=prefix + name, shape=wide, initializer=initializer)
        return added

    def _gate_by_gate(self, rows: int, name: str) -> Any:
        def draw(shape: tuple[int, ...], dtype: Any = None) -> Any:
            gates = [keras.initializers.get(name)((rows, self.hidden_size), dtype) for _ in range(self.gates)]
            return ops.concatenate(gates, axis=1)

        return draw
