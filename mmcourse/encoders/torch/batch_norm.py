"""Batch normalisation of pictures."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmcourse import checks
from mmcourse.encoders import image_checks
from mmcourse.encoders.torch.image_base import ImageModule


class BatchNorm(ImageModule):
    """Give each channel a mean and a variance of its own:  y = scale (x - mean) / sqrt(variance + epsilon) + bias.

    In training mode mean and variance (biased, by n) are the batch's over all n = batch x height x width values of a
    channel, and the running ones become  (1 - momentum) running + momentum batch,  whose variance is here the unbiased
    one, by n - 1. In evaluation mode they are the running ones.
    channels: of the pictures;  momentum: the share of the newest batch (Keras calls 1 - momentum so)
    Parameters "scale", "bias", buffers "running_mean", "running_variance": (channels,)
    check_values: see ImageModule.  Raises a ModalityError naming what does not fit, n = 1 in training too.
    Source: Ioffe and Szegedy (2015).
    """

    where = "batch norm"

    def __init__(
        self, channels: int, *, momentum: float = 0.1, epsilon: float = 1e-5, check_values: bool = True
    ) -> None:
        super().__init__(check_values=check_values)
        self.channels = checks.check_size("channels", channels, self.where)
        image_checks.check_norm(momentum, epsilon, self.where)
        self.momentum, self.epsilon = momentum, epsilon
        self.scale = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.running_mean: Tensor
        self.running_variance: Tensor
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_variance", torch.ones(channels))

    def forward(self, images: Tensor) -> Tensor:
        """images: (batch, channels, height, width);  returns the same shape"""
        self.check_images(images, self.channels)
        if self.training:
            image_checks.check_statistics(images.numel() // self.channels, self.where)
        return functional.batch_norm(
            images,
            self.running_mean,
            self.running_variance,
            self.scale,
            self.bias,
            self.training,
            self.momentum,
            self.epsilon,
        )
