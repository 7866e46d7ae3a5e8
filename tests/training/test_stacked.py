"""Many models trained at once become what each would become alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from mmcourse.data import ControlledPairs, controlled_pairs
from mmcourse.fusion.torch import EarlyFusion, LateFusion
from mmcourse.parity import relative_error, torch_to_numpy
from mmcourse.training.stacked import fit_stacked

WIDTHS = {"image": 3, "text": 2}
SEEDS = 3
OPTIONS: dict[str, Any] = {"steps": 23, "learning_rate": 0.05, "check_every": 5}


def draw(seed: int, n: int) -> ControlledPairs:
    return controlled_pairs("synergistic", n, separation=dict.fromkeys(WIDTHS, 1.5), widths=WIDTHS, seed=seed)


def parts(count: int = SEEDS) -> tuple[list[ControlledPairs], list[ControlledPairs]]:
    return [draw(seed, 40) for seed in range(count)], [draw(10 + seed, 20) for seed in range(count)]


def build(kind: Callable[..., torch.nn.Module], seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return kind(WIDTHS, hidden_size=4, out_dim=2, check_values=False).double()


def tensors(data: ControlledPairs) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    return {m: torch.tensor(x) for m, x in data.features.items()}, torch.tensor(data.labels)


def apart(model: Any, features: Any, labels: torch.Tensor) -> torch.Tensor:
    said = model.decisions(features)
    return cross_entropy(said[:, 0], labels) + cross_entropy(said[:, 1], labels)


def plain(model: Any, features: Any, labels: torch.Tensor) -> torch.Tensor:
    return cross_entropy(model(features), labels)


@pytest.mark.parametrize(("kind", "loss"), [(EarlyFusion, None), (LateFusion, apart)], ids=["early", "late"])
def test_each_becomes_what_a_loop_makes_of_it_alone(kind: Any, loss: Any) -> None:
    train, check = parts()
    models = [build(kind, seed) for seed in range(SEEDS)]
    fit_stacked(models, train, check, loss=loss, **OPTIONS)
    measure = loss or plain
    for seed in range(SEEDS):
        alone = build(kind, seed)
        optimizer = torch.optim.Adam(alone.parameters(), lr=OPTIONS["learning_rate"])
        least, best = np.inf, torch_to_numpy(alone)
        for step in range(OPTIONS["steps"] + 1):
            if step % OPTIONS["check_every"] == 0 and (now := measure(alone, *tensors(check[seed])).item()) < least:
                least, best = now, torch_to_numpy(alone)
            optimizer.zero_grad()
            measure(alone, *tensors(train[seed])).backward()
            optimizer.step()
        for name, value in torch_to_numpy(models[seed]).items():
            assert relative_error(value, best[name]) < 1e-9, name


def test_it_ends_no_worse_than_it_began() -> None:
    train, check = parts(1)
    model = build(EarlyFusion, 0)
    before = plain(model, *tensors(check[0])).item()
    fit_stacked([model], train, check, steps=5, learning_rate=50.0)  # steps that can only do harm
    assert plain(model, *tensors(check[0])).item() <= before


def test_what_does_not_fit_is_refused() -> None:
    train, check = parts()
    models = [build(EarlyFusion, seed) for seed in range(SEEDS)]
    with pytest.raises(ValueError, match="fit_stacked: got 2, 3, 3 models, training and checking parts, wanted as"):
        fit_stacked(models[:2], train, check, **OPTIONS)
    with pytest.raises(ValueError, match=r"fit_stacked: train: got sizes \[30, 40\], wanted one"):
        fit_stacked(models, [*train[:2], draw(0, 30)], check, **OPTIONS)
    masked = controlled_pairs(
        "redundant", 20, separation=dict.fromkeys(WIDTHS, 1.0), widths=WIDTHS, missing={"text": 0.5}, seed=0
    )
    with pytest.raises(ValueError, match="fit_stacked: check: got a mask, wanted complete data"):
        fit_stacked(models, train, [masked] * 3, **OPTIONS)
    for name in ("steps", "check_every"):
        with pytest.raises(ValueError, match=f"fit_stacked: {name}: got 0, wanted at least 1"):
            fit_stacked(models, train, check, **OPTIONS | {name: 0})
