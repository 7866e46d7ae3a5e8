"""What every loss asks of its inputs, free of any framework, so that all halves refuse with the same words."""

from math import isfinite

import numpy as np

from mmcourse import checks
from mmcourse.checks import Spec
from mmcourse.errors import DtypeError, EmptyBatchError, ModalityError, NotFiniteError, ShapeError

NAMES = ("image", "text")
POSITIVES = ("any", "all")
SINGLE = ("float16", "bfloat16", "float32")  # halves are computed in single precision

SCALE = 1 / 0.07  # Radford et al. (2021): where the scale begins, and its bound
MAX_SCALE = 100.0
SIGLIP_SCALE = 10.0  # Zhai et al. (2023): few positives among many negatives, so the bias begins far below zero
SIGLIP_BIAS = -10.0


def check_pair(image: Spec, text: Spec, where: str) -> int | None:
    """Return the batch size, if it is known, or raise a ModalityError."""
    specs = dict(zip(NAMES, (image, text), strict=True))
    batch = checks.check_features(specs, dict.fromkeys(NAMES), where)
    widths = {name: spec.shape[1] for name, spec in specs.items() if spec.shape[1] is not None}
    for name, width in widths.items():
        checks.check_size(name, width, where)
    if widths:
        checks.check_same(widths, "width", where)
    if computed_in(text.dtype) != computed_in(image.dtype):
        raise DtypeError("text", got=f"dtype {text.dtype}", wanted=f"{image.dtype} as the image", where=where)
    return batch


def check_groups(groups: Spec, batch: int | None, where: str) -> None:
    """Raise unless groups are whole numbers of shape (batch,)."""
    if len(groups.shape) != 1 or (None not in (batch, groups.shape[0]) and groups.shape[0] != batch):
        wanted = f"({'batch' if batch is None else batch},)"
        raise ShapeError("groups", got=f"shape {groups.shape}".replace("None", "batch"), wanted=wanted, where=where)
    if not groups.dtype.startswith(("int", "uint")):
        raise DtypeError("groups", got=f"dtype {groups.dtype}", wanted="whole numbers", where=where)


def check_positives(positives: str, where: str) -> None:
    """Raise ValueError for a word that is neither "any" nor "all"."""
    if positives not in POSITIVES:
        raise ValueError(f"{where}: positives: got {positives!r}, wanted 'any' or 'all'")


def check_scalar(name: str, shape: tuple[int | None, ...], where: str) -> None:
    """Raise ShapeError unless it is one number."""
    if shape != ():
        raise ShapeError(name, got=f"shape {shape}", wanted="one number", where=where)


def check_scale(scale: float, where: str) -> None:
    """Raise NotFiniteError for NaN and infinity, ModalityError below 0: the wrong answers would be the right ones."""
    if not isfinite(scale):
        raise NotFiniteError("scale", got=scale, wanted="a finite number", where=where)
    if scale < 0:
        raise ModalityError("scale", got=scale, wanted="at least 0", where=where)


def check_bias(bias: float, where: str) -> None:
    """Raise NotFiniteError for NaN and infinity."""
    if not isfinite(bias):
        raise NotFiniteError("bias", got=bias, wanted="a finite number", where=where)


def check_initial(scale: float, max_scale: float | None, where: str) -> None:
    """Raise ModalityError unless 0 < scale <= max_scale: the parameter is its logarithm."""
    if not 0 < scale <= (np.inf if max_scale is None else max_scale) or not isfinite(scale):
        wanted = "a number above 0" + ("" if max_scale is None else f" and at most {max_scale}")
        raise ModalityError("scale", got=scale, wanted=wanted, where=where)


def check_values(largest: np.ndarray, where: str) -> None:
    """Raise NotFiniteError for rows with NaN or infinity, then for rows without a direction.

    largest: (batch, 2), the largest magnitude in each row of image and text
    """
    checks.check_values(NAMES, np.isfinite(largest), None, where)
    for name, column in zip(NAMES, largest.T, strict=True):
        if not column.all():
            raise zero_vector(name, checks.rows_text(column == 0), where)


def zero_vector(name: str, rows: str, where: str) -> NotFiniteError:
    """The error for rows of zeros, which divided by their length are 0 / 0."""
    return NotFiniteError(name, got=f"a zero vector in rows [{rows}]", wanted="a length above 0", where=where)


def computed_in(dtype: str) -> str:
    """The dtype of the loss: at a scale of 100 the logits of half precision are half a unit apart."""
    return "float32" if dtype in SINGLE else dtype


def check_matching(logits: Spec, labels: Spec, where: str) -> None:
    """Raise a ModalityError unless logits are (pairs,) or (pairs, 2), floating, and labels (pairs,) booleans."""
    shape, pairs = logits.shape, logits.shape[0] if logits.shape else None
    if len(shape) not in (1, 2) or shape[1:] not in ((), (2,)):
        raise ShapeError(
            "logits", got=f"shape {checks.shape_text(shape)}", wanted="(pairs,) or (pairs, 2)", where=where
        )
    if not logits.dtype.startswith(("float", "bfloat")):
        raise DtypeError("logits", got=f"dtype {logits.dtype}", wanted="a floating one", where=where)
    if pairs == 0:
        raise EmptyBatchError("logits", got="0 pairs", wanted="at least 1", where=where)
    if labels.dtype != "bool":
        raise DtypeError("labels", got=f"dtype {labels.dtype}", wanted="bool", where=where)
    if len(labels.shape) != 1 or (None not in (pairs, labels.shape[0]) and labels.shape[0] != pairs):
        wanted = f"({'pairs' if pairs is None else pairs},)"
        raise ShapeError("labels", got=f"shape {checks.shape_text(labels.shape)}", wanted=wanted, where=where)


def check_logits(finite: np.ndarray, where: str) -> None:
    """Raise NotFiniteError for pairs whose logits are NaN or infinite.  finite: (pairs,)"""
    if not finite.all():
        raise infinite_logits(checks.rows_text(~finite), where)


def infinite_logits(rows: str, where: str) -> NotFiniteError:
    """The error for pairs whose logits are NaN or infinite."""
    return NotFiniteError("logits", got=f"NaN or infinity in rows [{rows}]", wanted="finite numbers", where=where)


def check_negatives(some: np.ndarray, where: str) -> None:
    """Raise ModalityError for rows without a negative.  some: (batch,), is there one?"""
    if not some.all():
        raise no_negative(checks.rows_text(~some), where)


def no_negative(rows: str, where: str) -> ModalityError:
    """The error for rows whose group is the whole batch."""
    wanted = "one at least, a row that is not theirs or their group's"
    return ModalityError("batch", got=f"no negative for rows [{rows}]", wanted=wanted, where=where)


def check_uniform(uniform: Spec, batch: int | None, where: str) -> None:
    """Raise unless there are two floating numbers a row."""
    unlike = [None not in (a, b) and a != b for a, b in zip(uniform.shape, (2, batch), strict=False)]
    if len(uniform.shape) != 2 or any(unlike):
        wanted = f"(2, {'batch' if batch is None else batch})"
        raise ShapeError("uniform", got=f"shape {checks.shape_text(uniform.shape)}", wanted=wanted, where=where)
    if not uniform.dtype.startswith(("float", "bfloat")):
        raise DtypeError("uniform", got=f"dtype {uniform.dtype}", wanted="a floating one", where=where)


def check_uniform_values(within: bool, where: str) -> None:
    """Raise ModalityError unless all numbers are within [0, 1)."""
    if not within:
        raise outside_unit_interval(where)


def outside_unit_interval(where: str) -> ModalityError:
    """The error for numbers that are no uniform ones."""
    return ModalityError("uniform", got="numbers outside [0, 1)", wanted="0 to below 1", where=where)
