"""Convolution of pictures."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmcourse import checks
from mmcourse.encoders import image_checks
from mmcourse.encoders.torch.image_base import ImageModule
from mmcourse.encoders.windows import Pair, check_room, pair, plane


class Convolution(ImageModule):
    """Slide kernels over pictures:  y[o,i,j] = bias[o] + sum_cuv kernel[o,c,u,v] x[c, si+du-p, sj+dv-p].

    in_channels, out_channels: of the pictures and of what comes out, both multiples of groups
    kernel_size, stride s, padding p, dilation d: one number, or two (vertical, horizontal)
    Parameters: "kernel" (out_channels, in_channels / groups, kernel height, kernel width), with bias "bias"
        (out_channels,). The kernel begins as in He et al. (2015), the bias at zero.
    check_values: see ImageModule.  Raises a ModalityError naming what does not fit.
    The formula, with its words: mmcourse.encoders.numpy.convolution.
    """

    where = "convolution"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        check_values: bool = True,
    ) -> None:
        super().__init__(check_values=check_values)
        self.in_channels = checks.check_size("in_channels", in_channels, self.where)
        self.out_channels = checks.check_size("out_channels", out_channels, self.where)
        self.windows = plane(kernel_size, stride=stride, padding=padding, dilation=dilation, where=self.where)
        self.groups, _ = pair("groups", groups, self.where)
        image_checks.check_divides("in_channels", self.in_channels, "groups", self.groups, self.where)
        image_checks.check_divides("out_channels", self.out_channels, "groups", self.groups, self.where)
        size = [window.kernel_size for window in self.windows]
        self.kernel = nn.Parameter(torch.empty(self.out_channels, self.in_channels // self.groups, *size))
        self.bias = nn.Parameter(torch.empty(self.out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the kernel as He et al. (2015); the bias is zero."""
        nn.init.kaiming_normal_(self.kernel, mode="fan_out", nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, images: Tensor) -> Tensor:
        """images: (batch, in_channels, height, width);  returns (batch, out_channels, places down, places across)"""
        self.check_images(images, self.in_channels)
        check_room(self.windows, images.shape[2], images.shape[3], self.where)
        _, stride, padding, dilation = zip(*self.windows, strict=True)
        return functional.conv2d(images, self.kernel, self.bias, stride, padding, dilation, self.groups)
