"""What a model can do when modalities are missing: its answers under every non-empty subset of them."""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmcourse.checks import check_known
from mmcourse.data.paired import PairedData
from mmcourse.data.presence import masked, subset_mask, subsets
from mmcourse.errors import MaskError, NotFiniteError
from mmcourse.training.fit import predict
from mmcourse.training.imputation import Fill
from mmcourse.training.metrics import Interval, MeanInterval, clustered_interval, correct

if TYPE_CHECKING:
    import torch

WHERE = "every_subset"


@dataclass(frozen=True, eq=False)
class SubsetTable:
    """A model's answers to the same examples under every subset of their modalities.

    logits: {subset: (n, classes)}, a subset a tuple of names;  labels: (n,)
    clusters: (n,) what hangs together (the recording behind each example, say), drawn as a whole in every interval
    Everywhere a subset may be named in any order, and None means all modalities.
    """

    logits: dict[tuple[str, ...], np.ndarray]
    labels: np.ndarray
    clusters: np.ndarray

    @property
    def modalities(self) -> tuple[str, ...]:
        return max(self.logits, key=len)

    def at(self, subset: Iterable[str] | None = None) -> np.ndarray:
        """The logits (n, classes) under a subset. Raises UnknownModalityError, MaskError for an empty one."""
        return self.logits[self._key(subset)]

    def correct(self, subset: Iterable[str] | None = None) -> np.ndarray:
        """(n,) bool: which examples are right under a subset."""
        return correct(self.at(subset), self.labels)

    def accuracy(self, subset: Iterable[str] | None = None, **options: float) -> MeanInterval:
        """Accuracy under a subset with its bootstrap interval over clusters; options: level, draws, seed."""
        return clustered_interval(self.correct(subset), self.clusters, **options)  # type: ignore[arg-type]

    def difference(
        self, subset: Iterable[str] | None, other: Iterable[str] | None = None, **options: float
    ) -> Interval:
        """accuracy(subset) - accuracy(other) on the same examples, drawn together; other: all modalities."""
        gains = self.correct(subset).astype(np.float64) - self.correct(other)
        return Interval(*clustered_interval(gains, self.clusters, **options))  # type: ignore[arg-type]

    def as_rows(self) -> list[tuple[str, MeanInterval, Interval]]:
        """("image + text", accuracy, difference from all modalities) for each subset, the whole first."""
        return [(" + ".join(s), self.accuracy(s), self.difference(s)) for s in reversed(self.logits)]

    def _key(self, subset: Iterable[str] | None) -> tuple[str, ...]:
        if subset is None:
            return self.modalities
        wanted = [subset] if isinstance(subset, str) else list(subset)
        check_known(wanted, self.modalities, "subset", "SubsetTable")
        if not wanted:
            got, names = "an empty subset", ", ".join(self.modalities)
            raise MaskError(names, got=got, wanted="at least one modality", where="SubsetTable")
        return tuple(name for name in self.modalities if name in wanted)


def every_subset(
    model: "torch.nn.Module",
    data: PairedData,
    *,
    fill: Fill | None = None,
    clusters: np.ndarray | None = None,
    batch_size: int = 1024,
) -> SubsetTable:
    """Ask model(features, mask) with every non-empty subset of the modalities; the same examples each time.

    data: examples from which nothing is missing
    fill: how missing places are filled for a model that looks at them (fill_zeros, mean_imputer(train), …): it gets
    data with a mask and returns complete data, which the model sees without a mask
    clusters: (n,) labels of what hangs together, None where each example stands for itself
    Without `fill` the missing places hold NaN, so that a model that takes the mask but looks at them is found out.
    Raises TypeError for a model whose forward takes no mask, MaskError for one that looks at what is missing and for
    data that lack something, ValueError for clusters of another length.
    """
    for name in data.features:
        if not data.present(name).all():
            got = f"{int((~data.present(name)).sum())} rows without it"
            raise MaskError(name, got=got, wanted="complete data, since all subsets are tried", where=WHERE)
    clusters = np.arange(len(data)) if clusters is None else np.asarray(clusters)
    if clusters.shape != (len(data),):
        raise ValueError(f"{WHERE}: clusters: got shape {clusters.shape}, wanted ({len(data)},)")
    _check_takes_mask(model)
    logits = {}
    for subset in subsets(data.features):
        asked = masked(data, subset_mask(data.features, subset, len(data)))
        logits[subset] = (
            _answers(model, asked, batch_size) if fill is None else predict(model, fill(asked), batch_size=batch_size)
        )
    return SubsetTable(logits, data.labels, clusters)


def _answers(model: "torch.nn.Module", asked: PairedData, batch_size: int) -> np.ndarray:
    missing = ", ".join(name for name in asked.features if not asked.present(name).any())
    wanted = (
        "no influence of what is missing: hand the mask on to whoever uses the features, or say how to fill what is "
        "missing: fill=mean_imputer(train)"
    )
    try:
        logits = predict(model, asked, batch_size=batch_size)
    except NotFiniteError as error:
        got = f"{type(model).__name__} that refuses the NaN in a missing place"
        raise MaskError(missing, got=got, wanted=wanted, where=WHERE) from error
    if not np.isfinite(logits).all():
        got = f"NaN from {type(model).__name__}, which looks at a missing place"
        raise MaskError(missing, got=got, wanted=wanted, where=WHERE)
    return logits


def _check_takes_mask(model: "torch.nn.Module") -> None:
    try:
        inspect.signature(model.forward).bind({}, {})
    except TypeError:
        name = type(model).__name__
        raise TypeError(
            f"{WHERE}: model: got {name}, whose forward takes no mask, wanted forward(features, mask), "
            "as fit and predict call it"
        ) from None
