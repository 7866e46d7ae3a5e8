"""Costs of attention by formula, against the modules, and against what PyTorch counts and keeps while they run."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmcourse.encoders.torch import TransformerEncoder
from mmcourse.encoders.torch.sequence import Linear
from mmcourse.fusion import attention_counts as counts
from mmcourse.fusion.attention_counts import BYTES, Cost
from mmcourse.fusion.torch import CrossAttention, GatedCrossAttention, PerceiverResampler, QFormer

HEADS, HIDDEN = 2, 12


def counted(module: nn.Module, *inputs: Tensor, fused: bool) -> Cost:
    """What is there, what runs, and what is kept for the backward pass: each storage once, parameters left out.

    PyTorch counts a multiply-add as two operations, and not those of fused kernels.
    """
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        module(*inputs)
    parameters = {p.untyped_storage().data_ptr() for p in module.parameters()}
    kept: dict[int, Tensor] = {}  # holding the tensor keeps its place from being used again

    def keep(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in parameters:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    backend = SDPBackend.FLASH_ATTENTION if fused else SDPBackend.MATH
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), sdpa_kernel(backend):
        output = module(*inputs)
    del output
    size = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    return Cost(sum(p.numel() for p in module.parameters()), counter.get_total_flops() // 2, size)


class VisualTokens(nn.Module):
    """A projector and a causal Transformer over visual tokens and text."""

    def __init__(self, picture_dim: int, dim: int, layers: int) -> None:
        super().__init__()
        self.projector = Linear(picture_dim, dim)
        self.decoder = TransformerEncoder(
            dim, layers=layers, heads=HEADS, hidden_size=HIDDEN, causal=True, activation="gelu"
        )

    def forward(self, pictures: Tensor, text: Tensor) -> Tensor:
        return self.decoder(torch.cat([self.projector(pictures), text], dim=1))


class Example(NamedTuple):
    """How a module is made, the shapes it reads, and the count that should fit."""

    module: Callable[[], nn.Module]
    shapes: tuple[tuple[int, int], ...]
    count: Callable[[bool], Cost]


OPTIONS: dict[str, Any] = {"heads": HEADS, "hidden_size": HIDDEN}
EXAMPLES = {
    "cross-attention": Example(
        lambda: CrossAttention(8, key_dim=6, heads=HEADS),
        ((9, 8), (20, 6)),
        lambda fused: counts.count_cross_attention(9, 20, 8, key_dim=6, heads=HEADS, fused=fused),
    ),
    "joined": Example(
        lambda: TransformerEncoder(8, layers=2, activation="gelu", **OPTIONS),
        ((9, 8),),
        lambda fused: counts.count_joined([4, 5], 8, layers=2, fused=fused, **OPTIONS),
    ),
    "resampler": Example(
        lambda: PerceiverResampler(8, latents=3, layers=2, **OPTIONS),
        ((20, 8),),
        lambda fused: counts.count_perceiver_resampler(20, 8, latents=3, layers=2, fused=fused, **OPTIONS),
    ),
    "gated cross-attention": Example(
        lambda: GatedCrossAttention(8, key_dim=6, **OPTIONS),
        ((9, 8), (20, 6)),
        lambda fused: counts.count_gated_cross_attention(9, 20, 8, key_dim=6, fused=fused, **OPTIONS),
    ),
    "q-former": Example(
        lambda: QFormer(8, key_dim=6, queries=3, layers=3, **OPTIONS),
        ((20, 6), (9, 8)),
        lambda fused: counts.count_q_former(20, 9, 8, key_dim=6, queries=3, layers=3, fused=fused, **OPTIONS),
    ),
    "visual tokens": Example(
        lambda: VisualTokens(6, 8, layers=2),
        ((7, 6), (5, 8)),
        lambda fused: counts.count_visual_tokens(7, 5, 8, picture_dim=6, layers=2, fused=fused, **OPTIONS),
    ),
}


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "plain"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_count_is_what_is_there_what_runs_and_what_is_kept(name: str, fused: bool) -> None:
    example = EXAMPLES[name]
    inputs = [torch.ones(1, *shape) for shape in example.shapes]
    assert counted(example.module(), *inputs, fused=fused) == example.count(fused)


def test_without_a_hidden_size_it_is_four_times_the_width() -> None:
    module = PerceiverResampler(8, latents=3, layers=1, heads=HEADS)
    got = counts.count_perceiver_resampler(20, 8, latents=3, layers=1, heads=HEADS)
    assert got.parameters == sum(p.numel() for p in module.parameters())


def test_the_crossing_is_where_pairs_cost_as_much_as_tokens() -> None:
    for dim, hidden in ((8, 0), (8, 12), (64, 256)):
        n = counts.crossing_length(dim, hidden_size=hidden)
        per_token = 4 * dim**2 + 2 * dim * hidden
        assert 2 * n**2 * dim == n * per_token
        layer = counts.count_transformer_layer(n, dim, max(hidden, 1), heads=1)
        attention = counts.count_self_attention(n, dim, heads=1)
        whole = layer if hidden else attention
        assert whole.multiply_adds == 2 * n * per_token


def test_what_grows_with_the_length_and_what_with_its_square() -> None:
    """Between 50 and 100 thousand tokens, far beyond the crossing: a factor of two, or of four."""

    def growth(count: Callable[[int], Cost]) -> float:
        return count(100_000).multiply_adds / count(50_000).multiply_adds

    options: dict[str, Any] = {"heads": 1, "layers": 1}
    assert growth(lambda n: counts.count_joined([n, 8], 16, **options)) == pytest.approx(4, rel=0.01)
    assert growth(lambda n: counts.count_visual_tokens(n, 8, 16, picture_dim=4, **options)) == pytest.approx(
        4, rel=0.01
    )
    assert growth(lambda n: counts.count_cross_attention(8, n, 16, heads=1)) == pytest.approx(2, rel=0.01)
    assert growth(lambda n: counts.count_perceiver_resampler(n, 16, latents=8, **options)) == pytest.approx(2, rel=0.01)
    assert growth(lambda n: counts.count_gated_cross_attention(8, n, 16, heads=1)) == pytest.approx(2, rel=0.01)
    assert growth(lambda n: counts.count_q_former(n, 8, 16, queries=4, **options)) == pytest.approx(2, rel=0.01)


def test_a_fused_kernel_keeps_no_softmax() -> None:
    kept = [counts.count_self_attention(64, 8, heads=2, fused=fused).activation_bytes for fused in (True, False)]
    assert kept[1] - kept[0] == BYTES * 2 * 64 * (64 - 1)


def test_the_softmax_takes_over_the_memory_long_before_the_multiplications() -> None:
    """H n^2 = 5 n d at n = 5 d / H: for d = 768 and 12 heads at 320, where the multiplications cross at 6 d = 4608."""
    dim, heads = 768, 12
    n = 5 * dim // heads
    fused, plain = (counts.count_self_attention(n, dim, heads=heads, fused=f).activation_bytes for f in (True, False))
    beside = fused - BYTES * heads * n
    assert plain == 2 * beside
    assert n == 320
    assert counts.crossing_length(dim, hidden_size=4 * dim) == 4608


def test_the_number_of_heads_changes_no_multiply_add() -> None:
    costs = {counts.count_joined([30], 16, layers=2, heads=heads).multiply_adds for heads in (1, 2, 4, 16)}
    assert len(costs) == 1
