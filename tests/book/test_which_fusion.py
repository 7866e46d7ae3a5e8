"""The costs on the page that helps to choose are those of mmcourse.fusion.counts."""

import re
from pathlib import Path

from mmcourse.fusion import counts

PAGE = Path(__file__).resolve().parents[2] / "book" / "fusion" / "which_fusion.md"
TWO = {"image": 128, "text": 128}
THREE = TWO | {"audio": 64}
OUT, HIDDEN, RANK = 32, 64, 16
COSTS = {
    "Weighted sum": counts.count_weighted_sum(TWO, OUT),
    "Concatenation": counts.count_concatenation(TWO, OUT),
    "Gate": counts.count_gated_fusion(TWO, OUT, HIDDEN),
    "Low-rank": counts.count_low_rank_fusion(TWO, OUT, RANK),
    "Bilinear": counts.count_bilinear_fusion(TWO, OUT),
    "Multiplicative": counts.count_multiplicative_fusion(TWO, OUT),
    "Tensor": counts.count_tensor_fusion(TWO, OUT),
    "Weighted sum, three modalities": counts.count_weighted_sum(THREE, OUT),
    "Concatenation, three modalities": counts.count_concatenation(THREE, OUT),
    "Gate, three modalities": counts.count_gated_fusion(THREE, OUT, HIDDEN),
    "Low-rank, three modalities": counts.count_low_rank_fusion(THREE, OUT, RANK),
    "Tensor, three modalities": counts.count_tensor_fusion(THREE, OUT),
}


def test_the_table_of_costs_is_counted() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([\d,]+) \| ([\d,]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    found = {name: (int(parameters.replace(",", "")), int(adds.replace(",", ""))) for name, parameters, adds in rows}
    assert found == {name: (cost.parameters, cost.multiply_adds) for name, cost in COSTS.items()}


def test_the_full_tensor_has_two_hundred_times_the_parameters_of_low_rank() -> None:
    """The page says so in words."""
    ratio = COSTS["Tensor, three modalities"].parameters / COSTS["Low-rank, three modalities"].parameters
    assert 200 <= ratio < 215
