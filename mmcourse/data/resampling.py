"""A waveform at another sampling rate."""

from functools import lru_cache
from math import gcd

import numpy as np

# The filter keeps what lies below 7/8 of the lower Nyquist frequency and takes away, by 80 dB, what lies above it.
_EDGE = 7 / 8
_KAISER = 8.0  # beta of a window whose side lobes are 80 dB down
_HALF_WIDTH = 40  # of the filter, in samples of the lower rate: as long as a transition of 1/8 needs at that beta


def resampled(waveform: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """(samples,) at `rate` hertz -> (ceil(samples new_rate / rate),) at `new_rate` hertz, of the same dtype.

    Band-limited interpolation: zeros between the samples, a linear-phase Kaiser low-pass filter, every k-th sample.
    Frequencies below 7/8 of half the lower rate keep their amplitude, those above half of it are lowered by 80 dB, so
    that they do not come back as lower ones (aliasing). Nothing is delayed.
    Raises ValueError for another rank, for no samples, and for rates that are no whole numbers above 0.

    Source: SciPy's resample_poly, with a Kaiser window of our own length.
    """
    if waveform.ndim != 1 or len(waveform) == 0:
        raise ValueError(f"resampled: waveform: got shape {waveform.shape}, wanted (samples,), at least 1")
    for name, value in (("rate", rate), ("new_rate", new_rate)):
        if value != int(value) or value < 1:
            raise ValueError(f"resampled: {name}: got {value}, wanted a whole number of hertz above 0")
    if rate == new_rate:
        return waveform.copy()
    from scipy.signal import resample_poly  # here and not above: it takes a second to import

    divisor = gcd(int(rate), int(new_rate))
    up, down = int(new_rate) // divisor, int(rate) // divisor
    return resample_poly(waveform, up, down, window=_low_pass(max(up, down))).astype(waveform.dtype)


@lru_cache(maxsize=4)
def _low_pass(factor: int) -> np.ndarray:
    """The taps of a filter whose pass band ends where 1/factor of the band of its rate ends."""
    from scipy.signal import firwin

    return firwin(2 * _HALF_WIDTH * factor + 1, (1 + _EDGE) / 2 / factor, window=("kaiser", _KAISER))
