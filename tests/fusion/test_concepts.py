"""Nothing public goes untested: CONCEPTS, from which every case is made, holds all that mmcourse.fusion offers."""

import mmcourse.fusion.keras
import mmcourse.fusion.numpy
import mmcourse.fusion.torch
from tests.fusion.halves import COMPOSED, CONCEPTS


def fusions(module: object) -> set[str]:
    return {name for name in module.__all__ if name.endswith("Fusion")}  # type: ignore[attr-defined]


def test_every_public_fusion_is_tried() -> None:
    modules = {concept.module for concept in CONCEPTS.values()}
    assert fusions(mmcourse.fusion.torch) >= COMPOSED
    for half in (mmcourse.fusion.torch, mmcourse.fusion.keras):
        assert fusions(half) - COMPOSED == modules, f"{half.__name__}.__all__ against CONCEPTS of halves.py"
    assert set(mmcourse.fusion.numpy.__all__) == {concept.formula for concept in CONCEPTS.values()}


def test_every_concept_is_called_as_its_errors_begin() -> None:
    for name, concept in CONCEPTS.items():
        for half in (mmcourse.fusion.torch, mmcourse.fusion.keras):
            assert getattr(half, concept.module).where == name
