"""How many parameters and multiplications a network has, by formula. Free of any framework.

Counted are the multiplications of kernels and of attention for one picture, each with its addition; not counted are
those number by number (norms, activations, means), which are fewer by a factor of about the width.
"""

from collections.abc import Sequence
from typing import NamedTuple

from mmcourse.encoders import resnet_plan
from mmcourse.encoders.image_checks import check_divides
from mmcourse.encoders.windows import Pair, check_room, pair, plane


class Count(NamedTuple):
    """Trained parameters, and multiply-adds for one picture."""

    parameters: int
    multiply_adds: int


def total(counts: Sequence[Count]) -> Count:
    """The sum of several."""
    return Count(sum(c.parameters for c in counts), sum(c.multiply_adds for c in counts))


def count_convolution(
    in_channels: int,
    out_channels: int,
    kernel_size: Pair,
    *,
    size: Pair,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    bias: bool = True,
) -> Count:
    """Each of the out_channels numbers at each place takes  kernel height x kernel width x in_channels / groups.

    size: of the picture that comes, (height, width);  the padding's zeros are multiplied like any other number
    """
    where = "count_convolution"
    windows = plane(kernel_size, stride=stride, padding=padding, dilation=dilation, where=where)
    check_divides("in_channels", in_channels, "groups", groups, where)
    height, width = pair("size", size, where)
    check_room(windows, height, width, where)
    down, across = windows.places(height, width)
    entries = out_channels * (in_channels // groups) * windows.vertical.kernel_size * windows.horizontal.kernel_size
    return Count(entries + bias * out_channels, entries * down * across)


def count_batch_norm(channels: int) -> Count:
    """A scale and a bias for each channel; what it computes goes number by number."""
    return Count(2 * channels, 0)


def count_linear(dim: int, out_dim: int, *, rows: int = 1, bias: bool = True) -> Count:
    """A kernel (dim, out_dim) that each of the rows passes through."""
    return Count(dim * out_dim + bias * out_dim, rows * dim * out_dim)


def count_self_attention(tokens: int, dim: int) -> Count:
    """Four kernels (dim, dim), then every token with every token twice: scores and mixing, 2 tokens^2 dim together.

    The number of heads does not matter: each does its share of dim.
    """
    projections = count_linear(dim, dim, rows=tokens)
    return total([projections] * 4 + [Count(0, 2 * tokens**2 * dim)])


def count_transformer_layer(tokens: int, dim: int, hidden_size: int) -> Count:
    """Self-attention, two linear layers, two layer norms."""
    hidden, output = count_linear(dim, hidden_size, rows=tokens), count_linear(hidden_size, dim, rows=tokens)
    return total([count_self_attention(tokens, dim), hidden, output, Count(4 * dim, 0)])


def count_resnet(
    size: Pair,
    *,
    channels: int = 3,
    widths: Sequence[int] = resnet_plan.WIDTHS,
    depths: Sequence[int] = resnet_plan.RESNET18,
    small_pictures: bool = False,
    out_dim: int | None = None,
) -> Count:
    """A ResNet of these options for a picture of (height, width); without options ResNet-18 without a head."""
    stem, pooling = resnet_plan.stem(small_pictures)
    windows = {"kernel_size": stem.kernel_size, "stride": stem.stride, "padding": stem.padding}
    height, width = pair("size", size, "count_resnet")
    parts = [count_convolution(channels, widths[0], size=(height, width), bias=False, **windows)]
    parts.append(count_batch_norm(widths[0]))
    for window in (stem, pooling):
        if window is not None:
            height, width = window.places(height), window.places(width)
    for before, after, stride in resnet_plan.blocks(widths, depths):
        came, left = (height, width), (-(-height // stride), -(-width // stride))
        parts.append(count_convolution(before, after, 3, size=came, stride=stride, padding=1, bias=False))
        parts.append(count_convolution(after, after, 3, size=left, padding=1, bias=False))
        parts += [count_batch_norm(after)] * 2
        if resnet_plan.Block(before, after, stride).projects:
            shortcut = count_convolution(before, after, 1, size=came, stride=stride, bias=False)
            parts += [shortcut, count_batch_norm(after)]
        height, width = left
    head = [] if out_dim is None else [count_linear(widths[-1], out_dim)]
    return total(parts + head)


def count_vision_transformer(
    size: Pair,
    patch_size: Pair,
    *,
    channels: int = 3,
    dim: int,
    layers: int,
    hidden_size: int | None = None,
    out_dim: int | None = None,
    learned_positions: bool = True,
) -> Count:
    """A VisionTransformer of these options for a picture of (height, width): one token a patch, and the class token."""
    where = "count_vision_transformer"
    sizes, patches = pair("size", size, where), pair("patch_size", patch_size, where)
    for side, patch in zip(sizes, patches, strict=True):
        check_divides("size", side, "patch_size", patch, where)
    embedding = count_convolution(channels, dim, patches, size=sizes, stride=patches)
    tokens = 1 + (sizes[0] // patches[0]) * (sizes[1] // patches[1])
    layer = count_transformer_layer(tokens, dim, 4 * dim if hidden_size is None else hidden_size)
    own = Count(dim + learned_positions * tokens * dim + 2 * dim, 0)  # class token, positions, the last norm
    head = [] if out_dim is None else [count_linear(dim, out_dim)]
    return total([embedding, own, *[layer] * layers, *head])
