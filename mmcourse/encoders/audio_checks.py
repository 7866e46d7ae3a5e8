"""What the log-mel front end asks of its inputs, free of any framework, so that all halves refuse with one voice."""

from typing import Any

import numpy as np

from mmcourse.checks import Spec, check_size, rows_text, shape_text
from mmcourse.errors import DtypeError, EmptyBatchError, NotFiniteError, ShapeError

WHERE = "log-mel"


def check_waveform(waveform: Spec, n_fft: int, *, dtype: str | None = None) -> None:
    """Raise a ModalityError unless a waveform is (samples,) or (batch, samples), floating, and fills a window.

    dtype: the module's, None for any floating one
    """
    shape, got = waveform
    if len(shape) not in (1, 2):
        wanted = "(samples,) or (batch, samples), channels mixed into one"
        raise ShapeError("waveform", got=f"shape {shape_text(shape)}", wanted=wanted, where=WHERE)
    if not got.startswith(("float", "bfloat")):
        wanted = "floating samples between -1 and 1 (divide int16 by 32768 first)"
        raise DtypeError("waveform", got=f"dtype {got}", wanted=wanted, where=WHERE)
    if dtype is not None and got != dtype:
        raise DtypeError("waveform", got=f"dtype {got}", wanted=dtype, where=WHERE)
    if shape[0] == 0 and len(shape) == 2:
        raise EmptyBatchError("waveform", got="batch size 0", wanted="at least 1", where=WHERE)
    if shape[-1] is not None and shape[-1] < n_fft:
        raise too_short(str(shape[-1]), n_fft)


def check_settings(
    sample_rate: float, n_fft: int, hop_length: int, n_mels: int, fmin: float, fmax: float | None, unit: str,
    amin: float, top_db: float | None,
) -> float:  # fmt: skip
    """Return the highest frequency, half the sample rate if none is given, or raise naming the setting at fault."""
    for name, size in (("n_fft", n_fft), ("hop_length", hop_length), ("n_mels", n_mels)):
        check_size(name, size, WHERE)
    if not _number(sample_rate) or sample_rate <= 0:
        raise ValueError(f"{WHERE}: sample_rate: got {sample_rate!r}, wanted hertz, a number above 0")
    highest = sample_rate / 2 if fmax is None else fmax
    if not _number(fmin) or not _number(highest) or not 0 <= fmin < highest <= sample_rate / 2:
        between = f"0 <= fmin < fmax <= {sample_rate / 2:g}, half the sample rate"
        raise ValueError(f"{WHERE}: fmin, fmax: got {fmin} and {fmax}, wanted {between}")
    if unit not in ("db", "log"):
        raise ValueError(f"{WHERE}: unit: got {unit!r}, wanted 'db' or 'log'")
    for name, value in (("amin", amin), ("top_db", top_db)):
        if value is not None and (not _number(value) or value <= 0):
            raise ValueError(f"{WHERE}: {name}: got {value!r}, wanted a number above 0")
    return float(highest)


def check_finite(finite: Any) -> None:
    """Raise NotFiniteError for rows with NaN.  finite: (batch,) booleans"""
    if not np.all(finite):
        raise not_finite(rows_text(~np.atleast_1d(finite)))


def too_short(samples: str, n_fft: int) -> ShapeError:
    """The error for a waveform that does not fill a window."""
    wanted = f"at least {n_fft}, one window (is the last axis time?)"
    return ShapeError("waveform", got=f"{samples} samples", wanted=wanted, where=WHERE)


def not_finite(rows: str) -> NotFiniteError:
    """The error for rows with NaN or infinity."""
    return NotFiniteError("waveform", got=f"NaN or infinity in rows [{rows}]", wanted="finite numbers", where=WHERE)


def _number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and bool(np.isfinite(value))
