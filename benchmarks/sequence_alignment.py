"""Warping, transcripts and their alignment: the plain formulas in NumPy against librosa's and PyTorch's kernels."""

from collections.abc import Iterator, Mapping
from typing import Any

import librosa
import numpy as np
import torch
from torch.nn import functional

from benchmarks.runner import Case
from mmcourse.alignment import torch as torch_losses
from mmcourse.alignment.numpy import accumulated_costs, ctc_gradient, ctc_loss, dynamic_time_warping, pairwise_costs

Outputs = Mapping[str, Any]
SIZES = {"a word": (30, 40), "a sentence": (200, 250)}  # frames of the two recordings
WORDS = 64  # recordings of a word that one is compared with
BATCH, TIME, CLASSES, LABELS = 16, 150, 11, 5  # a step of the lesson
GAMMA = 0.1


def warping_cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for name, (n, m) in SIZES.items():
        costs = rng.random((n, m))

        def ours(costs: np.ndarray = costs) -> Outputs:
            cost, path = dynamic_time_warping(costs)
            return {"cost": cost, "path": path}

        def librosas(costs: np.ndarray = costs) -> Outputs:
            summed, path = librosa.sequence.dtw(C=costs)
            return {"cost": summed[-1, -1], "path": path[::-1]}

        yield Case(f"numpy dynamic_time_warping, {name}", "librosa", ours, librosas, 1e-12)

    n, m = SIZES["a word"]
    word, others = rng.normal(size=(n, 24)), rng.normal(size=(WORDS, m, 24))
    tables = pairwise_costs(word, others)

    def at_once() -> Outputs:
        return {"costs": accumulated_costs(tables)[:, -1, -1]}

    def one_by_one() -> Outputs:
        return {"costs": [librosa.sequence.dtw(C=table, backtrack=False)[-1, -1] for table in tables]}

    yield Case(f"numpy accumulated_costs, {WORDS} words at once", "librosa, one by one", at_once, one_by_one, 1e-12)


def soft_cases() -> Iterator[Case]:
    """Value and gradient, a diagonal at a time against a cell at a time."""
    n, m = SIZES["a word"]
    costs = torch.rand(n, m, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def outputs(value: torch.Tensor) -> Outputs:
        return {"value": value.detach(), "gradient": torch.autograd.grad(value, costs)[0]}

    def by_diagonals() -> Outputs:
        return outputs(torch_losses.soft_dtw(costs, gamma=GAMMA))

    def by_cells() -> Outputs:
        reached: dict[tuple[int, int], torch.Tensor] = {}
        for i, j in np.ndindex(n, m):
            ways = [reached[at] for at in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if at in reached]
            soft = -GAMMA * torch.logsumexp(-torch.stack(ways) / GAMMA, dim=0) if ways else 0
            reached[i, j] = costs[i, j] + soft
        return outputs(reached[n - 1, m - 1])

    yield Case("torch soft_dtw, a word", "plain formula", by_diagonals, by_cells, 1e-10)


def ctc_cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(BATCH, TIME, CLASSES))
    targets = rng.integers(1, CLASSES, size=(BATCH, LABELS))
    x, labels = torch.tensor(logits, requires_grad=True), torch.tensor(targets)
    lengths = torch.full((BATCH,), TIME), torch.full((BATCH,), LABELS)

    def formulas() -> Outputs:
        return {"loss": ctc_loss(logits, targets), "gradient": ctc_gradient(logits, targets)}

    def kernel() -> Outputs:
        loss = functional.ctc_loss(x.log_softmax(2).transpose(0, 1), labels, *lengths, reduction="none")
        return {"loss": loss.detach(), "gradient": torch.autograd.grad(loss.sum(), x)[0]}

    def checked() -> Outputs:
        loss = torch_losses.ctc_loss(x, labels)
        return {"loss": loss.detach(), "gradient": torch.autograd.grad(loss.sum(), x)[0]}

    yield Case("numpy ctc_loss, with its gradient", "torch", formulas, kernel, 1e-10)
    yield Case("torch ctc_loss, with its checks", "torch", checked, kernel, 1e-10)


def cases() -> Iterator[Case]:
    """All on one thread."""
    yield from warping_cases()
    yield from soft_cases()
    yield from ctc_cases()
