"""Laws of read_audio: the samples at the asked rate, nothing cut off in silence, a word about every change."""

import numpy as np
import pytest

from mmcourse.data.files import FileError, audio, read_audio
from mmcourse.data.resampling import resampled
from tests.data.files.damage import recorded, sound
from tests.data.files.reading import with_words


def read(tmp_path, content, suffix="wav", sample_rate=8000):
    path = tmp_path / f"sound.{suffix}"
    path.write_bytes(content)
    return with_words(read_audio, path, sample_rate=sample_rate)


def refused(tmp_path, content, message, suffix="wav"):
    with pytest.raises(FileError, match=message):
        read(tmp_path, content, suffix)


@pytest.mark.parametrize(
    ("kind", "subtype", "error"),
    [
        ("WAV", "PCM_U8", 1 / 128),
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "PCM_32", 1e-6),
        ("WAV", "FLOAT", 1e-6),
        ("WAV", "DOUBLE", 1e-6),
        ("WAV", "ULAW", 0.03),
        ("WAVEX", "PCM_16", 1e-4),
        ("FLAC", "PCM_S8", 1 / 128),
        ("FLAC", "PCM_16", 1e-4),
        ("FLAC", "PCM_24", 1e-6),
        ("OGG", "VORBIS", 0.2),
        ("OGG", "OPUS", None),  # shifted, and without the highest tones
        ("MP3", None, 0.2),
    ],
)
def test_samples_come_back(tmp_path, kind, subtype, error):
    content = recorded(sound(), 8000, kind, subtype)
    values, words = read(tmp_path, content, kind.lower().removesuffix("ex"))
    assert values.dtype == np.float32
    assert len(values) == len(sound())
    assert error is None or np.abs(values - sound()).max() < error
    assert words == []


@pytest.mark.parametrize("rate", [1000, 8001, 12340, 12345, 13000, 16000, 44100, 96000, 192000])
def test_flac_of_any_rate_is_read(tmp_path, rate):
    """Frames of a FLAC write common and odd rates in five ways."""
    values, words = read(tmp_path, recorded(sound(), rate, "FLAC"), "flac", rate)
    assert len(values) == len(sound())
    assert words == []


def test_another_rate_is_changed_with_a_word(tmp_path):
    values, words = read(tmp_path, recorded(sound(4410), 44100, "WAV", "FLOAT"), sample_rate=16000)
    assert np.allclose(values, resampled(sound(4410).astype(np.float32), 44100, 16000), atol=1e-6)
    assert words == ["44100 Hz were changed to 16000 Hz"]


def test_a_tone_above_the_new_band_does_not_come_back_as_a_lower_one(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 7000 * np.arange(22050) / 44100)
    values, _ = read(tmp_path, recorded(tone, 44100, "WAV", "FLOAT"))
    assert np.abs(values[800:-800]).max() < 1e-3


def test_channels_are_averaged_with_a_word(tmp_path):
    left, right = sound(), 0.3 * np.cos(0.1 * np.arange(len(sound())))
    values, words = read(tmp_path, recorded(np.stack([left, right], axis=1), 8000, "FLAC"), "flac")
    assert np.abs(values - (left + right) / 2).max() < 1e-4
    assert words == ["2 channels were averaged"]


def test_silence_gets_a_word_also_where_channels_make_it(tmp_path):
    _, words = read(tmp_path, recorded(np.zeros(100), 8000, "WAV"))
    assert words == ["there is no sound in it: every sample is 0"]
    _, words = read(tmp_path, recorded(np.stack([sound(), -sound()], axis=1), 8000, "WAV", "FLOAT"))
    assert words[-1] == "there is no sound in it: the channels cancel each other"


def test_peaks_above_one_are_cut_with_a_word_and_another_scale_is_refused(tmp_path):
    values, words = read(tmp_path, recorded(2.5 * sound(), 8000, "WAV", "FLOAT"))
    assert (values.min(), values.max()) == (-1, 1)
    assert words == [f"peaks up to {np.abs(2.5 * sound()).max():.3g} were cut at 1"]
    refused(tmp_path, recorded(32768 * sound(), 8000, "WAV", "FLOAT"), r"amplitudes up to \d+.*, wanted -1 to 1")


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(tmp_path, odd):
    refused(tmp_path, recorded(np.r_[sound(), odd], 8000, "WAV", "FLOAT"), "NaN or infinity among the samples")


def test_a_recording_without_samples_is_refused(tmp_path):
    refused(tmp_path, recorded(np.zeros(0), 8000, "WAV"), "no samples, wanted at least 1")


def test_a_header_that_promises_more_samples_than_come_is_refused(tmp_path):
    content = recorded(sound(), 8000, "WAV", "PCM_16")
    refused(tmp_path, content[:-2], "header promises 2,400 bytes of samples where 2,398 are, wanted a whole file")
    streamed = content[:40] + b"\xff\xff\xff\xff" + content[44:]  # as programs write that do not know the end
    refused(tmp_path, streamed, "header promises 4,294,967,295 bytes of samples where 2,400 are")


def test_a_header_that_contradicts_itself_is_refused(tmp_path):
    content = recorded(sound(), 8000, "WAV", "PCM_16")
    for place in (22, 24, 25, 28, 32, 34):  # channels, rate, rate, bytes a second, bytes a frame, bits
        values = bytearray(content)
        values[place] ^= 4
        refused(tmp_path, bytes(values), "whose header contradicts itself")
    refused(tmp_path, content[:12] + content[36:], "without a description of its samples")
    refused(tmp_path, content[:30], "cut off before its samples|half a description")


def test_chunks_around_the_samples_are_no_fault_and_bytes_behind_get_a_word(tmp_path):
    content = recorded(sound(), 8000, "WAV", "PCM_16")
    notes = b"LIST\x05\0\0\0notes\0"  # odd: a byte is filled up
    longer = (len(content) + 2 * len(notes) - 8).to_bytes(4, "little")
    values, words = read(tmp_path, b"RIFF" + longer + content[8:36] + notes + content[36:] + notes)
    assert np.abs(values - sound()).max() < 1e-4
    assert words == []
    _, words = read(tmp_path, content + b"more")
    assert words == ["4 bytes after the end of the file were not read"]


def test_a_single_damaged_bit_of_a_flac_or_an_ogg_is_found_or_harmless(tmp_path):
    """Harmless: in what the checksums leave out, such as the name of the program that wrote the file."""
    for kind in ("FLAC", "OGG"):
        content = recorded(sound(), 8000, kind)
        original, _ = read(tmp_path, content, kind.lower())
        found = 0
        for position in range(0, len(content) * 8, 131):
            values = bytearray(content)
            values[position // 8] ^= 1 << position % 8
            path = tmp_path / f"bit.{kind.lower()}"
            path.write_bytes(bytes(values))
            try:
                assert np.array_equal(read_audio(path, sample_rate=8000), original)
            except FileError:
                found += 1
        assert found > len(content) * 8 / 131 * 0.7


def test_a_flac_whose_header_states_another_rate_is_refused(tmp_path):
    content = recorded(sound(), 8000, "FLAC")
    packed = int.from_bytes(content[18:26]) ^ (8000 ^ 16000) << 44
    refused(
        tmp_path,
        content[:18] + packed.to_bytes(8) + content[26:],
        "says 16000 Hz and whose first frame 8000 Hz",
        "flac",
    )


def test_a_flac_without_checksum_is_read_with_a_word(tmp_path):
    content = recorded(sound(), 8000, "FLAC")
    values, words = read(tmp_path, content[:26] + bytes(16) + content[42:], "flac")
    assert np.abs(values - sound()).max() < 1e-4
    assert words == ["this FLAC states no checksum: damage cannot be seen"]


def test_an_ogg_with_a_page_too_few_or_of_two_streams_is_refused(tmp_path):
    content = recorded(sound(40_000), 8000, "OGG")
    pages = [position for position in range(len(content)) if content.startswith(b"OggS", position)]
    assert len(pages) > 3
    refused(tmp_path, content[: pages[2]] + content[pages[3] :], "in which page 2 is missing", "ogg")
    refused(tmp_path, content[: pages[-1]], "an Ogg recording, cut off", "ogg")
    other = recorded(sound(), 8000, "OGG", "OPUS")
    refused(tmp_path, content[: pages[1]] + other, "in which page 1 is missing|of several streams", "ogg")


def test_a_damaged_page_of_an_ogg_is_named(tmp_path):
    content = bytearray(recorded(sound(), 8000, "OGG"))
    content[-20] ^= 1
    refused(tmp_path, bytes(content), r"whose page \d has another checksum than it states", "ogg")


def test_an_mp3_shorter_than_its_first_frame_says_is_refused(tmp_path):
    content = recorded(sound(20_000), 8000, "MP3")
    refused(tmp_path, content[: len(content) // 2], "an MP3 recording, whose header promises", "mp3")


def test_a_rate_out_of_range_and_a_recording_too_long_are_refused(tmp_path, monkeypatch):
    refused(tmp_path, recorded(sound(), 400, "WAV"), "got 400 Hz, wanted 1,000 to 192,000 Hz")
    refused(tmp_path, recorded(sound(), 400_000, "WAV"), "got 400,000 Hz")
    monkeypatch.setattr(audio, "MOST_SAMPLES", 1000)
    refused(tmp_path, recorded(sound(), 8000, "FLAC"), "got 1,200 samples in 1 channels, wanted at most 1,000", "flac")


@pytest.mark.parametrize("rate", [0, -8000, 8000.5, 500, 10**6])
def test_refuses_an_asked_rate_out_of_range(tmp_path, rate):
    with pytest.raises(ValueError, match=r"sample_rate: got .*, wanted a whole number from 1000 to 192000"):
        read_audio(tmp_path / "any.wav", sample_rate=rate)
