"""The residual block."""

from torch import Tensor, nn

from mmcourse import checks
from mmcourse.encoders.resnet_plan import Block
from mmcourse.encoders.torch.batch_norm import BatchNorm
from mmcourse.encoders.torch.convolution import Convolution
from mmcourse.encoders.torch.image_base import ImageModule


class NormalisedConvolution(nn.Module):
    """A convolution, whose bias the norm's would swallow, and a batch norm:  N(K * x).  Parts: convolution, norm."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, stride: int, padding: int) -> None:
        super().__init__()
        self.convolution = Convolution(
            in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=False, check_values=False
        )
        self.norm = BatchNorm(out_channels, check_values=False)

    def forward(self, images: Tensor) -> Tensor:
        """images: (batch, in_channels, height, width);  returns (batch, out_channels, places down, places across)"""
        return self.norm(self.convolution(images))


class ResidualBlock(ImageModule):
    """Add to the input what two convolutions make of it:  y = relu(N2(K2 * relu(N1(K1 * x))) + x).

    N is a batch norm, kernels are 3x3. Where the two sides have different shapes, x in the sum is N(K * x) of a 1x1
    kernel with the same stride, the shortcut.
    in_channels, out_channels: of the pictures and of what comes out;  stride: of the first convolution
    Parts "first", "second" and, if there is need, "shortcut"; parameters of each: "convolution.kernel", "norm.scale",
        "norm.bias", "norm.running_mean", "norm.running_variance"
    check_values: see ImageModule.  Raises a ModalityError naming what does not fit.
    Source: He et al. (2016), the basic block.
    """

    where = "residual block"

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1, check_values: bool = True) -> None:
        super().__init__(check_values=check_values)
        self.in_channels = checks.check_size("in_channels", in_channels, self.where)
        checks.check_size("out_channels", out_channels, self.where)
        self.first = NormalisedConvolution(in_channels, out_channels, 3, stride=stride, padding=1)
        self.second = NormalisedConvolution(out_channels, out_channels, 3, stride=1, padding=1)
        self.shortcut: nn.Module | None = None
        if Block(in_channels, out_channels, stride).projects:
            self.shortcut = NormalisedConvolution(in_channels, out_channels, 1, stride=stride, padding=0)

    def forward(self, images: Tensor) -> Tensor:
        """images: (batch, in_channels, height, width);  returns (batch, out_channels, ...), over the stride"""
        self.check_images(images, self.in_channels)
        added = self.second(self.first(images).relu())
        return (added + (images if self.shortcut is None else self.shortcut(images))).relu()
