"""What no reader takes: missing, empty, unreadable files, directories, and files of another modality."""

import os
import pickle
import sys
import warnings
from functools import partial
from pathlib import Path

import pytest

from mmcourse.data.files import (
    ConvertedFileWarning,
    FileError,
    read_audio,
    read_image,
    read_scan,
    read_text,
    read_video,
    source,
)
from mmcourse.data.files.kinds import DESCRIPTIONS, SUFFIXES, kind_of
from mmcourse.errors import ModalityError
from tests.data.files.damage import whole

READERS = {
    "image": (read_image, "PNG image, a JPEG image, a GIF image, a BMP image or a WebP image"),
    "audio": (partial(read_audio, sample_rate=8000), "WAV recording, a FLAC recording, an Ogg recording or an MP3"),
    "text": (read_text, "a text"),
    "video": (read_video, "a GIF image, a PNG image or a WebP image"),
    "range scan": (read_scan, r"a NumPy array \(.npy\)"),
}
OF = {  # which whole files are of which modality
    "image": ("picture", "grey", "palette", "moving"),
    "audio": ("sound", "float"),
    "text": ("words",),
    "video": ("moving", "picture", "grey", "palette"),
    "range scan": ("beams", "radar"),
}
every_reader = pytest.mark.parametrize("modality", READERS)


def refused(modality, path, got):
    read, wanted = READERS[modality]
    with pytest.raises(FileError, match=f"{modality}: .*: got {got}.*, wanted .*{wanted}") as caught:
        read(path)
    assert caught.value.path == Path(path)
    assert caught.value.modality == modality
    return caught.value


@every_reader
def test_missing_empty_and_odd_places_are_refused_in_words(modality, tmp_path):
    refused(modality, tmp_path / "nothing.bin", "no such file")
    refused(modality, str(tmp_path / "nothing.bin"), "no such file")
    refused(modality, tmp_path, "a directory")
    (tmp_path / "empty").write_bytes(b"")
    refused(modality, tmp_path / "empty", "an empty file")
    refused(modality, "a\0b", "a file that cannot be read")
    refused(modality, tmp_path / "empty" / "below", "a file that cannot be read")


@every_reader
@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes of this kind")
def test_a_pipe_is_refused_and_not_waited_for(modality, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused(modality, tmp_path / "pipe", "neither a file nor a directory")


@every_reader
def test_a_file_without_permission_is_refused(modality, tmp_path, monkeypatch):
    def forbidden(self):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "secret").write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", forbidden)  # root may read everything, so that no mode of a file forbids it
    refused(modality, tmp_path / "secret", "a file that you have no permission to read")


@every_reader
def test_a_huge_file_is_refused_before_it_is_read(modality, tmp_path, monkeypatch):
    monkeypatch.setattr(source, "LARGEST", 10)
    (tmp_path / "huge").write_bytes(bytes(11))
    refused(modality, tmp_path / "huge", "11 bytes, more than 10")


@every_reader
def test_a_file_of_another_modality_is_refused_by_what_it_is(modality, tmp_path):
    for name, content in whole().items():
        if name.split(".")[0] not in OF[modality]:
            # Under the right name for this reader: what counts is what the file is.
            path = tmp_path / {"image": "a.png", "audio": "a.wav", "text": "a.txt", "video": "a.gif"}.get(
                modality, "a.npy"
            )
            path.write_bytes(content)
            refused(modality, path, DESCRIPTIONS[kind_of(content)].replace("(", r"\(").replace(")", r"\)"))


def test_every_whole_file_is_known_by_its_first_bytes():
    for name, content in whole().items():
        assert kind_of(content) == SUFFIXES.get(Path(name).suffix, "TEXT")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"BMW builds cars.", "TEXT"),  # begins as a BMP does
        (b"IDENTITY", "TEXT"),
        ("图像".encode("utf-16"), "TEXT"),
        (b"\xff\xfb\x90\x00" + bytes(30), "MP3"),
        (b"\xff\xff\xff\xff", ""),
        (b"  <!DOCTYPE html><p>404", "HTML"),
        (b"\0\0\0\x18ftypmp42", "MP4"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (bytes(20), ""),
        (b"\xe5\x9b", ""),
    ],
)
def test_kinds(content, kind):
    assert kind_of(content) == kind


@pytest.mark.parametrize("name", ["picture.png", "sound.flac", "words.txt", "moving.gif", "beams.npy"])
def test_a_name_that_speaks_of_another_kind_gets_a_word(tmp_path, name):
    stem = name.split(".")[0]
    read = READERS[{"picture": "image", "sound": "audio", "words": "text", "moving": "video"}.get(stem, "range scan")][
        0
    ]
    path = tmp_path / ("a.mp3" if name != "moving.gif" else "a.webp")
    path.write_bytes(whole()[name])
    with pytest.warns(ConvertedFileWarning, match=rf"the name ends in \{path.suffix}, the file is a"):
        read(path)


def test_a_warning_points_at_the_line_that_read_and_can_be_made_an_error(tmp_path):
    (tmp_path / "grey.png").write_bytes(whole()["grey.png"])
    with pytest.warns(ConvertedFileWarning, match=r"^read_image: image: .*grey\.png: a grey picture") as caught:
        read_image(tmp_path / "grey.png")
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvertedFileWarning)
        with pytest.raises(ConvertedFileWarning):
            read_image(tmp_path / "grey.png")


def test_the_error_is_one_of_the_packages_own_and_travels_between_processes():
    error = FileError("audio", path="a.wav", got="a JPEG image", wanted="a WAV recording", where="read_audio")
    assert isinstance(error, ModalityError)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "read_audio: audio: a.wav: got a JPEG image, wanted a WAV recording"
    assert again.path == "a.wav"
