"""What the recurrent formulas share: a step repeated over time, in one direction or in both."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.numpy import inputs
from mmcourse.encoders.numpy.inputs import Array

States = tuple[Array, ...]
Step = Callable[..., States]  # step(x (batch, dim), *states, **parameters) gives the states after it


def run(
    sequence: ArrayLike,
    mask: ArrayLike | None,
    step: Step,
    parameters: Mapping[str, ArrayLike],
    reverse: Mapping[str, ArrayLike] | None,
    initial_state: Sequence[ArrayLike] | None,
    *,
    gates: int,
    states: int,
    where: str,
) -> tuple[Array, States]:
    """Check everything and run each direction; outputs and states of both stand side by side.

    gates: how many times the hidden size a kernel is wide;  states: how many a step hands on
    """
    x, present = inputs.prepare(sequence, mask, None, where)
    directions = [_shaped(parameters, x.shape[2], gates, "", where)]
    if reverse is not None:
        checks.check_members(reverse, parameters, "reverse", where)
        directions.append(_shaped(reverse, x.shape[2], gates, "reverse.", where))
    hidden, other = (len(each["recurrent_kernel"]) for each in (directions[0], directions[-1]))
    checks.check_same_size(hidden, other, where)
    initial = _initial(initial_state, states, (len(x), hidden * len(directions)), where)
    results = []
    for index, own in enumerate(directions):
        begin = tuple(state[:, index * hidden : (index + 1) * hidden] for state in initial)
        results.append(_over_time(x, present, step, begin, own, backwards=index == 1))
    outputs = np.concatenate([outputs for outputs, _ in results], axis=2)
    return outputs, tuple(np.concatenate(parts, axis=1) for parts in zip(*(last for _, last in results), strict=True))


def _over_time(
    x: Array, present: NDArray[np.bool_], step: Step, states: States, parameters: Mapping[str, Array], backwards: bool
) -> tuple[Array, States]:
    """A masked step keeps the states, and its output is zero."""
    batch, time, _ = x.shape
    outputs = np.zeros((batch, time, states[0].shape[1]))
    for t in reversed(range(time)) if backwards else range(time):
        here = present[:, t, None]
        moved = step(x[:, t], *states, **parameters)
        states = tuple(np.where(here, new, old) for new, old in zip(moved, states, strict=True))
        outputs[:, t] = np.where(here, states[0], 0)
    return outputs, states


def _shaped(parameters: Mapping[str, ArrayLike], dim: int, gates: int, path: str, where: str) -> dict[str, Array]:
    hidden = (np.shape(parameters["recurrent_kernel"]) or (1,))[0]
    wide = (gates * hidden,)
    shapes = {"kernel": (dim, *wide), "recurrent_kernel": (hidden, *wide), "bias": wide, "recurrent_bias": wide}
    return {name: check_shape(array, path + name, shapes[name], where) for name, array in parameters.items()}


def _initial(given: Sequence[ArrayLike] | None, states: int, shape: tuple[int, int], where: str) -> States:
    if given is None:
        return tuple(np.zeros(shape) for _ in range(states))
    checks.check_state_count(len(given), states, where)
    return tuple(check_shape(state, "initial_state", shape, where) for state in given)
