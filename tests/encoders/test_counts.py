"""Parameters and multiply-adds by formula, against the modules and against what PyTorch counts while they run."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmcourse.encoders import counts
from mmcourse.encoders.counts import Count
from mmcourse.encoders.torch import (
    Convolution,
    PatchEmbedding,
    ResNet,
    ResNet18,
    SelfAttention,
    TransformerEncoder,
    VisionTransformer,
)
from mmcourse.errors import ShapeError


def counted(module: nn.Module, x: torch.Tensor) -> Count:
    """What is there, and what runs: PyTorch counts a multiply-add as two operations, and not those of fused kernels."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
        module(x)
    return Count(sum(p.numel() for p in module.parameters()), counter.get_total_flops() // 2)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3},
        {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2},
        {"kernel_size": 1, "groups": 4, "bias": False},
    ],
    ids=str,
)
def test_a_convolution(options: dict[str, Any]) -> None:
    module = Convolution(4, 8, **options)
    assert counts.count_convolution(4, 8, size=(9, 7), **options) == counted(module, torch.ones(1, 4, 9, 7))


def test_a_convolution_number_by_number() -> None:
    """Every product of the formula, one by one; those with the padding's zeros too."""
    out, channels, size, reach, padding, groups = 4, 6, 5, 3, 1, 2
    products = 0
    for _ in np.ndindex(out, size, size):  # padding keeps the size
        for _ in np.ndindex(channels // groups, reach, reach):
            products += 1
    got = counts.count_convolution(channels, out, reach, size=size, padding=padding, groups=groups, bias=False)
    assert got == Count(math.prod((out, channels // groups, reach, reach)), products)


def test_attention_grows_with_the_square_of_the_tokens() -> None:
    for tokens in (1, 5, 9):
        sequence = torch.ones(1, tokens, 8)
        assert counts.count_self_attention(tokens, 8) == counted(SelfAttention(8, heads=2), sequence)
        layer = TransformerEncoder(8, layers=1, heads=2, hidden_size=12, final_norm=False)
        assert counts.count_transformer_layer(tokens, 8, 12) == counted(layer, sequence)
    more = [counts.count_self_attention(tokens, 8).multiply_adds for tokens in (1000, 2000)]
    assert more[1] / more[0] == pytest.approx(4, rel=0.02)


def test_a_linear_layer_and_patches() -> None:
    embedding = PatchEmbedding((2, 3), 5, channels=4)
    wanted = counts.count_linear(4 * 2 * 3, 5, rows=6)
    assert counted(embedding, torch.ones(1, 4, 4, 9)) == wanted
    assert counts.count_convolution(4, 5, (2, 3), size=(4, 9), stride=(2, 3)) == wanted


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"widths": (4, 6, 8), "depths": (1, 2, 1), "out_dim": 5}, (33, 50)),
        ({"widths": (4, 4), "depths": (2, 1), "small_pictures": True, "channels": 1}, (9, 12)),
    ],
    ids=["large", "small"],
)
def test_a_residual_network(options: dict[str, Any], size: tuple[int, int]) -> None:
    module = ResNet(**options).eval()
    assert counts.count_resnet(size, **options) == counted(module, torch.ones(1, module.channels, *size))


def test_resnet18_as_it_is_known() -> None:
    count = counts.count_resnet(224, out_dim=1000)
    assert count.parameters == 11_689_512
    assert count.multiply_adds == 1_814_073_344
    assert sum(p.numel() for p in ResNet18(out_dim=1000).parameters()) == count.parameters


@pytest.mark.parametrize("positions", ["learned", "sine-cosine"])
def test_a_vision_transformer(positions: str) -> None:
    options: dict[str, Any] = {"channels": 2, "dim": 8, "layers": 2, "hidden_size": 12, "out_dim": 3}
    module = VisionTransformer(size=(8, 12), patch_size=(4, 2), heads=2, positions=positions, **options)
    got = counts.count_vision_transformer((8, 12), (4, 2), **options, learned_positions=positions == "learned")
    assert got == counted(module, torch.ones(1, 2, 8, 12))


def test_the_base_vision_transformer_as_it_is_known() -> None:
    count = counts.count_vision_transformer(224, 16, dim=768, layers=12, out_dim=1000)
    assert count.parameters == 86_567_656


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ShapeError, match="size: got 30, wanted a multiple of patch_size 4"):
        counts.count_vision_transformer(30, 4, dim=8, layers=1)
    with pytest.raises(ShapeError, match="in_channels: got 4, wanted a multiple of groups 3"):
        counts.count_convolution(4, 6, 3, size=8, groups=3)
    with pytest.raises(ShapeError, match="image: got height 2, wanted at least the kernel's reach, 3"):
        counts.count_convolution(4, 6, 3, size=2)
