"""Multiply-adds of generation by formula, against what PyTorch counts while a decoder generates."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmcourse.decoders.counts import count_generation
from mmcourse.decoders.torch import TransformerDecoder

WORDS, STEPS = 6, 4


@pytest.mark.parametrize("memory_dim", [None, 5])
def test_with_and_without_a_cache(memory_dim: int | None) -> None:
    """PyTorch counts a multiply-add as two operations, and not those of fused kernels."""
    options = {"dim": 8, "layers": 2, "hidden_size": 12, "memory_dim": memory_dim}
    decoder = TransformerDecoder(7, heads=2, length=WORDS, **options)
    memory = None if memory_dim is None else torch.randn(1, STEPS, memory_dim)
    ids = torch.arange(WORDS)[None]

    def cached() -> None:
        cache = decoder.begin(memory)
        for t in range(WORDS):
            _, cache = decoder.extend(ids[:, [t]], cache)

    def uncached() -> None:
        for t in range(WORDS):
            decoder(ids[:, : t + 1], memory)

    sizes = {"words": WORDS, "count": 7, "memory_steps": 0 if memory is None else STEPS, **options}
    for generate, with_cache in ((cached, True), (uncached, False)):
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.no_grad():
            generate()
        assert counter.get_total_flops() // 2 == count_generation(cached=with_cache, **sizes)


def test_the_gain_grows_with_the_length() -> None:
    """Nearly all costs are projections where words are few: without a cache n (n + 1) / 2 of them in place of n."""
    gains = []
    for words in (1, 10, 100):
        counts = [count_generation(words, dim=256, layers=2, count=50, cached=cached) for cached in (False, True)]
        gains.append(counts[0] / counts[1])
    assert gains[0] == 1
    assert abs(gains[1] / 5.5 - 1) < 0.02
    assert gains[2] > 50
