"""A batch of scenes: what is true of them, and every signal that they give."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.scenes import facts, grammar, pictures, scanning, scoring, sounds, splits, validity
from mmcourse.data.scenes.attributes import ABSENT, DURATION, SIZES
from mmcourse.data.scenes.motion import Motion, motion
from mmcourse.data.scenes.question_kinds import KINDS
from mmcourse.data.scenes.questions import Questions, questions
from mmcourse.errors import EmptyBatchError

RADII = np.array([*SIZES.values(), np.nan])  # the last is that of ABSENT
_PER_SCENE = ("shape", "colour", "size", "material", "name", "position", "velocity", "side", "key")


@dataclass(frozen=True, eq=False, repr=False)
class Scenes:
    """n scenes at time 0, each with up to `slots` objects; mmcourse.data.scenes says what a scene is.

    shape, colour, size, material, name: (n, slots) whole numbers, places in SHAPES, COLOURS, SIZES, MATERIALS, NAMES;
    -1 in a slot without an object
    position, velocity: (n, slots, 2) room widths, room widths a second; NaN in a slot without an object
    side: (n,) width of the room in metres
    key: (n,) uint64, from which wordings and questions are chosen
    combinations: (colours, shapes) booleans, which combinations this world can have; questions name no others
    Raises the ModalityError that fits where objects overlap or leave the room, or where fields do not fit together.
    """

    shape: np.ndarray
    colour: np.ndarray
    size: np.ndarray
    material: np.ndarray
    name: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    side: np.ndarray
    key: np.ndarray
    combinations: np.ndarray

    def __post_init__(self) -> None:
        validity.check(self)

    def __len__(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        fewest, most = self.count.min(), self.count.max()
        objects = f"{most}" if fewest == most else f"{fewest} to {most}"
        return f"Scenes({len(self)} scenes of {objects} objects; {self.combinations.sum()} combinations)"

    # What is true ----------------------------------------------------------------------------------------------------

    @property
    def present(self) -> np.ndarray:
        """(n, slots) booleans: where there is an object."""
        return self.shape != ABSENT

    @property
    def count(self) -> np.ndarray:
        """(n,) how many objects there are."""
        return self.present.sum(axis=1)

    @property
    def radius(self) -> np.ndarray:
        """(n, slots) of the circle with the area of the object, in room widths; NaN where there is none."""
        return RADII[self.size]

    @property
    def order(self) -> np.ndarray:
        """(n, slots) the slots from left to right, those without an object last."""
        return np.argsort(self.position[..., 0], axis=1)  # NaN sorts last

    def facts(self, about: Collection[str] | None = None) -> list[frozenset[facts.Fact]]:
        """For each scene the facts that are true of it; with `about`, those that a caption about this tells.

        mmcourse.data.scenes.facts says what a fact is. Raises ValueError for an unknown subject.
        """
        return facts.true_facts(self) if about is None else facts.caption_facts(self, about)

    def motion(self, duration: float = DURATION) -> Motion:
        """Where everything is at any time up to `duration` seconds, and all impacts.

        Raises ValueError for a duration that is not positive and finite.
        """
        return motion(self, duration)

    def boxes(self, size: int = 64) -> np.ndarray:
        """(n, slots, 4) left, top, right, bottom of the objects in a picture of `size` pixels; NaN without an object.

        Pixels from the upper left corner of the picture, x right and y down, exact and not rounded.
        """
        pictures.check_size(size)
        return pictures.boxes(self.shape, self.radius, self.position, size)

    def masks(self, size: int = 64) -> np.ndarray:
        """(n, slots, size, size) float32: the share of each pixel that each object covers."""
        pictures.check_size(size)
        return pictures.masks(self.shape, self.radius, self.position, size)

    # Signals ---------------------------------------------------------------------------------------------------------

    def captions(
        self,
        language: str = "en",
        *,
        about: Collection[str] = ("size", "motion", "relations"),
        paraphrase: int | None = None,
    ) -> tuple[str, ...]:
        """n texts that tell colours and shapes, from left to right, and what they are to be about beside these.

        language: "en" or "zh";  about: some of "count", "size", "motion", "relations", "names"
        paraphrase: None for the usual words, or a seed for words and direction by chance. In the usual words every
        object is said once, so that scenes with exchanged colours have captions of the same words.
        Raises ValueError for an unknown language or subject. parse(caption, language) gives back the facts.
        """
        return grammar.captions(self, language, about, paraphrase)

    def images(self, size: int = 64) -> np.ndarray:
        """(n, 3, size, size) float32 sRGB values in [0, 1] at time 0. Raises ValueError for a size below 16 pixels."""
        pictures.check_size(size)
        return pictures.draw(self.shape, self.colour, self.radius, self.position, size)

    def video(self, size: int = 64, *, frames: int = 16, frame_rate: float = 8.0) -> np.ndarray:
        """(n, frames, 3, size, size) float32; frame i shows the scene at i / frame_rate seconds, without blur.

        Raises ValueError for a size below 16 pixels, no frames, or a rate that is not positive.
        """
        pictures.check_size(size)
        if frames < 1 or not 0 < frame_rate < np.inf:
            raise ValueError(
                f"video: got {frames} frames at {frame_rate} a second, wanted 1 or more at a positive rate"
            )
        times = np.arange(frames) / frame_rate
        position, _ = self.motion(max(times[-1], 1 / frame_rate)).at(times)  # (n, frames, slots, 2)
        shape, colour, radius = (np.repeat(looks, frames, axis=0) for looks in (self.shape, self.colour, self.radius))
        shown = pictures.draw(shape, colour, radius, position.reshape(-1, *position.shape[2:]), size)
        return shown.reshape(len(self), frames, *shown.shape[1:])

    def sound(self, rate: int = 8000, *, duration: float = DURATION) -> np.ndarray:
        """(n, samples) float32, sample i at i / rate seconds: the ring of every impact, as in scenes.sounds.

        Pitch tells size, timbre tells material, time tells when. Raises ValueError for a rate below 2,000.
        """
        return sounds.waveforms(self.size, self.material, self.motion(duration), rate)

    def scan(
        self,
        beams: int = 64,
        *,
        time: float = 0.0,
        max_range: float = np.inf,
        sensor: tuple[float, float] = scanning.SENSOR,
        heading: float = scanning.HEADING,
        field: float = scanning.FIELD,
    ) -> scanning.RangeScan:
        """Distance in metres and radial velocity in metres a second along each beam, leftmost first.

        sensor: room widths;  heading, field: radians;  usually the sensor is in the middle of the lower wall, looks up,
        and its beams cover the half-plane. mmcourse.data.scenes.scanning has the conventions.
        """
        position, velocity = self.position, self.velocity
        if time != 0:
            position, velocity = (values[:, 0] for values in self.motion(time).at([time]))
        return scanning.scan(
            self.shape,
            self.radius,
            position,
            velocity,
            self.side,
            beams=beams,
            max_range=max_range,
            sensor=sensor,
            heading=heading,
            field=field,
        )

    # Tasks -----------------------------------------------------------------------------------------------------------

    def questions(self, kinds: Sequence[str] = tuple(KINDS), *, seed: int = 0, language: str = "en") -> Questions:
        """One question of each kind about each scene, where its answer is clear; scene by scene.

        KINDS has the signals, wordings and answers of each kind. Raises ValueError for an unknown kind or language.
        """
        return questions(self, kinds, seed, language)

    def fact_scores(
        self,
        captions: Sequence[str],
        language: str = "en",
        *,
        about: Collection[str] = ("size", "motion", "relations"),
    ) -> scoring.FactScores:
        """How true n captions are of these scenes, and how much they tell of what one about this should tell.

        Raises ValueError for another number of captions, an unknown language or subject.
        """
        return scoring.fact_scores(captions, self, language, about)

    # Other scenes ----------------------------------------------------------------------------------------------------

    def take(self, indices: ArrayLike | slice) -> Self:
        """The rows that `indices` (whole numbers, booleans (n,) or a slice) select. Raises EmptyBatchError for none."""
        chosen = indices if isinstance(indices, slice) else np.asarray(indices)
        nothing = isinstance(chosen, np.ndarray) and chosen.size == 0  # an empty list, which is no list of integers
        rows = np.arange(0) if nothing else np.arange(len(self))[chosen]
        if rows.size == 0:
            raise EmptyBatchError("scenes", got="no indices", wanted="at least 1", where="Scenes.take")
        return replace(self, **{field: getattr(self, field)[rows] for field in _PER_SCENE})

    def changed(self, **fields: np.ndarray) -> Self:
        """The same scenes with other values in some fields: `.changed(side=2 * scenes.side)`. Raises as Scenes does."""
        return replace(self, **fields)

    @property
    def can_swap(self) -> np.ndarray:
        """(n,) booleans: where two objects differ in colour and in shape, so that their colours can be exchanged."""
        return splits.swappable(self)[1]

    def swapped(self) -> Self:
        """The same scenes with the colours of two objects exchanged: "a red circle … a blue square" becomes
        "a blue circle … a red square", the same bag of words for another scene.

        The two are the first from left to right that differ in colour and shape. Swapped scenes may have combinations
        that this world cannot have otherwise. Raises ModalityError where there are no such two.
        """
        return replace(self, colour=splits.swapped_colours(self))

    def has(self, chosen: np.ndarray) -> np.ndarray:
        """(n,) booleans: which scenes have an object of a chosen combination, (colours, shapes) booleans."""
        return (chosen[self.colour, self.shape] & self.present).any(axis=1)

    def split(self, seed: int, held_out: int = 4) -> tuple[Self, Self]:
        """(train, test): test has all scenes with an object of `held_out` combinations that train never has.

        Each colour and each shape of these stays in two or more combinations of train, and the questions of train
        never name what is held out. Raises ValueError where so many cannot be held out, or one side would be empty.
        """
        held = splits.hold_out(self.combinations, seed, held_out)
        in_test = self.has(held)
        if in_test.all() or not in_test.any():
            got = f"{in_test.sum()} of {len(self)} scenes with one of {held_out} combinations"
            raise ValueError(f"Scenes.split: held_out: got {got}, wanted some on either side")
        return replace(self.take(~in_test), combinations=self.combinations & ~held), self.take(in_test)
