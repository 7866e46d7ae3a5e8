"""Log-mel spectrogram."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders import audio_checks as checks
from mmcourse.encoders.numpy.inputs import specification
from mmcourse.encoders.numpy.mel_filters import mel_filters


def log_mel(
    waveform: ArrayLike,
    *,
    sample_rate: float,
    n_fft: int,
    hop_length: int,
    n_mels: int,
    fmin: float = 0.0,
    fmax: float | None = None,
    unit: str = "db",
    amin: float = 1e-10,
    top_db: float | None = 80.0,
) -> NDArray[np.float64]:
    """The loudness of a sound over time and pitch.

        x_t = window * (the n_fft samples around sample t hop_length),  window_n = (1 - cos(2 pi n / n_fft)) / 2
        P_t = |FFT(x_t)|^2,     S_t = P_t filters,     10 log10(max(S_t, amin, max(S) 10^(-top_db / 10)))

    waveform: (samples,) or (batch, samples) between -1 and 1, one channel; beyond both ends it counts as zero
    sample_rate: hertz;  n_fft, hop_length: samples;  n_mels, fmin, fmax: see mel_filters
    unit: "db" as above, or "log" for the natural logarithm of the same
    amin: the smallest power told from silence;  top_db: how far below its own loudest spot a sound is heard, None for
        no bound
    returns (time, n_mels) or (batch, time, n_mels), time as `log_mel_frames` counts it
    Raises a ModalityError for a waveform and ValueError for a setting that does not fit.
    Source: Davis and Mermelstein (1980) for the bands; librosa for the conventions.
    """
    x = np.asarray(waveform)
    checks.check_waveform(specification(x), n_fft)
    highest = checks.check_settings(sample_rate, n_fft, hop_length, n_mels, fmin, fmax, unit, amin, top_db)
    filters = mel_filters(sample_rate=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=highest)
    checks.check_finite(np.isfinite(x).all(axis=-1))
    half = n_fft // 2
    padded = np.pad(x.astype(np.float64), [(0, 0)] * (x.ndim - 1) + [(half, half)])
    starts = np.arange(log_mel_frames(x.shape[-1], n_fft=n_fft, hop_length=hop_length)) * hop_length
    windows = padded[..., starts[:, None] + np.arange(n_fft)] * hann(n_fft)  # (..., time, n_fft)
    power = np.abs(np.fft.rfft(windows)) ** 2 @ filters
    floor = amin if top_db is None else np.maximum(amin, power.max(axis=(-2, -1), keepdims=True) * 10 ** (-top_db / 10))
    heard = np.log(np.maximum(power, floor))
    return heard if unit == "log" else 10 / np.log(10) * heard


def log_mel_frames(samples: Any, *, n_fft: int, hop_length: int) -> Any:
    """How many frames a waveform has: 1 + samples // hop_length for an even n_fft.

    samples: a number, or an array of them. A waveform with zeros after its end has the same first frames: in a padded
    batch they are the ones that a mask calls present.
    """
    return 1 + (samples + 2 * (n_fft // 2) - n_fft) // hop_length


def hann(size: int) -> NDArray[np.float64]:
    """The window of Hann, as one period: (1 - cos(2 pi n / size)) / 2."""
    return (1 - np.cos(2 * np.pi * np.arange(size) / size)) / 2
