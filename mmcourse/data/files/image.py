"""Read a picture."""

import os
from io import BytesIO
from typing import Any, Literal

import numpy as np

from mmcourse.data.files.source import Source, opened
from mmcourse.data.files.whole_images import IMAGE_CHECKS, gif_frames

MOST_PIXELS = 50_000_000
GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


def read_image(path: str | os.PathLike[str], *, mode: Literal["RGB", "grey"] = "RGB") -> np.ndarray:
    """A picture as float32 in [0, 1]: (height, width, 3) in mode "RGB", (height, width) in mode "grey".

    PNG, JPEG, GIF, BMP and WebP; upright, as its EXIF orientation says. The values are those of the file: no colour
    profile is applied. "grey" is 0.299 R + 0.587 G + 0.114 B; a grey file keeps its values in both modes.
    A ConvertedFileWarning says what was added or lost: transparent pixels were laid on white, a grey picture repeated
    over three channels, only the first of several frames was read, 16 bits a channel became 8 (in colour; in grey all
    16 stay), CMYK was converted without its profile, bytes behind the end were left, the name speaks of another kind.
    Raises FileError, which names the file, what came and what was wanted: for no readable picture, for a file that is
    cut off or damaged, and for more than 50 million pixels. In a PNG every damage is found, by its checksums. The other
    kinds have none: damage inside their compressed pixels shows, if at all, in the picture. ValueError for the mode.
    """
    if mode not in ("RGB", "grey"):
        raise ValueError(f'read_image: mode: got {mode!r}, wanted "RGB" or "grey"')
    source = opened(path, "image", "read_image", tuple(IMAGE_CHECKS))
    source.checked(IMAGE_CHECKS[source.kind])
    picture, frames = _decoded(source)
    if frames > 1:
        source.notes.append(f"only the first of {frames} frames was read")
    values = in_mode(picture, mode, source.notes)
    source.tell()
    return values


def _decoded(source: Source) -> tuple[np.ndarray, int]:
    """(height, width, channels) of the first frame, upright, and how many frames there are."""
    from PIL import ImageOps

    image = pillow_image(source)
    if image.width * image.height > MOST_PIXELS:
        raise source.refusal(f"{image.width} x {image.height} pixels", f"at most {MOST_PIXELS:,} in all")
    frames = frame_count(image, source)
    try:
        image.load()
        return channels(ImageOps.exif_transpose(image), source), frames
    except Exception as error:  # Pillow's decoders raise a dozen kinds of exception on damaged files
        raise cannot_be_decoded(source, error) from error


def pillow_image(source: Source) -> Any:
    """The file as Pillow opens it, its pixels not yet decoded."""
    from PIL import Image

    try:
        return Image.open(BytesIO(source.content), formats=(source.kind,))
    except Exception as error:  # as above: damage in a header
        raise cannot_be_decoded(source, error) from error


def frame_count(image: Any, source: Source) -> int:
    """How many pictures the file holds."""
    if source.kind == "GIF":
        return gif_frames(source.content)  # Pillow would decode them all to count them
    try:
        return getattr(image, "n_frames", 1)
    except Exception as error:  # as above
        raise cannot_be_decoded(source, error) from error


def cannot_be_decoded(source: Source, error: Exception) -> Exception:
    """The FileError for what Pillow said."""
    return source.refusal(f"a {source.kind} file that cannot be decoded ({error})", "a whole file")


def channels(image: Any, source: Source) -> np.ndarray:
    """(height, width, 1 to 4) float32 in [0, 1]: grey, grey and alpha, RGB, or RGB and alpha."""
    if image.mode in ("I", "I;16", "I;16B"):  # grey of 16 bits: Pillow's own conversion would cut it at 255
        raw = np.asarray(image).astype(np.float32)[:, :, None]
        key = image.info.get("transparency")
        alpha = [] if key is None else [(raw != key).astype(np.float32)]
        return np.concatenate([raw / (2**16 - 1), *alpha], axis=2)
    if image.mode == "CMYK":
        source.notes.append("CMYK was converted to RGB without its colour profile")
    if source.kind == "PNG" and source.content[24] == 16:  # bits a channel
        source.notes.append("16 bits a channel were reduced to 8")
    grey = image.mode in ("1", "L", "LA", "La")
    wanted = ("L" if grey else "RGB") if not image.has_transparency_data else "LA" if grey else "RGBA"
    values = np.asarray(image.convert(wanted)).astype(np.float32) / 255
    return values[:, :, None] if values.ndim == 2 else values


def in_mode(values: np.ndarray, mode: str, notes: list[str]) -> np.ndarray:
    """(height, width, 1 to 4) -> (height, width, 3) for "RGB", (height, width) for "grey"; transparency on white."""
    if values.shape[2] in (2, 4):
        alpha = values[:, :, -1:]
        values = values[:, :, :-1]
        if (alpha < 1).any():
            values = values * alpha + (1 - alpha)
            notes.append("transparent pixels were laid on white")
    if mode == "grey":
        return values[:, :, 0] if values.shape[2] == 1 else np.clip(values @ GREY_WEIGHTS, 0, 1)
    if values.shape[2] == 1:
        notes.append("a grey picture was repeated over three channels")
        return np.repeat(values, 3, axis=2)
    return values
