"""Laws of FusionClassifier: a linear head that reads whatever a fusion returns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from mmcourse.errors import MaskError
from mmcourse.fusion.torch import FusionClassifier
from mmcourse.parity import relative_error
from tests.fusion.halves import Case, Numpy, Torch, cases

CLASSES = 4
SEVERAL = cases((2, 3))  # with one modality some parameters of a fusion have no gradient: tests/fusion/test_laws.py


def build(case: Case) -> FusionClassifier:
    torch.manual_seed(case.seed)
    return FusionClassifier(Torch.build(case), classes=CLASSES).double()


def call(model: FusionClassifier, case: Case) -> torch.Tensor:
    return model(Torch.convert(case.features), Torch.convert(case.mask))


@pytest.mark.parametrize("case", SEVERAL, ids=str)
def test_logits_are_the_fused_vector_times_the_head_plus_its_bias(case: Case) -> None:
    model = build(case)
    head, bias = model.head.weight.detach().numpy().T, model.head.bias.detach().numpy()
    wanted = Numpy.call(case, case.features, case.mask) @ head + bias
    assert wanted.shape == (case.batch, CLASSES)
    assert relative_error(call(model, case).detach(), wanted) < 1e-10


@pytest.mark.parametrize("case", SEVERAL, ids=str)
def test_every_parameter_receives_a_gradient_and_a_step_changes_the_output(case: Case) -> None:
    model = build(case)
    before = call(model, case)
    torch.nn.functional.cross_entropy(before, torch.arange(case.batch) % CLASSES).backward()
    names = {f"fusion.{name}" for name in case.shapes} | {"head.weight", "head.bias"}
    assert {name for name, _ in model.named_parameters()} == names
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 1e-6, name
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert relative_error(call(model, case).detach(), before.detach()) > 1e-6


def test_features_and_mask_are_passed_on_as_they_came() -> None:
    class Spy(torch.nn.Module):
        out_dim = 3
        seen: tuple[Any, Any]

        def forward(self, features: Mapping[str, torch.Tensor], mask: Any = None) -> torch.Tensor:
            self.seen = features, mask
            return features["image"]

    fusion = Spy()
    model = FusionClassifier(fusion, classes=2)
    features, mask = {"image": torch.ones(5, 3)}, {"image": torch.ones(5, dtype=torch.bool)}
    assert model(features, mask).shape == (5, 2)
    assert fusion.seen[0] is features
    assert fusion.seen[1] is mask
    model(features)
    assert fusion.seen[1] is None


def test_errors_of_the_fusion_reach_the_caller() -> None:
    case = Case("weighted sum", 2, {"out_dim": 5})
    nothing = {name: np.arange(case.batch) != 1 for name in case.dims}
    with pytest.raises(MaskError, match="1"):
        build(case)(Torch.convert(case.features), Torch.convert(nothing))


@pytest.mark.parametrize("classes", [1, 0, -3])
def test_fewer_than_two_classes_are_refused(classes: int) -> None:
    fusion = Torch.build(Case("weighted sum", 2, {"out_dim": 5}))
    with pytest.raises(ValueError, match=f"FusionClassifier: classes: got {classes}, wanted at least 2"):
        FusionClassifier(fusion, classes=classes)
    assert FusionClassifier(fusion, classes=2).head.out_features == 2
