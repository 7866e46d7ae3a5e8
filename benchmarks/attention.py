"""Attention between sequences: the fused kernel against the softmax written out, and latents against all pairs."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.runner import Call, Case, Rate
from mmcourse.encoders.torch import TransformerEncoder
from mmcourse.fusion.torch import CrossmodalTransformer, PerceiverResampler

LENGTHS = (64, 256, 1024)  # of each of two modalities
DIMS, BATCH = {"image": 48, "text": 32}, 4
SIZES: dict[str, Any] = {"dim": 64, "heads": 4, "layers": 2, "out_dim": 8}
# In double precision the gradients agree to 1e-13; in single precision a relu that stands at zero may open on one side.
TOLERANCE = 5e-3
READ = 1024  # steps that latents, or all pairs, read
LATENTS = 32


class Problem:
    """A crossmodal Transformer over two sequences of one length; the weights are the same for every kernel."""

    def __init__(self, length: int) -> None:
        torch.manual_seed(0)
        self.module = CrossmodalTransformer(DIMS, **SIZES)
        self.features = {m: torch.randn(BATCH, length, width) for m, width in DIMS.items()}

    def call(self, *, fused: bool) -> Call:
        """Forward and backward; without the fused kernel PyTorch computes the scores, their softmax and the mixture."""

        def step() -> Mapping[str, Tensor]:
            with nullcontext() if fused else sdpa_kernel(SDPBackend.MATH):
                output = self.module(self.features)
                parameters = dict(self.module.named_parameters())
                gradients = torch.autograd.grad(output.square().sum(), list(parameters.values()))
            # Of a key bias the gradient is zero and what comes out is rounding: nothing to compare.
            found = dict(zip(parameters, gradients, strict=True))
            return {"output": output.detach()} | {n: g for n, g in found.items() if not n.endswith("key.bias")}

        return step


def reading(module: torch.nn.Module) -> Call:
    """Forward and backward over a batch of long sequences."""
    sequences = torch.randn(BATCH, READ, SIZES["dim"])

    def step() -> Mapping[str, Tensor]:
        output = module(sequences)
        output.square().sum().backward()
        module.zero_grad()
        return {"output": output.detach()}

    return step


def cases() -> Iterator[Case | Rate]:
    """Forward and backward throughout."""
    for length in LENGTHS:
        problem = Problem(length)
        title = f"torch CrossmodalTransformer, {length} steps, fused"
        yield Case(title, "softmax written out", problem.call(fused=True), problem.call(fused=False), TOLERANCE)
    sizes: dict[str, Any] = {name: SIZES[name] for name in ("dim", "heads", "layers")}
    latents = PerceiverResampler(**sizes, latents=LATENTS)
    yield Rate(f"{LATENTS} latents over {READ} steps", "sequences", BATCH, reading(latents))
    pairs = TransformerEncoder(**sizes, activation="gelu")
    yield Rate(f"all pairs of {READ} steps", "sequences", BATCH, reading(pairs))
