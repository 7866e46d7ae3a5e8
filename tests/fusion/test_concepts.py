"""Nothing public goes untested: CONCEPTS, from which every case is made, holds all that mmcourse.fusion offers."""

import importlib
from types import ModuleType

import mmcourse.fusion.keras
import mmcourse.fusion.numpy
import mmcourse.fusion.torch
from tests.fusion.halves import APART, COMPOSED, CONCEPTS


def fusions(module: ModuleType) -> set[str]:
    """The public classes that take one vector a modality; those that take sequences have tests of their own."""
    base = importlib.import_module(f"{module.__name__}.base").Fusion
    public = [getattr(module, name) for name in module.__all__]
    return {found.__name__ for found in public if isinstance(found, type) and issubclass(found, base)}


def test_every_public_fusion_is_tried() -> None:
    modules = {concept.module for concept in CONCEPTS.values()}
    assert fusions(mmcourse.fusion.torch) >= COMPOSED
    for half in (mmcourse.fusion.torch, mmcourse.fusion.keras):
        assert fusions(half) - COMPOSED == modules, f"{half.__name__}.__all__ against CONCEPTS of halves.py"
    assert set(mmcourse.fusion.numpy.__all__) - APART == {concept.formula for concept in CONCEPTS.values()}


def test_every_concept_is_called_as_its_errors_begin() -> None:
    for name, concept in CONCEPTS.items():
        for half in (mmcourse.fusion.torch, mmcourse.fusion.keras):
            assert getattr(half, concept.module).where == name
