"""The residual block."""

from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.encoders.keras.batch_norm import BatchNorm
from mmcourse.encoders.keras.convolution import Convolution
from mmcourse.encoders.keras.image_base import ImageLayer, places, to_first
from mmcourse.encoders.resnet_plan import Block


class NormalisedConvolution(ImageLayer):
    """A convolution, whose bias the norm's would swallow, and a batch norm:  N(K * x).  Parts: convolution, norm."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, stride: int, padding: int, **layer: Any
    ) -> None:
        super().__init__(**layer)
        self.convolution = Convolution(
            in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=False, **layer
        )
        self.norm = BatchNorm(out_channels, **layer)

    def on_maps(self, maps: Any, training: bool | None = None) -> Any:
        """(batch, height, width, in_channels) -> (batch, places down, places across, out_channels)"""
        return self.norm.on_maps(self.convolution.on_maps(maps), training)


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class ResidualBlock(ImageLayer):
    """Add to the input what two convolutions make of it:  y = relu(N2(K2 * relu(N1(K1 * x))) + x).

    N is a batch norm, kernels are 3x3. Where the two sides have different shapes, x in the sum is N(K * x) of a 1x1
    kernel with the same stride, the shortcut.
    in_channels, out_channels: of the pictures and of what comes out;  stride: of the first convolution
    Parts "first", "second" and, if there is need, "shortcut"; parameters of each: "convolution.kernel", "norm.scale",
        "norm.bias", "norm.running_mean", "norm.running_variance"
    check_values: see ImageLayer.  Raises a ModalityError naming what does not fit.
    Source: He et al. (2016), the basic block.
    """

    where = "residual block"

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1, **layer: Any) -> None:
        super().__init__(**layer)
        self.in_channels = checks.check_size("in_channels", in_channels, self.where)
        self.out_channels = checks.check_size("out_channels", out_channels, self.where)
        self.stride = stride
        inner: dict[str, Any] = {"check_values": self.check_values, "dtype": self.dtype_policy}
        self.first = NormalisedConvolution(in_channels, out_channels, 3, stride=stride, padding=1, **inner)
        self.second = NormalisedConvolution(out_channels, out_channels, 3, stride=1, padding=1, **inner)
        self.shortcut = None
        if Block(in_channels, out_channels, stride).projects:
            self.shortcut = NormalisedConvolution(in_channels, out_channels, 1, stride=stride, padding=0, **inner)

    def get_config(self) -> dict[str, Any]:
        own = {"in_channels": self.in_channels, "out_channels": self.out_channels, "stride": self.stride}
        return {**super().get_config(), **own}

    def compute_output_spec(self, images: Any, training: bool | None = None) -> Any:
        batch, _, height, width = self.check_structure(images, self.in_channels)
        shape = (batch, self.out_channels, *places(self.first.convolution.windows, height, width))
        return keras.KerasTensor(shape, self.compute_dtype)

    def call(self, images: Any, training: bool | None = None) -> Any:
        """images: (batch, in_channels, height, width);  returns (batch, out_channels, ...), over the stride"""
        return to_first(self.on_maps(self.prepare(images, self.in_channels), training))

    def on_maps(self, maps: Any, training: bool | None = None) -> Any:
        """(batch, height, width, in_channels) -> (batch, ..., out_channels), over the stride"""
        added = self.second.on_maps(ops.relu(self.first.on_maps(maps, training)), training)
        kept = maps if self.shortcut is None else self.shortcut.on_maps(maps, training)
        return ops.relu(added + kept)
