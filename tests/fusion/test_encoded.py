"""Laws of EncodedFusion: the formula, interaction, and modalities that are missing."""

import numpy as np
import pytest
import torch

from mmcourse.errors import ShapeError
from mmcourse.fusion.torch import EncodedFusion
from mmcourse.parity import relative_error, torch_to_numpy

DIMS = ({"text": 4}, {"text": 4, "image": 3}, {"text": 4, "image": 3, "speech": 5})
OUT, HIDDEN, BATCH = 6, 5, 8
Arrays = dict[str, np.ndarray]


def build(dims: dict[str, int], seed: int = 0) -> EncodedFusion:
    torch.manual_seed(seed)
    return EncodedFusion(dims, hidden_size=HIDDEN, out_dim=OUT).double()


def draw(dims: dict[str, int], batch: int = BATCH) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(len(dims))
    return {name: torch.tensor(rng.normal(size=(batch, width))) for name, width in dims.items()}


def formula(parameters: Arrays, features: Arrays, present: Arrays) -> np.ndarray:
    """As the docstring has it, with rows as examples; a missing modality's code is zero."""
    codes = []
    for name, x in features.items():
        weight, bias = parameters[f"encoders.{name}.weight"], parameters[f"encoders.{name}.bias"]
        code = np.maximum(x @ weight.T + bias, 0)
        codes.append(np.where(present[name][:, None], code, 0))
    joined = np.concatenate(codes, axis=1)
    return np.maximum(joined @ parameters["join.weight"].T + parameters["join.bias"], 0)


@pytest.mark.parametrize("dims", DIMS, ids=len)
@pytest.mark.parametrize("masked", [False, True])
def test_it_is_its_formula(dims: dict[str, int], masked: bool) -> None:
    fusion, features = build(dims), draw(dims)
    present = {
        name: np.arange(BATCH) % (i + 2) != i + 1 if masked else np.ones(BATCH, bool) for i, name in enumerate(dims)
    }
    if masked:
        present[next(iter(dims))][:] = True  # no row without anything
    mask = {name: torch.tensor(rows) for name, rows in present.items()} if masked else None
    wanted = formula(torch_to_numpy(fusion), {name: x.numpy() for name, x in features.items()}, present)
    assert relative_error(fusion(features, mask).detach(), wanted) < 1e-10


@pytest.mark.parametrize("dims", DIMS, ids=len)
def test_every_parameter_receives_a_gradient_and_a_step_changes_the_output(dims: dict[str, int]) -> None:
    fusion, features = build(dims), draw(dims, batch=64)
    before = fusion(features)
    (before**2).sum().backward()
    for name, parameter in fusion.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 1e-6, name
    torch.optim.SGD(fusion.parameters(), lr=1e-3).step()
    assert relative_error(fusion(features).detach(), before.detach()) > 1e-6


@pytest.mark.parametrize("dims", DIMS, ids=len)
def test_changing_any_modality_changes_the_output(dims: dict[str, int]) -> None:
    fusion, features = build(dims), draw(dims, batch=64)
    for name, x in features.items():
        changed = fusion({**features, name: x.flip(0)})
        assert relative_error(changed.detach(), fusion(features).detach()) > 1e-3, name


def test_the_modalities_interact() -> None:
    """The effect of another text differs from picture to picture; without the second relu it would not."""
    fusion, features = build(DIMS[1]), draw(DIMS[1], batch=64)
    text, image = (x.split(32) for x in features.values())
    scores = [[fusion({"text": t, "image": i}) for i in image] for t in text]
    interaction = scores[0][0] - scores[0][1] - scores[1][0] + scores[1][1]
    assert interaction.abs().max() > 1e-2


def test_what_stands_in_a_missing_place_influences_neither_value_nor_gradient() -> None:
    dims = DIMS[2]
    mask = {"image": torch.arange(BATCH) % 2 == 0, "speech": torch.arange(BATCH) % 3 == 0}
    seen = []
    for filling in (float("nan"), 7.0):
        fusion, features = build(dims), draw(dims)
        for name, present in mask.items():
            features[name][~present] = filling
        output = fusion(features, mask)
        (output**2).sum().backward()
        seen.append([output.detach(), *(parameter.grad for parameter in fusion.parameters())])
    for one, other in zip(*seen, strict=True):
        assert torch.equal(one, other)
        assert one.isfinite().all()


def test_a_wrong_width_is_refused_by_name() -> None:
    with pytest.raises(ShapeError, match=r"image.*wanted.*3"):
        build(DIMS[1])({"text": torch.zeros(2, 4).double(), "image": torch.zeros(2, 4).double()})
