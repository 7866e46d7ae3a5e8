"""Triangular filters on the mel scale."""

import numpy as np
from numpy.typing import NDArray

from mmcourse.encoders import audio_checks as checks

BREAK, STEP = 1000.0, np.log(6.4) / 27  # up to 1000 Hz the scale is linear, 200/3 Hz a mel; from there logarithmic


def mel_filters(
    *, sample_rate: float, n_fft: int, n_mels: int, fmin: float = 0.0, fmax: float | None = None
) -> NDArray[np.float64]:
    """Weights with which the bins of a spectrum make n_mels bands: overlapping triangles, equally wide in mel.

        mel(f) = 3 f / 200 up to 1000 Hz, beyond it 15 + 27 log_6.4(f / 1000);  the points between fmin and fmax at
        which mel(f) makes n_mels + 1 equal steps are f_0 ... f_n+1;  triangle i rises from f_i to f_i+1, falls to
        f_i+2, and its area over hertz is 1

    sample_rate, fmin, fmax: hertz, fmax half the sample rate if not given
    returns (n_fft // 2 + 1, n_mels).  Raises ValueError for frequencies that cannot be, and where a triangle lies
    between two bins and would be always silent.
    Source: Slaney (1998), as librosa has it.
    """
    fmax = checks.check_settings(sample_rate, n_fft, 1, n_mels, fmin, fmax, "db", 1.0, None)
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    lowest, highest = _mel(np.array([fmin, fmax]))
    points = _hertz(np.linspace(lowest, highest, n_mels + 2))
    below, peak, above = points[:-2], points[1:-1], points[2:]
    rising = (bins[:, None] - below) / (peak - below)  # (bins, n_mels)
    falling = (above - bins[:, None]) / (above - peak)
    filters = np.maximum(0, np.minimum(rising, falling)) * 2 / (above - below)
    silent = np.flatnonzero(filters.max(axis=0) == 0)
    if silent.size:
        wanted = f"fewer bands, or a longer window than n_fft {n_fft}"
        raise ValueError(
            f"{checks.WHERE}: n_mels: got {n_mels}, of which band {silent[0]} holds no bin, wanted {wanted}"
        )
    return filters


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(hertz < BREAK, hertz * 3 / 200, 15 + np.log(np.maximum(hertz, BREAK) / BREAK) / STEP)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, BREAK * np.exp(STEP * (mel - 15)))
