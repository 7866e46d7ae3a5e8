"""The law of bad input: two hundred randomly damaged files a kind are read as declared or refused in our own words."""

import warnings
from functools import partial

import numpy as np
import pytest

from mmcourse.data.files import FileError, Video, read_audio, read_image, read_scan, read_text, read_video
from tests.data.files.damage import damaged, whole

TIMES = 200
READERS = {
    "picture": read_image,
    "grey": partial(read_image, mode="grey"),
    "palette": read_image,
    "sound": partial(read_audio, sample_rate=8000),
    "float": partial(read_audio, sample_rate=8000),
    "words": read_text,
    "moving": read_video,
    "beams": read_scan,
    "radar": read_scan,
}
CHECKED = ("picture.png", "grey.png", "palette.png", "moving.png", "sound.flac", "sound.ogg")  # kinds with checksums


def reader(name):
    return READERS[name.split(".")[0]]


def read(path):
    """(value, notes), or None where the file is refused with a FileError that names modality, path and wish."""
    refusal = None
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        try:
            return reader(path.name)(path), notes
        except FileError as error:
            refusal = error
    assert refusal.path == path
    wanted = f"{refusal.where}: {refusal.modality}: {path}: got {refusal.got}, wanted {refusal.wanted}"
    assert str(refusal) == wanted
    return None


def is_as_declared(name, value):
    stem = name.split(".")[0]
    if stem == "words":
        return isinstance(value, str) and bool(value.strip()) and "\0" not in value
    if stem == "moving":
        frames, seconds = value.frames, value.seconds
        return (
            frames.ndim == 4
            and frames.shape[3] == 3
            and len(frames) == len(seconds) > 0
            and (seconds > 0).all()
            and in_range(frames, 0, 1)
        )
    if stem in ("beams", "radar"):
        distances = value if value.ndim == 1 else value[:, 0]
        return value.shape[1:] in ((), (2,)) and np.isfinite(value).all() and in_range(distances, 0, 1000)
    if stem in ("sound", "float"):
        return value.ndim == 1 and in_range(value, -1, 1)
    return value.ndim == (2 if stem == "grey" else 3) and value.shape[2:] in ((), (3,)) and in_range(value, 0, 1)


def in_range(values, low, high):
    return values.dtype == np.float32 and values.size > 0 and low <= values.min() and values.max() <= high


def same(a, b):
    if isinstance(a, Video):
        return np.array_equal(a.frames, b.frames) and np.array_equal(a.seconds, b.seconds)
    return a == b if isinstance(a, str) else np.array_equal(a, b)


@pytest.mark.parametrize("name", whole())
def test_a_whole_file_is_read_without_a_word(tmp_path, name):
    (tmp_path / name).write_bytes(whole()[name])
    value, notes = read(tmp_path / name)
    assert is_as_declared(name, value)
    assert not notes, [str(note.message) for note in notes]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", whole())
def test_a_damaged_file_is_read_as_declared_or_refused(tmp_path, name):
    path, content = tmp_path / name, whole()[name]
    path.write_bytes(content)
    original, _ = read(path)
    rng = np.random.default_rng(list(name.encode()))
    outcomes = {"refused": 0, "the same": 0, "another": 0}
    for _ in range(TIMES):
        path.write_bytes(damaged(content, rng, list(whole().values())))
        found = read(path)
        if found is None:
            outcomes["refused"] += 1
            continue
        value, notes = found
        assert is_as_declared(name, value)
        if same(value, original):
            outcomes["the same"] += 1
        else:
            outcomes["another"] += 1
            assert name not in CHECKED or notes, f"{name}: other data, and not a word"
    assert outcomes["refused"] > TIMES / 4, outcomes  # the damage is damage


# Half a text is a text; an MP3 is held to its length in test_read_audio, where its encoder has written it down.
@pytest.mark.parametrize("name", [name for name in whole() if name not in ("words.txt", "sound.mp3")])
def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path, name):
    path, content = tmp_path / name, whole()[name]
    for length in np.unique(np.linspace(0, len(content) - 1, 60).astype(int)):
        path.write_bytes(content[:length])
        assert read(path) is None, length
