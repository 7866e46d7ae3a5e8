"""What warping asks of its inputs, free of any framework, so that NumPy and PyTorch refuse with the same words."""

import numpy as np

from mmcourse.checks import Spec, shape_text
from mmcourse.errors import DtypeError, ModalityError, NotFiniteError, ShapeError


def check_costs(costs: Spec, where: str) -> None:
    """Raise a ModalityError unless costs are (..., n, m), n and m above 0, and numbers."""
    shape, dtype = costs
    if len(shape) < 2 or 0 in shape:
        raise ShapeError("costs", got=f"shape {shape_text(shape)}", wanted="(..., n, m), all above 0", where=where)
    if not dtype.startswith(("float", "bfloat", "int", "uint")):
        raise DtypeError("costs", got=f"dtype {dtype}", wanted="numbers", where=where)


def check_finite(finite: bool, where: str) -> None:
    """Raise NotFiniteError for costs with NaN or infinity: a pair that may not be is the band's business."""
    if not finite:
        raise NotFiniteError("costs", got="NaN or infinity", wanted="finite numbers", where=where)


def check_band(band: int | None, n: int, m: int, where: str) -> None:
    """Raise a ModalityError unless a path fits into the band."""
    if band is None:
        return
    if not isinstance(band, int | np.integer) or band < 0:
        raise ModalityError("band", got=band, wanted="a whole number of frames, at least 0, or None", where=where)
    if band < abs(n - m):
        wanted = f"at least {abs(n - m)}, by which the lengths {n} and {m} differ"
        raise ModalityError("band", got=band, wanted=wanted, where=where)


def check_gamma(gamma: float, where: str) -> None:
    """Raise ModalityError unless the softness is a finite number above 0."""
    if not (np.isfinite(gamma) and gamma > 0):
        raise ModalityError("gamma", got=gamma, wanted="a finite number above 0", where=where)
