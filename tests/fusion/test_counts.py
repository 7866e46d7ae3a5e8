"""Parameters, multiply-adds and the largest array by formula, against the modules and against what runs."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from mmcourse.errors import ShapeError, UnknownModalityError
from mmcourse.fusion import counts
from mmcourse.fusion.counts import Cost
from mmcourse.fusion.torch import TensorFusion
from tests.fusion.halves import CONCEPTS, NAMES, Torch

BATCH, OUT, HIDDEN, RANK = 7, 5, 4, 3
WIDTHS = ((6, 4), (3, 9), (2, 7, 3), (4,), (3, 2, 5, 4))
COUNTS: dict[str, Callable[[dict[str, int]], Cost]] = {
    "weighted sum": lambda dims: counts.count_weighted_sum(dims, OUT),
    "gated fusion": lambda dims: counts.count_gated_fusion(dims, OUT, HIDDEN),
    "concatenation": lambda dims: counts.count_concatenation(dims, OUT),
    "bilinear fusion": lambda dims: counts.count_bilinear_fusion(dims, OUT),
    "multiplicative fusion": lambda dims: counts.count_multiplicative_fusion(dims, OUT),
    "tensor fusion": lambda dims: counts.count_tensor_fusion(dims, OUT),
    "low-rank fusion": lambda dims: counts.count_low_rank_fusion(dims, OUT, RANK),
}
OPTIONS: dict[str, dict[str, Any]] = {"gated fusion": {"hidden_size": HIDDEN}, "low-rank fusion": {"rank": RANK}}
over_widths = pytest.mark.parametrize("widths", WIDTHS, ids=str)


class Largest(TorchDispatchMode):
    """How many numbers the largest array holds that an operation makes; a view holds none of its own."""

    def __init__(self, parameters: Any) -> None:
        super().__init__()
        self.known = {parameter.untyped_storage().data_ptr() for parameter in parameters}
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor) and tensor.untyped_storage().data_ptr() not in self.known:
                self.numbers = max(self.numbers, tensor.untyped_storage().nbytes() // tensor.element_size())
        return result


def named(widths: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(NAMES, widths, strict=False))


def measured(module: torch.nn.Module, dims: dict[str, int]) -> Cost:
    """What is there and what runs: PyTorch counts a multiply-add as two operations."""
    features = {name: torch.ones(BATCH, width) for name, width in dims.items()}
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(features)
    with torch.no_grad(), Largest(module.parameters()) as largest:
        module(features)
    numbers = max(largest.numbers // BATCH, *dims.values())
    return Cost(sum(p.numel() for p in module.parameters()), counter.get_total_flops() // 2 // BATCH, numbers)


@over_widths
@pytest.mark.parametrize("where", COUNTS)
def test_the_formula_is_what_the_module_does(where: str, widths: tuple[int, ...]) -> None:
    concept, dims = CONCEPTS[where], named(widths)
    if not concept.least <= len(dims) <= concept.most:
        with pytest.raises(UnknownModalityError, match="wanted two"):
            COUNTS[where](dims)
        return
    module = Torch.new(where, dims, out_dim=OUT, check_values=False, **OPTIONS.get(where, {}))
    got = measured(module, dims)
    if where == "gated fusion":  # PyTorch does not count the products of a matrix and a vector, those of the score
        got = got._replace(multiply_adds=got.multiply_adds + len(dims) * HIDDEN)
    assert COUNTS[where](dims) == got


def test_every_fusion_of_vectors_that_multiplies_is_counted() -> None:
    assert COUNTS.keys() >= {"bilinear fusion", "multiplicative fusion", "tensor fusion", "low-rank fusion"}
    assert COUNTS.keys() <= CONCEPTS.keys()


@over_widths
def test_the_outer_product_by_formula(widths: tuple[int, ...]) -> None:
    dims = named(widths)
    module = TensorFusion(dims, out_dim=OUT, check_values=False)

    class Materialised(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = module.kernel

        def forward(self, features: Any) -> torch.Tensor:
            return module.outer_product(features).flatten(1) @ self.kernel.flatten(0, -2)

    assert counts.count_tensor_fusion(dims, OUT, materialise=True) == measured(Materialised(), dims)


def test_how_costs_grow() -> None:
    """A modality more multiplies the tensor's parameters by 1 + width, and adds its own to those of low rank."""
    width, out, rank = 8, 4, 2
    tensor, low = (
        [count({str(m): width for m in range(modalities)}).parameters for modalities in (1, 2, 3, 4)]
        for count in (
            lambda dims: counts.count_tensor_fusion(dims, out),
            lambda dims: counts.count_low_rank_fusion(dims, out, rank),
        )
    )
    assert [b // a for a, b in pairwise(tensor)] == [1 + width] * 3
    assert [b - a for a, b in pairwise(low)] == [rank * (1 + width) * out] * 3
    dims = {"text": width, "image": width}
    per_rank = [counts.count_low_rank_fusion(dims, out, r).multiply_adds for r in (1, 2, 5)]
    assert per_rank == [r * per_rank[0] for r in (1, 2, 5)]


def test_bytes() -> None:
    cost = Cost(parameters=10, multiply_adds=1000, largest=3)
    assert cost.bytes() == 4 * 13
    assert cost.bytes(batch=5, itemsize=8) == 8 * 25


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ShapeError, match="count_low_rank_fusion: rank: got 0, wanted a whole number above 0"):
        counts.count_low_rank_fusion({"text": 3}, 2, 0)
    with pytest.raises(ShapeError, match="count_tensor_fusion: out_dim: got width 0"):
        counts.count_tensor_fusion({"text": 3}, 0)
