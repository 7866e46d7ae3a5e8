"""Feature-wise linear modulation: a condition scales and shifts features."""

import torch
from torch import Tensor, nn

from mmcourse import checks
from mmcourse.checks import Spec
from mmcourse.errors import DtypeError
from mmcourse.fusion.film_checks import CHANNEL_AXIS, FilmSpecs, check_film
from mmcourse.fusion.torch.base import undrawn


class FiLM(nn.Module):
    """Scale and shift each feature as a condition asks:  y = gamma(c) * x + beta(c).

        gamma(c) = 1 + c scale_kernel + scale_bias,   beta(c) = c shift_kernel + shift_bias

    dim: the width of x, or its channels;  condition_dim: the width of c
    "scale_kernel" and "shift_kernel": (condition_dim, dim);  "scale_bias" and "shift_bias": (dim,)
    All four are zero at the start: y = x until training says otherwise.
    check_values: also refuse NaN and infinity, which on a GPU waits for the device.
    Raises a ModalityError naming the input that does not fit.
    Source: Perez et al. (2018).
    """

    where = "FiLM"

    def __init__(self, dim: int, *, condition_dim: int, check_values: bool = True) -> None:
        super().__init__()
        self.dim = checks.check_size("dim", dim, self.where)
        self.condition_dim = checks.check_size("condition_dim", condition_dim, self.where)
        self.check_values = check_values
        self.scale_kernel = nn.Parameter(undrawn(condition_dim, dim))
        self.scale_bias = nn.Parameter(undrawn(dim))
        self.shift_kernel = nn.Parameter(undrawn(condition_dim, dim))
        self.shift_bias = nn.Parameter(undrawn(dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin as the identity."""
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(
        self,
        features: Tensor,
        condition: Tensor,
        *,
        features_mask: Tensor | None = None,
        condition_mask: Tensor | None = None,
    ) -> Tensor:
        """Modulate the features.

        features: (batch, dim), (batch, time, dim) or (batch, dim, height, width);  condition: (batch, condition_dim)
        features_mask: (batch, time) bool, True = present; a masked step comes out as zero
        condition_mask: (batch,) bool, True = present; where the condition is missing y = x
        """
        x, c = self._prepare(features, condition, features_mask, condition_mask)
        delta, beta = c @ self.scale_kernel + self.scale_bias, c @ self.shift_kernel + self.shift_bias
        if condition_mask is not None:
            delta, beta = (torch.where(condition_mask[:, None], change, 0.0) for change in (delta, beta))
        shape = [len(x)] + [1] * (x.ndim - 1)
        shape[CHANNEL_AXIS[x.ndim]] = self.dim
        y = torch.addcmul(beta.reshape(shape), 1 + delta.reshape(shape), x)
        return y if features_mask is None else torch.where(features_mask[..., None], y, 0.0)

    def _prepare(
        self, features: Tensor, condition: Tensor, features_mask: Tensor | None, condition_mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Check everything; return both with what is missing set to zero, before anything is computed with it."""
        named = {"features": features, "condition": condition}
        specs = FilmSpecs(
            self._spec("features", features),
            self._spec("condition", condition),
            None if features_mask is None else self._spec("features_mask", features_mask),
            None if condition_mask is None else self._spec("condition_mask", condition_mask),
        )
        mended = torch.is_autocast_enabled(self.scale_bias.device.type)
        dtype = None if mended else str(self.scale_bias.dtype).removeprefix("torch.")
        check_film(specs, (self.dim, self.condition_dim), self.where, dtype=dtype)
        x = features if features_mask is None else torch.where(features_mask[..., None], features, 0.0)
        c = condition if condition_mask is None else torch.where(condition_mask[:, None], condition, 0.0)
        if self.check_values:
            # The largest magnitude is finite only where all are; several times faster than isfinite().all().
            finite = torch.stack([part.detach().flatten(1).abs().amax(dim=1).isfinite() for part in (x, c)], dim=1)
            checks.check_values(named, finite.cpu().numpy(), None, self.where)
        return x, c

    def _spec(self, name: str, x: Tensor) -> Spec:
        if not isinstance(x, Tensor):
            raise DtypeError(name, got=type(x).__name__, wanted="a torch.Tensor", where=self.where)
        return Spec(tuple(x.shape), str(x.dtype).removeprefix("torch."))
