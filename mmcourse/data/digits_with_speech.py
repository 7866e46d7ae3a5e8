"""Handwritten, written and spoken digits with one label: three modalities that mean the same."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.data.digit_words import DIGIT_WORDS, LANGUAGES, Language, homophone_typos, word_counts
from mmcourse.data.digits import DigitsWithWords, digits_with_words, limited
from mmcourse.data.spoken_digits import SpokenDigits, longest_spoken_digit, spoken_digits

LOUDEST_NOISE, QUIETEST_NOISE = -100, 100  # decibels below the speech


@dataclass(frozen=True, eq=False, kw_only=True)
class DigitsWithSpeech(DigitsWithWords):
    """PairedData with "image" (n, 64), "text" (n, 26 or 50) and "audio" (n, samples).

    words: the n typed words behind "text";  recordings: the n recordings behind "audio", before noise and padding
    """

    recordings: SpokenDigits

    @property
    def heard(self) -> np.ndarray:
        """(n, samples) bool: where a row of "audio" has sound; after it there are zeros."""
        return np.arange(self.widths["audio"]) < self.recordings.lengths[:, None]

    @property
    def voices(self) -> tuple[str, ...]:
        """(n,) whose voice says each row."""
        return self.recordings.voices

    @property
    def sample_rate(self) -> int:
        """Of "audio", in hertz."""
        return self.recordings.sample_rate

    def _rows(self, indices: ArrayLike | slice) -> dict[str, Any]:
        return {**super()._rows(indices), "recordings": self.recordings.take(indices)}


def digits_with_speech(
    part: Literal["train", "test"],
    *,
    written: Language = "english",
    spoken: Language = "english",
    typo_rate: float = 0.0,
    pixel_noise: float = 0.0,
    snr: float | None = None,
    seed: int,
    limit: int | None = None,
    speech: SpokenDigits | None = None,
    length: int | None = None,
) -> DigitsWithSpeech:
    """Handwritten digits, each with its word as it is typed and as it is said; no voice is in both parts.

    image: as in digits_with_words, the same pictures split in the same way: 1,200 to train, 597 to test
    text: written in "english", the counts of a to z in keyboard_typos(word, typo_rate), as there; in "chinese", the
    counts of 50 characters in homophone_typos(character, typo_rate)
    audio: a recording of spoken_digits in the language `spoken`, drawn at random among those of the part and the digit,
    with zeros after its end up to `length` samples (default that of the longest recording there is, in both parts)
    snr: white noise at this signal-to-noise ratio in decibels, 10 log10(sum x^2 / sum noise^2) in every recording,
    where it has sound; None for no noise
    limit: as in digits_with_words, and the same examples
    speech: recordings to draw from in place of the synthesised ones, all in the language `spoken`; they must hold every
    digit. The caller then answers for it that train and test share no voice (in the parts of free_spoken_digits they
    share all).
    One stream of chance for each dial: changing one leaves what the others made. There are more pictures than
    recordings: the 597 test pictures share 120 recordings by four voices, so that what is measured on sound varies as
    a sample of 120 does, not of 597.
    Raises ValueError for an unknown part or language, a rate, noise or ratio out of range, a limit that cannot be had,
    and for `speech` that lacks a digit or speaks another language; ShapeError where `length` is too short.
    """
    where = "digits_with_speech"
    for name, language in (("written", written), ("spoken", spoken)):
        if language not in LANGUAGES:
            wanted = " or ".join(f'"{known}"' for known in LANGUAGES)
            raise ValueError(f"{where}: {name}: got {language!r}, wanted {wanted}")
    if snr is not None and not LOUDEST_NOISE <= snr <= QUIETEST_NOISE:
        wanted = f"{LOUDEST_NOISE} to {QUIETEST_NOISE} decibels, or None for no noise"
        raise ValueError(f"{where}: snr: got {snr}, wanted {wanted}")
    seen = digits_with_words(part, typo_rate=typo_rate, pixel_noise=pixel_noise, seed=seed)
    # Streams 0 to 2 are those of digits_with_words.
    draw, noise, typos = (np.random.default_rng([seed, part == "train", stream]) for stream in (3, 4, 5))
    words = seen.words
    if written == "chinese":
        words = tuple(homophone_typos(DIGIT_WORDS[written][label], typo_rate, typos) for label in seen.labels)

    if speech is None:
        speech = spoken_digits(part, language=spoken)
        length = longest_spoken_digit() if length is None else length
    if set(speech.languages) != {spoken}:
        raise ValueError(f"{where}: speech: got {', '.join(sorted(set(speech.languages)))}, wanted {spoken} alone")
    recordings = speech.take(_drawn(seen.labels, speech.labels, draw))
    audio, _ = recordings.padded(int(speech.lengths.max()) if length is None else length)
    if snr is not None:
        for row, samples in zip(audio, recordings.lengths, strict=True):
            row[:samples] += _noise(row[:samples], snr, noise)

    data = DigitsWithSpeech(
        {"image": seen.features["image"], "text": word_counts(words, written), "audio": audio},
        seen.labels,
        DIGIT_WORDS[written],
        words=words,
        recordings=recordings,
    )
    return data.take(limited(seen.labels, part, limit, seed, where))


def _drawn(labels: np.ndarray, available: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) rows of the recordings, for each label one of those that say it, with equal chances."""
    chances = rng.random(len(labels))  # a number for every row, so that both languages draw the same voices
    rows = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        choices = np.flatnonzero(available == label)
        if choices.size == 0:
            raise ValueError(f"digits_with_speech: speech: got no recording of the digit {label}, wanted at least 1")
        here = labels == label
        rows[here] = choices[(chances[here] * len(choices)).astype(np.int64)]
    return rows


def _noise(waveform: np.ndarray, snr: float, rng: np.random.Generator) -> np.ndarray:
    """White noise whose energy is 10^(-snr / 10) times that of the waveform, to rounding."""
    noise = rng.standard_normal(len(waveform))
    return noise * (np.linalg.norm(waveform) / np.linalg.norm(noise) * 10 ** (-snr / 20))
