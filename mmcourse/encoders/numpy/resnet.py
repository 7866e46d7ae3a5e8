"""The residual network."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.encoders import resnet_plan
from mmcourse.encoders.numpy.activations import relu
from mmcourse.encoders.numpy.image_inputs import prepare
from mmcourse.encoders.numpy.inputs import linear
from mmcourse.encoders.numpy.pooling import global_average_pooling, max_pooling
from mmcourse.encoders.numpy.residual_block import Part, normalised_convolution, residual_block
from mmcourse.encoders.sequence_checks import check_members

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
    """One vector of each picture:  v = mean over places of block_n(...block_1(stem(x))...), times head kernel + bias.

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
    maps = relu(normalised_convolution(images, stem, "stem", stride=stride, padding=padding, training=training))
    if pooling is not None:
        maps = max_pooling(maps, pooling.kernel_size, stride=pooling.stride, padding=pooling.padding)
    check_members(blocks, map(str, range(len(blocks))), "blocks", WHERE)
    for index in range(len(blocks)):
        block = blocks[str(index)]
        maps = residual_block(maps, **block, stride=2 if "shortcut" in block else 1, training=training)
    if return_maps:
        return maps
    vectors = global_average_pooling(maps)
    return vectors if head is None else linear(vectors, head, "head", WHERE)


def resnet18(images: ArrayLike, *, blocks: Mapping[str, Mapping[str, Part]], **others: Any) -> NDArray[np.float64]:
    """The resnet of 18 layers: four stages of two blocks.

    All arguments as for resnet.  Raises ValueError for other blocks than eight, of which the third, fifth and seventh
    have a shortcut.  Source: He et al. (2016).
    """
    plan = list(resnet_plan.blocks(range(1, 5), resnet_plan.RESNET18))
    wanted = [str(index) for index, block in enumerate(plan) if block.projects]
    got = sorted(index for index, block in blocks.items() if "shortcut" in block)
    if len(blocks) != len(plan) or got != wanted:
        came, asked = (
            f"{number} with shortcuts {names}" for number, names in ((len(blocks), got), (len(plan), wanted))
        )
        raise ValueError(f"resnet18: blocks: got {came}, wanted {asked}")
    return resnet(images, blocks=blocks, **others)
