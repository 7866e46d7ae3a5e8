"""Questions about scenes with their exact answers, in both languages."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.scenes.asking import Look
from mmcourse.data.scenes.attributes import COLOURS, DURATION, SHAPES
from mmcourse.data.scenes.contact import dot
from mmcourse.data.scenes.lexicon import language_of, said
from mmcourse.data.scenes.motion import motion
from mmcourse.data.scenes.question_kinds import KINDS
from mmcourse.data.scenes.scanning import SENSOR, nearest_point
from mmcourse.data.scenes.signals import SIGNALS
from mmcourse.data.scenes.streams import uniform
from mmcourse.data.scenes.things import things
from mmcourse.errors import EmptyBatchError

if TYPE_CHECKING:
    from mmcourse.data.scenes.batch import Scenes

_CHANCES = 8  # more than one question has to make


@dataclass(frozen=True, eq=False, repr=False)
class Questions:
    """m questions: row i is about scene number scene[i] of the Scenes that they were asked of.

    scene: (m,) whole numbers;  kind: m names of kinds;  text, answer: m texts in one language
    """

    scene: np.ndarray
    kind: tuple[str, ...]
    text: tuple[str, ...]
    answer: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.scene)

    def __repr__(self) -> str:
        return (
            f"Questions({len(self)} about {len(np.unique(self.scene))} scenes; {', '.join(dict.fromkeys(self.kind))})"
        )

    def take(self, indices: ArrayLike | slice) -> Self:
        """The rows that `indices` (whole numbers, booleans (m,) or a slice) select. Raises EmptyBatchError for none."""
        chosen = indices if isinstance(indices, slice) else np.asarray(indices)
        nothing = isinstance(chosen, np.ndarray) and chosen.size == 0
        rows = np.arange(0) if nothing else np.arange(len(self))[chosen]
        if rows.size == 0:
            raise EmptyBatchError("questions", got="no indices", wanted="at least 1", where="Questions.take")
        texts = {name: tuple(getattr(self, name)[i] for i in rows) for name in ("kind", "text", "answer")}
        return replace(self, scene=self.scene[rows], **texts)

    def answerable(self, signals: Collection[str]) -> np.ndarray:
        """(m,) booleans: which can be answered, always and without guessing, by who has these signals of the scene.

        Raises ValueError for a signal that is not one of SIGNALS.
        """
        if isinstance(signals, str) or not set(signals) <= set(SIGNALS):
            raise ValueError(f"answerable: signals: got {signals!r}, wanted some of {', '.join(SIGNALS)}")
        enough = {kind for kind, about in KINDS.items() if any(needed <= set(signals) for needed in about.signals)}
        return np.array([kind in enough for kind in self.kind])

    def majority(self) -> dict[str, float]:
        """{kind: the share of its most frequent answer}: what who always gives that answer gets right."""
        return {kind: max(counts.values()) / counts.total() for kind, counts in self._counts().items()}

    def balanced(self, seed: int) -> Self:
        """As many as possible of these, chosen by chance, with all answers of a kind equally frequent, in order.

        Answers of a kind that do not occur are not made up for; so a kind with one answer keeps all its questions.
        """
        least = {kind: min(counts.values()) for kind, counts in self._counts().items()}
        left = {(kind, answer): least[kind] for kind, counts in self._counts().items() for answer in counts}
        chosen = []
        for row in np.random.default_rng(seed).permutation(len(self)).tolist():
            key = self.kind[row], self.answer[row]
            if left[key]:
                left[key] -= 1
                chosen.append(row)
        return self.take(np.sort(chosen))

    def _counts(self) -> dict[str, Counter[str]]:
        counts: dict[str, Counter[str]] = {}
        for kind, answer in zip(self.kind, self.answer, strict=True):
            counts.setdefault(kind, Counter())[answer] += 1
        return counts


def questions(scenes: "Scenes", kinds: Sequence[str], seed: int, language: str) -> Questions:
    """One question of each kind about each scene, where its answer is clear; scene by scene, in the order of kinds.

    Raises ValueError for an unknown kind or language, and where no question at all can be asked.
    """
    language_of(language)
    if isinstance(kinds, str) or not kinds or not set(kinds) <= set(KINDS):
        raise ValueError(f"questions: kinds: got {kinds!r}, wanted some of {', '.join(KINDS)}")
    places = [list(KINDS).index(kind) for kind in kinds]
    rows: list[tuple[int, str, str, str]] = []
    for number, (look, chances) in enumerate(_looks(scenes, seed)):
        for kind, place in zip(kinds, places, strict=True):
            # Chances of its own, so that a question does not depend on which others are asked.
            own = iter(chances[_CHANCES * place : _CHANCES * (place + 1)])
            asked = KINDS[kind].ask(replace(look, chance=own.__next__))
            if asked is not None:
                named = {part: said(meaning, language) for part, meaning in asked[0].items()}
                rows.append((number, kind, KINDS[kind].wording[language].format(**named), said(asked[1], language)))
    if not rows:
        raise ValueError(f"questions: kinds: got {', '.join(kinds)}, of which none can be asked of these scenes")
    scene, kind_names, texts, answers = zip(*rows, strict=True)
    return Questions(np.array(scene), kind_names, texts, answers)


def _looks(scenes: "Scenes", seed: int) -> Iterator[tuple[Look, list[float]]]:
    what = motion(scenes, DURATION)
    distance, towards = nearest_point(scenes.shape, scenes.radius, scenes.position, np.array(SENSOR))
    nearest = np.stack([distance * scenes.side[:, None], dot(scenes.velocity, towards)], axis=-1)
    colours = tuple(COLOURS)
    possible = [f"{colours[i]} {SHAPES[j]}" for i, j in np.argwhere(scenes.combinations).tolist()]
    columns = zip(
        things(scenes),
        np.hypot(scenes.velocity[..., 0], scenes.velocity[..., 1]).tolist(),
        scenes.side.tolist(),
        what.time[:, 1:].tolist(),
        what.objects.tolist(),
        nearest.tolist(),
        uniform(scenes.key, "question", np.arange(_CHANCES * len(KINDS)), seed).tolist(),
        strict=True,
    )
    for found, speed, side, times, objects, near, chances in columns:
        impacts = [(time, *pair) for time, pair in zip(times, objects, strict=True) if time < np.inf]
        yield Look(found, speed, side, impacts, possible, near, iter(chances).__next__), chances
