"""Encoders: the NumPy convolution, a matrix product, against PyTorch's."""

from collections.abc import Iterator

import numpy as np
import torch

from benchmarks.runner import Case
from mmcourse.encoders.numpy import convolution

IMAGES, KERNEL = (32, 16, 28, 28), (32, 16, 3, 3)
TOLERANCES = {"float32": 1e-5, "float64": 1e-10}


def convolutions(dtype: str) -> Case:
    """Forward, kernels 3x3 with padding 1, both sides in the same precision."""
    rng = np.random.default_rng(0)
    images, kernel = (rng.normal(size=shape).astype(dtype) for shape in (IMAGES, KERNEL))
    for_torch = torch.from_numpy(images), torch.from_numpy(kernel)
    return Case(
        f"numpy convolution, {dtype}",
        "torch",
        lambda: {"output": convolution(images, kernel, padding=1, dtype=dtype)},
        lambda: {"output": torch.conv2d(*for_torch, padding=1)},
        TOLERANCES[dtype],
    )


def cases() -> Iterator[Case]:
    """Forward alone: the formulas have no gradient of their own."""
    for dtype in TOLERANCES:
        yield convolutions(dtype)
