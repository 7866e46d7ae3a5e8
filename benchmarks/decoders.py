"""Decoders: generation word by word with a cache, against reading all words anew at every step."""

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.runner import Case
from mmcourse.decoders.torch import TransformerDecoder

COUNT, DIM, STEPS = 100, 64, 25
LENGTHS = (8, 32, 128)


def generation(words: int) -> Case:
    """Greedy words of one caption about a memory of 25 patches; both sides return the logits of every step."""
    torch.manual_seed(0)
    options = {"dim": DIM, "layers": 2, "heads": 4, "length": words, "memory_dim": DIM}
    decoder = TransformerDecoder(COUNT, check_values=False, **options)
    memory = torch.randn(1, STEPS, DIM)

    @torch.no_grad()
    def cached() -> dict[str, Tensor]:
        cache, word, steps = decoder.begin(memory), torch.ones(1, 1, dtype=torch.int64), []
        for _ in range(words):
            logits, cache = decoder.extend(word, cache)
            word = logits.argmax(dim=2)
            steps.append(logits)
        return {"logits": torch.cat(steps, dim=1)}

    @torch.no_grad()
    def anew() -> dict[str, Tensor]:
        ids, steps = torch.ones(1, 1, dtype=torch.int64), []
        for _ in range(words):
            logits = decoder(ids, memory)[:, -1:]
            ids = torch.cat([ids, logits.argmax(dim=2)], dim=1)
            steps.append(logits)
        return {"logits": torch.cat(steps, dim=1)}

    return Case(f"generation of {words} words, with a cache", "without", cached, anew)


def cases() -> Iterator[Case]:
    """One sequence, short to long."""
    for words in LENGTHS:
        yield generation(words)
