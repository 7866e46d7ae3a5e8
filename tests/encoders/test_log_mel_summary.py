"""Laws of one vector from a sound: the mean of its frames by stretch, and nothing of what comes after its end."""

import numpy as np
import pytest

from mmcourse.encoders.numpy import log_mel, log_mel_summary
from mmcourse.errors import ShapeError

SETTINGS = {"sample_rate": 8000, "n_fft": 64, "hop_length": 32, "n_mels": 5}
LENGTHS = np.array([300, 450, 600])


def sounds(longest: int = 600) -> np.ndarray:
    rows = np.zeros((3, longest))
    for row, length in zip(rows, LENGTHS, strict=True):
        row[:length] = np.random.default_rng(length).normal(size=length)
    return rows


def test_one_part_is_the_mean_over_the_frames_of_the_sound() -> None:
    found = log_mel_summary(sounds(), LENGTHS, parts=1, **SETTINGS)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(found[row], log_mel(sounds()[row], **SETTINGS)[: 1 + length // 32].mean(axis=0))


def test_parts_lie_side_by_side_from_beginning_to_end() -> None:
    found = log_mel_summary(sounds(), LENGTHS, parts=2, **SETTINGS)
    frames = log_mel(sounds()[2], **SETTINGS)
    assert found.shape == (3, 10)
    np.testing.assert_allclose(found[2], np.concatenate([part.mean(axis=0) for part in np.array_split(frames, 2)]))


def test_zeros_after_the_end_have_no_influence() -> None:
    short, long = (log_mel_summary(sounds(size), LENGTHS, parts=3, **SETTINGS) for size in (600, 900))
    np.testing.assert_allclose(long, short)


def test_refuses() -> None:
    with pytest.raises(
        ShapeError, match=r"log_mel_summary: audio: got waveforms \(3, 600\) with lengths of shape \(2,\)"
    ):
        log_mel_summary(sounds(), LENGTHS[:2], parts=2, **SETTINGS)
    with pytest.raises(ShapeError, match="audio: got waveforms"):
        log_mel_summary(sounds(), LENGTHS + 1, parts=2, **SETTINGS)
    for parts in (0, 11):
        with pytest.raises(ShapeError, match=f"parts: got {parts}, wanted 1 to 10, the frames of the shortest"):
            log_mel_summary(sounds(), LENGTHS, parts=parts, **SETTINGS)
