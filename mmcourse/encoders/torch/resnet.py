"""The residual network."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from mmcourse import checks
from mmcourse.encoders import resnet_plan
from mmcourse.encoders.torch.image_base import ImageModule
from mmcourse.encoders.torch.pooling import max_pooling
from mmcourse.encoders.torch.residual_block import NormalisedConvolution, ResidualBlock
from mmcourse.encoders.torch.sequence import Linear

LAYER = {"convolution.weight": "convolution.kernel"} | {
    f"normalization.{theirs}": f"norm.{ours}"
    for theirs, ours in (
        ("weight", "scale"),
        ("bias", "bias"),
        ("running_mean", "running_mean"),
        ("running_var", "running_variance"),
    )
}  # Transformers' names of a convolution with its batch norm, and ours


class ResNet(ImageModule):
    """One vector of each picture:  v = mean over places of block_n(...block_1(stem(x))...), times head kernel + bias.

    channels: of the pictures;  widths, depths: channels and blocks of each stage; the first block of each stage but the
        first halves height and width (odd ones rounded up)
    small_pictures: the stem is a kernel 3x3 that keeps height and width, else a kernel 7x7 with stride 2 and then
        max-pooling 3x3 with stride 2, which leaves a quarter of each
    out_dim: the width of v; None for no head, v is then as wide as the last stage
    Parameters: "stem.", "blocks.0.first.", "blocks.0.second.", "blocks.2.shortcut." and so on, each followed by those
        of a part of ResidualBlock; "head.kernel" (width, out_dim), "head.bias" (out_dim,)
    check_values: see ImageModule.  Raises a ModalityError naming what does not fit.
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
        check_values: bool = True,
    ) -> None:
        super().__init__(check_values=check_values)
        self.channels = checks.check_size("channels", channels, self.where)
        self.widths, self.depths = resnet_plan.check_stages(widths, depths, self.where)
        self.out_dim = self.widths[-1] if out_dim is None else checks.check_size("out_dim", out_dim, self.where)
        (kernel_size, stride, padding, _), self.pooling = resnet_plan.stem(small_pictures)
        self.stem = NormalisedConvolution(self.channels, self.widths[0], kernel_size, stride=stride, padding=padding)
        self.blocks = nn.ModuleList(
            ResidualBlock(block.in_channels, block.out_channels, stride=block.stride, check_values=False)
            for block in resnet_plan.blocks(self.widths, self.depths)
        )
        self.head = None if out_dim is None else Linear(self.widths[-1], self.out_dim)

    def forward(self, images: Tensor) -> Tensor:
        """images: (batch, channels, height, width);  returns (batch, out_dim)"""
        vectors = self.maps(images).mean(dim=(2, 3))
        return vectors if self.head is None else self.head(vectors)

    def maps(self, images: Tensor) -> Tensor:
        """What the mean is taken of: (batch, channels, height, width) -> (batch, widths[-1], places down, across)."""
        self.check_images(images, self.channels)
        maps = self.stem(images).relu()
        if self.pooling is not None:
            size, stride, padding, _ = self.pooling
            maps = max_pooling(maps, size, stride=stride, padding=padding, check_values=False)
        for block in self.blocks:
            maps = block(maps)
        return maps

    @classmethod
    def from_transformers(cls, model: nn.Module) -> "ResNet":
        """The same network as a ResNetModel of the library Transformers, with copies of its weights, without a head.

        Its output is their `pooler_output`, its maps are their `last_hidden_state`. Raises ValueError for another
        kind of block, activation or first stage than the basic ResNet has.
        """
        config: Any = model.config
        kind = (config.layer_type, config.hidden_act, config.downsample_in_first_stage)
        if kind != ("basic", "relu", False) or config.embedding_size != config.hidden_sizes[0]:
            wanted = "basic blocks with relu, and a first stage that keeps size and width"
            raise ValueError(f"{cls.where}: model: got {kind} after {config.embedding_size} channels, wanted {wanted}")
        plan: dict[str, Any] = {"widths": config.hidden_sizes, "depths": config.depths}
        if cls is ResNet18:
            if tuple(config.depths) != resnet_plan.RESNET18:
                raise ValueError(f"{cls.where}: model: got depths {config.depths}, wanted {resnet_plan.RESNET18}")
            del plan["depths"]
        ours = cls(channels=config.num_channels, **plan).to(next(model.parameters()))
        ours.load_state_dict(_renamed(model.state_dict(), config.depths))
        return ours.train(model.training)


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
        check_values: bool = True,
    ) -> None:
        super().__init__(
            channels=channels,
            widths=widths,
            depths=resnet_plan.RESNET18,
            small_pictures=small_pictures,
            out_dim=out_dim,
            check_values=check_values,
        )


def _renamed(theirs: Mapping[str, Tensor], depths: Sequence[int]) -> dict[str, Tensor]:
    """Transformers' state under our names: encoder.stages.1.layers.0.layer.0 -> blocks.2.first."""
    prefixes = {"embedder.embedder": "stem"}
    places = [(stage, index) for stage, depth in enumerate(depths) for index in range(depth)]
    for block, (stage, index) in enumerate(places):
        layer = f"encoder.stages.{stage}.layers.{index}"
        parts = {"layer.0": "first", "layer.1": "second", "shortcut": "shortcut"}
        prefixes |= {f"{layer}.{their}": f"blocks.{block}.{our}" for their, our in parts.items()}
    return {
        f"{ours}.{our}": theirs[f"{prefix}.{their}"]
        for prefix, ours in prefixes.items()
        for their, our in LAYER.items()
        if f"{prefix}.{their}" in theirs
    }
