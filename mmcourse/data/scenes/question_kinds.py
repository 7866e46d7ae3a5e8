"""The kinds of questions: their words in both languages, their answers, and which signals answer them."""

from collections.abc import Callable
from dataclasses import dataclass

from mmcourse.data.scenes import asking
from mmcourse.data.scenes.attributes import COLOURS, DIRECTIONS, MATERIALS, NAMES, RELATIONS, SHAPES, SIZES


@dataclass(frozen=True)
class Kind:
    """A kind of question. signals: each of these sets is enough to answer, and every set that is enough has one in it.

    "text" stands for a caption about everything; wording: {language: template}; answers: what an answer can be, empty
    for the phrase of an object
    """

    signals: tuple[frozenset[str], ...]
    wording: dict[str, str]
    answers: tuple[str, ...]
    ask: Callable[[asking.Look], asking.Asked | None]


def _any(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(names.split("+")) for names in sets)


_SEEN_OR_TOLD = _any("text", "image", "video")
_YES_NO = ("yes", "no")
KINDS = {
    "count": Kind(
        _SEEN_OR_TOLD, {"en": "how many objects are there?", "zh": "有几个物体？"}, asking.NUMBERS[1:], asking.count
    ),
    "exists": Kind(_SEEN_OR_TOLD, {"en": "is there a {thing}?", "zh": "是否有{thing}？"}, _YES_NO, asking.exists),
    "colour": Kind(
        _SEEN_OR_TOLD,
        {"en": "what colour is the {shape}?", "zh": "{shape}是什么颜色的？"},
        tuple(COLOURS),
        asking.colour,
    ),
    "shape": Kind(
        _SEEN_OR_TOLD,
        {"en": "what shape is the {colour} object?", "zh": "{colour}物体是什么形状的？"},
        SHAPES,
        asking.shape,
    ),
    "size": Kind(
        _SEEN_OR_TOLD,
        {"en": "is the {thing} small or large?", "zh": "{thing}是小的还是大的？"},
        tuple(SIZES),
        asking.size,
    ),
    "relation": Kind(
        _SEEN_OR_TOLD,
        {"en": "where is the {thing}, seen from the {other}?", "zh": "{thing}在{other}的哪一边？"},
        RELATIONS,
        asking.relation,
    ),
    "name": Kind(_any("text"), {"en": "what is the {thing} called?", "zh": "{thing}叫什么名字？"}, NAMES, asking.name),
    "motion": Kind(
        _any("text", "video"),
        {"en": "which way does the {thing} move at first?", "zh": "{thing}一开始往哪个方向移动？"},
        DIRECTIONS,
        asking.motion,
    ),
    "fastest": Kind(
        _any("video"),
        {"en": "which object moves fastest at first?", "zh": "一开始哪个物体移动得最快？"},
        (),
        asking.fastest,
    ),
    "first_wall": Kind(
        _any("video"),
        {"en": "which object is the first to hit a wall?", "zh": "哪个物体最先撞到墙？"},
        (),
        asking.first_wall,
    ),
    "impacts": Kind(
        _any("video", "sound"),
        {"en": "how many impacts are there in two seconds?", "zh": "两秒内有几次碰撞？"},
        asking.NUMBERS,
        asking.impacts,
    ),
    "first_material": Kind(
        _any("sound"),
        {"en": "what is the first object that hits a wall made of?", "zh": "最先撞到墙的物体是什么材料的？"},
        MATERIALS,
        asking.first_material,
    ),
    "material": Kind(
        _any("sound+video"),
        {"en": "what is the {thing} made of?", "zh": "{thing}是什么材料的？"},
        MATERIALS,
        asking.material,
    ),
    "nearest": Kind(
        _any("scan"),
        {"en": "how far from the sensor is the nearest object?", "zh": "最近的物体离传感器多远？"},
        (asking.NEAR, asking.FAR),
        asking.nearest,
    ),
    "approach": Kind(
        _any("scan", "video"),
        {
            "en": "does the object nearest to the sensor come nearer or go away at first?",
            "zh": "离传感器最近的物体一开始是靠近还是远离？",
        },
        ("comes nearer", "goes away", "stays as far"),
        asking.approach,
    ),
    "speed": Kind(
        _any("scan+video"),
        {
            "en": "does the {thing} move faster than two metres a second at first?",
            "zh": "{thing}一开始的速度是否超过每秒两米？",
        },
        _YES_NO,
        asking.speed,
    ),
}
