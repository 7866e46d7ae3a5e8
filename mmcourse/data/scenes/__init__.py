"""A micro-world whose truth is known: coloured shapes in a room, and five signals of what they are and do.

    from mmcourse.data import scenes
    world = scenes(1000, seed=0)
    world.captions(), world.captions("zh"), world.images(), world.video(), world.sound(), world.scan()
    world.questions(), world.facts(), world.boxes(), world.masks(), world.motion(), world.take([0]), world.split(seed=0)

The room is seen from above. Places are in room widths, x to the right and y up, from (0, 0), the lower left corner, to
(1, 1); velocities are in room widths a second. How many metres the room is wide is a property of the scene that a
picture does not show. Objects never overlap and do not turn. They slide without friction, bounce off walls and each
other, and ring when they are struck.

Each signal tells something that the others do not (signals.CARRIES, in the order text, image, video, sound, scan):

    fact                  text     image    video    sound    scan
    number of objects     yes      yes      yes      no       partly
    colour                yes      yes      yes      no       no
    shape                 yes      yes      yes      no       partly
    size                  yes      yes      yes      partly   partly
    place in the room     partly   yes      yes      no       partly
    metres                no       no       no       no       yes
    direction of motion   yes      no       yes      no       partly
    speed                 no       no       yes      no       partly
    times of impacts      no       no       yes      yes      no
    material              no       no       no       partly   no
    name                  yes      no       no       no       no

Text is a caption about everything. Partly: text says where objects are from each other, not where in the room; sound
tells of what is struck; a scan sees what stands behind nothing else, its outline on the side of the sensor, and the
part of a velocity that points to or from the sensor.
"""

from mmcourse.data.scenes.attributes import (
    COLOURS,
    DIRECTIONS,
    DURATION,
    FLOOR,
    MATERIALS,
    NAMES,
    RELATIONS,
    SHAPES,
    SIZES,
)
from mmcourse.data.scenes.batch import Scenes
from mmcourse.data.scenes.by_hand import scenes_by_hand
from mmcourse.data.scenes.facts import ABOUT
from mmcourse.data.scenes.generation import scenes
from mmcourse.data.scenes.grammar import parse
from mmcourse.data.scenes.motion import WALL, Motion
from mmcourse.data.scenes.question_kinds import KINDS
from mmcourse.data.scenes.questions import Questions
from mmcourse.data.scenes.scanning import RangeScan
from mmcourse.data.scenes.scoring import FactScores
from mmcourse.data.scenes.signals import CARRIES, SIGNALS

__all__ = [
    "ABOUT",
    "CARRIES",
    "COLOURS",
    "DIRECTIONS",
    "DURATION",
    "FLOOR",
    "KINDS",
    "MATERIALS",
    "NAMES",
    "RELATIONS",
    "SHAPES",
    "SIGNALS",
    "SIZES",
    "WALL",
    "FactScores",
    "Motion",
    "Questions",
    "RangeScan",
    "Scenes",
    "parse",
    "scenes",
    "scenes_by_hand",
]
