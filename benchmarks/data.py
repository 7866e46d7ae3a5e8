"""How many scenes a second the generator makes, and how many of each of their signals."""

from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.runner import Rate
from mmcourse.data.scenes import Scenes, scenes

SCENES = 512
SIGNALS: dict[str, Callable[[Scenes], object]] = {
    "captions": Scenes.captions,
    "images of 32 pixels": lambda data: data.images(32),
    "images of 64 pixels": lambda data: data.images(64),
    "videos of 16 frames of 32 pixels": lambda data: data.video(32),
    "sounds of 2 seconds": Scenes.sound,
    "scans of 64 beams": Scenes.scan,
    "questions of every kind": Scenes.questions,
}


def captioned_pictures() -> object:
    """Scenes from nothing, with what most lessons take of them."""
    data = scenes(SCENES, seed=0)
    return data.captions(), data.images(32)


def cases() -> Iterator[Rate]:
    yield Rate("scenes with captions and images of 32 pixels", "scenes", SCENES, captioned_pictures)
    data = scenes(SCENES, seed=0)
    for name, make in SIGNALS.items():
        yield Rate(f"scenes: {name}", "scenes", SCENES, partial(make, data))
