"""The sound of impacts: every object that is struck rings as its material does, at a pitch that its size sets.

s(t) = sum over impacts, over the objects that meet, over partials m:
       0.2 |dv| g_m exp(-(t - t0) / tau_m) sin(2 pi r_m f (t - t0))   for t > t0
t0: the time of the impact, not rounded to a sample;  |dv|: the change of the object's velocity, room widths a second
f: 660 Hz if small, 330 Hz if large;  r_m, g_m, tau_m: ratio, gain and time of decay of the material's partials
Colour, shape, place and the width of the room are not in it.
"""

import numpy as np

from mmcourse.data.scenes.attributes import MATERIALS, SIZES
from mmcourse.data.scenes.motion import Motion

LOUDNESS = 0.2
PITCHES = dict(zip(SIZES, (660.0, 330.0), strict=True))
# Ratio to the pitch, gain, decay in seconds.
PARTIALS = {
    "wood": ((1.0, 1.0, 0.04), (3.9, 0.4, 0.02)),
    "metal": ((1.0, 0.6, 0.5), (2.76, 0.5, 0.35), (5.4, 0.35, 0.2)),
    "glass": ((1.0, 0.3, 0.18), (2.32, 0.7, 0.15), (4.25, 0.5, 0.1)),
}
SLOWEST = 2000  # samples a second: below, the lowest partials could not be told apart


def waveforms(size: np.ndarray, material: np.ndarray, what: Motion, rate: int) -> np.ndarray:
    """(n, samples) float32, sample i at i / rate seconds; size, material: (n, slots). Partials above rate / 2 are mute.

    Loud scenes may exceed 1. Raises ValueError for a rate that is too low.
    """
    if rate < SLOWEST:
        raise ValueError(f"scenes: rate: got {rate}, wanted at least {SLOWEST} samples a second")
    samples = int(what.duration * rate)
    sound = np.zeros((len(what.time), samples), np.float32)
    tables = {(i, j): _rings(i, j, samples, rate) for i, j in np.ndindex(len(SIZES), len(MATERIALS))}
    for row, impact, side in np.argwhere(what.objects >= 0).tolist():
        slot, begin = what.objects[row, impact, side], what.time[row, impact + 1]
        first = min(int(begin * rate) + 1, samples)  # the first sample after the impact
        rates, table = tables[size[row, slot], material[row, slot]]
        # exp(z (t - t0)) = exp(z (first / rate - t0)) exp(z i / rate): one table serves every impact.
        weight = LOUDNESS * what.change[row, impact, side] * np.exp(rates * (first / rate - begin))
        sound[row, first:] += np.concatenate([weight.imag, weight.real]) @ table[:, : samples - first]
    return sound


def _rings(size: int, material: int, samples: int, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """(m,) rates z of the partials, complex, and (2 m, samples) real, then imaginary parts of gain exp(z i / rate)."""
    ratios, gains, decays = np.array(PARTIALS[MATERIALS[material]]).T
    frequencies = ratios * [*PITCHES.values()][size]
    rates = -1 / decays + 2j * np.pi * frequencies
    rings = (gains * (frequencies < rate / 2))[:, None] * np.exp(rates[:, None] * np.arange(samples) / rate)
    return rates, np.concatenate([rings.real, rings.imag])
