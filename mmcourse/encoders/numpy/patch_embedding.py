"""Pictures as sequences of patches."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.encoders.image_checks import check_patches
from mmcourse.encoders.image_positions import grid_of
from mmcourse.encoders.numpy.image_inputs import prepare
from mmcourse.encoders.windows import Pair, pair
from mmcourse.errors import ShapeError

WHERE = "patch embedding"


def cut_patches(images: ArrayLike, patch_size: Pair) -> NDArray[np.float64]:
    """Cut pictures into patches that do not overlap, row by row.

    images: (batch, channels, height, width);  patch_size: one number, or (height, width), which divide the picture's
    returns (batch, patches, channels * patch height * patch width).  Raises a ModalityError naming what does not fit.
    """
    images = prepare(images, None, WHERE)
    down, across = pair("patch_size", patch_size, WHERE)
    check_patches(images.shape[2:], (down, across), WHERE)
    rows, columns = grid_of(images.shape[2:], (down, across))
    cut = images.reshape(*images.shape[:2], rows, down, columns, across)
    return cut.transpose(0, 2, 4, 1, 3, 5).reshape(len(images), rows * columns, -1)


def patch_embedding(images: ArrayLike, kernel: ArrayLike, bias: ArrayLike) -> NDArray[np.float64]:
    """Give each patch a vector, linear in its pixels:  t_n = kernel patch_n + bias.

    The same as a convolution whose stride is the size of its kernel, its places read row by row.
    images: (batch, channels, height, width);  kernel: (dim, channels, patch height, patch width);  bias: (dim,)
    returns (batch, patches, dim).  Raises a ModalityError naming what does not fit, a patch that does not divide the
    picture too.  Source: Dosovitskiy et al. (2021).
    """
    kernel = np.asarray(kernel, np.float64)
    if kernel.ndim != 4 or not kernel.size:
        wanted = "(dim, channels, patch height, patch width)"
        raise ShapeError("kernel", got=f"shape {kernel.shape}", wanted=wanted, where=WHERE)
    dim, channels, down, across = kernel.shape
    patches = cut_patches(prepare(images, channels, WHERE), (down, across))
    return patches @ kernel.reshape(dim, -1).T + check_shape(bias, "bias", (dim,), WHERE)
