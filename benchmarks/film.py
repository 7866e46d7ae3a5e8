"""FiLM on feature maps: PyTorch against its plain formula, the cost of checking values, Keras against PyTorch."""

from collections.abc import Iterator

import tensorflow as tf
import torch
from torch import Tensor

from benchmarks.runner import Call, Case
from mmcourse import parity
from mmcourse.fusion.keras import FiLM as KerasFiLM
from mmcourse.fusion.torch import FiLM

SIZES = {"small": (64, 16, 8), "large": (64, 128, 14)}  # batch, channels, height and width
CONDITION = 64
TOLERANCE = 1e-4  # a kernel's gradient sums over places and examples, in float32


class Problem:
    """One module of one size with its inputs."""

    def __init__(self, size: str) -> None:
        torch.manual_seed(0)
        batch, self.channels, side = SIZES[size]
        self.maps, self.condition = torch.randn(batch, self.channels, side, side), torch.randn(batch, CONDITION)
        self.cotangent = torch.randn_like(self.maps)
        self.module = self.new()

    def new(self, *, check_values: bool = True) -> FiLM:
        """Away from zero, where it starts and where a mistake would not show."""
        torch.manual_seed(1)
        module = FiLM(self.channels, condition_dim=CONDITION, check_values=check_values)
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter)
        return module

    def with_module(self, module: FiLM) -> Call:
        parameters = dict(module.named_parameters())
        return lambda: self._backward(module(self.maps, self.condition), parameters)

    def with_formula(self) -> Call:
        parameters = dict(self.module.named_parameters())

        def formula() -> Tensor:
            gamma = 1 + self.condition @ parameters["scale_kernel"] + parameters["scale_bias"]
            beta = self.condition @ parameters["shift_kernel"] + parameters["shift_bias"]
            return gamma[:, :, None, None] * self.maps + beta[:, :, None, None]

        return lambda: self._backward(formula(), parameters)

    def _backward(self, output: Tensor, parameters: dict[str, torch.nn.Parameter]) -> dict[str, Tensor]:
        gradients = torch.autograd.grad(output, list(parameters.values()), self.cotangent)
        return {"output": output.detach(), **dict(zip(parameters, gradients, strict=True))}

    def with_keras(self) -> Call:
        layer = KerasFiLM(self.channels, condition_dim=CONDITION)
        parity.transfer(self.module, layer)
        maps, condition, cotangent = (tf.constant(x.numpy()) for x in (self.maps, self.condition, self.cotangent))
        variables = {variable.name: variable.value for variable in layer.trainable_variables}

        @tf.function
        def step() -> dict[str, tf.Tensor]:
            with tf.GradientTape() as tape:
                output = layer(maps, condition)
            gradients = tape.gradient(output, list(variables.values()), cotangent)
            return {"output": output, **dict(zip(variables, gradients, strict=True))}

        return step


def cases() -> Iterator[Case]:
    """Forward and backward throughout."""
    for size in SIZES:
        problem = Problem(size)
        module, formula = problem.with_module(problem.module), problem.with_formula()
        yield Case(f"torch FiLM, {size}", "plain formula", module, formula, TOLERANCE)
        unchecked = problem.with_module(problem.new(check_values=False))
        yield Case(f"torch FiLM, {size}", "check_values=False", module, unchecked, TOLERANCE)
    problem = Problem("large")
    yield Case("keras FiLM, large", "torch", problem.with_keras(), problem.with_module(problem.module), TOLERANCE)
