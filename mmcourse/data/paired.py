"""Examples that come as several modalities with one label."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.errors import (
    DtypeError,
    EmptyBatchError,
    MaskError,
    ModalityError,
    NotFiniteError,
    ShapeError,
    UnknownModalityError,
)


@dataclass(frozen=True, eq=False)
class PairedData:
    """n examples: row i of every modality belongs to label i.

    features: {modality: (n, ..., dim) floats};  labels: (n,) integers in range(len(classes));  classes: their names
    mask: {modality: (n,) bool} or None; True = present. A modality that the mask does not name is present everywhere.
    A missing row may contain anything, NaN included; every row has at least one modality.
    Raises the ModalityError that fits, naming the modality (or "labels"), what came and what was wanted.
    """

    features: dict[str, np.ndarray]
    labels: np.ndarray
    classes: tuple[str, ...]
    mask: dict[str, np.ndarray] | None = None

    def __post_init__(self) -> None:
        # Copies of the mappings, not of the arrays: a caller who edits his dictionary does not change these data.
        object.__setattr__(self, "features", {name: np.asarray(rows) for name, rows in self.features.items()})
        object.__setattr__(self, "labels", np.asarray(self.labels))
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.mask is not None:
            object.__setattr__(self, "mask", {name: np.asarray(rows) for name, rows in self.mask.items()})
        _check_labels(self.labels, self.classes)
        _check_mask(self.mask, self.features, len(self))
        _check_features(self)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def widths(self) -> dict[str, int]:
        """Size of each modality's last axis: {modality: dim}."""
        return {name: rows.shape[-1] for name, rows in self.features.items()}

    def present(self, modality: str) -> np.ndarray:
        """(n,) bool: where this modality is not missing. Raises UnknownModalityError."""
        self._require(modality)
        everywhere = np.ones(len(self), dtype=bool)
        return everywhere if self.mask is None else self.mask.get(modality, everywhere)

    def take(self, indices: ArrayLike | slice) -> Self:
        """The rows that `indices` (integers, booleans (n,) or a slice) select, in that order."""
        return replace(self, **self._rows(indices))

    def only(self, *modalities: str) -> "PairedData":
        """The same examples with these modalities alone. Raises MaskError if that leaves a row with nothing."""
        for name in modalities:
            self._require(name)
        mask = None if self.mask is None else {name: rows for name, rows in self.mask.items() if name in modalities}
        return PairedData({name: self.features[name] for name in modalities}, self.labels, self.classes, mask or None)

    def scaled(self, factors: Mapping[str, float]) -> Self:
        """The same examples with a modality's rows multiplied by its factor; others stay. Raises for a bad factor."""
        for name, factor in factors.items():
            self._require(name)
            if not np.isfinite(factor):
                raise NotFiniteError(name, got=f"factor {factor}", wanted="a finite number", where="PairedData.scaled")
        return replace(self, features={name: rows * factors.get(name, 1.0) for name, rows in self.features.items()})

    def shuffled(self, modality: str, seed: int) -> "PairedData":
        """The same examples with one modality's rows permuted against the rest.

        Its values keep their distribution and lose their partners. Only rows that are present change places: moving a
        missing row too could leave an example with nothing at all.
        """
        present = np.flatnonzero(self.present(modality))
        rows = self.features[modality].copy()
        rows[present] = rows[np.random.default_rng(seed).permutation(present)]
        return PairedData({**self.features, modality: rows}, self.labels, self.classes, self.mask)

    def _rows(self, indices: ArrayLike | slice) -> dict[str, Any]:
        """The fields that have one entry an example, restricted to `indices`."""
        chosen = indices if isinstance(indices, slice) else np.asarray(indices)
        if isinstance(chosen, np.ndarray) and chosen.size == 0:
            raise EmptyBatchError("labels", got="no indices", wanted="at least 1", where="PairedData.take")
        return {
            "features": {name: rows[chosen] for name, rows in self.features.items()},
            "labels": self.labels[chosen],
            "mask": None if self.mask is None else {name: rows[chosen] for name, rows in self.mask.items()},
        }

    def _require(self, modality: str) -> None:
        if modality not in self.features:
            raise UnknownModalityError(modality, got=repr(modality), wanted=_one_of(self.features), where="PairedData")


def root_mean_square_norms(data: PairedData) -> dict[str, float]:
    """How long a modality's rows are: {modality: sqrt(mean |x|^2)}, over the rows where it is present."""
    lengths = {}
    for name, rows in data.features.items():
        present = rows[data.present(name)]
        lengths[name] = float(np.sqrt((present**2).sum() / len(present)))
    return lengths


def _check_labels(labels: np.ndarray, classes: tuple[str, ...]) -> None:
    where = "PairedData"
    if labels.ndim != 1:
        raise ShapeError("labels", got=f"shape {labels.shape}", wanted="one axis, (n,)", where=where)
    if len(labels) == 0:
        raise EmptyBatchError("labels", got="0 rows", wanted="at least 1", where=where)
    if not np.issubdtype(labels.dtype, np.integer):
        raise DtypeError("labels", got=f"dtype {labels.dtype}", wanted="integers", where=where)
    outside = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if outside.size:
        row = outside[0]
        wanted = f"0 to {len(classes) - 1}, as there are {len(classes)} classes"
        raise ModalityError("labels", got=f"{labels[row]} in row {row}", wanted=wanted, where=where)


def _check_mask(mask: Mapping[str, np.ndarray] | None, features: Mapping[str, np.ndarray], length: int) -> None:
    where = "PairedData"
    if mask is None:
        return
    for name, present in mask.items():
        if name not in features:
            raise UnknownModalityError(name, got="a mask for it", wanted=_one_of(features), where=where)
        if present.dtype != np.bool_:
            raise MaskError(name, got=f"mask dtype {present.dtype}", wanted="bool, True = present", where=where)
        if present.shape != (length,):
            raise MaskError(name, got=f"mask shape {present.shape}", wanted=f"({length},)", where=where)
    if set(mask) == set(features):
        nothing = np.flatnonzero(~np.any(list(mask.values()), axis=0))
        if nothing.size:
            rows = ", ".join(map(str, nothing[:5])) + (", …" if nothing.size > 5 else "")
            got = f"nothing present in row {rows}"
            raise MaskError(", ".join(features), got=got, wanted="at least one modality in every row", where=where)


def _check_features(data: PairedData) -> None:
    where = "PairedData"
    if not data.features:
        raise EmptyBatchError("features", got="no modality", wanted="at least 1", where=where)
    for name, rows in data.features.items():
        if not np.issubdtype(rows.dtype, np.floating):
            hint = " (scale an image first: image / 255)" if rows.dtype == np.uint8 else ""
            raise DtypeError(name, got=f"dtype {rows.dtype}", wanted=f"floats{hint}", where=where)
        if rows.ndim < 2:
            raise ShapeError(name, got=f"shape {rows.shape}", wanted="(n, dim)", where=where)
        if len(rows) != len(data):
            got, wanted = f"{len(rows)} rows", f"{len(data)}, one for each label"
            raise ShapeError(name, got=got, wanted=wanted, where=where)
        finite = np.isfinite(rows).all(axis=tuple(range(1, rows.ndim)))
        broken = np.flatnonzero(~finite & data.present(name))
        if broken.size:
            got = f"NaN or infinity in row {broken[0]}"
            wanted = "finite numbers wherever the modality is present"
            raise NotFiniteError(name, got=got, wanted=wanted, where=where)


def _one_of(features: Mapping[str, np.ndarray]) -> str:
    return "one of " + ", ".join(features)
