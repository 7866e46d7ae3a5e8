"""Complete data from data in which something is missing: zeros, means, a guess from what is present."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mmcourse.checks import check_names
from mmcourse.data.paired import PairedData
from mmcourse.errors import MaskError, ShapeError

Fill = Callable[[PairedData], PairedData]


def fill_zeros(data: PairedData) -> PairedData:
    """The same examples without a mask, zeros where something was missing."""
    return _filled(data, {name: np.zeros(rows.shape[1:]) for name, rows in data.features.items()})


def mean_imputer(train: PairedData) -> Fill:
    """A function that puts a modality's mean, over the rows of `train` where it is present, in the missing places.

    Raises MaskError for a modality that `train` never has; the function raises for other modalities or widths.
    """
    means = {}
    for name, rows in train.features.items():
        present = train.present(name)
        if not present.any():
            raise MaskError(name, got="no row of train", wanted="at least one with it", where="mean_imputer")
        means[name] = rows[present].mean(axis=0)

    def fill(data: PairedData) -> PairedData:
        _check_like(data, train, "mean_imputer")
        return _filled(data, means)

    return fill


def ridge_imputer(train: PairedData, *, penalty: float) -> Fill:
    """A function that guesses what is missing from what is present, by linear regression with a penalty on its squares.

    For each set A of present modalities that occurs, from the rows of `train` that have A and the missing modality m:
    min over W, b of  sum |x_m - x_A W - b|^2 + penalty |W|^2,  x_A the modalities of A side by side.
    The guess is a mean of what might have stood there: smoother than any real row, and the same for a model that asks
    how sure it is. The function raises MaskError where `train` has no such row. Raises ValueError for penalty < 0.
    Source: Hoerl and Kennard (1970) for the penalty.
    """
    from sklearn.linear_model import Ridge

    if not 0 <= penalty < np.inf:
        raise ValueError(f"ridge_imputer: penalty: got {penalty}, wanted a finite number >= 0")
    known: dict[tuple[tuple[str, ...], str], Ridge] = {}

    def side_by_side(data: PairedData, names: tuple[str, ...], rows: np.ndarray) -> np.ndarray:
        return np.concatenate([data.features[name][rows] for name in names], axis=1)

    def regression(given: tuple[str, ...], missing: str) -> Ridge:
        if (given, missing) not in known:
            rows = np.logical_and.reduce([train.present(name) for name in (*given, missing)])
            if not rows.any():
                wanted = f"at least one with {', '.join(given)}"
                raise MaskError(missing, got="no row of train", wanted=wanted, where="ridge_imputer")
            fitted = Ridge(alpha=penalty).fit(side_by_side(train, given, rows), train.features[missing][rows])
            known[given, missing] = fitted
        return known[given, missing]

    def fill(data: PairedData) -> PairedData:
        _check_like(data, train, "ridge_imputer")
        features = {name: rows.copy() for name, rows in data.features.items()}
        present = np.stack([data.present(name) for name in data.features], axis=1)
        for pattern in np.unique(present, axis=0):
            rows = (present == pattern).all(axis=1)
            given = tuple(name for name, here in zip(data.features, pattern, strict=True) if here)
            for name in set(data.features) - set(given):
                features[name][rows] = regression(given, name).predict(side_by_side(data, given, rows))
        return replace(data, features=features, mask=None)

    return fill


def _filled(data: PairedData, values: dict[str, np.ndarray]) -> PairedData:
    features = {name: rows.copy() for name, rows in data.features.items()}
    for name, rows in features.items():
        rows[~data.present(name)] = values[name]
    return replace(data, features=features, mask=None)


def _check_like(data: PairedData, train: PairedData, where: str) -> None:
    check_names(data.features, train.features, "features", where)
    for name, width in train.widths.items():
        if data.widths[name] != width:
            raise ShapeError(name, got=f"width {data.widths[name]}", wanted=width, where=where)
