"""Digits said one after another, and when each of them is said."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.digit_words import DIGIT_WORDS, LANGUAGES, Language
from mmcourse.data.spoken_digits import SpokenDigits, spoken_digits
from mmcourse.errors import EmptyBatchError, ShapeError

WHERE = "spoken_digit_sequences"
LOUDEST_NOISE, QUIETEST_NOISE = -100, 100  # decibels below the speech


@dataclass(frozen=True, eq=False, repr=False)
class SpokenDigitSequences:
    """n recordings of several digits: in row i, digit digits[i][u] sounds in samples starts[i][u] to ends[i][u] - 1.

    waveforms: n arrays (samples,) of floats;  digits, starts, ends: n arrays (digits said,) of whole numbers
    voices, languages: (n,) of each row one;  sample_rate: in hertz, the same for all
    """

    waveforms: tuple[np.ndarray, ...]
    digits: tuple[np.ndarray, ...]
    starts: tuple[np.ndarray, ...]
    ends: tuple[np.ndarray, ...]
    voices: tuple[str, ...]
    languages: tuple[str, ...]
    sample_rate: int

    def __len__(self) -> int:
        return len(self.waveforms)

    def __repr__(self) -> str:
        voices, languages = (", ".join(dict.fromkeys(names)) for names in (self.voices, self.languages))
        return (
            f"SpokenDigitSequences({len(self)} recordings of {sum(map(len, self.digits))} digits, "
            f"{self.lengths.sum() / self.sample_rate:.0f} s at {self.sample_rate} Hz; {languages}; {voices})"
        )

    @property
    def lengths(self) -> np.ndarray:
        """(n,) how many samples each recording has."""
        return np.array([len(waveform) for waveform in self.waveforms])

    @property
    def transcripts(self) -> tuple[tuple[str, ...], ...]:
        """(n,) the words of each recording, as they are written."""
        rows = zip(self.digits, self.languages, strict=True)
        return tuple(tuple(DIGIT_WORDS[language][d] for d in row.tolist()) for row, language in rows)  # type: ignore[index]

    def padded(self, length: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(n, length) float32 waveforms with zeros after their end, and (n, length) bool: what is recording.

        length: default that of the longest of these recordings. Raises ShapeError where one is longer.
        """
        return _padded(self.waveforms, np.float32(0), length, "audio")

    def padded_digits(self, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(n, count) digits with -1 after their end, and (n, count) bool: what is a digit.

        count: default that of the longest of these transcripts. Raises ShapeError where one is longer.
        """
        return _padded(self.digits, -1, count, "digits")

    def take(self, indices: ArrayLike | slice) -> Self:
        """The recordings that `indices` (integers, booleans (n,) or a slice) select, in that order.

        Raises EmptyBatchError where nothing is selected.
        """
        chosen = indices if isinstance(indices, slice) else np.asarray(indices)
        nothing = isinstance(chosen, np.ndarray) and chosen.size == 0  # an empty list, which is no list of integers
        rows = np.arange(0) if nothing else np.arange(len(self))[chosen]
        if rows.size == 0:
            raise EmptyBatchError("audio", got="no indices", wanted="at least 1", where="SpokenDigitSequences.take")
        per_row = [field.name for field in fields(self) if field.name != "sample_rate"]
        kept: dict[str, Any] = {name: tuple(getattr(self, name)[i] for i in rows) for name in per_row}
        return replace(self, **kept)


def spoken_digit_sequences(
    part: Literal["train", "test"],
    *,
    count: int,
    seed: int,
    language: Language = "english",
    digits: tuple[int, int] = (2, 5),
    pause: tuple[float, float] = (0.0, 0.2),
    snr: float | None = None,
    speech: SpokenDigits | None = None,
) -> SpokenDigitSequences:
    """Recordings of spoken_digits put one after another, with silence around and between: boundaries are known.

    Each row is of one voice; every digit is drawn with the same chance, one may follow itself, and each time it is any
    recording that the voice made of it. No voice is in both parts.
    count: rows;  digits: fewest and most digits of a row, both included
    pause: shortest and longest silence in seconds, before the first digit, between two, and after the last
    snr: white noise over the whole row, its pauses too, so many decibels below the mean power of the speech; None for
    none: then pauses are zeros, which no microphone records
    speech: recordings to draw from in place of the synthesised ones, all in `language`; the caller answers for it that
    train and test share no voice
    What is said, the pauses and the noise are drawn each from a stream of its own. Nobody speaks so: in fluent speech
    words run into one another, and no boundary is a sample.
    Raises ValueError naming the argument that does not fit.
    """
    _check_options(part, count, seed, language, digits, pause, snr)
    speech = spoken_digits(part, language=language) if speech is None else speech
    if set(speech.languages) != {language}:
        raise ValueError(f"{WHERE}: speech: got {', '.join(sorted(set(speech.languages)))}, wanted {language} alone")
    recorded = _recorded(speech)
    said, silence, noise = (np.random.default_rng([seed, part == "train", stream]) for stream in range(3))
    waveforms, chosen, starts, ends, voices = [], [], [], [], []
    shortest, longest = (round(seconds * speech.sample_rate) for seconds in pause)
    for _ in range(count):
        voice = str(said.choice(sorted(recorded)))
        row = said.integers(10, size=said.integers(digits[0], digits[1] + 1))
        words = [speech.waveforms[said.choice(recorded[voice][int(digit)])] for digit in row]
        pauses = silence.integers(shortest, longest + 1, size=len(row) + 1)
        lengths = np.array([len(word) for word in words])
        begin = np.cumsum(pauses[:-1]) + np.concatenate([[0], np.cumsum(lengths[:-1])])
        waveform = np.zeros(int(lengths.sum() + pauses.sum()), dtype=np.float32)
        for word, first in zip(words, begin, strict=True):
            waveform[first : first + len(word)] = word
        if snr is not None:
            power = (waveform.astype(np.float64) ** 2).sum() / lengths.sum()
            waveform += np.sqrt(power / 10 ** (snr / 10)) * noise.normal(size=len(waveform))
        waveforms.append(waveform)
        chosen.append(row)
        starts.append(begin)
        ends.append(begin + lengths)
        voices.append(voice)
    return SpokenDigitSequences(
        waveforms=tuple(waveforms),
        digits=tuple(chosen),
        starts=tuple(starts),
        ends=tuple(ends),
        voices=tuple(voices),
        languages=(language,) * count,
        sample_rate=speech.sample_rate,
    )


def _recorded(speech: SpokenDigits) -> dict[str, list[np.ndarray]]:
    """For each voice, the rows in which it says zero, one, and so on."""
    voices = np.array(speech.voices)
    found = {
        voice: [np.flatnonzero((voices == voice) & (speech.labels == digit)) for digit in range(10)]
        for voice in dict.fromkeys(speech.voices)
    }
    for voice, rows in found.items():
        for digit, there in enumerate(rows):
            if not len(there):
                got = f"no recording of the digit {digit} by {voice}"
                raise ValueError(f"{WHERE}: speech: got {got}, wanted at least 1")
    return found


def _padded(
    rows: Sequence[np.ndarray], filler: np.generic | int, length: int | None, name: str
) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.array([len(row) for row in rows])
    length = int(lengths.max()) if length is None else length
    if length < lengths.max():
        got = f"{lengths.max()} in row {int(lengths.argmax())}"
        raise ShapeError(name, got=got, wanted=f"at most {length}", where="SpokenDigitSequences")
    filled = np.full((len(rows), length), filler)
    for place, row in zip(filled, rows, strict=True):
        place[: len(row)] = row
    return filled, np.arange(length) < lengths[:, None]


def _check_options(
    part: str,
    count: int,
    seed: int,
    language: str,
    digits: tuple[int, int],
    pause: tuple[float, float],
    snr: float | None,
) -> None:
    faults = {
        "part": (part in ("train", "test"), part, '"train" or "test"'),
        "count": (_are((count,), Integral) and count >= 1, count, "at least 1, a whole number"),
        "seed": (_are((seed,), Integral) and seed >= 0, seed, "at least 0, a whole number"),
        "language": (language in LANGUAGES, language, " or ".join(f'"{name}"' for name in LANGUAGES)),
        "digits": (
            _are(digits, Integral, 2) and 1 <= digits[0] <= digits[1],
            digits,
            "(fewest, most), whole numbers, 1 <= fewest <= most",
        ),
        "pause": (
            _are(pause, Real, 2) and 0 <= pause[0] <= pause[1] < np.inf,
            pause,
            "(shortest, longest) seconds, 0 <= shortest <= longest",
        ),
        "snr": (
            snr is None or (_are((snr,), Real) and LOUDEST_NOISE <= snr <= QUIETEST_NOISE),
            snr,
            f"{LOUDEST_NOISE} to {QUIETEST_NOISE} decibels, or None for no noise",
        ),
    }
    for name, (fits, got, wanted) in faults.items():
        if not fits:
            raise ValueError(f"{WHERE}: {name}: got {got!r}, wanted {wanted}")


def _are(values: object, kind: type, count: int = 1) -> bool:
    return (
        isinstance(values, Sequence | np.ndarray)
        and len(values) == count
        and all(isinstance(value, kind) for value in values)
    )
