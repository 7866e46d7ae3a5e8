"""The residual network."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from mmcourse import checks
from mmcourse.encoders import resnet_plan
from mmcourse.encoders.keras.image_base import ImageLayer, to_first
from mmcourse.encoders.keras.pooling import max_of
from mmcourse.encoders.keras.residual_block import NormalisedConvolution, ResidualBlock
from mmcourse.encoders.keras.sequence import linear
from mmcourse.encoders.windows import Plane


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class ResNet(ImageLayer):
    """One vector of each picture:  v = mean over places of block_n(...block_1(stem(x))...), times head kernel + bias.

    channels: of the pictures;  widths, depths: channels and blocks of each stage; the first block of each stage but the
        first halves height and width (odd ones rounded up)
    small_pictures: the stem is a kernel 3x3 that keeps height and width, else a kernel 7x7 with stride 2 and then
        max-pooling 3x3 with stride 2, which leaves a quarter of each
    out_dim: the width of v; None for no head, v is then as wide as the last stage
    Parameters: "stem.", "blocks.0.first.", "blocks.0.second.", "blocks.2.shortcut." and so on, each followed by those
        of a part of ResidualBlock; "head.kernel" (width, out_dim), "head.bias" (out_dim,)
    check_values: see ImageLayer.  Raises a ModalityError naming what does not fit.
    Source: He et al. (2016), section 3.3; the stem for small pictures from section 4.2.
    """

    where = "resnet"

    def __init__(
        self,
        *,
        channels: int = 3,
        widths: Sequence[int] = resnet_plan.WIDTHS,
        depths: Sequence[int] = resnet_plan.RESNET18,
        small_pictures: bool = False,
        out_dim: int | None = None,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.channels = checks.check_size("channels", channels, self.where)
        self.widths, self.depths = resnet_plan.check_stages(widths, depths, self.where)
        self.out_dim = self.widths[-1] if out_dim is None else checks.check_size("out_dim", out_dim, self.where)
        self.small_pictures = small_pictures
        inner: dict[str, Any] = {"check_values": self.check_values, "dtype": self.dtype_policy}
        (kernel_size, stride, padding, _), pooling = resnet_plan.stem(small_pictures)
        self.pooling = None if pooling is None else Plane(pooling, pooling)
        self.stem = NormalisedConvolution(
            self.channels, self.widths[0], kernel_size, stride=stride, padding=padding, **inner
        )
        self.blocks = [
            ResidualBlock(block.in_channels, block.out_channels, stride=block.stride, **inner)
            for block in resnet_plan.blocks(self.widths, self.depths)
        ]
        self.head = None if out_dim is None else linear(self.widths[-1], self.out_dim, self.dtype_policy)

    def get_config(self) -> dict[str, Any]:
        own = {"channels": self.channels, "widths": self.widths, "depths": self.depths}
        own |= {"small_pictures": self.small_pictures, "out_dim": None if self.head is None else self.out_dim}
        return {**super().get_config(), **own}

    def compute_output_spec(self, images: Any, training: bool | None = None) -> Any:
        batch, *_ = self.check_structure(images, self.channels)
        return keras.KerasTensor((batch, self.out_dim), self.compute_dtype)

    def call(self, images: Any, training: bool | None = None) -> Any:
        """images: (batch, channels, height, width);  returns (batch, out_dim)"""
        vectors = ops.mean(self.on_maps(self.prepare(images, self.channels), training), axis=(1, 2))
        return vectors if self.head is None else self.head(vectors)

    def maps(self, images: Any, training: bool | None = None) -> Any:
        """What the mean is taken of: (batch, channels, height, width) -> (batch, widths[-1], places down, across)."""
        images = ops.convert_to_tensor(images)
        return to_first(self.on_maps(self.prepare(images, self.channels), training))

    def on_maps(self, maps: Any, training: bool | None = None) -> Any:
        """(batch, height, width, channels) -> (batch, places down, places across, widths[-1])"""
        maps = ops.relu(self.stem.on_maps(maps, training))
        if self.pooling is not None:
            maps = max_of(maps, self.pooling)
        for block in self.blocks:
            maps = block.on_maps(maps, training)
        return maps


@keras.saving.register_keras_serializable(package="mmcourse.encoders")
class ResNet18(ResNet):
    """The ResNet of 18 layers: four stages of two blocks; options as ResNet has them, without depths.

    Source: He et al. (2016).
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        widths: Sequence[int] = resnet_plan.WIDTHS,
        small_pictures: bool = False,
        out_dim: int | None = None,
        **layer: Any,
    ) -> None:
        super().__init__(
            channels=channels,
            widths=widths,
            depths=resnet_plan.RESNET18,
            small_pictures=small_pictures,
            out_dim=out_dim,
            **layer,
        )

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "depths"}
