"""A batch in parts, one in each process of torch.distributed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed

from mmcourse.errors import ModalityError, ShapeError

REFUSED = -1


def rank() -> int:
    """This process's place among the processes."""
    return distributed.get_rank()


@contextmanager
def refusing_together(shape: tuple[int, ...], gathered: bool, where: str) -> Iterator[None]:
    """If the checks inside refuse one process's part, or parts differ in shape, every process raises and none waits.

    shape: of this process's part
    Raises RuntimeError without torch.distributed, ShapeError for unequal parts, ModalityError for another's fault.
    """
    if not gathered:
        yield
        return
    if not (distributed.is_available() and distributed.is_initialized()):
        raise RuntimeError(
            f"{where}: gathered: got no process group, wanted torch.distributed.init_process_group first"
        )
    try:
        yield
    except ModalityError:
        _exchange([REFUSED, REFUSED])
        raise
    parts = _exchange(list(shape))
    at_fault = [str(process) for process, part in enumerate(parts) if REFUSED in part]
    if at_fault:
        got = f"a refusal by process {', '.join(at_fault)}"
        raise ModalityError("image, text", got=got, wanted="parts that fit in all", where=where)
    for index, what in enumerate(("rows", "columns")):
        sizes = [part[index] for part in parts]
        if len(set(sizes)) > 1:
            got = f"parts of {', '.join(map(str, sizes))} {what}"
            raise ShapeError("image, text", got=got, wanted="the same in every process", where=where)


def gather(part: Tensor) -> Tensor:
    """The parts of all processes, one after the other, with gradient: (rows, ...) -> (processes * rows, ...)."""
    return _Gather.apply(part)


def mean(loss: Tensor) -> Tensor:
    """The mean over the processes in value, this process's own share in gradient."""
    whole = loss.detach().clone()
    distributed.all_reduce(whole)
    return loss + (whole / distributed.get_world_size() - loss.detach())


class _Gather(torch.autograd.Function):
    """all_gather; its gradient is the sum of what all processes ask of this one's part."""

    @staticmethod
    def forward(context: Any, part: Tensor) -> Tensor:
        parts = [
            torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(distributed.get_world_size())
        ]
        distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        whole = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(whole)
        return whole.chunk(distributed.get_world_size())[distributed.get_rank()]


def _exchange(shape: list[int]) -> list[list[int]]:
    """The shapes of all processes' parts."""
    shapes: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(shapes, shape)
    return shapes
