"""What connectionist temporal classification asks of its inputs, free of any framework."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import Spec, rows_text, shape_text
from mmcourse.errors import DtypeError, EmptyBatchError, MaskError, ModalityError, NotFiniteError, ShapeError

Integers = NDArray[np.int64]


class Transcripts(NamedTuple):
    """targets: (batch, labels), 0 after the end;  frames, lengths: (batch,) how many frames and labels a row has."""

    targets: Integers
    frames: Integers
    lengths: Integers


def check_logits(logits: Spec, where: str) -> tuple[int, int, int]:
    """Return (batch, time, classes), or raise a ModalityError."""
    shape, dtype = logits
    if len(shape) != 3:
        raise ShapeError("logits", got=f"shape {shape_text(shape)}", wanted="(batch, time, classes)", where=where)
    if not dtype.startswith("float"):
        raise DtypeError("logits", got=f"dtype {dtype}", wanted="a floating one", where=where)
    batch, time, classes = (int(size or 0) for size in shape)
    if batch == 0:
        raise EmptyBatchError("logits", got="batch size 0", wanted="at least 1", where=where)
    if time == 0 or classes < 2:
        got, wanted = f"{time} frames of {classes} classes", "at least 1 of at least 2, a blank and a label"
        raise ShapeError("logits", got=got, wanted=wanted, where=where)
    return batch, time, classes


def transcripts(
    shape: tuple[int, int, int],
    targets: ArrayLike,
    *,
    mask: ArrayLike | None,
    target_mask: ArrayLike | None,
    input_lengths: ArrayLike | None,
    target_lengths: ArrayLike | None,
    blank: int,
    where: str,
) -> Transcripts:
    """Check targets, masks and lengths against logits of that shape, or raise a ModalityError naming the row."""
    batch, time, classes = shape
    check_blank(blank, classes, where)
    labels = np.asarray(targets)
    if labels.ndim != 2 or len(labels) != batch:
        raise ShapeError("targets", got=f"shape {labels.shape}", wanted=f"({batch}, labels)", where=where)
    if labels.size and labels.dtype.kind not in "iu":
        raise DtypeError("targets", got=f"dtype {labels.dtype.name}", wanted="whole numbers", where=where)
    frames = _lengths(("mask", mask), ("input_lengths", input_lengths), (batch, time), 1, where)
    names = ("target_mask", target_mask), ("target_lengths", target_lengths)
    lengths = _lengths(*names, (batch, labels.shape[1]), 0, where)
    there = np.arange(labels.shape[1]) < lengths[:, None]  # (batch, labels)
    labels = np.where(there, labels, 0).astype(np.int64)
    for row in range(batch):
        check_target(labels[row, : lengths[row]], int(frames[row]), classes, blank, f" in row {row}", where)
    return Transcripts(labels, frames, lengths)


def check_target(target: Integers, frames: int, classes: int, blank: int, row: str, where: str) -> None:
    """Raise unless a transcript holds labels alone and there are frames enough to say it."""
    unknown = target[(target < 0) | (target >= classes)]
    if len(unknown):
        raise ModalityError("targets", got=f"label {unknown[0]}{row}", wanted=f"0 to {classes - 1}", where=where)
    if (target == blank).any():
        wanted = "labels without it: blanks come of themselves"
        raise ModalityError("targets", got=f"the blank {blank}{row}", wanted=wanted, where=where)
    needed = minimum_frames(target)
    if frames < needed:
        repeats = needed - len(target)
        wanted = f"at least {needed}, for {len(target)} labels" + (f" and {repeats} repeats" if repeats else "")
        raise ShapeError("logits", got=f"{frames} frames{row}", wanted=wanted, where=where)


def check_blank(blank: int, classes: int, where: str) -> None:
    """Raise ModalityError unless the blank is one of the classes."""
    if isinstance(blank, bool) or not isinstance(blank, int | np.integer) or not 0 <= blank < classes:
        raise ModalityError("blank", got=blank, wanted=f"a class, 0 to {classes - 1}", where=where)


def check_finite(finite: NDArray[np.bool_], where: str) -> None:
    """Raise NotFiniteError for rows with NaN or infinity in a frame that is present.  finite: (batch,)"""
    if not finite.all():
        got = f"NaN or infinity in rows [{rows_text(~finite)}]"
        raise NotFiniteError("logits", got=got, wanted="finite numbers where present", where=where)


def minimum_frames(target: ArrayLike) -> int:
    """The fewest frames that can say a transcript: one a label, and a blank between a label and its repeat."""
    labels = np.asarray(target)
    return len(labels) + int((labels[1:] == labels[:-1]).sum())


def _lengths(
    masked: tuple[str, ArrayLike | None],
    counted: tuple[str, ArrayLike | None],
    shape: tuple[int, int],
    least: int,
    where: str,
) -> Integers:
    """How many steps each row has, by its mask, its length, both where they agree, or all where neither is given."""
    (mask_name, mask), (name, lengths) = masked, counted
    batch, size = shape
    found = None if mask is None else _from_mask(mask_name, np.asarray(mask), shape, where)
    if lengths is None:
        counts = np.full(batch, size) if found is None else found
    else:
        counts = np.asarray(lengths)
        if counts.shape != (batch,) or counts.dtype.kind not in "iu":
            got = f"shape {counts.shape} of {counts.dtype.name}"
            raise ShapeError(name, got=got, wanted=f"({batch},) whole numbers", where=where)
        if found is not None and (found != counts).any():
            row = int(np.flatnonzero(found != counts)[0])
            wanted = f"{found[row]}, as the {mask_name} has it"
            raise MaskError(name, got=f"{counts[row]} in row {row}", wanted=wanted, where=where)
    wrong = (counts < least) | (counts > size)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        named = name if found is None else mask_name
        raise ShapeError(named, got=f"{counts[row]} in row {row}", wanted=f"{least} to {size}", where=where)
    return counts.astype(np.int64)


def _from_mask(name: str, mask: NDArray[np.bool_], shape: tuple[int, int], where: str) -> Integers:
    if mask.dtype != np.bool_ or mask.shape != shape:
        got = f"shape {mask.shape} of {mask.dtype.name}"
        raise MaskError(name, got=got, wanted=f"{shape} of bool", where=where)
    counts = mask.sum(axis=1)
    holes = (mask != (np.arange(shape[1]) < counts[:, None])).any(axis=1)
    if holes.any():
        got = f"False before True in rows [{rows_text(holes)}]"
        raise MaskError(name, got=got, wanted="True up to the end of each row and False after it", where=where)
    return counts
