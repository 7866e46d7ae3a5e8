"""How objects move: straight on, and elastically off walls and each other, with the exact times of all impacts.

The floor is without friction, and objects do not turn. Between two impacts every position is a linear function of time;
an impact changes velocities along the normal of contact alone. Mass is area, so it grows with the square of the size.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.scenes.attributes import ABSENT
from mmcourse.data.scenes.contact import Pair, dot, first_contact, pair
from mmcourse.data.scenes.outlines import EXTENTS

if TYPE_CHECKING:
    from mmcourse.data.scenes.batch import Scenes

WALL = -2  # in place of a second object
_MOST_IMPACTS = 2000


@dataclass(frozen=True, eq=False)
class Motion:
    """What happens in n scenes from time 0 to `duration`.

    time: (n, 1 + impacts) seconds: 0, then the scene's impacts in order, then infinity where others have more
    position, velocity: (n, 1 + impacts, slots, 2) right after each of these times, in room widths (a second)
    objects: (n, impacts, 2) the two slots that meet; the second is WALL at a wall, both are ABSENT past the last impact
    change: (n, impacts, 2) by how much the velocity of each of the two changes, 0 for a wall
    """

    duration: float
    time: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    objects: np.ndarray
    change: np.ndarray

    def at(self, times: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Position and velocity, each (n, t, slots, 2), at (t,) times. Raises ValueError outside of 0 to duration."""
        seconds = np.asarray(times, dtype=float)
        if seconds.ndim != 1 or not ((seconds >= 0) & (seconds <= self.duration)).all():
            raise ValueError(f"Motion.at: times: got {times!r}, wanted one axis of 0 to {self.duration} seconds")
        # The last impact at or before each time, which time 0 always is.
        last = (self.time[:, None, :] <= seconds[:, None]).sum(axis=2) - 1  # (n, t)
        rows = np.arange(len(self.time))[:, None]
        since = seconds - self.time[rows, last]
        velocity = self.velocity[rows, last]
        return self.position[rows, last] + since[..., None, None] * velocity, velocity


def motion(scenes: "Scenes", duration: float) -> Motion:
    """From impact to impact, all scenes at once: find the next one, go there, exchange momentum along its normal.

    Raises ValueError for a duration that is not positive and finite.
    """
    if not 0 < duration < np.inf:
        raise ValueError(f"motion: duration: got {duration}, wanted a positive number of seconds")
    n = len(scenes)
    state = _State(scenes)
    log = [(np.zeros(n), state.position.copy(), state.velocity.copy())]
    objects, change = [], []
    now = np.zeros(n)
    for _ in range(_MOST_IMPACTS):
        wait, which, normal = state.next_impact()
        happens = now + wait <= duration
        if not happens.any():
            break
        now = np.where(happens, now + wait, np.inf)
        met, kick = state.exchange(happens, np.where(happens, wait, 0.0), which, normal)
        objects.append(met)
        change.append(kick)
        log.append((now.copy(), state.position.copy(), state.velocity.copy()))
    else:
        raise ValueError(f"motion: duration: got {duration} s with over {_MOST_IMPACTS} impacts, wanted a shorter one")
    time, position, velocity = (np.stack(parts, axis=1) for parts in zip(*log, strict=True))
    return Motion(
        duration=duration,
        time=time,
        position=position,
        velocity=velocity,
        objects=np.stack(objects, axis=1) if objects else np.zeros((n, 0, 2), int),
        change=np.stack(change, axis=1) if change else np.zeros((n, 0, 2)),
    )


class _State:
    """Where the objects of all scenes are now, and what they meet next; absent ones are NaN and meet nothing."""

    def __init__(self, scenes: "Scenes") -> None:
        self.position, self.velocity = scenes.position.copy(), scenes.velocity.copy()
        self.mass = scenes.radius**2
        reach = EXTENTS[scenes.shape] * scenes.radius[..., None]  # (n, slots, 4): left, right, down, up
        self.lowest, self.highest = reach[..., [0, 2]], 1 - reach[..., [1, 3]]
        couples = list(combinations(range(scenes.shape.shape[1]), 2))
        self.first, self.second = np.array(couples, dtype=int).reshape(-1, 2).T
        self.differences: Pair = pair(
            scenes.shape[:, self.first],
            scenes.radius[:, self.first],
            scenes.shape[:, self.second],
            scenes.radius[:, self.second],
        )

    def next_impact(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(wait, which, normal): (n,) seconds, (n,) the number of the impact, pairs first, (n, 2) normal of pairs."""
        n = len(self.mass)
        relative = [values[:, self.second] - values[:, self.first] for values in (self.position, self.velocity)]
        pair_time, normals = first_contact(self.differences, *relative)
        with np.errstate(divide="ignore", invalid="ignore"):
            ahead = np.where(self.velocity > 0, self.highest - self.position, self.lowest - self.position)
            wall_time = np.where(self.velocity != 0, np.maximum(ahead / self.velocity, 0), np.inf)
        times = np.concatenate([pair_time, wall_time.reshape(n, -1)], axis=1)
        times = np.where(np.isnan(times), np.inf, times)
        which = times.argmin(axis=1)
        rows = np.arange(n)
        couples = len(self.first)
        normal = normals[rows, np.minimum(which, couples - 1)] if couples else np.zeros((n, 2))
        return times[rows, which], which, normal

    def exchange(
        self, happens: np.ndarray, wait: np.ndarray, which: np.ndarray, normal: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Let time pass and the impact happen; returns who meets, (n, 2), and the changes of velocity, (n, 2)."""
        self.position += wait[:, None, None] * self.velocity
        met = np.full((len(wait), 2), ABSENT)
        change = np.zeros((len(wait), 2))
        couples = len(self.first)

        rows = np.flatnonzero(happens & (which < couples))
        a, b = self.first[which[rows]], self.second[which[rows]]
        closing = dot(self.velocity[rows, a] - self.velocity[rows, b], normal[rows])
        impulse = 2 * closing * self.mass[rows, a] * self.mass[rows, b] / (self.mass[rows, a] + self.mass[rows, b])
        for place, (body, sign) in enumerate(((a, -1), (b, 1))):
            kick = impulse / self.mass[rows, body]
            self.velocity[rows, body] += sign * kick[:, None] * normal[rows]
            met[rows, place], change[rows, place] = body, np.abs(kick)

        rows = np.flatnonzero(happens & (which >= couples))
        body, axis = np.divmod(which[rows] - couples, 2)
        inward = -np.sign(self.velocity[rows, body, axis])
        edge = np.where(inward > 0, self.lowest[rows, body, axis], self.highest[rows, body, axis])
        self.position[rows, body, axis] = edge
        change[rows, 0] = 2 * np.abs(self.velocity[rows, body, axis])
        self.velocity[rows, body, axis] *= -1
        met[rows, 0], met[rows, 1] = body, WALL
        return met, change
