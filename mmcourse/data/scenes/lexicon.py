"""The words of the grammar in English and Chinese: for every meaning the usual words first, then others for it."""

from dataclasses import dataclass

Words = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Language:
    """The words of one language and the places where they stand.

    words: {kind: {meaning: wordings}};  noun: the parts of a noun phrase in order, (kind, text around the word), the
    kind empty where there is none; a part without a meaning is left out
    first, then: how the first and every further relation go on after a noun phrase;  joint: between those of a list
    """

    words: dict[str, Words]
    noun: tuple[tuple[str, str], ...]
    first: str
    then: str
    joint: str


_ENGLISH_NUMBERS = ("one", "two", "three", "four", "five", "six")
_CHINESE_NUMBERS = ("一", "两", "三", "四", "五", "六")

LANGUAGES = {
    "en": Language(
        words={
            "colour": {colour: (colour,) for colour in ("red", "yellow", "green", "blue", "purple", "white")},
            "shape": {
                "circle": ("circle", "disc"),
                "square": ("square",),
                "triangle": ("triangle",),
                "diamond": ("diamond", "rhombus"),
            },
            "size": {"small": ("small", "little"), "large": ("large", "big")},
            "motion": {
                "at rest": ("at rest", "standing still"),
                **{way: (f"moving {way}", f"heading {way}") for way in ("left", "right", "up", "down")},
            },
            "name": {name: (name,) for name in ("Ada", "Bo", "Cleo", "Dot", "Eli", "Fay")},
            "relation": {
                "left of": ("left of", "to the left of"),
                "right of": ("right of", "to the right of"),
                "above": ("above", "over"),
                "below": ("below", "under"),
            },
            "count": {
                str(n): tuple(f"{word} {noun}{'s' * (n > 1)}: " for noun in ("object", "thing"))
                for n, word in enumerate(_ENGLISH_NUMBERS, start=1)
            },
            "opening": {"": ("there is ", "here is ")},
        },
        noun=(
            ("", "a"),
            ("size", " {}"),
            ("colour", " {}"),
            ("shape", " {}"),
            ("name", " called {}"),
            ("motion", " {}"),
        ),
        first=" is {relation} {noun}",
        then=" which is {relation} {noun}",
        joint=" and ",
    ),
    "zh": Language(
        words={
            "colour": {
                "red": ("红色", "红"),
                "yellow": ("黄色", "黄"),
                "green": ("绿色", "绿"),
                "blue": ("蓝色", "蓝"),
                "purple": ("紫色", "紫"),
                "white": ("白色", "白"),
            },
            "shape": {
                "circle": ("圆形", "圆"),
                "square": ("正方形", "方形"),
                "triangle": ("三角形",),
                "diamond": ("菱形",),
            },
            "size": {"small": ("小", "小号"), "large": ("大", "大号")},
            "motion": {
                "at rest": ("静止的", "不动的"),
                "left": ("向左移动的", "往左移动的"),
                "right": ("向右移动的", "往右移动的"),
                "up": ("向上移动的", "往上移动的"),
                "down": ("向下移动的", "往下移动的"),
            },
            "name": {
                "Ada": ("艾达",),
                "Bo": ("阿波",),
                "Cleo": ("克莉",),
                "Dot": ("朵特",),
                "Eli": ("伊莱",),
                "Fay": ("菲菲",),
            },
            "relation": {
                "left of": ("左边", "左侧"),
                "right of": ("右边", "右侧"),
                "above": ("上方", "上面"),
                "below": ("下方", "下面"),
            },
            "count": {
                str(n): tuple(f"{word}个{noun}：" for noun in ("物体", "东西"))
                for n, word in enumerate(_CHINESE_NUMBERS, start=1)
            },
            "opening": {"": ("有", "这里有")},
        },
        noun=(
            ("", "一个"),
            ("name", "名叫{}的"),
            ("motion", "{}"),
            ("colour", "{}"),
            ("size", "{}"),
            ("shape", "{}"),
        ),
        first="在{noun}的{relation}",
        then="，后者在{noun}的{relation}",
        joint="和",
    ),
}


# What questions and answers need beside these, in Chinese. English says the meanings themselves.
_CHINESE_ANSWERS = {
    **dict(zip(("zero", *_ENGLISH_NUMBERS), ("零", *_CHINESE_NUMBERS[:1], "二", *_CHINESE_NUMBERS[2:]), strict=True)),
    **{"yes": "是", "no": "否", "wood": "木头", "metal": "金属", "glass": "玻璃"},
    **{"at rest": "静止", "left": "左", "right": "右", "up": "上", "down": "下"},
    **{"less than one metre": "不到一米", "more than one metre": "超过一米"},
    **{"comes nearer": "靠近", "goes away": "远离", "stays as far": "距离不变"},
}


def language_of(name: str) -> Language:
    """Raises ValueError for a language that is not there."""
    if name not in LANGUAGES:
        raise ValueError(f"scenes: language: got {name!r}, wanted one of {', '.join(LANGUAGES)}")
    return LANGUAGES[name]


def said(meaning: str, name: str) -> str:
    """The usual words for a meaning, or for the phrase of an object, in a question or an answer."""
    if name == "en":
        return meaning
    if meaning in _CHINESE_ANSWERS:
        return _CHINESE_ANSWERS[meaning]
    words = LANGUAGES[name].words
    for kind in ("colour", "shape", "size", "name", "relation"):
        if meaning in words[kind]:
            return words[kind][meaning][0]
    colour, shape = meaning.split(" ")
    return words["colour"][colour][0] + words["shape"][shape][0]
