"""The residual block."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders.numpy.activations import relu
from mmcourse.encoders.numpy.batch_norm import batch_norm
from mmcourse.encoders.numpy.convolution import convolution
from mmcourse.encoders.numpy.image_inputs import prepare
from mmcourse.encoders.sequence_checks import check_members

WHERE = "residual block"
MEMBERS = {"convolution": ("kernel",), "norm": ("scale", "bias", "running_mean", "running_variance")}
Part = Mapping[str, Mapping[str, Any]]


def residual_block(
    images: ArrayLike,
    *,
    first: Part,
    second: Part,
    shortcut: Part | None = None,
    stride: int = 1,
    training: bool = False,
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
    check_part(first, "first")
    images = prepare(images, np.shape(first["convolution"]["kernel"])[1], WHERE)
    hidden = relu(normalised_convolution(images, first, "first", stride=stride, padding=1, training=training))
    added = normalised_convolution(hidden, second, "second", padding=1, training=training)
    if shortcut is not None:
        images = normalised_convolution(images, shortcut, "shortcut", stride=stride, training=training)
    return relu(added + images)


def normalised_convolution(
    images: NDArray[np.float64], part: Part, path: str, *, stride: int = 1, padding: int = 0, training: bool = False
) -> NDArray[np.float64]:
    """A convolution, whose bias the norm's would swallow, and a batch norm:  N(K * x).  path: the name of the part"""
    check_part(part, path)
    maps = convolution(images, part["convolution"]["kernel"], stride=stride, padding=padding)
    return batch_norm(maps, **part["norm"], training=training)


def check_part(part: Part, path: str) -> None:
    """Raise unless a part has just the parameters of a convolution without a bias and of its norm."""
    check_members(part, MEMBERS, path, WHERE)
    for name, members in MEMBERS.items():
        check_members(part[name], members, f"{path}.{name}", WHERE)
