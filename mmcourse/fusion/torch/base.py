"""What the fusion modules share: declared widths, checks, missing rows, projections, row-wise weights."""

from collections.abc import Mapping
from itertools import chain

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.checks import Spec
from mmcourse.errors import DtypeError, UnknownModalityError


class DeclaredModalities(nn.Module):
    """Modalities of declared widths, in the order of `dims` whatever the order in which they come."""

    where = "fusion"

    def __init__(self, dims: Mapping[str, int], *, check_values: bool = True) -> None:
        super().__init__()
        self.dims = checks.check_dims(dims, self.where)
        self.check_values = check_values

    def _specs(self, tensors: Mapping[str, Tensor]) -> dict[str, Spec]:
        for modality, x in tensors.items():
            if not isinstance(x, Tensor):
                raise DtypeError(modality, got=type(x).__name__, wanted="a torch.Tensor", where=self.where)
        return {m: Spec(tuple(x.shape), str(x.dtype).removeprefix("torch.")) for m, x in tensors.items()}

    def _dtype(self) -> str | None:
        """The dtype of the parameters; None where there are none, or where autocast mends what differs."""
        parameter = next(chain(self.parameters(), self.buffers()), None)
        if parameter is None or torch.is_autocast_enabled(parameter.device.type):
            return None
        return str(parameter.dtype).removeprefix("torch.")


def check_free(dims: Mapping[str, int], where: str) -> None:
    """Raise UnknownModalityError for a name such as "items", under which a ModuleDict would keep no parameters."""
    for name in dims:
        if hasattr(nn.ModuleDict, name) or hasattr(nn.ParameterDict, name):
            got = f"the name {name!r}, which the dictionaries of PyTorch use themselves"
            raise UnknownModalityError(name, got=got, wanted="another name", where=where)


class Fusion(DeclaredModalities):
    """One vector of each modality, of declared width.

    check_values: also refuse NaN, infinity and rows in which all is missing. These checks need the numbers, so on a
        GPU each call waits for the device; names, shapes and dtypes are checked in any case. Without them a row in
        which all is missing becomes NaN under a softmax; elsewhere its features count as zero.
    """

    def __init__(self, dims: Mapping[str, int], *, check_values: bool = True) -> None:
        super().__init__(dims, check_values=check_values)
        check_free(self.dims, self.where)

    def prepare(
        self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None
    ) -> tuple[list[Tensor], Tensor | None]:
        """Check everything; return each (batch, dim_m) with missing rows set to zero, and present (batch, M) or None.

        Zeros are put in before anything is computed: NaN times zero would be NaN, in the value and in the gradient.
        """
        mask = {} if mask is None else mask
        checks.check_mapping(features, "features", self.where)
        checks.check_mapping(mask, "mask", self.where)
        batch = checks.check_features(self._specs(features), self.dims, self.where, dtype=self._dtype())
        checks.check_mask(self._specs(mask), self.dims, batch, self.where)

        inputs, present = [features[modality] for modality in self.dims], None
        if mask:
            everywhere = inputs[0].new_ones(len(inputs[0]), dtype=torch.bool)
            columns = [mask.get(modality, everywhere) for modality in self.dims]
            inputs = [torch.where(here[:, None], x, 0.0) for here, x in zip(columns, inputs, strict=True)]
            present = torch.stack(columns, dim=1)
        if self.check_values:
            # The largest magnitude is finite only where all are; several times faster than isfinite().all().
            finite = torch.stack([x.detach().abs().amax(dim=1).isfinite() for x in inputs], dim=1)
            missing = None if present is None else present.cpu().numpy()
            checks.check_values(self.dims, finite.cpu().numpy(), missing, self.where)
        return inputs, present


class ProjectedFusion(Fusion):
    """h_m = x_m P_m with parameters "projections.image" (dim, out); without out_dim h_m = x_m and widths must agree."""

    def __init__(self, dims: Mapping[str, int], *, out_dim: int | None = None, check_values: bool = True) -> None:
        super().__init__(dims, check_values=check_values)
        if out_dim is None:
            self.out_dim = checks.check_same(self.dims, "width", self.where)
            self.projections = None
        else:
            self.out_dim = checks.check_size("out_dim", out_dim, self.where)
            self.projections = nn.ParameterDict({m: undrawn(dim, out_dim) for m, dim in self.dims.items()})

    def reset_parameters(self) -> None:
        """Draw the projections as Glorot and Bengio (2010)."""
        for projection in (self.projections or {}).values():
            nn.init.xavier_uniform_(projection)

    def hidden(self, inputs: list[Tensor]) -> Tensor:
        """Return h_m of all modalities: (batch, M, out)."""
        if self.projections is not None:
            inputs = [x @ self.projections[m] for m, x in zip(self.dims, inputs, strict=True)]
        return torch.stack(inputs, dim=1)


def undrawn(*shape: int) -> Tensor:
    """NaN until reset_parameters draws: a parameter that it forgets makes every output NaN, not some number."""
    return torch.full(shape, torch.nan)


def softmax_over_present(scores: Tensor, present: Tensor | None) -> Tensor:
    """Softmax over the last axis, the modalities; a missing one weighs 0.  scores: (M,) or (batch, M)."""
    return (scores if present is None else torch.where(present, scores, -torch.inf)).softmax(dim=-1)


def mix(weights: Tensor, hidden: Tensor) -> Tensor:
    """sum_m w_m h_m.  weights: (M,) or (batch, M);  hidden: (batch, M, out);  returns (batch, out)"""
    return (weights.unsqueeze(-1) * hidden).sum(dim=1)
