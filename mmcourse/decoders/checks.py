"""What decoders ask of their inputs, free of any framework, so that all halves refuse with one voice."""

from typing import Any

from mmcourse.checks import Spec, shape_text
from mmcourse.encoders import sequence_checks as checks
from mmcourse.errors import DtypeError, EmptyBatchError, NotFiniteError, ShapeError


def check_words(ids: Spec, mask: Spec | None, length: int | None, where: str, *, before: int = 0) -> None:
    """Raise a ModalityError unless ids are whole numbers (batch, time) with a mask that fits, `length` at most.

    length: the most words, None for any;  before: how many a cache holds already
    """
    checks.check_ids(ids, mask, where)
    if length is not None and ids.shape[1] is not None:
        checks.check_length(before + ids.shape[1], length, where)


def check_memory(memory: Spec | None, mask: Spec | None, dim: int | None, batch: int | None, where: str) -> None:
    """Raise a ModalityError unless memory is (batch, time, dim), floating, with a mask that fits, of this batch size.

    dim: None where the decoder has no cross-attention, and must get no memory
    """
    if dim is None:
        if memory is not None:
            wanted = "none: this decoder has no cross-attention"
            raise ShapeError("memory", got=f"shape {shape_text(memory.shape)}", wanted=wanted, where=where)
        return
    if memory is None:
        raise ShapeError("memory", got="none", wanted=f"(batch, time, {dim})", where=where)
    _check_vectors("memory", memory, ("batch", "time", dim), batch, where)
    checks.check_mask(mask, memory.shape, where)


def check_vector(vector: Spec, dim: int, batch: int | None, where: str) -> None:
    """Raise a ModalityError unless vector is (batch, dim), floating, of this batch size."""
    _check_vectors("vector", vector, ("batch", dim), batch, where)


def check_targets(logits: Spec, targets: Spec, mask: Spec | None, where: str) -> None:
    """Raise a ModalityError unless logits are (batch, time, count), floating, targets (batch, time), and mask fits."""
    _check_vectors("logits", logits, ("batch", "time", "count"), None, where)
    checks.check_ids(targets, mask, where)
    if any(a != b for a, b in zip(logits.shape[:2], targets.shape, strict=True) if None not in (a, b)):
        got, wanted = f"shape {shape_text(targets.shape)}", shape_text(logits.shape[:2])
        raise ShapeError("targets", got=got, wanted=wanted, where=where)


def check_rows(rows: int, cached: int | None, where: str) -> None:
    """Raise ShapeError unless a cache has a row for each row of words.  cached: None for a cache of nothing"""
    if cached not in (None, rows):
        raise ShapeError("cache", got=f"batch size {cached}", wanted=f"{rows}, that of the words", where=where)


def check_finite(name: str, finite: Any, where: str) -> None:
    """Raise NotFiniteError unless all is finite."""
    if not finite:
        raise NotFiniteError(name, got="NaN or infinity", wanted="finite numbers", where=where)


def _check_vectors(name: str, spec: Spec, wanted: tuple[int | str, ...], batch: int | None, where: str) -> None:
    shape, dtype = spec
    width = wanted[-1]
    if len(shape) != len(wanted) or (isinstance(width, int) and shape[-1] != width):
        text = str(wanted).replace("'", "")
        raise ShapeError(name, got=f"shape {shape_text(shape)}", wanted=text, where=where)
    if not dtype.startswith(("float", "bfloat")):
        raise DtypeError(name, got=f"dtype {dtype}", wanted="a floating one", where=where)
    if shape[0] == 0:
        raise EmptyBatchError(name, got="batch size 0", wanted="at least 1", where=where)
    if 0 in shape:
        raise ShapeError(name, got=f"shape {shape_text(shape)}", wanted="at least 1 step", where=where)
    if None not in (batch, shape[0]) and shape[0] != batch:
        raise ShapeError(name, got=f"batch size {shape[0]}", wanted=f"{batch}, that of the words", where=where)
