"""What the losses share: checks, unit vectors, parts of a batch gathered over processes, the learned scale."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmcourse.alignment import checks
from mmcourse.alignment.torch import processes
from mmcourse.checks import Spec
from mmcourse.errors import DtypeError


class Pair(NamedTuple):
    """Unit vectors of this process's rows and of the whole batch; the same tensors where there is one process."""

    image: Tensor  # (rows, width)
    text: Tensor
    every_image: Tensor  # (batch, width)
    every_text: Tensor
    first: int  # the place in the batch of this process's first row

    def cosines(self) -> Tensor:
        """Of this process's images with all texts: (rows, batch)."""
        return self.image @ self.every_text.T

    def sides(self) -> tuple[Tensor, Tensor]:
        """The cosines of this process's images with all texts, and of its texts with all images: (rows, batch) each."""
        cosines = self.cosines()
        return cosines, cosines.T if self.every_text is self.text else self.text @ self.every_image.T

    def right(self) -> Tensor:
        """The column at which each row's own pair stands: (rows,)."""
        return torch.arange(self.first, self.first + len(self.image), device=self.image.device)


def prepare(
    image: Tensor, text: Tensor, *, gathered: bool, check_values: bool, where: str, groups: Tensor | None = None
) -> Pair:
    """Check everything and return unit vectors, gathered if asked for; half precision becomes single."""
    shape = tuple(image.shape) if isinstance(image, Tensor) else ()
    with processes.refusing_together(shape, gathered, where):
        batch = checks.check_pair(spec(image, "image", where), spec(text, "text", where), where)
        if groups is not None:
            checks.check_groups(spec(groups, "groups", where), batch, where)
        image, text = (x.float() if x.dtype in (torch.float16, torch.bfloat16) else x for x in (image, text))
        largest = [x.detach().abs().amax(dim=1, keepdim=True) for x in (image, text)]  # (rows, 1)
        if check_values:
            checks.check_values(torch.cat(largest, dim=1).cpu().numpy(), where)
    # By the largest entry first, so that no square overflows or vanishes; eps would leave short vectors short.
    image, text = (
        functional.normalize(x / size, dim=1, eps=0.0) for x, size in zip((image, text), largest, strict=True)
    )
    if not gathered:
        return Pair(image, text, image, text, 0)
    both = processes.gather(torch.stack([image, text], dim=1))  # one message, (batch, 2, width)
    return Pair(image, text, both[:, 0], both[:, 1], processes.rank() * len(image))


def same_group(groups: Tensor, gathered: bool) -> Tensor:
    """Which rows of the batch are of the group of this process's rows: (rows, batch)."""
    return groups[:, None] == (processes.gather(groups) if gathered else groups)[None, :]


def number(value: Tensor | float, name: str, check_values: bool, where: str) -> Tensor | float:
    """Return a scale or a bias, or raise a ModalityError."""
    checks.check_scalar(name, tuple(value.shape) if isinstance(value, Tensor) else (), where)
    if check_values:
        plain = float(value.detach() if isinstance(value, Tensor) else value)
        (checks.check_scale if name == "scale" else checks.check_bias)(plain, where)
    return value


class ContrastiveLoss(nn.Module):
    """A loss with the parameter "log_scale", from which  s = exp(log_scale),  at most max_scale.

    scale: s to begin with;  max_scale: its bound, None for none. A call puts a parameter that an optimiser has carried
        beyond the bound back on it, as CLIP does, so that its gradient is never cut off.
    gathered: each process of torch.distributed holds a part of the batch, parts of one size
    check_values: also refuse NaN, infinity and rows of zeros. These checks need the numbers, so on a GPU each call
        waits for the device; shapes and dtypes are checked in any case. Without them such a row makes the loss NaN.
    Raises a ModalityError naming what does not fit.
    """

    where = "contrastive loss"

    def __init__(
        self,
        *,
        scale: float = checks.SCALE,
        max_scale: float | None = checks.MAX_SCALE,
        gathered: bool = False,
        check_values: bool = True,
    ) -> None:
        super().__init__()
        checks.check_initial(scale, max_scale, self.where)
        self.max_scale = max_scale
        self.gathered = gathered
        self.check_values = check_values
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))

    def scale(self) -> Tensor:
        """s, a scalar with gradient."""
        if self.max_scale is not None:
            with torch.no_grad():
                self.log_scale.clamp_(max=math.log(self.max_scale))
        return self.log_scale.exp()


@contextmanager
def full_precision(x: Tensor) -> Iterator[None]:
    """No autocast: at a scale of 100 the logits of half precision are half a unit apart."""
    with torch.autocast(x.device.type if isinstance(x, Tensor) else "cpu", enabled=False):
        yield


def spec(x: Tensor, name: str, where: str) -> Spec:
    """Shape and dtype, or DtypeError for what is no tensor."""
    if not isinstance(x, Tensor):
        raise DtypeError(name, got=type(x).__name__, wanted="a torch.Tensor", where=where)
    return Spec(tuple(x.shape), str(x.dtype).removeprefix("torch."))
