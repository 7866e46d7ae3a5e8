"""Gradients and one step of gradient descent, for the halves with which concepts are tested."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

RATE = 0.1


def torch_gradients(loss: torch.Tensor, wanted: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """The gradient of the loss with respect to each tensor, under its name."""
    found = torch.autograd.grad(loss, list(wanted.values()))
    return {name: gradient.numpy() for name, gradient in zip(wanted, found, strict=True)}


def torch_step(module: torch.nn.Module, gradients: Mapping[str, np.ndarray]) -> None:
    """Move every parameter of the module against its gradient."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter -= RATE * torch.tensor(gradients[name])


def keras_step(variables: Mapping[str, Any], gradients: Mapping[str, np.ndarray]) -> None:
    """The same for the variables of a layer."""
    for name, variable in variables.items():
        variable.assign_sub(RATE * gradients[name])
