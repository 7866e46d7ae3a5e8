"""What is asked of one scene, and the answer, from what is true.

A question is asked only where its answer is clear: one object fits the description, the fastest is a quarter faster
than the next, impacts are apart, numbers are not near the border between two answers. None: not of this scene.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from mmcourse.data.scenes.attributes import DURATION
from mmcourse.data.scenes.motion import WALL
from mmcourse.data.scenes.things import Thing, relation_of

T = TypeVar("T")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")
FRAME = 0.125  # seconds between two frames of a video, unless asked otherwise
MARGIN = 1.25  # a number is called greater than another if it is so by this factor
LEAST_SPEED = 0.1  # room widths a second: what is slower towards the sensor, and not at rest, is not asked about
NEAR, FAR = "less than one metre", "more than one metre"


@dataclass(frozen=True)
class Look:
    """One scene as a question reads it.

    things: from left to right;  speed: room widths a second at time 0, by slot;  side: metres
    impacts: (seconds, slot, slot or WALL), in order;  possible: phrases of the combinations of this world
    nearest: (metres, radial velocity in room widths a second) of the nearest point, by slot
    chance: a random number in [0, 1) at each call
    """

    things: list[Thing]
    speed: list[float]
    side: float
    impacts: list[tuple[float, int, int]]
    possible: list[str]
    nearest: list[tuple[float, float]]
    chance: Callable[[], float]

    def any_of(self, choices: Sequence[T]) -> T:
        """One of these by chance."""
        return choices[int(self.chance() * len(choices))]

    def in_slot(self, slot: int) -> Thing:
        """The object of a slot."""
        return next(thing for thing in self.things if thing.slot == slot)


Asked = tuple[dict[str, str], str]  # what the question names, and the answer


def count(look: Look) -> Asked:
    return {}, NUMBERS[len(look.things)]


def exists(look: Look) -> Asked | None:
    here = [thing.phrase for thing in look.things]
    if look.chance() < 0.5:
        return {"thing": look.any_of(here)}, "yes"
    # What is not there is hard to tell from what is: its colour and its shape are both there, if that can be.
    colours, shapes = {thing.colour for thing in look.things}, {thing.shape for thing in look.things}
    absent = [phrase for phrase in look.possible if phrase not in here]
    known = [sum((part in colours) + (part in shapes) for part in phrase.split()) for phrase in absent]
    hardest = [phrase for phrase, parts in zip(absent, known, strict=True) if parts == max(known)]
    return ({"thing": look.any_of(hardest)}, "no") if hardest else None


def _only(look: Look, kind: str) -> Thing | None:
    """One of the objects that alone have their colour (shape), by chance."""
    values = [getattr(thing, kind) for thing in look.things]
    alone = [thing for thing, value in zip(look.things, values, strict=True) if values.count(value) == 1]
    return look.any_of(alone) if alone else None


def colour(look: Look) -> Asked | None:
    thing = _only(look, "shape")
    return thing and ({"shape": thing.shape}, thing.colour)


def shape(look: Look) -> Asked | None:
    thing = _only(look, "colour")
    return thing and ({"colour": thing.colour}, thing.shape)


def size(look: Look) -> Asked:
    thing = look.any_of(look.things)
    return {"thing": thing.phrase}, thing.size


def relation(look: Look) -> Asked | None:
    neighbours = list(pairwise(look.things))  # of which captions tell
    if not neighbours:
        return None
    a, b = look.any_of(neighbours)
    a, b = (a, b) if look.chance() < 0.5 else (b, a)
    return {"thing": a.phrase, "other": b.phrase}, relation_of(a, b)


def name(look: Look) -> Asked:
    thing = look.any_of(look.things)
    return {"thing": thing.phrase}, thing.name


def motion(look: Look) -> Asked:
    thing = look.any_of(look.things)
    return {"thing": thing.phrase}, thing.motion


def fastest(look: Look) -> Asked | None:
    speeds = sorted((look.speed[thing.slot], thing.phrase) for thing in look.things)
    if len(speeds) < 2 or not speeds[-1][0] > MARGIN * speeds[-2][0]:
        return None
    return {}, speeds[-1][1]


def first_wall(look: Look) -> Asked | None:
    hits = [(time, slot) for time, slot, other in look.impacts if other == WALL]
    if not hits or hits[0][0] > DURATION - FRAME or (len(hits) > 1 and hits[1][0] - hits[0][0] < FRAME):
        return None
    return {}, look.in_slot(hits[0][1]).phrase


def impacts(look: Look) -> Asked | None:
    times = [time for time, _, _ in look.impacts]
    apart = all(b - a > FRAME / 2 for a, b in pairwise([*times, DURATION]))
    return ({}, NUMBERS[len(times)]) if len(times) < len(NUMBERS) and apart else None


def first_material(look: Look) -> Asked | None:
    times = [time for time, _, _ in look.impacts] + [DURATION]
    if len(times) < 2 or look.impacts[0][2] != WALL or times[1] - times[0] < FRAME:
        return None
    return {}, look.in_slot(look.impacts[0][1]).material


def material(look: Look) -> Asked | None:
    """Of an object that strikes a wall alone, among impacts that do not all sound like it."""
    times = [-DURATION, *(time for time, _, _ in look.impacts), DURATION]
    alone = [
        slot
        for (_, slot, other), before, now, after in zip(look.impacts, times, times[1:], times[2:], strict=False)
        if other == WALL and min(now - before, after - now) > FRAME
    ]
    heard = {look.in_slot(slot).material for _, a, b in look.impacts for slot in (a, b) if slot != WALL}
    if not alone or len(heard) < 2:
        return None
    thing = look.in_slot(look.any_of(list(dict.fromkeys(alone))))
    return {"thing": thing.phrase}, thing.material


def nearest(look: Look) -> Asked | None:
    metres = min(look.nearest[thing.slot][0] for thing in look.things)
    return None if 1 / MARGIN < metres < MARGIN else ({}, NEAR if metres < 1 else FAR)


def approach(look: Look) -> Asked | None:
    (metres, radial), *others = sorted(look.nearest[thing.slot] for thing in look.things)
    if (others and others[0][0] < MARGIN * metres) or 0 < abs(radial) < LEAST_SPEED:
        return None
    return {}, "stays as far" if radial == 0 else "comes nearer" if radial < 0 else "goes away"


def speed(look: Look) -> Asked | None:
    clear = [thing for thing in look.things if not 2 / MARGIN < look.speed[thing.slot] * look.side < 2 * MARGIN]
    if not clear:
        return None
    thing = look.any_of(clear)
    return {"thing": thing.phrase}, "yes" if look.speed[thing.slot] * look.side > 2 else "no"
