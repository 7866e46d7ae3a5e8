"""Convolution of pictures."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.encoders.image_checks import check_divides
from mmcourse.encoders.numpy.image_inputs import prepare, slide
from mmcourse.encoders.windows import Pair, pair, plane
from mmcourse.errors import ShapeError

WHERE = "convolution"


def convolution(
    images: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    dtype: DTypeLike = np.float64,
) -> NDArray[Any]:
    """Slide kernels over pictures:  y[o,i,j] = bias[o] + sum_cuv kernel[o,c,u,v] x[c, si+du-p, sj+dv-p].

    The kernel is not flipped: what networks call a convolution is a cross-correlation.
    images: (batch, channels, height, width), zero outside
    kernel: (out, channels / groups, kernel height, kernel width);  bias: (out,)
    stride s, padding p (pixels at each edge), dilation d: one number, or two (vertical, horizontal)
    groups: channels and outputs are cut into so many parts, each output sees the channels of its own part alone
    dtype: in which it is computed, whatever comes
    returns (batch, out, floor((height + 2p - d (kernel height - 1) - 1) / s) + 1, the same of width)
    Raises a ModalityError naming what does not fit.
    Computed as one matrix product: each place's window becomes a column (Chellapilla et al., 2006).
    """
    kernel = np.asarray(kernel, dtype)
    if kernel.ndim != 4 or not kernel.size:
        wanted = "(out, channels / groups, kernel height, kernel width)"
        raise ShapeError("kernel", got=f"shape {kernel.shape}", wanted=wanted, where=WHERE)
    out, channels, *size = kernel.shape
    groups, _ = pair("groups", groups, WHERE)
    check_divides("kernel", out, "groups", groups, WHERE)
    images = prepare(images, channels * groups, WHERE, dtype)
    windows = plane((size[0], size[1]), stride=stride, padding=padding, dilation=dilation, where=WHERE)

    seen = slide(images, windows, 0.0, WHERE)
    places = seen.shape[-2:]
    columns = seen.reshape(len(images), groups, -1, places[0] * places[1])
    rows = kernel.reshape(groups, out // groups, -1)
    maps = (rows @ columns).reshape(len(images), out, *places)
    if bias is not None:
        maps += check_shape(bias, "bias", (out,), WHERE)[:, None, None]
    return maps
