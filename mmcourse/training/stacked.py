"""Train many small models of one make at once, each on data of its own."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mmcourse.data.paired import PairedData

if TYPE_CHECKING:
    import torch

Loss = Callable[["torch.nn.Module", Mapping[str, "torch.Tensor"], "torch.Tensor"], "torch.Tensor"]


def fit_stacked(
    models: "Sequence[torch.nn.Module]",
    train: Sequence[PairedData],
    check: Sequence[PairedData],
    *,
    steps: int,
    learning_rate: float,
    check_every: int = 10,
    loss: Loss | None = None,
) -> None:
    """Full-batch Adam on every model, in place; each keeps its parameters of the step with the least loss on `check`.

    models: one for each entry of train and of check, of one class and of equal shapes, with `check_values=False`
    loss: loss(model, features, labels), a scalar; without it the cross-entropy of model(features)
    The parameters are stacked and computed with together. Adam and the sum of the losses treat every entry apart, so
    each model becomes what it would become alone, but for rounding.
    Data must be without masks and of equal sizes. Raises ValueError where the numbers of models, sizes or steps do not
    fit.
    """
    import torch
    from torch.func import functional_call, stack_module_state, vmap

    _check(models, train, check)
    for name, count in (("steps", steps), ("check_every", check_every)):
        if count < 1:
            raise ValueError(f"fit_stacked: {name}: got {count}, wanted at least 1")
    stacked, _ = stack_module_state(list(models))
    measured = _as_module(copy.deepcopy(models[0]).to("meta"), loss or _cross_entropy)
    parameters = {f"model.{name}": value for name, value in stacked.items()}

    def losses(features: dict[str, torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
        return vmap(lambda p, x, y: functional_call(measured, p, (x, y)))(parameters, features, labels)

    dtype = next(iter(parameters.values())).dtype
    seen, checked = _stack(train, dtype), _stack(check, dtype)
    optimizer = torch.optim.Adam(list(parameters.values()), lr=learning_rate)
    least = torch.full((len(models),), torch.inf, dtype=dtype)
    best = {name: value.detach().clone() for name, value in parameters.items()}
    for step in range(steps + 1):
        if step % check_every == 0:
            with torch.no_grad():
                now = losses(*checked)
                better = now < least
                least = torch.where(better, now, least)
                for name, value in parameters.items():
                    best[name][better] = value[better]
        optimizer.zero_grad()
        losses(*seen).sum().backward()
        optimizer.step()
    with torch.no_grad():
        for number, model in enumerate(models):
            for name, value in model.named_parameters():
                value.copy_(best[f"model.{name}"][number])


def _as_module(model: "torch.nn.Module", loss: Loss) -> "torch.nn.Module":
    """The loss as a module, so that it can be called with parameters from outside."""
    import torch

    class Measured(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, features: Mapping[str, torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
            return loss(self.model, features, labels)

    return Measured()


def _cross_entropy(model: "torch.nn.Module", features: Any, labels: "torch.Tensor") -> "torch.Tensor":
    from torch.nn.functional import cross_entropy

    return cross_entropy(model(features), labels)


def _stack(parts: Sequence[PairedData], dtype: Any) -> "tuple[dict[str, torch.Tensor], torch.Tensor]":
    """Features {modality: (models, n, width)} and labels (models, n)."""
    import torch

    names = parts[0].features
    features = {m: torch.tensor(np.stack([part.features[m] for part in parts]), dtype=dtype) for m in names}
    return features, torch.tensor(np.stack([part.labels for part in parts]))


def _check(models: Sequence[object], train: Sequence[PairedData], check: Sequence[PairedData]) -> None:
    where = "fit_stacked"
    if not len(models) == len(train) == len(check) > 0:
        counts = f"{len(models)}, {len(train)}, {len(check)}"
        raise ValueError(f"{where}: got {counts} models, training and checking parts, wanted as many of each")
    for what, parts in (("train", train), ("check", check)):
        sizes = {len(part) for part in parts}
        if len(sizes) > 1:
            raise ValueError(f"{where}: {what}: got sizes {sorted(sizes)}, wanted one")
        if any(part.mask is not None for part in parts):
            raise ValueError(f"{where}: {what}: got a mask, wanted complete data")
