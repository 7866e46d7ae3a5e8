"""Which modalities are there: every subset, the chances of each under random absence, data with the rest masked."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from math import prod
from typing import TypeVar

import numpy as np

from mmcourse.checks import Spec, check_known, check_mask, check_rates
from mmcourse.data.paired import PairedData
from mmcourse.errors import MaskError

Data = TypeVar("Data", bound=PairedData)
Subset = tuple[str, ...]


def subsets(modalities: Iterable[str]) -> list[Subset]:
    """The 2^M - 1 non-empty subsets, small ones first, each in the order of `modalities`."""
    names = tuple(modalities)
    return [subset for size in range(1, len(names) + 1) for subset in combinations(names, size)]


def subset_chances(rates: Mapping[str, float]) -> dict[Subset, float]:
    """{modalities that are present: probability of that} where each is missing with its rate, given that not all are:

        P(S) = prod_{m in S} (1 - p_m) prod_{m not in S} p_m / (1 - prod_m p_m)

    rates: {modality: p_m}, each at least 0 and below 1. Raises ModalityError for another.
    """
    rates = check_rates(rates, rates, "subset_chances")
    chances = [prod(1 - rate if name in subset else rate for name, rate in rates.items()) for subset in subsets(rates)]
    return {subset: chance / sum(chances) for subset, chance in zip(subsets(rates), chances, strict=True)}


def subset_mask(modalities: Iterable[str], subset: Iterable[str], count: int) -> dict[str, np.ndarray]:
    """{modality: (count,) bool}, True everywhere for those of `subset`, False everywhere for the rest.

    Raises UnknownModalityError for a name that is no modality, MaskError for an empty subset.
    """
    names, kept = list(modalities), list(subset)
    check_known(kept, names, "subset", "subset_mask")
    if not kept:
        raise MaskError(", ".join(names), got="an empty subset", wanted="at least one of them", where="subset_mask")
    return {name: np.full(count, name in kept) for name in names}


def masked(data: Data, mask: Mapping[str, np.ndarray]) -> Data:
    """The same examples with more missing: present where they were and `mask` is True. What is missing becomes NaN.

    mask: {modality: (n,) bool}; a modality that it does not name stays as it was
    NaN, so that whoever looks at a missing row shows it. Raises as PairedData does, for a row left with nothing too.
    """
    specs = {name: Spec(np.shape(present), np.asarray(present).dtype.name) for name, present in mask.items()}
    check_mask(specs, data.features, len(data), "masked")
    together = {name: data.present(name) & mask.get(name, True) for name in data.features}
    checked = replace(data, mask=together)
    features = {name: rows.copy() for name, rows in data.features.items()}
    for name, present in together.items():
        features[name][~present] = np.nan
    return replace(checked, features=features)
