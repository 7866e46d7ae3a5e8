"""Each pair judged alone, by a sigmoid."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmcourse.alignment import checks
from mmcourse.alignment.torch import processes
from mmcourse.alignment.torch.base import ContrastiveLoss, full_precision, number, prepare, same_group

WHERE = "siglip"


def siglip(
    image: Tensor,
    text: Tensor,
    *,
    scale: Tensor | float,
    bias: Tensor | float,
    groups: Tensor | None = None,
    gathered: bool = False,
    check_values: bool = True,
) -> Tensor:
    """Pairwise sigmoid loss:  L = -(1/B) sum_ij log sigmoid(z_ij (s cos(x_i, t_j) + b)).

    z_ij = 1 where row i and row j belong together (j = i, or of one group), else -1
    image, text: (batch, width);  scale: s, at least 0;  bias: b;  groups: (batch,) whole numbers
    gathered, check_values: see ContrastiveLoss;  returns nats a row, a scalar
    Raises a ModalityError naming what does not fit.  Source: Zhai et al. (2023).
    """
    with full_precision(image):
        pair = prepare(image, text, groups=groups, gathered=gathered, check_values=check_values, where=WHERE)
        s, b = number(scale, "scale", check_values, WHERE), number(bias, "bias", check_values, WHERE)
        logits = s * pair.cosines() + b
        if groups is None:
            right = functional.one_hot(pair.right(), logits.shape[1]).bool()
        else:
            right = same_group(groups, gathered)
        loss = -functional.logsigmoid(torch.where(right, logits, -logits)).sum() / len(logits)
    return processes.mean(loss) if gathered else loss


class SigLIP(ContrastiveLoss):
    """Pairwise sigmoid loss with a learned scale, "log_scale", and a learned "bias".

    scale, bias: to begin with;  max_scale: none, as in the source, where trained scales pass 100
    gathered, check_values: see ContrastiveLoss.  Source: Zhai et al. (2023).
    """

    where = WHERE

    def __init__(
        self,
        *,
        scale: float = checks.SIGLIP_SCALE,
        bias: float = checks.SIGLIP_BIAS,
        max_scale: float | None = None,
        gathered: bool = False,
        check_values: bool = True,
    ) -> None:
        super().__init__(scale=scale, max_scale=max_scale, gathered=gathered, check_values=check_values)
        checks.check_bias(bias, WHERE)
        self.bias = nn.Parameter(torch.tensor(float(bias)))

    def forward(self, image: Tensor, text: Tensor, groups: Tensor | None = None) -> Tensor:
        """image, text: (batch, width);  groups: (batch,) whole numbers;  returns nats a row, a scalar"""
        return siglip(
            image,
            text,
            scale=self.scale(),
            bias=self.bias,
            groups=groups,
            gathered=self.gathered,
            check_values=self.check_values,
        )
