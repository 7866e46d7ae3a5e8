"""Pooling of pictures: one number for each window, channel by channel."""

from typing import Any

import tensorflow as tf
from keras import ops

from mmcourse.encoders.keras.image_base import check_images, to_first, to_last
from mmcourse.encoders.windows import Pair, Plane, check_room, pooling_plane


def max_pooling(
    images: Any, size: Pair, *, stride: Pair | None = None, padding: Pair = 0, check_values: bool = True
) -> Any:
    """The largest number in each window:  y[c,i,j] = max_uv x[c, si+u-p, sj+v-p].

    images: (batch, channels, height, width);  size: of the window;  stride s: the size where it is not given
    padding p: pixels at each edge, at most half the size, that never are the largest
    check_values: see ImageLayer;  returns (batch, channels, places down, places across)
    Raises a ModalityError naming what does not fit.
    """
    where = "max pooling"
    windows, images = _prepare(images, size, stride, padding, check_values, where)
    return to_first(max_of(to_last(images), windows))


def average_pooling(
    images: Any, size: Pair, *, stride: Pair | None = None, padding: Pair = 0, check_values: bool = True
) -> Any:
    """The mean in each window over its pixels inside the picture: a picture of one grey stays what it is.

    images: (batch, channels, height, width);  size: of the window;  stride: the size where it is not given
    padding: pixels at each edge, at most half the size, that do not count
    check_values: see ImageLayer;  returns (batch, channels, places down, places across)
    Raises a ModalityError naming what does not fit.
    """
    windows, images = _prepare(images, size, stride, padding, check_values, "average pooling")
    maps = to_last(images)
    sums, inside = (_mean_with_zeros(x, windows) for x in (maps, tf.ones_like(maps[:1, :, :, :1])))
    return to_first(sums / inside)


def global_average_pooling(images: Any, *, check_values: bool = True) -> Any:
    """The mean of each channel over all places: (batch, channels, height, width) -> (batch, channels)."""
    images = tf.convert_to_tensor(images)
    return ops.mean(check_images(images, None, "global average pooling", check_values=check_values), axis=(2, 3))


def global_max_pooling(images: Any, *, check_values: bool = True) -> Any:
    """The largest number of each channel over all places: (batch, channels, height, width) -> (batch, channels)."""
    images = tf.convert_to_tensor(images)
    return ops.max(check_images(images, None, "global max pooling", check_values=check_values), axis=(2, 3))


def max_of(maps: Any, windows: Plane) -> Any:
    """max_pooling of maps (batch, height, width, channels)."""
    sizes, strides, edges = _layout(windows)
    padded = tf.pad(maps, edges, constant_values=maps.dtype.min)
    return tf.nn.max_pool2d(padded, sizes, strides, "VALID")


def _mean_with_zeros(maps: Any, windows: Plane) -> Any:
    sizes, strides, edges = _layout(windows)
    return tf.nn.avg_pool2d(tf.pad(maps, edges), sizes, strides, "VALID")


def _layout(windows: Plane) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    edges = [(0, 0), *((window.padding, window.padding) for window in windows), (0, 0)]
    return [window.kernel_size for window in windows], [window.stride for window in windows], edges


def _prepare(
    images: Any, size: Pair, stride: Pair | None, padding: Pair, check_values: bool, where: str
) -> tuple[Plane, Any]:
    windows = pooling_plane(size, stride=stride, padding=padding, where=where)
    images = check_images(tf.convert_to_tensor(images), None, where, check_values=check_values)
    check_room(windows, images.shape[2], images.shape[3], where)
    return windows, images
