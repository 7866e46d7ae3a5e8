"""Laws of resampling: low frequencies stay, high ones leave and do not come back as low ones."""

import numpy as np
import pytest

from mmcourse.data.resampling import resampled

RATES = [(22050, 8000), (48000, 16000), (44100, 8000), (8000, 16000), (8000, 22050), (8001, 8000)]
over_rates = pytest.mark.parametrize(("rate", "new_rate"), RATES)


def sine(frequency, rate, seconds=0.5):
    return np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate + 0.3)


def middle(waveform):
    """Without the edges, where the filter reaches over the end of the sound."""
    fifth = len(waveform) // 5
    return waveform[fifth:-fifth]


@over_rates
@pytest.mark.parametrize("share", [0.05, 0.5, 0.85])
def test_a_low_frequency_comes_out_as_if_sampled_at_the_new_rate(rate, new_rate, share):
    frequency = share * min(rate, new_rate) / 2
    new = resampled(sine(frequency, rate), rate, new_rate)
    assert np.abs(middle(new - sine(frequency, new_rate)[: len(new)])).max() < 3e-4


@pytest.mark.parametrize(("rate", "new_rate"), [pair for pair in RATES if pair[0] > pair[1]])
@pytest.mark.parametrize("share", [1.01, 1.2, 1.9])
def test_a_frequency_above_the_new_band_is_taken_away(rate, new_rate, share):
    frequency = share * new_rate / 2
    if frequency < rate / 2:
        assert np.abs(middle(resampled(sine(frequency, rate), rate, new_rate))).max() < 1e-4  # 80 dB


@over_rates
def test_the_length_is_that_of_the_same_time(rate, new_rate):
    for samples in (1, 2, 999, 4000):
        assert len(resampled(np.ones(samples), rate, new_rate)) == -(-samples * new_rate // rate)


def test_it_is_linear_and_keeps_the_dtype():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 700))
    together = resampled(2 * x - y, 22050, 8000)
    assert np.allclose(together, 2 * resampled(x, 22050, 8000) - resampled(y, 22050, 8000), atol=1e-12)
    assert resampled(x.astype(np.float32), 22050, 8000).dtype == np.float32


def test_the_same_rate_changes_nothing_and_gives_a_copy():
    x = np.arange(5.0)
    same = resampled(x, 8000, 8000)
    assert np.array_equal(same, x)
    assert not np.shares_memory(same, x)


@pytest.mark.parametrize(
    ("waveform", "rate", "new_rate", "message"),
    [
        (np.ones((4, 2)), 8000, 4000, r"waveform: got shape \(4, 2\), wanted \(samples,\)"),
        (np.ones(0), 8000, 4000, r"waveform: got shape \(0,\)"),
        (np.ones(4), 0, 4000, "rate: got 0, wanted a whole number of hertz above 0"),
        (np.ones(4), 8000, -1, "new_rate: got -1"),
        (np.ones(4), 8000, 0.5, "new_rate: got 0.5"),
    ],
)
def test_refuses(waveform, rate, new_rate, message):
    with pytest.raises(ValueError, match=message):
        resampled(waveform, rate, new_rate)
