"""One vector from a sound, whatever its length."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders.numpy.log_mel import log_mel, log_mel_frames
from mmcourse.errors import ShapeError

WHERE = "log_mel_summary"


def log_mel_summary(
    waveforms: ArrayLike, lengths: ArrayLike, *, parts: int, n_fft: int, hop_length: int, **settings: Any
) -> NDArray[np.float64]:
    """Mean log-mel spectrum of each of `parts` stretches of a sound, side by side: beginning, …, end.

    waveforms: (batch, samples) with zeros after the end;  lengths: (batch,) samples that are sound
    parts: stretches of nearly equal length; no sound may have fewer frames
    n_fft, hop_length and the other settings are those of log_mel
    returns (batch, parts n_mels)
    Raises ShapeError for lengths that do not fit, and as log_mel does.
    """
    frames = log_mel(waveforms, n_fft=n_fft, hop_length=hop_length, **settings)
    x, ends = np.asarray(waveforms), np.asarray(lengths)
    if x.ndim != 2 or ends.shape != (len(x),) or ends.min() < 1 or ends.max() > x.shape[1]:
        got = f"waveforms {x.shape} with lengths of shape {ends.shape}"
        raise ShapeError("audio", got=got, wanted="(batch, samples) and (batch,), each from 1 to samples", where=WHERE)
    counts = log_mel_frames(ends, n_fft=n_fft, hop_length=hop_length)
    if not 1 <= parts <= counts.min():
        raise ShapeError("parts", got=parts, wanted=f"1 to {counts.min()}, the frames of the shortest", where=WHERE)
    pieces = [np.array_split(rows[:count], parts) for rows, count in zip(frames, counts, strict=True)]
    return np.array([np.concatenate([piece.mean(axis=0) for piece in split]) for split in pieces])
