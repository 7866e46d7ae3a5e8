"""Laws of read_video: every frame as it is seen, with its duration."""

import numpy as np
import pytest
from PIL import Image

from mmcourse.data.files import FileError, read_video, video
from tests.data.files.damage import pictures, saved
from tests.data.files.reading import with_words

KINDS = ("GIF", "PNG", "WEBP")
every_kind = pytest.mark.parametrize("kind", KINDS)
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))


def moving(kind, frames, duration, **options):
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=duration, **options)


def read(tmp_path, content, kind):
    path = tmp_path / f"moving.{kind.lower()}"
    path.write_bytes(content)
    return with_words(read_video, path)


@every_kind
def test_frames_and_durations_come_back(tmp_path, kind):
    frames = [Image.new("RGB", (6, 4), colour) for colour in COLOURS]
    options = {"lossless": True} if kind == "WEBP" else {}
    found, words = read(tmp_path, moving(kind, frames, [40, 80, 250], **options), kind)
    assert found.frames.shape == (3, 4, 6, 3)
    assert len(found) == 3
    assert found.frames.dtype == np.float32
    assert np.allclose(found.frames, np.array(COLOURS)[:, None, None] / 255)
    assert np.allclose(found.seconds, [0.04, 0.08, 0.25])
    assert words == []


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_small_change_is_drawn_over_what_was_there(tmp_path, kind):
    first = pictures()[0]
    second = first.copy()
    second.paste((255, 255, 255), (2, 2, 5, 5))
    options = {"lossless": True} if kind == "WEBP" else {}
    found, _ = read(tmp_path, moving(kind, [first, second], 50, **options), kind)
    assert np.allclose(found.frames[1], np.asarray(second) / 255)


def test_transparent_frames_are_laid_on_white_with_one_word(tmp_path):
    frames = [Image.new("RGBA", (5, 5), (*colour, 51)) for colour in COLOURS]
    found, words = read(tmp_path, moving("PNG", frames, 50, disposal=1), "PNG")
    assert np.allclose(found.frames[0], [1, 0.8, 0.8], atol=0.01)
    assert words == ["transparent pixels were laid on white"]


def test_a_picture_that_stands_before_the_animation_is_no_frame(tmp_path):
    frames = [Image.new("RGB", (5, 5), colour) for colour in COLOURS]
    found, words = read(tmp_path, moving("PNG", frames, 50, default_image=True), "PNG")
    assert np.allclose(found.frames[:, 0, 0], np.array(COLOURS[1:]) / 255)
    assert words == []


@every_kind
def test_a_still_picture_gets_a_word(tmp_path, kind):
    found, words = read(tmp_path, saved(Image.new("RGB", (5, 5), (255, 0, 0)), kind), kind)
    assert len(found) == 1
    assert words == ["there is only one frame: a still picture", "1 frames state no duration and got 0.1 s"]


def test_frames_without_a_duration_get_one_with_a_word(tmp_path):
    found, words = read(tmp_path, moving("GIF", [Image.new("RGB", (5, 5), c) for c in COLOURS], 0), "GIF")
    assert found.seconds.tolist() == [0.1] * 3
    assert words == ["3 frames state no duration and got 0.1 s"]


@every_kind
def test_too_many_frames_or_pixels_are_refused_before_they_are_decoded(tmp_path, monkeypatch, kind):
    content = moving(kind, [Image.new("RGB", (5, 4), colour) for colour in COLOURS], 50)
    monkeypatch.setattr(video, "MOST_FRAMES", 2)
    with pytest.raises(FileError, match="got 3 frames of 5 x 4 pixels, wanted at most 2 frames"):
        read(tmp_path, content, kind)
    monkeypatch.setattr(video, "MOST_FRAMES", 3)
    monkeypatch.setattr(video, "MOST_PIXELS", 59)
    with pytest.raises(FileError, match="wanted at most 3 frames and 59 pixels in all"):
        read(tmp_path, content, kind)


def test_a_later_frame_that_claims_to_be_huge_is_refused_undecoded(tmp_path):
    content = bytearray(moving("GIF", [Image.new("RGB", (5, 5), c) for c in COLOURS], 50))
    descriptor = content.rindex(b"\x2c\0\0\0\0\x05\0\x05\0")  # the last frame: place and size
    content[descriptor + 5 : descriptor + 9] = (9000).to_bytes(2, "little") * 2
    with pytest.raises(FileError, match="a frame of 9000 x 9000 pixels after frames of 5 x 5, wanted frames of one"):
        read(tmp_path, bytes(content), "GIF")
