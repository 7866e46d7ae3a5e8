"""The residual block."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders.numpy.batch_norm import batch_norm
from mmcourse.encoders.numpy.convolution import convolution as convolve

Part = Mapping[str, Mapping[str, ArrayLike]]


def residual_block(
    images: ArrayLike, *, first: Part, second: Part, shortcut: Part | None = None, stride: int = 1, training: bool = False
) -> NDArray[np.float64]:
    """Add to the input what two convolutions make of it:  y = relu(N2(K2 * relu(N1(K1 * x))) + x).

    N is a batch norm. With a shortcut, x in the sum is N(K * x) of a 1x1 kernel with the same stride.
    images: (batch, channels, height, width)
    first, second, shortcut: {"convolution": {"kernel": (out, in, 3, 3), of the shortcut (out, in, 1, 1)}, "norm":
        {"scale", "bias", "running_mean", "running_variance": (out,)}}
    stride: of the first convolution;  training: see batch_norm
    returns (batch, out, height / stride, width / stride), rounded up
    Raises a ModalityError naming what does not fit.  Source: He et al. (2016), the basic block.
    """
    hidden = relu(normalised_convolution(images, **first, stride=stride, padding=1, training=training))
    added = normalised_convolution(hidden, **second, padding=1, training=training)
    kept = images if shortcut is None else normalised_convolution(images, **shortcut, stride=stride, training=training)
    return relu(added + kept)


def normalised_convolution(
    images: ArrayLike,
    *,
    convolution: Mapping[str, ArrayLike],
    norm: Mapping[str, ArrayLike],
    stride: int = 1,
    padding: int = 0,
    training: bool = False,
) -> NDArray[np.float64]:
    """A convolution, whose bias the norm's would swallow, and a batch norm:  N(K * x)."""
    arguments: dict[str, Any] = dict(norm)
    return batch_norm(convolve(images, **convolution, stride=stride, padding=padding), **arguments, training=training)


def relu(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """max(x, 0), number by number."""
    return np.maximum(images, 0)
