"""The log-mel front end: equal to librosa's, in three halves, with a gradient to the waveform, and its laws."""

from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
import pytest
import tensorflow as tf
import torch

from mmcourse.encoders import keras as keras_half
from mmcourse.encoders import torch as torch_half
from mmcourse.encoders.numpy import log_mel, log_mel_frames, mel_filters
from mmcourse.errors import DtypeError, EmptyBatchError, NotFiniteError, ShapeError
from mmcourse.parity import central_differences, relative_error

SETTINGS: list[dict[str, Any]] = [
    {"sample_rate": 16_000, "n_fft": 400, "hop_length": 160, "n_mels": 40},
    {"sample_rate": 22_050, "n_fft": 512, "hop_length": 128, "n_mels": 24, "fmin": 50.0, "fmax": 8000.0},
    {"sample_rate": 8000, "n_fft": 255, "hop_length": 100, "n_mels": 20, "top_db": 20.0},
    {"sample_rate": 8000, "n_fft": 256, "hop_length": 300, "n_mels": 20, "top_db": None, "amin": 1e-3},
]
SMALL: dict[str, Any] = {"sample_rate": 100, "n_fft": 16, "hop_length": 6, "n_mels": 3}
over_settings = pytest.mark.parametrize("settings", SETTINGS, ids=["speech", "band", "odd window", "gaps between"])


def of_torch(waveform: np.ndarray, **settings: Any) -> np.ndarray:
    module = torch_half.LogMel(**settings).to(torch.tensor(waveform).dtype if waveform.dtype.kind == "f" else None)
    return module(torch.tensor(waveform)).numpy()


def of_keras(waveform: np.ndarray, **settings: Any) -> np.ndarray:
    return keras_half.LogMel(**settings, dtype=waveform.dtype.name)(waveform).numpy()


HALVES: dict[str, Callable[..., np.ndarray]] = {"numpy": log_mel, "torch": of_torch, "keras": of_keras}
over_halves = pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)


def sound(samples: int = 2000, rows: int | None = None, seed: int = 0) -> np.ndarray:
    """Noise that swells: no band of it is ever as quiet as the rounding of single precision."""
    noise = np.random.default_rng(seed).normal(size=samples if rows is None else (rows, samples))
    return 0.1 * noise * np.linspace(0.05, 1, samples)


def of_librosa(waveform: np.ndarray, settings: dict[str, Any]) -> np.ndarray:
    known = {
        "sr": settings["sample_rate"],
        **{n: v for n, v in settings.items() if n in ("n_fft", "hop_length", "n_mels")},
    }
    band = {"fmin": settings.get("fmin", 0.0), "fmax": settings.get("fmax")}
    power = librosa.feature.melspectrogram(y=waveform, **known, **band, dtype=np.float64)
    bounds = {"top_db": settings.get("top_db", 80.0), "amin": settings.get("amin", 1e-10)}
    return librosa.power_to_db(power, **bounds).T


@over_settings
def test_log_mel_is_librosas(settings: dict[str, Any]) -> None:
    for waveform in (sound(), sound(2000 - 137, seed=1), np.sin(np.arange(2000) / 3)):
        assert relative_error(log_mel(waveform, **settings), of_librosa(waveform, settings)) <= 1e-10


@over_settings
def test_filters_are_librosas(settings: dict[str, Any]) -> None:
    own = {name: value for name, value in settings.items() if name in ("n_fft", "n_mels", "fmin", "fmax")}
    wanted = librosa.filters.mel(sr=settings["sample_rate"], dtype=np.float64, **own)
    assert relative_error(mel_filters(sample_rate=settings["sample_rate"], **own), wanted.T) <= 1e-12


@over_settings
@pytest.mark.parametrize("unit", ["db", "log"])
def test_halves_agree(settings: dict[str, Any], unit: str) -> None:
    for waveform in (sound(), sound(rows=2)):
        referee = log_mel(waveform, **settings, unit=unit)
        assert referee.ndim == waveform.ndim + 1
        for half in (of_torch, of_keras):
            double, single = (half(waveform.astype(dtype), **settings, unit=unit) for dtype in ("float64", "float32"))
            assert (double.dtype, single.dtype) == (np.float64, np.float32)
            assert relative_error(double, referee) <= 1e-10
            assert relative_error(single, referee) <= 1e-5


@pytest.mark.parametrize("options", [{"top_db": None}, {"top_db": 5.0}, {"unit": "log"}])
def test_the_waveform_gets_the_gradient_of_central_differences(options: dict[str, Any]) -> None:
    settings, x = SMALL | options, sound(40)
    weight = np.random.default_rng(1).normal(size=log_mel(x, **settings).shape)
    wanted = central_differences(lambda at: float((log_mel(at["x"], **settings) * weight).sum()), {"x": x}, 1e-6)["x"]
    of_x = torch.tensor(x, requires_grad=True)
    (torch_half.LogMel(**settings).double()(of_x) * torch.tensor(weight)).sum().backward()
    assert relative_error(of_x.grad, wanted) <= 1e-6
    variable = tf.Variable(x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(keras_half.LogMel(**settings, dtype="float64")(tf.convert_to_tensor(variable)) * weight)
    assert relative_error(tape.gradient(loss, variable), of_x.grad) <= 1e-10


@over_halves
def test_rows_of_a_batch_are_independent(half: Callable[..., np.ndarray]) -> None:
    """Though they are of very different loudness, of which top_db takes the loudest."""
    x = sound(200, rows=3) * np.array([[1.0], [1e-4], [30.0]])
    alone = np.stack([half(row, **SMALL, top_db=10.0) for row in x])
    np.testing.assert_allclose(half(x, **SMALL, top_db=10.0), alone, rtol=0, atol=1e-10)


@over_halves
def test_zeros_after_the_end_leave_the_frames_of_the_sound_as_they_are(half: Callable[..., np.ndarray]) -> None:
    for samples in (200, 203, 205):
        x = sound(samples)
        frames = log_mel_frames(samples, n_fft=16, hop_length=6)
        assert half(x, **SMALL).shape == (frames, 3)
        longer = half(np.pad(x, (0, 100)), **SMALL)
        assert len(longer) == log_mel_frames(samples + 100, n_fft=16, hop_length=6)
        np.testing.assert_allclose(longer[:frames], half(x, **SMALL), rtol=0, atol=1e-10)
    np.testing.assert_array_equal(log_mel_frames(np.array([200, 16]), n_fft=16, hop_length=6), [34, 3])


@over_halves
def test_a_sound_ten_times_as_strong_is_twenty_decibels_louder(half: Callable[..., np.ndarray]) -> None:
    x, free = sound(200), {"top_db": None, "amin": 1e-30}
    np.testing.assert_allclose(half(10 * x, **SMALL, **free), half(x, **SMALL, **free) + 20, rtol=0, atol=1e-9)
    natural = half(x, **SMALL, **free, unit="log")
    np.testing.assert_allclose(half(x, **SMALL, **free), natural * 10 / np.log(10), rtol=0, atol=1e-9)


@over_halves
def test_silence_is_as_quiet_as_told_and_nothing_is_quieter_than_the_bound(half: Callable[..., np.ndarray]) -> None:
    np.testing.assert_allclose(half(np.zeros(100), **SMALL), -100, rtol=1e-12)
    heard = half(np.concatenate([np.zeros(60), sound(100)]), **SMALL, top_db=12.0)
    assert heard.min() == pytest.approx(heard.max() - 12)


@over_halves
def test_a_tone_is_loudest_in_the_band_it_lies_in(half: Callable[..., np.ndarray]) -> None:
    settings = {"sample_rate": 8000, "n_fft": 512, "hop_length": 128, "n_mels": 20}
    filters = mel_filters(sample_rate=8000, n_fft=512, n_mels=20)
    for hertz in (500.0, 1500.0, 3000.0):
        tone = np.sin(2 * np.pi * hertz * np.arange(4000) / 8000)
        band = filters[round(hertz * 512 / 8000)].argmax()
        np.testing.assert_array_equal(half(tone, **settings)[5:-5].argmax(axis=1), band)


def test_the_spectrum_is_that_of_the_formula() -> None:
    """One frame, its discrete Fourier transform written out as a sum."""
    x, n = sound(16), np.arange(16)
    padded = np.concatenate([np.zeros(8), x, np.zeros(8)])[6:22]  # around sample 6
    windowed = padded * (1 - np.cos(2 * np.pi * n / 16)) / 2
    spectrum = np.array([(windowed * np.exp(-2j * np.pi * k * n / 16)).sum() for k in range(9)])
    power = np.abs(spectrum) ** 2 @ mel_filters(sample_rate=100, n_fft=16, n_mels=3)
    np.testing.assert_allclose(log_mel(x, **SMALL, top_db=None)[1], 10 * np.log10(power), rtol=0, atol=1e-10)


def test_triangles_have_an_area_of_one_over_hertz() -> None:
    filters = mel_filters(sample_rate=16_000, n_fft=16_384, n_mels=30)
    np.testing.assert_allclose(filters.sum(axis=0) * 16_000 / 16_384, 1, rtol=1e-3)


@over_halves
def test_every_sample_changes_the_output(half: Callable[..., np.ndarray]) -> None:
    """But those at the edge of every window that they are in, where the window is zero: none here."""
    x = sound(36)
    before = half(x, **SMALL, top_db=None)
    for index in range(36):
        moved = x.copy()
        moved[index] += 0.3
        assert np.abs(half(moved, **SMALL, top_db=None) - before).max() > 1e-6, index


@over_halves
def test_waveforms_that_do_not_fit_are_refused(half: Callable[..., np.ndarray]) -> None:
    spoiled = sound(100, rows=3)
    spoiled[[0, 2], 7] = np.nan
    faults: list[tuple[type[Exception], str, np.ndarray]] = [
        (ShapeError, "got 0 samples, wanted at least 16, one window (is the last axis time?)", np.zeros(0)),
        (ShapeError, "got 15 samples, wanted at least 16, one window (is the last axis time?)", sound(15)),
        (ShapeError, "got 2 samples, wanted at least 16, one window (is the last axis time?)", sound(2, rows=100)),
        (ShapeError, "got shape (), wanted (samples,) or (batch, samples), channels mixed into one", np.array(1.0)),
        (
            ShapeError,
            "got shape (1, 2, 100), wanted (samples,) or (batch, samples), channels mixed into one",
            sound(100, rows=2)[None],
        ),
        (EmptyBatchError, "got batch size 0, wanted at least 1", np.zeros((0, 100))),
        (NotFiniteError, "got NaN or infinity in rows [0, 2], wanted finite numbers", spoiled),
        (NotFiniteError, "got NaN or infinity in rows [0], wanted finite numbers", spoiled[2] * np.inf),
    ]
    for error, message, waveform in faults:
        with pytest.raises(error) as caught:
            half(waveform, **SMALL)
        assert str(caught.value) == f"log-mel: waveform: {message}"


def test_whole_numbers_are_refused_with_the_way_to_scale_them() -> None:
    x = (sound(100) * 32767).astype(np.int16)
    message = "waveform: got dtype int16, wanted floating samples between -1 and 1 .divide int16 by 32768 first."
    for call in (
        lambda: log_mel(x, **SMALL),
        lambda: torch_half.LogMel(**SMALL)(torch.tensor(x)),
        lambda: keras_half.LogMel(**SMALL)(x),
    ):
        with pytest.raises(DtypeError, match=message):
            call()
    with pytest.raises(DtypeError, match="waveform: got dtype float64, wanted float32"):
        torch_half.LogMel(**SMALL)(torch.tensor(sound(100)))
    with pytest.raises(DtypeError, match=r"waveform: got ndarray, wanted a torch\.Tensor"):
        torch_half.LogMel(**SMALL)(sound(100))


@over_halves
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sample_rate": 0}, "sample_rate: got 0, wanted hertz, a number above 0"),
        ({"sample_rate": -8000.0}, "sample_rate: got -8000.0, wanted hertz, a number above 0"),
        ({"sample_rate": None}, "sample_rate: got None, wanted hertz, a number above 0"),
        ({"sample_rate": np.nan}, "sample_rate: got nan, wanted hertz, a number above 0"),
        ({"n_fft": 0}, "n_fft: got width 0, wanted a whole number above 0"),
        ({"hop_length": 2.5}, "hop_length: got width 2.5, wanted a whole number above 0"),
        ({"n_mels": 0}, "n_mels: got width 0, wanted a whole number above 0"),
        ({"fmax": 51.0}, "fmin, fmax: got 0.0 and 51.0, wanted 0 <= fmin < fmax <= 50, half the sample rate"),
        ({"fmin": 30.0, "fmax": 20.0}, "fmin, fmax: got 30.0 and 20.0, wanted 0 <= fmin < fmax <= 50"),
        ({"fmin": -1.0}, "fmin, fmax: got -1.0 and None, wanted 0 <= fmin < fmax <= 50"),
        ({"n_mels": 40}, "n_mels: got 40, of which band 0 holds no bin, wanted fewer bands, or a longer window than"),
        ({"unit": "dB"}, "unit: got 'dB', wanted 'db' or 'log'"),
        ({"amin": 0.0}, "amin: got 0.0, wanted a number above 0"),
        ({"top_db": -3.0}, "top_db: got -3.0, wanted a number above 0"),
    ],
    ids=lambda wrong: str(wrong) if isinstance(wrong, dict) else "",
)
def test_settings_that_do_not_fit_are_refused(half: Any, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="log-mel: ") as caught:
        half(sound(100), **SMALL | wrong)
    assert message in str(caught.value)


def test_a_sample_rate_must_be_told() -> None:
    with pytest.raises(TypeError, match="sample_rate"):
        log_mel(sound(100), n_fft=16, hop_length=6, n_mels=3)  # type: ignore[call-arg]


def test_nothing_of_the_front_end_is_learned_or_stored() -> None:
    module = torch_half.LogMel(**SMALL)
    assert not module.state_dict()
    assert not list(module.parameters())
    assert not keras_half.LogMel(**SMALL).weights
    module.double().float().double()  # there and back: buffers are made anew, not rounded
    assert relative_error(module.filters, mel_filters(sample_rate=100, n_fft=16, n_mels=3)) == 0


def test_without_value_checks_nan_passes() -> None:
    x = sound(100)
    x[3] = np.nan
    assert torch_half.LogMel(**SMALL, check_values=False).double()(torch.tensor(x)).isnan().any()
    assert np.isnan(keras_half.LogMel(**SMALL, check_values=False, dtype="float64")(x)).any()
