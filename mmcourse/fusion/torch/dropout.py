"""Modality dropout."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mmcourse import checks
from mmcourse.fusion.torch.base import Fusion


class ModalityDropout(Fusion):
    """In training, drop whole modalities of each example at random, never all of them, before any fusion of vectors.

    Of the modalities A that are present in an example, exactly S is left, not empty, with the probability

        P(S) = prod_{m in S} (1 - p_m) prod_{m in A without S} p_m / (1 - prod_{m in A} p_m)

    as `mmcourse.fusion.numpy.modality_dropout` draws it. In evaluation nothing is dropped.
    dims: {modality: width};  rates: {modality: p_m} or one number for all, each in [0, 1)
    generator: where the random numbers come from, on the device of the features; None for PyTorch's own
    check_values: see Fusion.  Raises a ModalityError naming the modality that does not fit.
    Source: Neverova et al. (2016), ModDrop, for the idea.
    """

    where = "modality dropout"

    def __init__(
        self,
        dims: Mapping[str, int],
        *,
        rates: Mapping[str, float] | float,
        generator: torch.Generator | None = None,
        check_values: bool = True,
    ) -> None:
        super().__init__(dims, check_values=check_values)
        self.rates = checks.check_rates(rates, self.dims, self.where)
        self.generator = generator

    def forward(
        self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """features: {modality: (batch, dim_m)};  mask: {modality: (batch,) bool}

        returns both, the mask with an entry for each modality. In training what is missing then holds zeros; in
        evaluation the features are those that came.
        """
        inputs, present = self.prepare(features, mask)
        if present is None:
            present = torch.ones(len(inputs[0]), len(self.dims), dtype=torch.bool, device=inputs[0].device)
        if not self.training:
            return {m: features[m] for m in self.dims}, dict(zip(self.dims, present.T, strict=True))
        uniforms = torch.rand(present.shape, generator=self.generator, device=present.device)
        kept = dict(zip(self.dims, keep(present, list(self.rates.values()), uniforms).T, strict=True))
        return {m: torch.where(kept[m][:, None], x, 0.0) for m, x in zip(self.dims, inputs, strict=True)}, kept


def keep(present: Tensor, rates: list[float], uniforms: Tensor) -> Tensor:
    """Which are kept, (batch, M) bool, by one random number each; present: (batch, M) bool, uniforms: (batch, M)."""
    dropped = torch.where(present, uniforms.new_tensor(rates), 1.0)
    columns: list[Tensor] = []
    something = torch.zeros_like(present[:, 0])
    for i, rate in enumerate(rates):
        all_dropped = rate * dropped[:, i + 1 :].prod(dim=1)
        chance = torch.where(something, 1 - rate, (1 - rate) / (1 - all_dropped))
        columns.append(present[:, i] & (uniforms[:, i] < chance))
        something = something | columns[-1]
    return torch.stack(columns, dim=1)
