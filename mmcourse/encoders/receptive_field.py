"""What one number of a feature map sees of the picture. Free of any framework."""

from collections.abc import Iterable
from typing import NamedTuple

from mmcourse.encoders.windows import Window


class ReceptiveField(NamedTuple):
    """Along one axis, in pixels: how far the field reaches, how far neighbours' fields lie apart, where the first lies.

    centre: the middle of the field of the first place, where 0 is the middle of the first pixel
    """

    size: int
    jump: int
    centre: float


def receptive_field(layers: Iterable[Window]) -> ReceptiveField:
    """Follow the layers from the picture on, along one axis, from  size = jump = 1, centre = 0:

        size += (reach - 1) jump,   centre += ((reach - 1) / 2 - padding) jump,   jump *= stride

    layers: one Window(kernel_size, stride, padding, dilation) each, reach = dilation (kernel_size - 1) + 1; where paths
        part and meet again, that of the longest (resnet_plan.longest_path)
    Place i sees the pixels from  centre + i jump - (size - 1) / 2  to  centre + i jump + (size - 1) / 2  and none
    beyond; some of these may lie outside the picture, in the padding.
    Source: Araujo et al. (2019).
    """
    size, jump, centre = 1, 1, 0.0
    for window in layers:
        size += (window.reach - 1) * jump
        centre += ((window.reach - 1) / 2 - window.padding) * jump
        jump *= window.stride
    return ReceptiveField(size, jump, centre)
