"""What the encoders of sequences share: checks, masked steps, kernels as the formulas write them."""

import torch
from torch import Tensor, nn

from mmcourse.checks import Spec, check_size
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.torch.base import Encoder, _name
from mmcourse.errors import DtypeError


class SequenceEncoder(Encoder):
    """A module that reads (batch, time, dim) with a mask (batch, time), True where a step is present.

    A masked step may hold anything, NaN included: it influences neither value nor gradient.
    check_values: also refuse NaN, infinity and rows in which all is masked; see Encoder. Without these checks a row in
        which all is masked becomes zero.
    """

    where = "sequence encoder"

    def __init__(self, dim: int, *, out_dim: int, check_values: bool = True) -> None:
        dim = check_size("dim", dim, self.where)
        super().__init__(out_dim=out_dim, check_values=check_values)
        self.dim = dim

    def prepare(self, sequence: Tensor, mask: Tensor | None) -> Tensor:
        """Check everything; return the sequence with masked steps set to zero.

        Zeros are put in before anything is computed: NaN times zero would be NaN, in the value and in the gradient.
        """
        checks.check_sequence(
            self.spec("sequence", sequence), self.mask_spec(mask), self.dim, self.where, dtype=self._dtype()
        )
        x = silence(sequence, mask)
        if self.check_values:
            # The largest magnitude is finite only where all are; several times faster than isfinite().all().
            finite = x.detach().abs().amax(dim=(1, 2)).isfinite()
            some = torch.ones_like(finite) if mask is None else mask.any(dim=1)
            some, finite = torch.stack([some, finite]).cpu().numpy()
            checks.check_values("sequence", some, finite, self.where)
        return x

    def spec(self, name: str, x: Tensor) -> Spec:
        """Shape and dtype, or DtypeError for what is no tensor."""
        if not isinstance(x, Tensor):
            raise DtypeError(name, got=type(x).__name__, wanted="a torch.Tensor", where=self.where)
        return Spec(tuple(x.shape), _name(x.dtype))

    def mask_spec(self, mask: Tensor | None) -> Spec | None:
        """The same for a mask, if there is one."""
        return None if mask is None else self.spec("mask", mask)

    def _dtype(self) -> str | None:
        """The dtype of the parameters; None where autocast mends what differs."""
        parameter = next(self.parameters())
        return None if torch.is_autocast_enabled(parameter.device.type) else _name(parameter.dtype)


class Linear(nn.Module):
    """x kernel + bias  with "kernel" (dim, out), drawn as Glorot and Bengio (2010), and "bias" (out,), zero."""

    def __init__(self, dim: int, out_dim: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(nn.init.xavier_uniform_(torch.empty(dim, out_dim)))
        self.bias = nn.Parameter(torch.zeros(out_dim))

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., dim);  returns (..., out_dim)"""
        return nn.functional.linear(x, self.kernel.T, self.bias)


def silence(x: Tensor, mask: Tensor | None) -> Tensor:
    """Set masked steps to zero.  x: (batch, time, width);  mask: (batch, time) or None"""
    return x if mask is None else torch.where(mask[..., None], x, 0.0)
