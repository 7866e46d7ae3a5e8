"""How a residual network is put together, free of any framework: its stem, and the blocks of its stages."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mmcourse.checks import check_size
from mmcourse.encoders.windows import Window

RESNET18 = (2, 2, 2, 2)  # blocks of each stage: 16 convolutions, with the stem's and the head 18 layers
WIDTHS = (64, 128, 256, 512)


class Stem(NamedTuple):
    """The first convolution, and the pooling after it."""

    convolution: Window
    pooling: Window | None


STEM = Stem(Window(7, stride=2, padding=3), Window(3, stride=2, padding=1))
SMALL_STEM = Stem(Window(3, stride=1, padding=1), None)


class Block(NamedTuple):
    """One residual block."""

    in_channels: int
    out_channels: int
    stride: int

    @property
    def projects(self) -> bool:
        """Does the sum need a shortcut with a kernel, since the two sides have different shapes?"""
        return self.stride != 1 or self.in_channels != self.out_channels


def stem(small_pictures: bool) -> Stem:
    """That of the source for ImageNet, height and width over four; for small pictures one that keeps them."""
    return SMALL_STEM if small_pictures else STEM


def blocks(widths: Sequence[int], depths: Sequence[int]) -> Iterator[Block]:
    """Stage by stage; the first block of each stage but the first halves height and width."""
    channels = widths[0]
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for index in range(depth):
            yield Block(channels, width, stride=2 if stage > 0 and index == 0 else 1)
            channels = width


def check_stages(widths: Sequence[int], depths: Sequence[int], where: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return widths and depths as they can be, or raise."""
    if not widths or len(widths) != len(depths):
        got = f"{len(widths)} widths and {len(depths)} depths"
        raise ValueError(f"{where}: widths, depths: got {got}, wanted one of each for every stage")
    return (
        tuple(check_size("widths", width, where) for width in widths),
        tuple(check_size("depths", depth, where) for depth in depths),
    )


def longest_path(depths: Sequence[int] = RESNET18, *, small_pictures: bool = False) -> list[Window]:
    """The windows from the picture to the last maps through both convolutions of every block, for receptive_field."""
    convolution, pooling = stem(small_pictures)
    path = [convolution, *([pooling] if pooling else [])]
    for block in blocks([1] * len(depths), depths):
        path += [Window(3, stride=block.stride, padding=1), Window(3, padding=1)]
    return path
