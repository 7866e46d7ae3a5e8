"""Laws of LearnedAbsence: what it puts in, who trains it, and what a missing place may hold."""

import numpy as np
import pytest
import torch

from mmcourse.errors import MaskError
from mmcourse.fusion.torch import ConcatenationFusion, EncodedFusion, LearnedAbsence
from mmcourse.parity import relative_error

DIMS = {"text": 4, "image": 3, "speech": 5}
BATCH = 12


def build(seed: int = 0) -> LearnedAbsence:
    torch.manual_seed(seed)
    module = LearnedAbsence(EncodedFusion(DIMS, hidden_size=5, out_dim=6)).double()
    with torch.no_grad():
        for parameter in module.absent.values():
            parameter.normal_()
    return module


def draw() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    rng = np.random.default_rng(0)
    features = {name: torch.tensor(rng.normal(size=(BATCH, width))) for name, width in DIMS.items()}
    mask = {"image": torch.arange(BATCH) % 2 == 0, "speech": torch.arange(BATCH) % 3 == 0}
    for name, present in mask.items():
        features[name][~present] = torch.nan
    return features, mask


def test_it_is_the_fusion_of_features_with_the_learned_vectors_put_in() -> None:
    module, (features, mask) = build(), draw()
    by_hand = {name: x.clone() for name, x in features.items()}
    for name, present in mask.items():
        by_hand[name][~present] = module.absent[name]
    assert relative_error(module(features, mask).detach(), module.fusion(by_hand).detach()) == 0


def test_with_nothing_missing_it_is_the_fusion() -> None:
    module, (features, _) = build(), draw()
    whole = {name: x.nan_to_num() for name, x in features.items()}
    assert torch.equal(module(whole), module.fusion(whole))


def test_it_begins_as_zeros() -> None:
    fusion, (features, mask) = ConcatenationFusion(DIMS).double(), draw()
    assert torch.equal(LearnedAbsence(fusion).double()(features, mask), fusion(features, mask))


def test_every_parameter_receives_a_gradient_where_its_modality_is_missing_and_a_step_changes_the_output() -> None:
    """The text is never missing here, so its vector cannot matter."""
    module, (features, mask) = build(), draw()
    before = module(features, mask)
    (before**2).sum().backward()
    for name, parameter in module.named_parameters():
        if name == "absent.text":
            assert parameter.grad.abs().max() == 0
        else:
            assert parameter.grad.abs().max() > 1e-6, name
    torch.optim.SGD(module.parameters(), lr=1e-3).step()
    assert relative_error(module(features, mask).detach(), before.detach()) > 1e-6


def test_what_stands_in_a_missing_place_influences_neither_value_nor_gradient() -> None:
    seen = []
    for filling in (float("nan"), 7.0):
        module, (features, mask) = build(), draw()
        for name, present in mask.items():
            features[name][~present] = filling
        output = module(features, mask)
        (output**2).sum().backward()
        seen.append([output.detach(), *(parameter.grad for parameter in module.parameters())])
    for one, other in zip(*seen, strict=True):
        assert torch.equal(one, other)
        assert one.isfinite().all()


def test_changing_any_modality_changes_the_rows_that_have_it() -> None:
    module, (features, mask) = build(), draw()
    before = module(features, mask)
    for name, x in features.items():
        changed = (module({**features, name: x + 3}, mask) - before).abs().amax(dim=1) > 1e-9
        assert changed.any()
        assert not changed[~mask.get(name, torch.ones(BATCH, dtype=torch.bool))].any()


def test_a_row_without_anything_is_refused() -> None:
    module, (features, mask) = build(), draw()
    with pytest.raises(
        MaskError, match=r"learned absence: text, image, speech: got no modality present in rows \[1, 5"
    ):
        module(features, mask | {"text": mask["image"]})
