"""One small network for each modality, the paths of late and hybrid fusion."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse import checks
from mmcourse.checks import check_shape
from mmcourse.fusion.numpy import inputs


def paths(
    features: Mapping[str, ArrayLike],
    kernels: Mapping[str, ArrayLike],
    biases: Mapping[str, ArrayLike],
    heads: Mapping[str, ArrayLike],
    mask: Mapping[str, ArrayLike] | None,
    where: str,
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.bool_]]]:
    """Return {modality: z_m = tanh(x_m W_m + b_m) V_m, (batch, classes)} and {modality: present (batch,)}.

    W_m, b_m, V_m: kernels, biases, heads, {modality: (dim_m, hidden), (hidden,), (hidden, classes)}
    """
    hidden, present = inputs.prepare(features, kernels, kernels, mask, where)
    check_group(biases, kernels, "bias", where)
    check_group(heads, kernels, "head", where)
    classes = np.shape(next(iter(heads.values())))[-1:] or (1,)
    logits = {}
    for m, h in hidden.items():
        bias = check_shape(biases[m], f"biases.{m}", (h.shape[1],), where)
        logits[m] = np.tanh(h + bias) @ check_shape(heads[m], f"heads.{m}", (h.shape[1], *classes), where)
    return logits, present


def check_group(group: Mapping[str, ArrayLike], names: Iterable[str], what: str, where: str) -> None:
    """Raise unless `group` is a mapping with a parameter for each of the names."""
    checks.check_mapping(group, what, where)
    checks.check_names(group, names, what, where)
