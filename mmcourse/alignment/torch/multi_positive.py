"""InfoNCE where several answers are right."""

import torch
from torch import Tensor

from mmcourse.alignment import checks
from mmcourse.alignment.torch import processes
from mmcourse.alignment.torch.base import ContrastiveLoss, full_precision, number, prepare, same_group

WHERE = "multi_positive_info_nce"


def multi_positive_info_nce(
    image: Tensor,
    text: Tensor,
    groups: Tensor,
    *,
    scale: Tensor | float,
    positives: str = "any",
    gathered: bool = False,
    check_values: bool = True,
) -> Tensor:
    """InfoNCE in which the rows of one group are each other's right answers, P(i) = {j: group_j = group_i}.

    "any":  -log sum_{j in P(i)} p_ij, it is enough to find one of them (Miech et al., 2020)
    "all":  -(1/|P(i)|) sum_{j in P(i)} log p_ij, all are to be found alike (Khosla et al., 2020, L_out)
    Mean over rows and over both directions, p as in info_nce; it is info_nce where every group is one row.
    image, text: (batch, width);  groups: (batch,) whole numbers;  scale: 1 / temperature, at least 0
    gathered, check_values: see ContrastiveLoss;  returns nats, a scalar
    Raises a ModalityError naming what does not fit, ValueError for another word.
    """
    checks.check_positives(positives, WHERE)
    with full_precision(image):
        pair = prepare(image, text, groups=groups, gathered=gathered, check_values=check_values, where=WHERE)
        s, right = number(scale, "scale", check_values, WHERE), same_group(groups, gathered)
        image_to_text, text_to_image = (_side(s * cosines, right, positives) for cosines in pair.sides())
        loss = (image_to_text + text_to_image) / 2
    return processes.mean(loss) if gathered else loss


def _side(logits: Tensor, right: Tensor, positives: str) -> Tensor:
    """logits: (rows, batch);  right: (rows, batch) bool"""
    log_p = logits.log_softmax(dim=1)
    if positives == "any":
        return -log_p.masked_fill(~right, -torch.inf).logsumexp(dim=1).mean()
    return -(log_p.masked_fill(~right, 0.0).sum(dim=1) / right.sum(dim=1)).mean()


class MultiPositiveInfoNCE(ContrastiveLoss):
    """InfoNCE with joint right answers and a learned scale; "any" one of them, or "all": see multi_positive_info_nce.

    scale, max_scale, gathered, check_values: see ContrastiveLoss.
    Source: Miech et al. (2020), "any"; Khosla et al. (2020), "all".
    """

    where = WHERE

    def __init__(
        self,
        *,
        positives: str = "any",
        scale: float = checks.SCALE,
        max_scale: float | None = checks.MAX_SCALE,
        gathered: bool = False,
        check_values: bool = True,
    ) -> None:
        super().__init__(scale=scale, max_scale=max_scale, gathered=gathered, check_values=check_values)
        checks.check_positives(positives, WHERE)
        self.positives = positives

    def forward(self, image: Tensor, text: Tensor, groups: Tensor) -> Tensor:
        """image, text: (batch, width);  groups: (batch,) whole numbers;  returns nats, a scalar"""
        return multi_positive_info_nce(
            image,
            text,
            groups,
            scale=self.scale(),
            positives=self.positives,
            gathered=self.gathered,
            check_values=self.check_values,
        )
