"""What the fusions of sequences share: declared widths, checks, masked steps, attention over what is present."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mmcourse import checks
from mmcourse.fusion import sequence_checks
from mmcourse.fusion.torch.base import DeclaredModalities


class SequenceFusion(DeclaredModalities):
    """A sequence (batch, time_m, dim_m) of each modality, in the order of `dims`; lengths may differ between them.

    A mask (batch, time_m) is True where a step is present; a modality without a mask is present throughout. A masked
    step may hold anything, NaN included: it influences neither value nor gradient. A row may mask all steps of a
    modality, which is then missing there: nothing attends to it, and its own stream is zero.
    check_values: also refuse NaN, infinity and rows in which every modality is missing. These checks need the numbers,
        so on a GPU each call waits for the device; names, shapes and dtypes are checked in any case.
    """

    where = "fusion of sequences"
    optional: tuple[str, ...] = ()  # modalities that may be left out of the features

    def prepare(
        self, features: Mapping[str, Tensor], mask: Mapping[str, Tensor | None] | None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor | None]]:
        """Check everything; return the sequences with masked steps set to zero, and the masks, None where none came.

        Both have a key for every modality, in the order of dims, those left out that are optional.
        Zeros are put in before anything is computed: NaN times zero would be NaN, in the value and in the gradient.
        """
        checks.check_mapping(features, "features", self.where)
        came = sequence_checks.masks_that_came(mask, self.where)
        dims = {m: dim for m, dim in self.dims.items() if m in features or m not in self.optional}
        sequence_checks.check_sequences(self._specs(features), self._specs(came), dims, self.where, dtype=self._dtype())
        present = {modality: came.get(modality) for modality in dims}
        inputs = {modality: silence(features[modality], present[modality]) for modality in dims}
        if self.check_values:
            self._check_values(inputs, present)
        return inputs, present

    def _check_values(self, inputs: dict[str, Tensor], present: dict[str, Tensor | None]) -> None:
        # The largest magnitude is finite only where all are; several times faster than isfinite().all().
        finite = torch.stack([x.detach().abs().amax(dim=(1, 2)).isfinite() for x in inputs.values()], dim=1)
        some = torch.stack([some_present(inputs[m], present[m]) for m in inputs], dim=1)
        finite, some = torch.stack([finite, some]).cpu().numpy()
        checks.check_values(inputs, finite, some, self.where)


def silence(x: Tensor, mask: Tensor | None) -> Tensor:
    """Set masked steps to zero.  x: (batch, time, width);  mask: (batch, time) or None"""
    return x if mask is None else torch.where(mask[..., None], x, 0.0)


def some_present(x: Tensor, mask: Tensor | None) -> Tensor:
    """In which rows is a step present?  x: (batch, time, width);  mask: (batch, time) or None;  returns (batch,)"""
    return x.new_ones(len(x), dtype=torch.bool) if mask is None else mask.any(dim=1)


def mean_of_present(x: Tensor, mask: Tensor | None) -> Tensor:
    """The mean over the steps present, zero where none is.

    x: (batch, time, width), masked steps zero;  mask: (batch, time) or None;  returns (batch, width)
    """
    return x.mean(dim=1) if mask is None else x.sum(dim=1) / mask.sum(dim=1).clamp(min=1)[:, None]
