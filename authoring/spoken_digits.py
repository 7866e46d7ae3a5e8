"""Make the spoken digits that the package ships: `python -m authoring.spoken_digits` (needs the extra [speech]).

espeak-ng carries noise and flutter of the voice from one word to the next, so that a recording depends on all that
were made before it, and it takes the seed of its noise from the clock. So the whole list is spoken in one order, in a
fresh process, from a fixed seed: then it is the same every time. Another version of espeak-ng, or another
processor's floating-point arithmetic, may speak a little differently.
"""

from __future__ import annotations

import ctypes
import hashlib
import io
import json
import platform
from collections.abc import Iterator
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from authoring.files import write_atomically
from mmcourse.data.digit_words import DIGIT_WORDS, Language
from mmcourse.data.resampling import resampled
from mmcourse.data.spoken_digits import AUDIO, MANIFEST

FOLDER = Path(__file__).resolve().parents[1] / "mmcourse" / "data"
SYNTHESISER_RATE, SAMPLE_RATE = 22050, 8000
# Each voice has one accent of English ("en" is that of Great Britain); no accent is heard in the test part alone.
# m7 and m8 are nearly twins, and so are f2 and f5: twins stay on one side. f2 stands first because its breath is noise:
# whether the noise comes out the same shows in the first words.
ACCENTS = {
    "f2": "en-gb-scotland",
    "m1": "en-us",
    "m2": "en",
    "m3": "en-gb-scotland",
    "m4": "en-us",
    "m5": "en-029",
    "m6": "en-gb-x-rp",
    "m7": "en-us",
    "m8": "en",
    "f1": "en-us",
    "f3": "en-gb-x-gbclan",
    "f4": "en",
    "f5": "en-us",
}
TEST_VOICES = ("m7", "m8", "f2", "f5")
MANDARIN = "cmn"
RATES, PITCHES = (130, 160, 190), (35, 50, 65)  # words a minute; 0 to 99, 50 is the voice's own
PEAK, BITS = 0.9, 10
THRESHOLD, MARGIN = 0.01, 0.02  # kept: from the first to the last sample above this part of the peak, and this many s

ABOUT = {
    "title": "Spoken digits, English and Mandarin Chinese, said by a speech synthesiser",
    "licence": "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/), by the mmcourse authors, so far as they hold "
    "rights in it",
    "origin": "espeak-ng is free software under the GNU General Public License, version 3 or later. It is not part of "
    "this package. Its licence (section 2) covers the output of the program only if the output, given its content, is "
    "itself a covered work. Vowels and voiced sounds are computed from formants; for unvoiced consonants espeak-ng "
    "plays short sounds from its own data files (docs/phontab.md of its repository), so that these are heard, "
    "resampled, in the words. Nothing else of espeak-ng is in the audio file.",
}

# Constants of espeak-ng's speak_lib.h
_SYNCHRONOUS, _RATE, _PITCH, _UTF8 = 2, 1, 3, 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Recording(NamedTuple):
    """One row of the manifest, up to the place of its samples."""

    language: Language
    digit: int
    accent: str
    voice: str
    rate: int
    pitch: int


def recordings() -> Iterator[Recording]:
    """What is said, in the order in which it is said.

    Every voice says every word at each rate once and at each pitch once; which pitch goes with which rate changes from
    word to word and from voice to voice (a Latin square).
    """
    for number, (voice, english) in enumerate(ACCENTS.items()):
        accents: dict[Language, str] = {"english": english, "chinese": MANDARIN}
        for language, accent in accents.items():
            for digit in range(10):
                for take, rate in enumerate(RATES):
                    yield Recording(language, digit, accent, voice, rate, PITCHES[(take + digit + number) % 3])


class Synthesiser:
    """espeak-ng in this process, which must not have used it before. Raises RuntimeError where it refuses."""

    def __init__(self) -> None:
        import espeakng_loader  # an optional extra

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0) != SYNTHESISER_RATE:
            raise RuntimeError(f"espeak-ng does not start with {SYNTHESISER_RATE} Hz")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self._parts: list[np.ndarray] = []
        self._callback = _CALLBACK(self._keep)  # kept alive as long as the library may call it
        self._library.espeak_SetSynthCallback(self._callback)

    @property
    def version(self) -> str:
        self._library.espeak_Info.restype = ctypes.c_char_p
        return self._library.espeak_Info(None).decode()

    def say(self, word: str, voice: str, rate: int, pitch: int) -> np.ndarray:
        """(samples,) floats in [-1, 1] at 22,050 Hz."""
        self._parts.clear()
        text = word.encode() + b"\0"
        for status in (
            self._library.espeak_SetVoiceByName(voice.encode()),
            self._library.espeak_SetParameter(_RATE, rate, 0),
            self._library.espeak_SetParameter(_PITCH, pitch, 0),
            self._library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 1, 0, _UTF8, None, None),
        ):
            if status != 0:
                raise RuntimeError(f"espeak-ng does not say {word!r} in the voice {voice}: status {status}")
        return np.concatenate(self._parts) / 2**15

    def _keep(self, samples: ctypes._Pointer[ctypes.c_short], count: int, events: object) -> int:
        if samples and count > 0:
            self._parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


def waveforms(synthesiser: Synthesiser, count: int | None = None) -> Iterator[np.ndarray]:
    """The recordings in their order, or the first `count`: (samples,) int16 at 8,000 Hz, the lower 6 bits zero."""
    for row in islice(recordings(), count):
        said = synthesiser.say(DIGIT_WORDS[row.language][row.digit], f"{row.accent}+{row.voice}", row.rate, row.pitch)
        yield quantised(trimmed(resampled(said, SYNTHESISER_RATE, SAMPLE_RATE)))


def trimmed(waveform: np.ndarray) -> np.ndarray:
    """Without the silence before and after."""
    loud = np.flatnonzero(np.abs(waveform) > THRESHOLD * np.abs(waveform).max())
    margin = int(MARGIN * SAMPLE_RATE)
    return waveform[max(loud[0] - margin, 0) : loud[-1] + 1 + margin]


def quantised(waveform: np.ndarray) -> np.ndarray:
    """int16 with BITS bits, the peak at PEAK: fewer bits halve the file, and hide the last digits of the arithmetic."""
    levels = np.round(waveform / np.abs(waveform).max() * PEAK * 2 ** (BITS - 1))
    return (levels * 2 ** (16 - BITS)).astype(np.int16)


def main() -> None:
    import soundfile

    synthesiser = Synthesiser()
    spoken = list(waveforms(synthesiser))
    stops = np.cumsum([len(waveform) for waveform in spoken]).tolist()
    samples = np.concatenate(spoken)
    stream = io.BytesIO()
    soundfile.write(stream, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16", compression_level=1.0)
    audio = stream.getvalue()
    loader = metadata.version("espeakng-loader")
    head = {
        **ABOUT,
        "made_with": f"authoring/spoken_digits.py and espeak-ng {synthesiser.version} (espeakng-loader {loader})",
        "made_on": f"{platform.system()} {platform.machine()}",
        "file": AUDIO,
        "sha256": hashlib.sha256(audio).hexdigest(),
        "samples_sha256": hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest(),
        "sample_rate": SAMPLE_RATE,
        "bits": BITS,
        "test_voices": TEST_VOICES,
        "columns": [*Recording._fields, "start", "stop"],
    }
    rows = [[*row, *place] for row, *place in zip(recordings(), [0, *stops[:-1]], stops, strict=True)]
    # One recording a line: a change shows as the lines that changed.
    lines = ",\n".join(json.dumps(row) for row in rows)
    text = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    write_atomically(FOLDER / AUDIO, audio)
    write_atomically(FOLDER / MANIFEST, f'{text},\n "recordings": [\n{lines}\n ]\n}}\n')
    print(f"{len(rows)} recordings, {len(samples) / SAMPLE_RATE:.0f} s, {len(audio) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
