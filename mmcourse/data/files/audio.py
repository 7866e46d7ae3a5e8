"""Read a recording."""

import hashlib
import os
from io import BytesIO
from typing import Any

import numpy as np

from mmcourse.data.files.source import Source, opened
from mmcourse.data.files.whole_audio import AUDIO_CHECKS, flac_header
from mmcourse.data.resampling import resampled

MOST_SAMPLES = 100_000_000  # of all channels: 17 minutes of stereo at 48 kHz
LOWEST_RATE, HIGHEST_RATE = 1000, 192_000
LOUDEST = 2.0  # of float samples: a little over 1 is a loud recording, more is another scale


def read_audio(path: str | os.PathLike[str], *, sample_rate: int) -> np.ndarray:
    """A recording as float32 in [-1, 1], (samples,), at `sample_rate` hertz.

    WAV, FLAC, Ogg (Vorbis, Opus) and MP3. Channels are averaged, another rate is changed by `resampled`, which lets no
    frequency above the new band come back as a lower one.
    A ConvertedFileWarning says what was done: channels averaged, rate changed, peaks above 1 cut; and what is odd: no
    sound at all, bytes behind the end, a FLAC without checksum, a name that speaks of another kind.
    Raises FileError, which names the file, what came and what was wanted: for no readable recording, for one that is
    cut off (fewer samples than its header promises) or damaged, without samples, with NaN or infinity, with amplitudes
    above 2 (another scale than [-1, 1]), with a rate outside 1 to 192 kHz, or longer than 100 million samples. In FLAC
    and Ogg every damage to the samples is found, by checksums. WAV and MP3 have none: damage inside their samples can
    only be heard. ValueError for `sample_rate`.
    """
    where = "read_audio"
    if sample_rate != int(sample_rate) or not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        wanted = f"a whole number from {LOWEST_RATE} to {HIGHEST_RATE}"
        raise ValueError(f"{where}: sample_rate: got {sample_rate}, wanted {wanted}")
    source = opened(path, "audio", where, tuple(AUDIO_CHECKS))
    source.checked(AUDIO_CHECKS[source.kind])
    samples, rate = _decoded(source)  # (samples, channels)
    if len(samples) == 0:
        raise source.refusal("no samples", "at least 1")
    if not np.isfinite(samples).all():
        raise source.refusal("NaN or infinity among the samples", "finite numbers")
    peak = float(np.abs(samples).max())
    if peak > LOUDEST:
        raise source.refusal(f"amplitudes up to {peak:g}", "-1 to 1: divide by the full scale first")
    if peak > 1:
        source.notes.append(f"peaks up to {peak:.3g} were cut at 1")
    waveform = samples.mean(axis=1)
    if samples.shape[1] > 1:
        source.notes.append(f"{samples.shape[1]} channels were averaged")
    if not waveform.any():
        why = "the channels cancel each other" if peak > 0 else "every sample is 0"
        source.notes.append(f"there is no sound in it: {why}")
    if rate != sample_rate:
        waveform = resampled(waveform, rate, int(sample_rate))
        source.notes.append(f"{rate} Hz were changed to {sample_rate} Hz")
    source.tell()
    return np.clip(waveform, -1, 1).astype(np.float32)  # the filter, too, can overshoot a little


def _decoded(source: Source) -> tuple[np.ndarray, int]:
    """((samples, channels) floats, rate)."""
    import soundfile

    try:
        with soundfile.SoundFile(BytesIO(source.content)) as file:
            _check_size(source, file)
            dtype = "int32" if source.kind == "FLAC" else "float32"  # whole numbers, for their checksum
            samples, rate, promised = file.read(dtype=dtype, always_2d=True), file.samplerate, file.frames
    except (soundfile.LibsndfileError, MemoryError) as error:
        wanted = "a whole file"
        raise source.refusal(f"a {source.kind} file that cannot be decoded ({error})", wanted) from error
    if len(samples) < promised:
        raise source.refusal(f"{len(samples):,} samples where its header promises {promised:,}", "a whole file")
    if source.kind == "FLAC":
        _check_flac(source, samples)
        samples = (samples / 2**31).astype(np.float32)
    return samples, rate


def _check_size(source: Source, file: Any) -> None:
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        raise source.refusal(f"{file.samplerate:,} Hz", f"{LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz")
    if file.frames * file.channels > MOST_SAMPLES:
        raise source.refusal(f"{file.frames:,} samples in {file.channels} channels", f"at most {MOST_SAMPLES:,} in all")


def _check_flac(source: Source, samples: np.ndarray) -> None:
    """Hold decoded samples, int32 with the value in the upper bits, to the MD5 of the file's header."""
    header = flac_header(source.content)
    if header.md5 == bytes(16):
        source.notes.append("this FLAC states no checksum: damage cannot be seen")
        return
    width = -(-header.bits // 8)
    values = (samples >> (32 - header.bits)).astype("<i4")
    packed = values.view(np.uint8).reshape(-1, 4)[:, :width]
    if hashlib.md5(packed.tobytes(), usedforsecurity=False).digest() != header.md5:
        raise source.refusal("a FLAC recording whose samples have another checksum than it states", "a whole file")
