"""What the NumPy formulas do with pictures and parameters before the mathematics begins."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mmcourse.checks import Spec
from mmcourse.encoders.image_checks import check_finite, check_images
from mmcourse.encoders.windows import Plane, check_room


def prepare(images: ArrayLike, channels: int | None, where: str, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Return pictures (batch, channels, height, width) in that dtype, or raise a ModalityError."""
    images = np.asarray(images)
    check_images(Spec(images.shape, images.dtype.name), channels, where)
    check_finite(np.isfinite(images).all(axis=(1, 2, 3)), where)
    return images.astype(dtype, copy=False)


def slide(images: NDArray[Any], windows: Plane, fill: float, where: str) -> NDArray[Any]:
    """What the window sees at each of its places: (batch, channels, kernel height, kernel width, places down, across).

    A view into the pictures padded with `fill`: nothing is copied yet, each number is seen by many places.
    """
    vertical, horizontal = windows
    batch, channels, height, width = images.shape
    check_room(windows, height, width, where)
    if vertical.padding or horizontal.padding:
        down, across = vertical.padding, horizontal.padding
        padded = np.full((batch, channels, height + 2 * down, width + 2 * across), fill, images.dtype)
        padded[:, :, down : down + height, across : across + width] = images
        images = padded
    seen = sliding_window_view(images, (vertical.reach, horizontal.reach), axis=(2, 3))
    seen = seen[:, :, :: vertical.stride, :: horizontal.stride, :: vertical.dilation, :: horizontal.dilation]
    return seen.transpose(0, 1, 4, 5, 2, 3)
