"""Costs of the crossmodal and the bottleneck Transformer by formula, against what is there and what runs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmcourse.encoders.counts import Count
from mmcourse.fusion.sequence_counts import count_bottleneck_transformer, count_crossmodal_transformer
from mmcourse.fusion.torch import BottleneckTransformer, CrossmodalTransformer

DIMS = {"text": 3, "image": 5, "speech": 4}
LENGTHS = {"text": 6, "image": 9, "speech": 7}
SIZES: dict[str, Any] = {"dim": 8, "heads": 2, "out_dim": 3}
PAIRS: list[tuple[Callable[..., Any], Callable[..., Count], dict[str, Any]]] = [
    (CrossmodalTransformer, count_crossmodal_transformer, {"layers": 2, "memory_layers": 3, "hidden_size": 12}),
    (CrossmodalTransformer, count_crossmodal_transformer, {"layers": 1}),
    (BottleneckTransformer, count_bottleneck_transformer, {"layers": 4, "fusion_from": 1, "tokens": 3}),
    (BottleneckTransformer, count_bottleneck_transformer, {"layers": 2, "hidden_size": 12}),
]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(("build", "formula", "options"), PAIRS, ids=["crossmodal", "crossmodal-1", "bottleneck", "0"])
def test_a_count_is_what_is_there_and_what_runs(
    build: Callable[..., Any], formula: Callable[..., Count], options: dict[str, Any], count: int
) -> None:
    names = list(DIMS)[:count]
    dims, lengths = {m: DIMS[m] for m in names}, {m: LENGTHS[m] for m in names}
    module = build(dims, **SIZES, **options)
    x = {m: torch.ones(1, lengths[m], dims[m]) for m in names}
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        module(x)
    there = Count(sum(p.numel() for p in module.parameters()), counter.get_total_flops() // 2)
    assert formula(lengths, dims, **SIZES, **options) == there


def test_both_grow_with_the_square_of_a_length_in_the_long_run() -> None:
    """Since each modality still attends to itself."""
    for formula in (count_crossmodal_transformer, count_bottleneck_transformer):
        costs = [
            formula({"text": 8, "image": n}, {"text": 3, "image": 3}, layers=2, **SIZES).multiply_adds
            for n in (50_000, 100_000)
        ]
        assert costs[1] / costs[0] == pytest.approx(4, rel=0.01)
