"""What fusions, encoders and losses ask of their inputs, so that all halves refuse with the same words.

Free of any framework; `mmcourse.checks.keras` asks the same where the numbers come when a graph runs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.errors import (
    DtypeError,
    EmptyBatchError,
    MaskError,
    ModalityError,
    NotFiniteError,
    ShapeError,
    UnknownModalityError,
)

ROWS_SHOWN = 5


class Spec(NamedTuple):
    """What is known of an array without its numbers; a batch of None is known only when a graph runs."""

    shape: tuple[int | None, ...]
    dtype: str


def check_mapping(value: object, what: str, where: str) -> None:
    """Raise TypeError unless `value` is a mapping from modality to array."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{where}: {what}: got {type(value).__name__}, wanted a mapping from modality to array")


def check_known(names: Iterable[str], known: Iterable[str], what: str, where: str) -> None:
    """Raise UnknownModalityError for the first name that was not declared."""
    known = list(known)
    for modality in names:
        if modality not in known:
            raise UnknownModalityError(
                modality, got=f"{what} of an unknown modality", wanted=" or ".join(known), where=where
            )


def check_names(names: Iterable[str], declared: Iterable[str], what: str, where: str) -> None:
    """Raise UnknownModalityError for the first name that was not declared, then for the first that did not come."""
    names, declared = list(names), list(declared)
    check_known(names, declared, what, where)
    for modality in declared:
        if modality not in names:
            wanted = f"an entry for each of {', '.join(declared)}"
            raise UnknownModalityError(modality, got=f"no {what}", wanted=wanted, where=where)


def check_same(sizes: Mapping[str, int], what: str, where: str) -> int:
    """Return the size that all share, or raise ShapeError naming the first modality that differs from most."""
    wanted = Counter(sizes.values()).most_common(1)[0][0]  # of two, the first is the measure
    for modality, size in sizes.items():
        if size != wanted:
            raise ShapeError(modality, got=f"{what} {size}", wanted=wanted, where=where)
    return wanted


def check_size(name: str, size: int, where: str) -> int:
    """Return a width that can be, or raise ShapeError."""
    if not isinstance(size, int | np.integer) or size < 1:
        raise ShapeError(name, got=f"width {size!r}", wanted="a whole number above 0", where=where)
    return int(size)


def check_dims(dims: Mapping[str, int], where: str) -> dict[str, int]:
    """Return the declared widths as a dict of their own, or raise a ModalityError."""
    check_mapping(dims, "dims", where)
    if not dims:
        raise UnknownModalityError("dims", got="no modality", wanted="at least one", where=where)
    for name in dims:
        if not isinstance(name, str) or not name or "." in name or "/" in name:  # parameters are named after it
            raise UnknownModalityError(str(name), got=f"the name {name!r}", wanted="text without . and /", where=where)
    return {modality: check_size(modality, width, where) for modality, width in dims.items()}


def initial_weights(
    weights: Mapping[str, float] | None, dims: Mapping[str, int], softmax: bool, where: str
) -> dict[str, float]:
    """Return the weights a weighted sum begins with, in the order of dims; equal shares if none are given."""
    if weights is None:
        return dict.fromkeys(dims, 0.0 if softmax else 1 / len(dims))
    check_mapping(weights, "weights", where)
    check_names(weights, dims, "weight", where)
    return {modality: float(weights[modality]) for modality in dims}


def check_rates(rates: Mapping[str, float] | float, dims: Iterable[str], where: str) -> dict[str, float]:
    """Return the chance with which each modality is dropped, in the order of dims; one number serves all.

    Raises ModalityError for a chance outside [0, 1): at 1 a modality would never be trained.
    """
    names = list(dims)
    if isinstance(rates, int | float):
        rates = dict.fromkeys(names, rates)
    check_mapping(rates, "rates", where)
    check_names(rates, names, "rate", where)
    for modality, rate in rates.items():
        if not 0 <= rate < 1:
            raise ModalityError(modality, got=f"rate {rate}", wanted="at least 0 and below 1", where=where)
    return {modality: float(rates[modality]) for modality in names}


def check_features(
    features: Mapping[str, Spec], dims: Mapping[str, int | None], where: str, *, dtype: str | None = None
) -> int | None:
    """Return the batch size that all share, or raise a ModalityError.

    dims: the declared modalities and their widths; None takes any width
    dtype: the module's; None takes any floating one
    """
    check_names(features, dims, "features", where)
    for modality, (shape, got) in features.items():
        width = dims[modality]
        if len(shape) != 2:
            raise ShapeError(
                modality, got=f"shape {shape_text(shape)}", wanted=f"(batch, {width or 'width'})", where=where
            )
        if not got.startswith(("float", "bfloat")):
            raise DtypeError(
                modality, got=f"dtype {got}", wanted="a floating one (whole numbers must be scaled first)", where=where
            )
        if dtype is not None and got != dtype:
            raise DtypeError(modality, got=f"dtype {got}", wanted=dtype, where=where)
        if width is not None and shape[1] != width:
            raise ShapeError(modality, got=f"width {shape[1]}", wanted=width, where=where)
        if shape[0] == 0:
            raise EmptyBatchError(modality, got="batch size 0", wanted="at least 1", where=where)
    batches = {modality: spec.shape[0] for modality, spec in features.items() if spec.shape[0] is not None}
    return check_same(batches, "batch size", where) if batches else None


def check_mask(mask: Mapping[str, Spec], dims: Iterable[str], batch: int | None, where: str) -> None:
    """Raise unless every mask is boolean, of shape (batch,), and of a declared modality."""
    check_known(mask, dims, "mask", where)
    for modality, (shape, dtype) in mask.items():
        if dtype != "bool":
            raise MaskError(modality, got=f"mask of dtype {dtype}", wanted="bool", where=where)
        if len(shape) != 1 or (None not in (batch, shape[0]) and shape[0] != batch):
            wanted = f"({'batch' if batch is None else batch},)"
            raise MaskError(modality, got=f"mask of shape {shape_text(shape)}", wanted=wanted, where=where)


def check_values(names: Iterable[str], finite: np.ndarray, present: np.ndarray | None, where: str) -> None:
    """Raise MaskError where rows have no modality present, then NotFiniteError for the first modality with NaN.

    names: M modalities;  finite: (batch, M), True where a row is missing or all its numbers are finite
    present: (batch, M), or None where nothing is missing
    """
    if present is not None and not present.any(axis=1).all():
        raise all_missing(names, rows_text(~present.any(axis=1)), where)
    for modality, column in zip(names, finite.T, strict=True):
        if not column.all():
            raise not_finite(modality, rows_text(~column), where)


def all_missing(names: Iterable[str], rows: str, where: str) -> MaskError:
    """The error for rows that a mask hides altogether."""
    wanted = "at least one in every row"
    return MaskError(", ".join(names), got=f"no modality present in rows [{rows}]", wanted=wanted, where=where)


def not_finite(modality: str, rows: str, where: str) -> NotFiniteError:
    """The error for rows that hold NaN or infinity though they are present."""
    wanted = "finite numbers where present"
    return NotFiniteError(modality, got=f"NaN or infinity in rows [{rows}]", wanted=wanted, where=where)


def rows_text(bad: Any) -> str:
    """The numbers of the first rows at fault, as messages show them."""
    rows = np.flatnonzero(bad)
    return ", ".join(map(str, rows[:ROWS_SHOWN])) + (", ..." if len(rows) > ROWS_SHOWN else "")


def shape_text(shape: tuple[int | None, ...]) -> str:
    """(4, 8) as Python writes it, with `batch` for what is not known yet."""
    return str(tuple(shape)).replace("None", "batch")


def check_shape(parameter: ArrayLike, name: str, wanted: tuple[int, ...], where: str) -> NDArray[np.float64]:
    """Return the parameter as float64, or raise ShapeError naming it."""
    array = np.asarray(parameter, np.float64)
    if array.shape != wanted:
        raise ShapeError(name, got=f"shape {array.shape}", wanted=wanted, where=where)
    return array
