"""Files of every kind, small and whole, and ways in which they are damaged by chance."""

import io
from functools import cache

import numpy as np
import soundfile
from PIL import Image

ENGLISH_AND_CHINESE = (
    "Pictures, words and sounds mean the same.\n图像、文字和声音的意思相同。\nNaïve café, 三点一四。\n" * 3
)


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def recorded(samples, rate, kind, subtype=None):
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def array_file(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@cache
def pictures():
    """Three frames of 14 x 18 pixels: a gradient with noise, shifted."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:14, :18]
    base = np.stack([12 * x, 14 * y, 6 * (x + y)], axis=2) + rng.integers(0, 30, (14, 18, 3))
    return [Image.fromarray(np.roll(base, shift, axis=1).clip(0, 255).astype(np.uint8)) for shift in range(3)]


@cache
def sound(samples=1200):
    rng = np.random.default_rng(0)
    return 0.5 * np.sin(0.3 * np.arange(samples)) + 0.03 * rng.standard_normal(samples)


@cache
def whole():
    """{name: content}; the names tell the readers apart."""
    first, *others = pictures()
    moving = {"save_all": True, "append_images": others, "duration": 80}
    scan = np.random.default_rng(0).uniform(0.5, 40, 90)
    return {
        "picture.png": saved(first, "PNG"),
        "grey.png": saved(first.convert("L"), "PNG"),
        "palette.png": saved(first.quantize(16), "PNG"),
        "picture.jpg": saved(first, "JPEG"),
        "picture.gif": saved(first, "GIF"),
        "picture.bmp": saved(first, "BMP"),
        "picture.webp": saved(first, "WEBP"),
        "sound.wav": recorded(sound(), 8000, "WAV", "PCM_16"),
        "float.wav": recorded(sound(), 8000, "WAV", "FLOAT"),
        "sound.flac": recorded(sound(), 8000, "FLAC"),
        "sound.ogg": recorded(sound(), 8000, "OGG", "VORBIS"),
        "sound.mp3": recorded(sound(), 8000, "MP3"),
        "words.txt": ENGLISH_AND_CHINESE.encode(),
        "moving.gif": saved(first, "GIF", **moving),
        "moving.png": saved(first, "PNG", **moving),
        "moving.webp": saved(first, "WEBP", **moving),
        "beams.npy": array_file(scan),
        "radar.npy": array_file(np.stack([scan, scan - 20], axis=1).astype(np.float32)),
    }


def damaged(content, rng, others):
    """One of eight kinds of damage, at a random place; never the content itself."""
    result = content
    while result == content:
        result = KINDS[rng.integers(len(KINDS))](content, rng, others)
    return result


def _span(content, rng, longest=64):
    start = int(rng.integers(len(content)))
    return start, start + int(rng.integers(1, longest))


def cut(content, rng, others):
    return content[: rng.integers(len(content))]


def emptied(content, rng, others):
    return b""


def flipped(content, rng, others):
    """One to eight bits, half of the time among the first 64 bytes, where the headers are."""
    values = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        values[rng.integers(min(64, len(values)) if rng.random() < 0.5 else len(values))] ^= 1 << rng.integers(8)
    return bytes(values)


def zeroed(content, rng, others):
    start, stop = _span(content, rng)
    return content[:start] + bytes(len(content[start:stop])) + content[stop:]


def lost(content, rng, others):
    start, stop = _span(content, rng)
    return content[:start] + content[stop:]


def stuffed(content, rng, others):
    start, stop = _span(content, rng)
    return content[:start] + rng.bytes(stop - start) + content[start:]


def with_another_head(content, rng, others):
    length = int(rng.integers(4, 64))
    return others[rng.integers(len(others))][:length] + content[length:]


def joined(content, rng, others):
    return content + others[rng.integers(len(others))]


KINDS = (cut, emptied, flipped, flipped, zeroed, lost, stuffed, with_another_head, joined)
