"""What one of several processes does with its part of a batch, and what one process does with the whole."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from mmcourse.alignment.torch import InfoNCE, MultiPositiveInfoNCE, SigLIP
from mmcourse.errors import ModalityError

WORLD = 2
BATCH, WIDTH = 8, 5
LOSSES: dict[str, tuple[type[nn.Module], dict[str, Any], bool]] = {
    "info_nce": (InfoNCE, {}, False),
    "any": (MultiPositiveInfoNCE, {"positives": "any"}, True),
    "all": (MultiPositiveInfoNCE, {"positives": "all"}, True),
    "siglip": (SigLIP, {"bias": -1.0}, False),
    "siglip grouped": (SigLIP, {"bias": -1.0}, True),
}


class Aligned(nn.Module):
    """Two linear encoders and a loss, all parameters in one module as DistributedDataParallel wants it."""

    def __init__(self, name: str, gathered: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        loss, options, self.grouped = LOSSES[name]
        self.image, self.text = nn.Linear(WIDTH, 3), nn.Linear(WIDTH, 3)
        self.loss = loss(gathered=gathered, **options)
        self.double()

    def forward(self, image: Tensor, text: Tensor, groups: Tensor) -> Tensor:
        return self.loss(self.image(image), self.text(text), *[groups] * self.grouped)


def whole_batch() -> list[Tensor]:
    """Image, text and groups; members of a group stand in both parts."""
    generator = torch.Generator().manual_seed(1)
    image, text = torch.randn(2, BATCH, WIDTH, generator=generator, dtype=torch.float64)
    return [image, text, torch.arange(BATCH) % 3]


def gradients(module: nn.Module) -> dict[str, Tensor]:
    return {name.removeprefix("module."): p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}


def in_one_process(name: str) -> dict[str, Any]:
    module, batch = Aligned(name, gathered=False), whole_batch()
    for x in batch[:2]:
        x.requires_grad_()
    value = module(*batch)
    value.backward()
    return {"value": value.detach(), "gradients": gradients(module), "inputs": [x.grad for x in batch[:2]]}


def in_parts(name: str, rank: int) -> dict[str, Any]:
    module = DistributedDataParallel(Aligned(name, gathered=True))
    batch = [x.chunk(WORLD)[rank].clone() for x in whole_batch()]
    for x in batch[:2]:
        x.requires_grad_()
    value = module(*batch)
    value.backward()
    return {"value": value.detach(), "gradients": gradients(module), "inputs": [x.grad for x in batch[:2]]}


def refusals(rank: int) -> dict[str, str]:
    """What each process is told where parts do not fit or one of them is at fault."""
    image, text, groups = (x.chunk(WORLD)[rank] for x in whole_batch())
    spoiled = image.clone()
    spoiled[0, 0] = float("nan") if rank == 1 else 0.0
    rows, columns = (4 - rank, WIDTH), (4, WIDTH - rank)
    attempts = {
        "rows": (image[: rows[0]], text[: rows[0]], groups[: rows[0]]),
        "columns": (image[:, : columns[1]], text[:, : columns[1]], groups),
        "values": (spoiled, text, groups),
        "groups": (image, text, groups.double() if rank == 1 else groups),
    }
    said = {}
    for name, arguments in attempts.items():
        try:
            MultiPositiveInfoNCE(gathered=True)(*arguments)
        except ModalityError as error:
            said[name] = f"{type(error).__name__}: {error}"
    return said


def work(rank: int, folder: str) -> None:
    """One process: everything above in the same order in each, its results into a file."""
    torch.set_num_threads(1)
    rendezvous = f"file://{folder}/rendezvous"
    distributed.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=WORLD)
    found: dict[str, Any] = {"refusals": refusals(rank)}
    found |= {name: in_parts(name, rank) for name in LOSSES}
    torch.save(found, Path(folder) / f"{rank}.pt")
    distributed.destroy_process_group()
