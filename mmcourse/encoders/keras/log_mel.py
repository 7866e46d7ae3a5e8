"""Log-mel spectrogram."""

import math
from typing import Any

import keras
import tensorflow as tf

from mmcourse.encoders import audio_checks as checks
from mmcourse.encoders.keras import values
from mmcourse.encoders.keras.sequence import specification
from mmcourse.encoders.numpy.log_mel import hann, log_mel_frames
from mmcourse.encoders.numpy.mel_filters import mel_filters


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class LogMel(keras.layers.Layer):
    """The loudness of a sound over time and pitch, with a gradient to its waveform; nothing is learned.

        x_t = window * (the n_fft samples around sample t hop_length),  window_n = (1 - cos(2 pi n / n_fft)) / 2
        P_t = |FFT(x_t)|^2,     S_t = P_t filters,     10 log10(max(S_t, amin, max(S) 10^(-top_db / 10)))

    sample_rate: hertz;  n_fft, hop_length: samples;  n_mels, fmin, fmax: see mel_filters
    unit: "db" as above, or "log" for the natural logarithm of the same
    amin: the smallest power told from silence;  top_db: how far below its own loudest spot a sound is heard, None for
        no bound
    check_values: also refuse NaN and infinity; see SequenceEncoder
    Raises a ModalityError for a waveform and ValueError for a setting that does not fit.
    Source: Davis and Mermelstein (1980) for the bands; librosa for the conventions.
    """

    def __init__(
        self,
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
        check_values: bool = True,
        **layer: Any,
    ) -> None:
        super().__init__(**layer, autocast=False)
        highest = checks.check_settings(sample_rate, n_fft, hop_length, n_mels, fmin, fmax, unit, amin, top_db)
        self.settings: dict[str, Any] = {
            "sample_rate": sample_rate,
            "n_fft": n_fft,
            "hop_length": hop_length,
            "n_mels": n_mels,
        }
        self.settings |= {"fmin": fmin, "fmax": fmax}
        self.n_fft, self.hop_length, self.out_dim = n_fft, hop_length, n_mels
        self.unit, self.amin, self.top_db = unit, amin, top_db
        self.check_values = check_values
        self.supports_jit = not check_values
        self.filters = mel_filters(sample_rate=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=highest)

    def get_config(self) -> dict[str, Any]:
        own = {"unit": self.unit, "amin": self.amin, "top_db": self.top_db, "check_values": self.check_values}
        return {**super().get_config(), **self.settings, **own}

    def compute_output_spec(self, waveform: Any) -> Any:
        self._check_structure(waveform)
        samples = waveform.shape[-1]
        time = None if samples is None else log_mel_frames(samples, n_fft=self.n_fft, hop_length=self.hop_length)
        return keras.KerasTensor((*waveform.shape[:-1], time, self.out_dim), self.compute_dtype)

    def call(self, waveform: Any) -> Any:
        """waveform: (samples,) or (batch, samples);  returns (time, n_mels) or (batch, time, n_mels)"""
        self._check_structure(waveform)
        x = tf.convert_to_tensor(waveform)
        if self.check_values:
            x = values.check_waveform(x, self.n_fft)
        ends = [[0, 0]] * (len(x.shape) - 1) + [[self.n_fft // 2] * 2]
        windows = tf.signal.frame(tf.pad(x, ends), self.n_fft, self.hop_length) * hann(self.n_fft).astype(x.dtype.name)
        spectrum = tf.signal.rfft(windows)  # (..., time, bins)
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        power = tf.tensordot(power, tf.constant(self.filters, x.dtype), axes=1)
        heard = tf.maximum(power, tf.constant(self.amin, x.dtype))
        if self.top_db is not None:
            loudest = tf.reduce_max(power, axis=(-2, -1), keepdims=True)
            heard = tf.maximum(heard, loudest * 10 ** (-self.top_db / 10))
        return tf.math.log(heard) if self.unit == "log" else 10 / math.log(10) * tf.math.log(heard)

    def _check_structure(self, waveform: Any) -> None:
        checks.check_waveform(specification(waveform), self.n_fft, dtype=self.compute_dtype)
