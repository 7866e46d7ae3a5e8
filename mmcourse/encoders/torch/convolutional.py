"""A small convolutional network for pictures."""

from collections.abc import Sequence

from torch import Tensor, nn

from mmcourse import checks
from mmcourse.encoders.torch.base import Encoder

POOLS = ("flatten", "mean")
HALVING = (1, 2)  # blocks, counted from 0, that halve height and width


class ConvolutionalEncoder(Encoder):
    """One vector of each picture:  v = W pool(block_n(... block_1(x))) + b,  block(h) = relu(batchnorm(h * K)).

    channels: of each block, whose kernels K are 3x3 without bias; the second and the third block halve height and
        width (odd ones rounded up), the others keep them
    size: height and width of a picture;  out_dim: the width of v
    pool: "flatten" hands W every place on its own, so that it matters where a mark sits; "mean" hands it the mean over
        places
    check_values: see Encoder.  Raises a ModalityError naming what does not fit, ValueError for another word.
    Source: batch normalisation: Ioffe and Szegedy (2015).
    """

    where = "convolutional encoder"

    def __init__(
        self,
        channels: Sequence[int] = (20, 40, 80, 120),
        *,
        size: int = 20,
        out_dim: int = 128,
        pool: str = "flatten",
        check_values: bool = True,
    ) -> None:
        super().__init__(out_dim=out_dim, check_values=check_values)
        if pool not in POOLS:
            raise ValueError(f"{self.where}: pool: got {pool!r}, wanted 'flatten' or 'mean'")
        if not channels:
            raise ValueError(f"{self.where}: channels: got none, wanted those of one block at least")
        self.size, self.pool = checks.check_size("size", size, self.where), pool
        blocks: list[nn.Module] = []
        width, side = 1, self.size
        for index, wanted in enumerate(channels):
            stride = 2 if index in HALVING else 1
            new = checks.check_size("channels", wanted, self.where)
            blocks += [nn.Conv2d(width, new, 3, stride, padding=1, bias=False), nn.BatchNorm2d(new), nn.ReLU()]
            width, side = new, -(-side // stride)
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(width * side**2 if pool == "flatten" else width, self.out_dim)

    def forward(self, images: Tensor) -> Tensor:
        """images: (batch, size, size);  returns (batch, out_dim)"""
        self.check_pictures(images, self.size)
        maps = self.blocks(images[:, None])  # (batch, channels, side, side)
        return self.head(maps.flatten(1) if self.pool == "flatten" else maps.mean(dim=(2, 3)))
