"""The comparisons that tell a model which uses both modalities from one that only seems to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mmcourse.data.paired import PairedData
from mmcourse.training.fit import fit, predict
from mmcourse.training.metrics import Interval, correct, paired_interval

if TYPE_CHECKING:
    import torch

# 2,048 examples of two modalities, 161 of three, 45 of four.
MAX_COMBINATIONS = 2**22
_CHUNK = 2**16  # combinations evaluated at once: tens of megabytes for the widths of the lessons


def additive(predict_logits: Callable[[PairedData], np.ndarray], data: PairedData) -> np.ndarray:
    """The additive projection of a model, (n, classes): its answers with every interaction taken out.

    f_add(x) = sum_m E[f | x_m] - (M - 1) E[f],  means over all n^M recombinations of the modalities' rows
    Of all sums of one function a modality, f_add is nearest to f over the recombinations. If it is as accurate as f,
    the model's interactions were of no use on these data.
    With a mask, examples are recombined with those that have the same modalities present, so that no row loses
    everything; an example alone with its modalities then keeps its answer.
    predict_logits gets recombined data with labels 0 and returns (rows, classes).
    Raises ValueError where that takes more than MAX_COMBINATIONS rows (memory stays small, time does not).
    Source: Hessel and Lee (2020), "empirical multimodally-additive function projection" (EMAP), for two modalities.
    """
    _check_size(data)
    projected = np.zeros((len(data), len(data.classes)))
    for rows, modalities in _patterns(data):
        group = data.take(rows)
        sums = np.zeros((len(modalities), len(rows), len(data.classes)))
        for picks in _combinations(len(rows), len(modalities)):
            logits = np.asarray(predict_logits(_recombined(group, dict(zip(modalities, picks, strict=True)))))
            for total, pick in zip(sums, picks, strict=True):
                for column, values in enumerate(logits.T):
                    total[:, column] += np.bincount(pick, weights=values, minlength=len(rows))
        # Each row of each modality took part in n^(M-1) of the n^M combinations.
        means = sums / len(rows) ** (len(modalities) - 1)
        projected[rows] = means.sum(axis=0) - (len(modalities) - 1) * means[0].mean(axis=0)
    return projected


@dataclass(frozen=True, eq=False)
class BaselineTable:
    """Which test examples each model gets right.

    correct: {"fused": (n,) bool, then "image alone", …, "image shuffled", …, "additive"}
    """

    correct: dict[str, np.ndarray]

    def accuracy(self, name: str) -> float:
        """Share of test examples that `name` gets right. Raises KeyError for a name that the table has not."""
        return float(self.correct[name].mean())

    def interval(self, name: str, other: str, **options: Any) -> Interval:
        """accuracy(name) - accuracy(other) with its paired_interval."""
        return paired_interval(self.correct[name], self.correct[other], **options)

    def as_rows(self) -> list[tuple[str, float]]:
        """(name, accuracy) for each model, fused first."""
        return [(name, self.accuracy(name)) for name in self.correct]


def baselines(
    build: Callable[[dict[str, int]], "torch.nn.Module"],
    train: PairedData,
    test: PairedData,
    *,
    seed: int,
    **fit_options: Any,
) -> BaselineTable:
    """Train a fused model and what it must be compared with, and test them all on the same examples.

    build: makes a fresh model for the widths {modality: dim} it is given; called under `seed`
    fused            the model on all modalities
    <m> alone        a fresh model built for, trained on and tested on one modality; where that is missing in the test
                     part, the answer is the commonest class of the training part
    <m> shuffled     the fused model, one modality of the test part permuted against the rest: what it relies on
    additive         the fused model's additive projection: what is left without interactions
    fit_options go to fit (epochs, learning_rate, …).
    Raises ValueError, before training, for a test part too large for `additive`.
    Sources: Hessel and Lee (2020) for the projection; Breiman (2001) for accuracy after permutation.
    """
    _check_size(test)

    def trained(data: PairedData) -> "torch.nn.Module":
        model = _built(build, data.widths, seed)
        fit(model, data, seed=seed, **fit_options)
        return model

    fused = trained(train)
    right = {"fused": correct(predict(fused, test), test.labels)}
    for name in train.features:
        present = test.present(name)
        alone = trained(train.take(train.present(name)).only(name))
        right[f"{name} alone"] = np.bincount(train.labels).argmax() == test.labels
        if present.any():
            seen = test.take(present).only(name)
            right[f"{name} alone"][present] = correct(predict(alone, seen), seen.labels)
    for name in train.features:
        right[f"{name} shuffled"] = correct(predict(fused, test.shuffled(name, seed)), test.labels)
    right["additive"] = correct(additive(lambda data: predict(fused, data), test), test.labels)
    return BaselineTable(right)


def _built(
    build: Callable[[dict[str, int]], "torch.nn.Module"], widths: dict[str, int], seed: int
) -> "torch.nn.Module":
    import torch

    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        return build(widths)


def _patterns(data: PairedData) -> Iterator[tuple[np.ndarray, list[str]]]:
    """The rows that share a set of present modalities, and that set."""
    presence = np.stack([data.present(name) for name in data.features], axis=1)  # (n, M)
    for pattern in np.unique(presence, axis=0):
        names = [name for name, present in zip(data.features, pattern, strict=True) if present]
        yield np.flatnonzero((presence == pattern).all(axis=1)), names


def _combinations(n: int, modalities: int) -> Iterator[tuple[np.ndarray, ...]]:
    """All n^M choices of a row for each modality, a chunk at a time."""
    shape = (n,) * modalities
    for start in range(0, n**modalities, _CHUNK):
        yield np.unravel_index(np.arange(start, min(start + _CHUNK, n**modalities)), shape)


def _recombined(group: PairedData, picks: dict[str, np.ndarray]) -> PairedData:
    """Rows put together from different examples; a modality that is not picked is missing in all of the group."""
    count = len(next(iter(picks.values())))
    missing = np.zeros(count, dtype=np.int64)  # any row will do
    features = {name: rows[picks.get(name, missing)] for name, rows in group.features.items()}
    mask = None if group.mask is None else {name: np.full(count, name in picks) for name in group.mask}
    return PairedData(features, np.zeros(count, dtype=np.int64), group.classes, mask)


def _check_size(data: PairedData) -> None:
    total = sum(len(rows) ** len(modalities) for rows, modalities in _patterns(data))
    if total > MAX_COMBINATIONS:
        raise ValueError(
            f"additive: got {len(data)} examples of {len(data.features)} modalities, {total:,} recombinations, "
            f"wanted at most {MAX_COMBINATIONS:,}; take fewer test examples: data.take(range(n))"
        )
