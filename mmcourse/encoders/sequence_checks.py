"""What encoders of sequences ask of their inputs, free of any framework, so that all halves refuse with one voice."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mmcourse.checks import Spec, check_size, rows_text, shape_text
from mmcourse.errors import (
    DtypeError,
    EmptyBatchError,
    MaskError,
    ModalityError,
    NotFiniteError,
    ShapeError,
    UnknownModalityError,
)

ACTIVATIONS = ("relu", "gelu")
IDS = ("int32", "int64")


def check_sequence(
    sequence: Spec,
    mask: Spec | None,
    dim: int | None,
    where: str,
    *,
    dtype: str | None = None,
    name: str = "sequence",
    mask_name: str = "mask",
) -> None:
    """Raise a ModalityError unless the sequence is (batch, time, dim), floating, and its mask fits.

    dim: the width wanted, None for any;  dtype: the module's, None for any floating one
    name, mask_name: what errors call them
    """
    shape, got = sequence
    if len(shape) != 3:
        raise ShapeError(name, got=f"shape {shape_text(shape)}", wanted=f"(batch, time, {dim or 'width'})", where=where)
    if not got.startswith(("float", "bfloat")):
        raise DtypeError(
            name, got=f"dtype {got}", wanted="a floating one (whole numbers are ids: embed them)", where=where
        )
    if dtype is not None and got != dtype:
        raise DtypeError(name, got=f"dtype {got}", wanted=dtype, where=where)
    if dim is not None and shape[2] != dim:
        raise ShapeError(name, got=f"width {shape[2]}", wanted=dim, where=where)
    _check_sizes(name, shape, where)
    check_mask(mask, shape, where, name=mask_name)


def check_ids(ids: Spec, mask: Spec | None, where: str) -> None:
    """Raise a ModalityError unless ids are whole numbers (batch, time), and their mask fits."""
    shape, got = ids
    if len(shape) != 2:
        raise ShapeError("ids", got=f"shape {shape_text(shape)}", wanted="(batch, time)", where=where)
    if got not in IDS:
        raise DtypeError("ids", got=f"dtype {got}", wanted="int64 or int32", where=where)
    _check_sizes("ids", shape, where)
    check_mask(mask, shape, where)


def check_mask(mask: Spec | None, shape: tuple[int | None, ...], where: str, *, name: str = "mask") -> None:
    """Raise MaskError unless the mask is boolean (batch, time).  shape: that of what it masks;  name: its own"""
    if mask is None:
        return
    if mask.dtype != "bool":
        raise MaskError(name, got=f"dtype {mask.dtype}", wanted="bool", where=where)
    unlike = [a != b for a, b in zip(mask.shape, shape, strict=False) if None not in (a, b)]
    if len(mask.shape) != 2 or any(unlike):
        raise MaskError(name, got=f"shape {shape_text(mask.shape)}", wanted=shape_text(shape[:2]), where=where)


def check_length(time: int | None, length: int, where: str) -> None:
    """Raise ShapeError where a sequence has more steps than there are positions."""
    if time is not None and time > length:
        raise ShapeError("sequence", got=f"{time} steps", wanted=f"at most {length}, one a position", where=where)


def check_heads(dim: int, heads: int, rotary: bool, where: str) -> int:
    """Return the width of a head, or raise ShapeError where heads do not divide the width, or not into pairs."""
    check_size("heads", heads, where)
    if dim % heads:
        raise ShapeError("heads", got=heads, wanted=f"a divisor of the width {dim}", where=where)
    if rotary and dim // heads % 2:
        wanted = "heads of an even width, which is turned in pairs"
        raise ShapeError("heads", got=f"{heads} of width {dim // heads}", wanted=wanted, where=where)
    return dim // heads


def check_activation(activation: str, where: str) -> str:
    """Return the name of an activation, or raise ValueError."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"{where}: activation: got {activation!r}, wanted {' or '.join(map(repr, ACTIVATIONS))}")
    return activation


def check_members(group: object, names: Iterable[str], path: str, where: str) -> None:
    """Raise unless a group of parameters is a mapping with just these names.  path: the name of the group"""
    if not isinstance(group, Mapping):
        raise TypeError(f"{where}: {path}: got {type(group).__name__}, wanted a mapping from name to parameter")
    names = list(names)
    for name in [*names, *group]:
        if name not in group:
            raise UnknownModalityError(f"{path}.{name}", got="no parameter", wanted="one", where=where)
        if name not in names:
            raise UnknownModalityError(f"{path}.{name}", got="a parameter", wanted=" or ".join(names), where=where)


def check_same_size(hidden: int, other: int, where: str) -> None:
    """Raise ShapeError unless both directions have one hidden size."""
    if hidden != other:
        raise ShapeError("reverse.recurrent_kernel", got=f"hidden size {other}", wanted=hidden, where=where)


def check_state_count(count: int, wanted: int, where: str) -> None:
    """Raise ShapeError unless as many states came as a step hands on."""
    if count != wanted:
        raise ShapeError("initial_state", got=f"{count} arrays", wanted=f"{wanted}, hidden and cell", where=where)


def check_state(state: Spec, shape: tuple[int | None, int], where: str) -> None:
    """Raise ShapeError unless an initial state is (batch, width)."""
    unlike = [a != b for a, b in zip(state.shape, shape, strict=False) if None not in (a, b)]
    if len(state.shape) != 2 or any(unlike):
        raise ShapeError("initial_state", got=f"shape {shape_text(state.shape)}", wanted=shape_text(shape), where=where)


def check_values(name: str, some: Any, finite: Any, where: str) -> None:
    """Raise for rows without a step present, then for rows with NaN.

    some, finite: (batch,) booleans:  is a step present, are all numbers of the present steps finite?
    """
    if not np.all(some):
        raise all_masked(name, rows_text(~some), where)
    if not np.all(finite):
        raise not_finite(name, rows_text(~finite), where)


def check_ids_known(some: Any, known: Any, count: int, where: str) -> None:
    """Raise for rows without a step present, then for rows with an id that has no vector.

    some, known: (batch,) booleans:  is a step present, has every id that is present a vector?
    """
    if not np.all(some):
        raise all_masked("ids", rows_text(~some), where)
    if not np.all(known):
        raise unknown_id(count, rows_text(~known), where)


def all_masked(name: str, rows: str, where: str) -> MaskError:
    """The error for rows that a mask hides altogether."""
    return MaskError(name, got=f"no step present in rows [{rows}]", wanted="at least one in every row", where=where)


def not_finite(name: str, rows: str, where: str) -> NotFiniteError:
    """The error for rows that hold NaN or infinity in a step that is present."""
    wanted = "finite numbers where present"
    return NotFiniteError(name, got=f"NaN or infinity in rows [{rows}]", wanted=wanted, where=where)


def unknown_id(count: int, rows: str, where: str) -> ModalityError:
    """The error for rows with an id that has no vector."""
    return ModalityError("ids", got=f"an id of no vector in rows [{rows}]", wanted=f"0 to {count - 1}", where=where)


def _check_sizes(name: str, shape: tuple[int | None, ...], where: str) -> None:
    if shape[0] == 0:
        raise EmptyBatchError(name, got="batch size 0", wanted="at least 1", where=where)
    if shape[1] == 0:
        raise ShapeError(name, got="0 steps", wanted="at least 1", where=where)
