"""Fusions that multiply against what they replace: torch.nn.Bilinear, the outer product, the plain sum over ranks.

Forward and backward, gradients of the features included, as where encoders stand before the fusion.
"""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from benchmarks.fusion import TOLERANCE, low_rank, tensor
from benchmarks.runner import Call, Case
from mmcourse.fusion.numpy import expand_factors
from mmcourse.fusion.torch import BilinearFusion, LowRankFusion, TensorFusion
from mmcourse.parity import numpy_arguments

THREE = {"image": 128, "text": 128, "audio": 64}
Features = Mapping[str, Tensor]


def features_of(dims: Mapping[str, int], batch: int) -> dict[str, Tensor]:
    return {m: torch.randn(batch, dim).requires_grad_() for m, dim in dims.items()}


def step(forward: Callable[[Features], Tensor], features: Features, parameters: Mapping[str, Tensor]) -> Call:
    """One forward and backward: the output, the gradients of the parameters and of the features."""
    wanted = {**parameters, **{f"features.{m}": x for m, x in features.items()}}
    cotangent = torch.randn_like(forward(features)).detach()

    def call() -> dict[str, Tensor]:
        output = forward(features)
        gradients = torch.autograd.grad(output, list(wanted.values()), cotangent)
        return {"output": output.detach(), **dict(zip(wanted, gradients, strict=True))}

    return call


def forward_only(forward: Callable[[Features], Tensor], features: Features) -> Call:
    def call() -> dict[str, Tensor]:
        with torch.no_grad():
            return {"output": forward(features)}

    return call


def pair(module: torch.nn.Module, peer: Callable[[Features], Tensor], features: Features) -> tuple[Call, Call]:
    """Both with the same cotangent and the module's parameters."""
    parameters = dict(module.named_parameters())
    calls = []
    for forward in (module, peer):
        torch.manual_seed(1)
        calls.append(step(forward, features, parameters))
    return calls[0], calls[1]


def bilinear() -> Case:
    torch.manual_seed(0)
    dims = {"image": 128, "text": 128}
    features, module = features_of(dims, 256), BilinearFusion(dims, out_dim=32)
    theirs = torch.nn.Bilinear(*dims.values(), 32)
    with torch.no_grad():
        theirs.weight.copy_(module.kernel.permute(2, 0, 1))
        theirs.bias.copy_(module.bias)
    torch.manual_seed(1)
    subject = step(module, features, {"kernel": module.kernel})
    torch.manual_seed(1)
    peer = step(lambda x: theirs(*x.values()), features, {"kernel": theirs.weight})

    def turned() -> dict[str, Tensor]:  # the gradient of a kernel whose last axis comes first; a view, at no cost
        found = peer()
        return found | {"kernel": found["kernel"].permute(1, 2, 0)}

    return Case("BilinearFusion, 256 of 128 x 128 to 32", "torch.nn.Bilinear", subject, turned, TOLERANCE)


def outer(batch: int) -> Iterator[Case]:
    torch.manual_seed(0)
    features, module = features_of(THREE, batch), TensorFusion(THREE, out_dim=32)

    def materialised(x: Features) -> Tensor:
        return tensor({"kernel": module.kernel}, x, None)

    title = f"TensorFusion, {batch} of 128 x 128 x 64 to 32"
    yield Case(title, "outer product made", *pair(module, materialised, features), TOLERANCE)
    ours, theirs = forward_only(module, features), forward_only(materialised, features)
    yield Case(f"{title}, forward", "outer product made", ours, theirs, TOLERANCE)


def ranks(rank: int) -> Iterator[Case]:
    torch.manual_seed(0)
    features, module = features_of(THREE, 32), LowRankFusion(THREE, out_dim=32, rank=rank)
    parameters = dict(module.named_parameters())
    title = f"LowRankFusion, rank {rank}, 32 of 128 x 128 x 64 to 32"
    yield Case(title, "plain formula", *pair(module, lambda x: low_rank(parameters, x, None), features), TOLERANCE)

    whole = TensorFusion(THREE, out_dim=32)
    with torch.no_grad():
        whole.kernel.copy_(
            torch.tensor(expand_factors(modalities=list(THREE), **numpy_arguments(module)), dtype=torch.float32)
        )
    ours, theirs = forward_only(module, features), forward_only(whole, features)
    yield Case(f"{title}, forward", "TensorFusion of the expanded factors", ours, theirs, TOLERANCE)


def cases() -> Iterator[Case]:
    yield bilinear()
    for batch in (32, 128):
        yield from outer(batch)
    for rank in (4, 32):
        yield from ranks(rank)
