"""Pooling of pictures: one number for each window, channel by channel."""

from torch import Tensor
from torch.nn import functional

from mmcourse.encoders.torch.image_base import check_images
from mmcourse.encoders.windows import Pair, Plane, check_room, pooling_plane


def max_pooling(
    images: Tensor, size: Pair, *, stride: Pair | None = None, padding: Pair = 0, check_values: bool = True
) -> Tensor:
    """The largest number in each window:  y[c,i,j] = max_uv x[c, si+u-p, sj+v-p].

    images: (batch, channels, height, width);  size: of the window;  stride s: the size where it is not given
    padding p: pixels at each edge, at most half the size, that never are the largest
    check_values: see ImageModule;  returns (batch, channels, places down, places across)
    Raises a ModalityError naming what does not fit.
    """
    windows = _windows(images, size, stride, padding, check_values, "max pooling")
    kernel_size, strides, paddings, _ = zip(*windows, strict=True)
    return functional.max_pool2d(images, kernel_size, strides, paddings)


def average_pooling(
    images: Tensor, size: Pair, *, stride: Pair | None = None, padding: Pair = 0, check_values: bool = True
) -> Tensor:
    """The mean in each window over its pixels inside the picture: a picture of one grey stays what it is.

    images: (batch, channels, height, width);  size: of the window;  stride: the size where it is not given
    padding: pixels at each edge, at most half the size, that do not count
    check_values: see ImageModule;  returns (batch, channels, places down, places across)
    Raises a ModalityError naming what does not fit.
    """
    windows = _windows(images, size, stride, padding, check_values, "average pooling")
    kernel_size, strides, paddings, _ = zip(*windows, strict=True)
    return functional.avg_pool2d(images, kernel_size, strides, paddings, count_include_pad=False)


def global_average_pooling(images: Tensor, *, check_values: bool = True) -> Tensor:
    """The mean of each channel over all places: (batch, channels, height, width) -> (batch, channels)."""
    check_images(images, None, "global average pooling", check_values=check_values)
    return images.mean(dim=(2, 3))


def global_max_pooling(images: Tensor, *, check_values: bool = True) -> Tensor:
    """The largest number of each channel over all places: (batch, channels, height, width) -> (batch, channels)."""
    check_images(images, None, "global max pooling", check_values=check_values)
    return images.amax(dim=(2, 3))


def _windows(images: Tensor, size: Pair, stride: Pair | None, padding: Pair, check_values: bool, where: str) -> Plane:
    windows = pooling_plane(size, stride=stride, padding=padding, where=where)
    check_images(images, None, where, check_values=check_values)
    check_room(windows, images.shape[2], images.shape[3], where)
    return windows
