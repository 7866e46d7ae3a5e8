"""Log-mel spectrogram."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from mmcourse.checks import Spec
from mmcourse.encoders import audio_checks as checks
from mmcourse.encoders.numpy.log_mel import hann
from mmcourse.encoders.numpy.mel_filters import mel_filters
from mmcourse.encoders.torch.base import _name
from mmcourse.errors import DtypeError


class LogMel(nn.Module):
    """The loudness of a sound over time and pitch, with a gradient to its waveform; nothing is learned.

        x_t = window * (the n_fft samples around sample t hop_length),  window_n = (1 - cos(2 pi n / n_fft)) / 2
        P_t = |FFT(x_t)|^2,     S_t = P_t filters,     10 log10(max(S_t, amin, max(S) 10^(-top_db / 10)))

    sample_rate: hertz;  n_fft, hop_length: samples;  n_mels, fmin, fmax: see mel_filters
    unit: "db" as above, or "log" for the natural logarithm of the same
    amin: the smallest power told from silence;  top_db: how far below its own loudest spot a sound is heard, None for
        no bound
    check_values: also refuse NaN and infinity, for which a GPU is waited for
    Window and filters are buffers that are not stored: they follow from the settings.
    Raises a ModalityError for a waveform and ValueError for a setting that does not fit.
    Source: Davis and Mermelstein (1980) for the bands; librosa for the conventions.
    """

    window: Tensor
    filters: Tensor

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
    ) -> None:
        super().__init__()
        highest = checks.check_settings(sample_rate, n_fft, hop_length, n_mels, fmin, fmax, unit, amin, top_db)
        self.n_fft, self.hop_length, self.out_dim = n_fft, hop_length, n_mels
        self.unit, self.amin, self.top_db = unit, amin, top_db
        self.check_values = check_values
        filters = mel_filters(sample_rate=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=highest)
        self.exact = {"window": hann(n_fft), "filters": filters}
        for name, array in self.exact.items():
            self.register_buffer(name, torch.tensor(array, dtype=torch.get_default_dtype()), persistent=False)

    def _apply(self, *arguments: Any, **options: Any) -> "LogMel":
        """A module made double has double buffers, and not single ones made longer."""
        super()._apply(*arguments, **options)
        for name, array in self.exact.items():
            getattr(self, name).copy_(torch.tensor(array))
        return self

    def forward(self, waveform: Tensor) -> Tensor:
        """waveform: (samples,) or (batch, samples);  returns (time, n_mels) or (batch, time, n_mels)"""
        if not isinstance(waveform, Tensor):
            raise DtypeError("waveform", got=type(waveform).__name__, wanted="a torch.Tensor", where=checks.WHERE)
        spec = Spec(tuple(waveform.shape), _name(waveform.dtype))
        checks.check_waveform(spec, self.n_fft, dtype=_name(self.window.dtype))
        if self.check_values:
            checks.check_finite(waveform.detach().abs().amax(dim=-1).isfinite().cpu().numpy())
        spectrum = torch.stft(
            waveform, self.n_fft, self.hop_length, window=self.window, pad_mode="constant", return_complex=True
        )  # (..., bins, time)
        power = (spectrum.real.square() + spectrum.imag.square()).transpose(-1, -2) @ self.filters
        heard = power.clamp(min=self.amin)
        if self.top_db is not None:
            heard = heard.maximum(power.amax(dim=(-2, -1), keepdim=True) * 10 ** (-self.top_db / 10))
        return heard.log() if self.unit == "log" else 10 / math.log(10) * heard.log()
