"""Pooling of pictures: one number for each window, channel by channel."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders.numpy.image_inputs import prepare, slide
from mmcourse.encoders.windows import Pair, pooling_plane


def max_pooling(images: ArrayLike, size: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> NDArray[np.float64]:
    """The largest number in each window:  y[c,i,j] = max_uv x[c, si+u-p, sj+v-p].

    images: (batch, channels, height, width);  size: of the window;  stride s: the size where it is not given
    padding p: pixels at each edge, at most half the size, that never are the largest
    returns (batch, channels, places down, places across).  Raises a ModalityError naming what does not fit.
    """
    where = "max pooling"
    windows = pooling_plane(size, stride=stride, padding=padding, where=where)
    return slide(prepare(images, None, where), windows, -np.inf, where).max(axis=(2, 3))


def average_pooling(
    images: ArrayLike, size: Pair, *, stride: Pair | None = None, padding: Pair = 0
) -> NDArray[np.float64]:
    """The mean in each window over its pixels inside the picture: a picture of one grey stays what it is.

    images: (batch, channels, height, width);  size: of the window;  stride: the size where it is not given
    padding: pixels at each edge, at most half the size, that do not count
    returns (batch, channels, places down, places across).  Raises a ModalityError naming what does not fit.
    """
    where = "average pooling"
    windows = pooling_plane(size, stride=stride, padding=padding, where=where)
    images = prepare(images, None, where)
    inside = slide(np.ones((1, 1, *images.shape[2:])), windows, 0.0, where)
    return slide(images, windows, 0.0, where).sum(axis=(2, 3)) / inside.sum(axis=(2, 3))


def global_average_pooling(images: ArrayLike) -> NDArray[np.float64]:
    """The mean of each channel over all places: (batch, channels, height, width) -> (batch, channels)."""
    return prepare(images, None, "global average pooling").mean(axis=(2, 3))


def global_max_pooling(images: ArrayLike) -> NDArray[np.float64]:
    """The largest number of each channel over all places: (batch, channels, height, width) -> (batch, channels)."""
    return prepare(images, None, "global max pooling").max(axis=(2, 3))
