"""What fusions of sequences ask of their inputs, free of any framework, so that all halves refuse with one voice."""

from collections.abc import Mapping
from typing import Any

from mmcourse import checks
from mmcourse.checks import Spec
from mmcourse.encoders import sequence_checks
from mmcourse.errors import UnknownModalityError


def check_count(dims: Mapping[str, int], least: int, where: str) -> None:
    """Raise UnknownModalityError where fewer modalities are declared than are needed."""
    if len(dims) < least:
        got, wanted = f"{len(dims)} modality ({', '.join(dims)})", f"at least {least}"
        raise UnknownModalityError("dims", got=got, wanted=wanted, where=where)


def check_sequences(
    features: Mapping[str, Spec],
    masks: Mapping[str, Spec],
    dims: Mapping[str, int | None],
    where: str,
    *,
    dtype: str | None = None,
) -> int | None:
    """Return the batch size that all share, or raise a ModalityError. Lengths may differ between modalities.

    features: each (batch, time_m, dim_m);  masks: (batch, time_m) booleans for all, some or none
    dims: the declared modalities and their widths; None takes any width;  dtype: the module's, None for any floating
    """
    checks.check_names(features, dims, "features", where)
    checks.check_known(masks, dims, "mask", where)
    for modality, spec in features.items():
        sequence_checks.check_sequence(
            spec,
            masks.get(modality),
            dims[modality],
            where,
            dtype=dtype,
            name=modality,
            mask_name=f"mask of {modality}",
        )
    batches = {modality: spec.shape[0] for modality, spec in features.items() if spec.shape[0] is not None}
    return checks.check_same(batches, "batch size", where) if batches else None


def masks_that_came(mask: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    """Return the masks without those that are None, which stands for a modality that is present throughout."""
    checks.check_mapping({} if mask is None else mask, "mask", where)
    return {modality: here for modality, here in (mask or {}).items() if here is not None}
