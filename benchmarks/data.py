"""How many scenes a second the generator makes, and how many of each signal, on one core."""

import time
from collections.abc import Callable
from functools import partial

from mmcourse.data.scenes import Scenes, scenes

SIGNALS: dict[str, Callable[[Scenes], object]] = {
    "captions": Scenes.captions,
    "images of 32 pixels": lambda data: data.images(32),
    "images of 64 pixels": lambda data: data.images(64),
    "videos of 16 frames of 32 pixels": lambda data: data.video(32),
    "sounds of 2 seconds": Scenes.sound,
    "scans of 64 beams": Scenes.scan,
    "questions of every kind": Scenes.questions,
}


def throughput(n: int = 512, rounds: int = 3) -> dict[str, float]:
    """Scenes per second of processor time, the best of some rounds of n: of the generator, and of each signal of them.

    "scenes with captions and images" is the sum of what it takes to make a scene, its caption and its 32-pixel picture.
    """
    data = scenes(n, seed=0)
    seconds = {"scenes": _best(lambda: scenes(n, seed=0), rounds)}
    seconds |= {name: _best(partial(make, data), rounds) for name, make in SIGNALS.items()}
    whole = sum(seconds[name] for name in ("scenes", "captions", "images of 32 pixels"))
    return {name: n / taken for name, taken in {"scenes with captions and images": whole, **seconds}.items()}


def _best(call: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return min(taken)
