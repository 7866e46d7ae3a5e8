"""Pictures as sequences of patches."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmcourse import checks
from mmcourse.encoders import image_checks
from mmcourse.encoders.torch.image_base import ImageModule
from mmcourse.encoders.windows import Pair, pair


class PatchEmbedding(ImageModule):
    """Give each patch a vector, linear in its pixels:  t_n = kernel patch_n + bias.

    patch_size: one number, or (height, width);  dim: the width of a vector;  channels: of the pictures
    Parameters: "kernel" (dim, channels, patch height, patch width), drawn so that vectors are about as large as pixels,
        and "bias" (dim,), zero
    check_values: see ImageModule.  Raises a ModalityError naming what does not fit, a patch that does not divide the
    picture too.  Source: Dosovitskiy et al. (2021).
    """

    where = "patch embedding"

    def __init__(self, patch_size: Pair, dim: int, *, channels: int = 3, check_values: bool = True) -> None:
        super().__init__(check_values=check_values)
        self.patch_size = pair("patch_size", patch_size, self.where)
        self.dim = checks.check_size("dim", dim, self.where)
        self.channels = checks.check_size("channels", channels, self.where)
        self.kernel = nn.Parameter(torch.empty(self.dim, self.channels, *self.patch_size))
        self.bias = nn.Parameter(torch.zeros(self.dim))
        nn.init.normal_(self.kernel, std=self.kernel[0].numel() ** -0.5)

    def forward(self, images: Tensor) -> Tensor:
        """images: (batch, channels, height, width);  returns (batch, patches, dim), row by row"""
        self.check_images(images, self.channels)
        image_checks.check_patches(tuple(images.shape[2:]), self.patch_size, self.where)
        maps = functional.conv2d(images, self.kernel, self.bias, stride=self.patch_size)
        return maps.flatten(2).transpose(1, 2)
