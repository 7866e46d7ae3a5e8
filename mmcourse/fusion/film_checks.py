"""What feature-wise modulation asks of its inputs, free of any framework, so that all halves refuse alike."""

from typing import NamedTuple

from mmcourse.checks import Spec, check_same, shape_text
from mmcourse.errors import DtypeError, EmptyBatchError, MaskError, ShapeError

CHANNEL_AXIS = {2: 1, 3: 2, 4: 1}  # by rank: a vector, a sequence, a feature map with channels first


class FilmSpecs(NamedTuple):
    """What is known of the inputs without their numbers; None for a mask that did not come."""

    features: Spec
    condition: Spec
    features_mask: Spec | None
    condition_mask: Spec | None


def check_film(specs: FilmSpecs, dims: tuple[int, int], where: str, *, dtype: str | None = None) -> None:
    """Raise a ModalityError unless all fit.

    dims: the widths of features and condition;  dtype: the module's, None for any floating one
    """
    features, condition, features_mask, condition_mask = specs
    dim, condition_dim = dims
    if len(features.shape) not in CHANNEL_AXIS:
        wanted = f"(batch, {dim}), (batch, time, {dim}) or (batch, {dim}, height, width)"
        raise ShapeError("features", got=f"shape {shape_text(features.shape)}", wanted=wanted, where=where)
    if len(condition.shape) != 2:
        got = f"shape {shape_text(condition.shape)}"
        raise ShapeError("condition", got=got, wanted=f"(batch, {condition_dim})", where=where)
    widths = {
        "features": (features, CHANNEL_AXIS[len(features.shape)], dim),
        "condition": (condition, 1, condition_dim),
    }
    for name, (spec, axis, wanted_width) in widths.items():
        if not spec.dtype.startswith(("float", "bfloat")):
            raise DtypeError(name, got=f"dtype {spec.dtype}", wanted="a floating one", where=where)
        if dtype is not None and spec.dtype != dtype:
            raise DtypeError(name, got=f"dtype {spec.dtype}", wanted=dtype, where=where)
        if spec.shape[axis] != wanted_width:
            raise ShapeError(name, got=f"width {spec.shape[axis]}", wanted=wanted_width, where=where)
        if spec.shape[0] == 0:
            raise EmptyBatchError(name, got="batch size 0", wanted="at least 1", where=where)
    if 0 in features.shape:
        raise ShapeError("features", got=f"shape {shape_text(features.shape)}", wanted="no empty axis", where=where)
    batches = {name: spec.shape[0] for name, spec in (("features", features), ("condition", condition))}
    known = {name: batch for name, batch in batches.items() if batch is not None}
    if known:
        check_same(known, "batch size", where)
    if features_mask is not None and len(features.shape) != 3:
        got = f"one beside features of shape {shape_text(features.shape)}"
        raise MaskError("features_mask", got=got, wanted="none, or a sequence (batch, time, width)", where=where)
    _check_mask("features_mask", features_mask, features.shape[:2], where)
    _check_mask("condition_mask", condition_mask, condition.shape[:1], where)


def _check_mask(name: str, mask: Spec | None, shape: tuple[int | None, ...], where: str) -> None:
    if mask is None:
        return
    if mask.dtype != "bool":
        raise MaskError(name, got=f"dtype {mask.dtype}", wanted="bool", where=where)
    unlike = [a != b for a, b in zip(mask.shape, shape, strict=False) if None not in (a, b)]
    if len(mask.shape) != len(shape) or any(unlike):
        raise MaskError(name, got=f"shape {shape_text(mask.shape)}", wanted=shape_text(shape), where=where)
