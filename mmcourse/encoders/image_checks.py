"""What every encoder of pictures asks of its inputs, free of any framework, so that all halves refuse alike."""

import numpy as np

from mmcourse.checks import Spec, rows_text, shape_text
from mmcourse.errors import DtypeError, EmptyBatchError, NotFiniteError, ShapeError

COLOURS = {1: "1 channel (grey)", 3: "3 channels (red, green, blue)"}


def check_images(images: Spec, channels: int | None, where: str, *, dtype: str | None = None) -> None:
    """Raise a ModalityError unless images are (batch, channels, height, width), floating, with pixels.

    channels: None takes any number;  dtype: the module's, None takes any floating one
    """
    shape, got = images
    wanted = f"(batch, {channels or 'channels'}, height, width)"
    if len(shape) != 4:
        raise ShapeError("image", got=f"shape {shape_text(shape)}", wanted=wanted + _hint(shape, channels), where=where)
    if not got.startswith(("float", "bfloat")):
        wanted = "a floating one (pixels 0 to 255 are divided by 255 first)"
        raise DtypeError("image", got=f"dtype {got}", wanted=wanted, where=where)
    if dtype is not None and got != dtype:
        raise DtypeError("image", got=f"dtype {got}", wanted=dtype, where=where)
    if channels is not None and shape[1] != channels:
        if shape[3] == channels:
            got = f"shape {shape_text(shape)}, channels last"
            raise ShapeError("image", got=got, wanted=f"channels first, {wanted}", where=where)
        raise ShapeError("image", got=_channels(shape[1]), wanted=_channels(channels), where=where)
    if shape[0] == 0:
        raise EmptyBatchError("image", got="batch size 0", wanted="at least 1", where=where)
    if 0 in shape:
        raise ShapeError("image", got=f"shape {shape_text(shape)}", wanted="at least one pixel", where=where)


def check_divides(name: str, size: int, divisor_name: str, divisor: int, where: str) -> None:
    """Raise ShapeError unless size is a multiple of divisor."""
    if size % divisor:
        raise ShapeError(name, got=size, wanted=f"a multiple of {divisor_name} {divisor}", where=where)


def check_patches(size: tuple[int | None, ...], patch_size: tuple[int, int], where: str) -> None:
    """Raise ShapeError where patches do not divide the picture.

    size: (height, width), None for what is known only when a graph runs
    """
    for axis, pixels, patch in zip(("height", "width"), size, patch_size, strict=True):
        if pixels is not None and pixels % patch:
            raise ShapeError("image", got=f"{axis} {pixels}", wanted=f"a multiple of the patch's {patch}", where=where)


def check_picture_size(
    size: tuple[int | None, ...], wanted: tuple[int, int], where: str, *, cure: str = "interpolate=True"
) -> None:
    """Raise ShapeError unless pictures have the height and width that were declared."""
    for axis, pixels, declared in zip(("height", "width"), size, wanted, strict=True):
        if pixels is not None and pixels != declared:
            raise ShapeError("image", got=f"{axis} {pixels}", wanted=f"{declared} (or {cure})", where=where)


def check_norm(momentum: float, epsilon: float, where: str) -> None:
    """Raise ValueError unless momentum is a share and epsilon is above 0."""
    if not 0 <= momentum <= 1:
        raise ValueError(f"{where}: momentum: got {momentum}, wanted the newest batch's share, 0 to 1")
    if not epsilon > 0:
        raise ValueError(f"{where}: epsilon: got {epsilon}, wanted a number above 0")


def check_statistics(values: int | None, where: str) -> None:
    """Raise ShapeError where a channel has one value in the whole batch; None is known only when a graph runs."""
    if values == 1:
        raise single_value(where)


def single_value(where: str) -> ShapeError:
    """The error for a channel with one value: it is its own mean, and the unbiased variance is 0 / 0."""
    return ShapeError("image", got="1 value per channel in training", wanted="at least 2", where=where)


def check_finite(finite: np.ndarray, where: str) -> None:
    """Raise NotFiniteError for pictures with NaN or infinity.  finite: (batch,) bool"""
    if not finite.all():
        raise not_finite(rows_text(~finite), where)


def not_finite(rows: str, where: str) -> NotFiniteError:
    """The error for pictures that hold NaN or infinity."""
    return NotFiniteError("image", got=f"NaN or infinity in rows [{rows}]", wanted="finite numbers", where=where)


def _hint(shape: tuple[int | None, ...], channels: int | None) -> str:
    """How three axes become four, where that can be told."""
    if len(shape) == 3 and channels in (None, 1):
        return "; grey pictures get their channel by images[:, None]"
    if len(shape) == 3 and channels in (shape[0], shape[2]):
        return "; one picture becomes a batch by images[None]"
    return ""


def _channels(number: int | None) -> str:
    return COLOURS.get(number or 0, f"{number} channels")
