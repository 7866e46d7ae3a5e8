"""Spoken digits, English and Chinese: words of a speech synthesiser in thirteen voices."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.digit_words import DIGIT_WORDS, LANGUAGES, Language
from mmcourse.errors import DtypeError, EmptyBatchError, NotFiniteError, ShapeError

MANIFEST, AUDIO = "spoken_digits.json", "spoken_digits.flac"


@dataclass(frozen=True, eq=False, repr=False)
class SpokenDigits:
    """n recordings, each as long as it is: row i is the digit labels[i], said by voices[i] in languages[i].

    waveforms: n arrays (samples,) of floats in [-1, 1];  sample_rate: in hertz, the same for all
    rates, pitches: (n,) the settings of a synthesiser, words a minute and 0 to 99; None for people
    Raises the ModalityError that fits, naming "audio" or the field, what came and what was wanted.
    """

    waveforms: tuple[np.ndarray, ...]
    labels: np.ndarray
    voices: tuple[str, ...]
    languages: tuple[str, ...]
    sample_rate: int
    rates: np.ndarray | None = None
    pitches: np.ndarray | None = None

    def __post_init__(self) -> None:
        where = "SpokenDigits"
        if not self.waveforms:
            raise EmptyBatchError("audio", got="0 recordings", wanted="at least 1", where=where)
        for row, waveform in enumerate(self.waveforms):
            if waveform.ndim != 1 or len(waveform) == 0:
                got = f"shape {waveform.shape} in row {row}"
                raise ShapeError("audio", got=got, wanted="(samples,), at least 1", where=where)
            if not np.issubdtype(waveform.dtype, np.floating):
                got = f"dtype {waveform.dtype} in row {row}"
                raise DtypeError("audio", got=got, wanted="floats in [-1, 1]", where=where)
            if not np.isfinite(waveform).all():
                raise NotFiniteError("audio", got=f"NaN or infinity in row {row}", wanted="finite", where=where)
        for field in ("labels", "voices", "languages", "rates", "pitches"):
            values = getattr(self, field)
            if values is not None and len(values) != len(self):
                got, wanted = f"{len(values)} rows", f"{len(self)}, one for each recording"
                raise ShapeError(field, got=got, wanted=wanted, where=where)

    def __len__(self) -> int:
        return len(self.waveforms)

    def __repr__(self) -> str:
        voices, languages = (", ".join(dict.fromkeys(names)) for names in (self.voices, self.languages))
        return (
            f"SpokenDigits({len(self)} recordings, {self.lengths.sum() / self.sample_rate:.0f} s at "
            f"{self.sample_rate} Hz; {languages}; {voices})"
        )

    @property
    def lengths(self) -> np.ndarray:
        """(n,) how many samples each recording has."""
        return np.array([len(waveform) for waveform in self.waveforms])

    @property
    def words(self) -> tuple[str, ...]:
        """(n,) what is said, as it is written."""
        spoken = zip(self.labels.tolist(), self.languages, strict=True)
        return tuple(DIGIT_WORDS[language][label] for label, language in spoken)  # type: ignore[index]

    @property
    def identities(self) -> np.ndarray:
        """(n,) whole numbers, equal where the recording is the same: what hangs together in an interval or a split."""
        known: dict[bytes, int] = {}
        return np.array([known.setdefault(waveform.tobytes(), len(known)) for waveform in self.waveforms])

    def padded(self, length: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(n, length) waveforms with zeros after their end, and (n, length) bool: where there is sound.

        length: default that of the longest of these recordings. Raises ShapeError where one is longer.
        """
        longest = int(self.lengths.max())
        length = longest if length is None else length
        if length < longest:
            got = f"{longest} samples in row {int(self.lengths.argmax())}"
            raise ShapeError("audio", got=got, wanted=f"at most {length}", where="SpokenDigits.padded")
        rows = np.zeros((len(self), length), dtype=np.float32)
        for row, waveform in zip(rows, self.waveforms, strict=True):
            row[: len(waveform)] = waveform
        return rows, np.arange(length) < self.lengths[:, None]

    def take(self, indices: ArrayLike | slice) -> Self:
        """The recordings that `indices` (integers, booleans (n,) or a slice) select, in that order.

        Raises EmptyBatchError where nothing is selected.
        """
        chosen = indices if isinstance(indices, slice) else np.asarray(indices)
        nothing = isinstance(chosen, np.ndarray) and chosen.size == 0  # an empty list, which is no list of integers
        rows = np.arange(0) if nothing else np.arange(len(self))[chosen]
        if rows.size == 0:
            raise EmptyBatchError("audio", got="no indices", wanted="at least 1", where="SpokenDigits.take")
        return replace(
            self,
            waveforms=tuple(self.waveforms[i] for i in rows),
            labels=self.labels[rows],
            voices=tuple(self.voices[i] for i in rows),
            languages=tuple(self.languages[i] for i in rows),
            rates=None if self.rates is None else self.rates[rows],
            pitches=None if self.pitches is None else self.pitches[rows],
        )


def spoken_digits(part: Literal["train", "test"], *, language: Language | None = None) -> SpokenDigits:
    """The digits zero to nine (零 to 九), said by a synthesiser: 8,000 Hz, each word three times by each voice.

    part: no voice is in both. "train" has nine voices, 270 recordings a language, "test" the other four, 120.
    language: "english", "chinese" (Mandarin), or None for both
    Every voice says every word at 130, 160 and 190 words a minute and, in other combinations for other words, at three
    pitches; the English has six accents. Peaks are at 0.9, and the amplitude has 10 bits (noise 50 dB below the
    speech). What a synthesiser says is far more alike than what people say: a result on these voices says little of
    people. For those see free_spoken_digits.
    What is returned is a fresh copy. Raises ValueError for an unknown part or language.

    Source: espeak-ng 1.52 (https://github.com/espeak-ng/espeak-ng), through authoring/spoken_digits.py; the manifest
    mmcourse/data/spoken_digits.json lists every recording and states the licence, CC BY 4.0.
    """
    if part not in ("train", "test"):
        raise ValueError(f'spoken_digits: part: got {part!r}, wanted "train" or "test"')
    if language is not None and language not in LANGUAGES:
        wanted = " or ".join(f'"{name}"' for name in LANGUAGES)
        raise ValueError(f"spoken_digits: language: got {language!r}, wanted {wanted}")
    content, samples = manifest(), _samples()
    rows = [
        row
        for row in _recordings(content)
        if (row["voice"] in content["test_voices"]) == (part == "test") and language in (None, row["language"])
    ]
    return SpokenDigits(
        waveforms=tuple(samples[row["start"] : row["stop"]].astype(np.float32) / 2**15 for row in rows),
        labels=np.array([row["digit"] for row in rows]),
        voices=tuple(row["voice"] for row in rows),
        languages=tuple(row["language"] for row in rows),
        sample_rate=content["sample_rate"],
        rates=np.array([row["rate"] for row in rows]),
        pitches=np.array([row["pitch"] for row in rows]),
    )


def longest_spoken_digit() -> int:
    """Samples of the longest recording, of both parts and languages: a length that fits every one."""
    return max(row["stop"] - row["start"] for row in _recordings(manifest()))


@cache
def manifest() -> dict[str, Any]:
    """What the package ships: how it was made, its licence, its checksums, and the columns of every recording."""
    return json.loads(resources.files("mmcourse.data").joinpath(MANIFEST).read_text(encoding="utf-8"))


def _recordings(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (dict(zip(content["columns"], row, strict=True)) for row in content["recordings"])


@cache
def _samples() -> np.ndarray:
    """(samples,) int16: all recordings, one after another."""
    import soundfile  # here and not above: images and words do without its library

    # Read by Python and not by the library, so that it is recorded which data a lesson reads.
    content = resources.files("mmcourse.data").joinpath(AUDIO).read_bytes()
    return soundfile.read(io.BytesIO(content), dtype="int16")[0]
