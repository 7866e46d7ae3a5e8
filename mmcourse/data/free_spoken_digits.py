"""The Free Spoken Digit Dataset: English digits said by people, an optional download."""

import io
from importlib import resources
from pathlib import Path
from typing import Literal

import numpy as np

from mmcourse.data.downloads import Collection, contents
from mmcourse.data.spoken_digits import SpokenDigits

COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
SAMPLE_RATE = 8000
TEST_RECORDINGS = 5  # of each digit and speaker: the official test part is 0 to 4, the training part 5 to 49
FREE_SPOKEN_DIGITS = Collection(
    name="free-spoken-digits",
    title="Free Spoken Digit Dataset: 3,000 recordings, six speakers, English",
    licence="CC BY-SA 4.0",
    page="https://github.com/Jakobovski/free-spoken-digit-dataset",
    megabytes=16,
    files_url=f"https://raw.githubusercontent.com/Jakobovski/free-spoken-digit-dataset/{COMMIT}/recordings/",
    archive_url=f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{COMMIT}.tar.gz",
    inside="recordings",
    registry=resources.files("mmcourse.data") / "free_spoken_digits.txt",
    variable="MMCOURSE_FREE_SPOKEN_DIGITS",
)


def free_spoken_digits(
    part: Literal["train", "test"], folder: Path | str | None = None, *, progress: bool = True
) -> SpokenDigits:
    """English digits said by six people, 8,000 Hz: 2,700 recordings to train, 300 to test.

    part: the official one. All six speakers are in both; `take` makes another split, by voice.
    folder: a folder with the recordings, or the archive of the repository, tar or zip; default the one that
    MMCOURSE_FREE_SPOKEN_DIGITS names, else the cache folder, filled by a download of 16 MB
    Recordings are in the order of speaker, digit and number. From a tenth of a second to 2.3 seconds; they differ in
    loudness, and are returned as they are.
    Raises ValueError for an unknown part, DownloadError where a recording is missing or changed, or cannot be
    downloaded; the message says what to do.

    Source: Jakobovski and contributors, Free Spoken Digit Dataset, at commit 26eb9aaf, CC BY-SA 4.0,
    https://github.com/Jakobovski/free-spoken-digit-dataset.
    """
    if part not in ("train", "test"):
        raise ValueError(f'free_spoken_digits: part: got {part!r}, wanted "train" or "test"')
    names = [name for name in FREE_SPOKEN_DIGITS.checksums if (_number(name) < TEST_RECORDINGS) == (part == "test")]
    found = contents(FREE_SPOKEN_DIGITS, names, folder, progress=progress)
    return SpokenDigits(
        waveforms=tuple(_waveform(found[name]) for name in names),
        labels=np.array([int(name.split("_")[0]) for name in names]),
        voices=tuple(name.split("_")[1] for name in names),
        languages=("english",) * len(names),
        sample_rate=SAMPLE_RATE,
    )


def _number(name: str) -> int:
    """7_theo_32.wav -> 32"""
    return int(Path(name).stem.split("_")[2])


def _waveform(content: bytes) -> np.ndarray:
    import soundfile  # here and not above: images and words do without its library

    return soundfile.read(io.BytesIO(content), dtype="float32")[0]
