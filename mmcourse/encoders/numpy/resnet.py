"""The residual network."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders import resnet_plan
from mmcourse.encoders.numpy.image_inputs import prepare
from mmcourse.encoders.numpy.pooling import global_average_pooling, max_pooling
from mmcourse.encoders.numpy.residual_block import Part, normalised_convolution, relu, residual_block
from mmcourse.errors import ShapeError
from mmcourse.fusion.numpy.inputs import check_shape

WHERE = "resnet"


def resnet(
    images: ArrayLike,
    *,
    stem: Part,
    blocks: Mapping[str, Mapping[str, Part]],
    head: Mapping[str, ArrayLike] | None = None,
    small_pictures: bool = False,
    training: bool = False,
    return_maps: bool = False,
) -> NDArray[np.float64]:
    """One vector of each picture:  v = mean over places of block_n(... block_1(stem(x))), times the head's kernel + bias.

    images: (batch, channels, height, width)
    stem: as a part of residual_block, kernel 7x7 with stride 2 and then max-pooling 3x3 with stride 2; with
        small_pictures a kernel 3x3 that keeps height and width
    blocks: {"0", "1", ...: the parts of a residual_block}; those with a shortcut halve height and width
    head: {"kernel": (width, out), "bias": (out,)};  training: see batch_norm
    returns (batch, width), with a head (batch, out), with return_maps (batch, width, height, width of the last maps)
    Raises a ModalityError naming what does not fit.
    Source: He et al. (2016), section 3.3; the stem for small pictures from section 4.2.
    """
    images = prepare(images, np.shape(stem["convolution"]["kernel"])[1], WHERE)
    convolution, pooling = resnet_plan.stem(small_pictures)
    _, stride, padding, _ = convolution
    maps = relu(normalised_convolution(images, **stem, stride=stride, padding=padding, training=training))
    if pooling is not None:
        maps = max_pooling(maps, pooling.kernel_size, stride=pooling.stride, padding=pooling.padding)
    for index in range(len(blocks)):
        block = blocks[str(index)]
        maps = residual_block(maps, **block, stride=2 if "shortcut" in block else 1, training=training)
    if return_maps:
        return maps
    vectors = global_average_pooling(maps)
    if head is None:
        return vectors
    out = np.shape(head["bias"])[:1] or (1,)
    kernel = check_shape(head["kernel"], "head.kernel", (vectors.shape[1], *out), WHERE)
    return vectors @ kernel + check_shape(head["bias"], "head.bias", out, WHERE)
