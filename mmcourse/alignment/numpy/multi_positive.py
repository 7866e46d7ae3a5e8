"""InfoNCE where several answers are right."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.alignment import checks
from mmcourse.alignment.numpy import inputs

WHERE = "multi_positive_info_nce"


def multi_positive_info_nce(
    image: ArrayLike, text: ArrayLike, groups: ArrayLike, *, scale: ArrayLike, positives: str = "any"
) -> float:
    """InfoNCE in which the rows of one group are each other's right answers, P(i) = {j: group_j = group_i}.

    "any":  -log sum_{j in P(i)} p_ij, it is enough to find one of them (Miech et al., 2020)
    "all":  -(1/|P(i)|) sum_{j in P(i)} log p_ij, all are to be found alike (Khosla et al., 2020, L_out)
    Mean over rows and over both directions, p as in info_nce; it is info_nce where every group is one row.
    image, text: (batch, width);  groups: (batch,) whole numbers;  scale: 1 / temperature;  returns nats
    Raises a ModalityError naming what does not fit, ValueError for another word.
    """
    checks.check_positives(positives, WHERE)
    logits = inputs.scale_number(scale, WHERE) * inputs.cosines(image, text, WHERE)
    right = inputs.same_group(groups, len(logits), WHERE)
    sides = [inputs.log_softmax(logits), inputs.log_softmax(logits.T)]
    return float(np.mean([_side(log_p, right, positives) for log_p in sides]))


def _side(log_p: inputs.Floats, right: NDArray[np.bool_], positives: str) -> float:
    if positives == "all":
        return -np.mean(np.where(right, log_p, 0).sum(axis=1) / right.sum(axis=1))
    largest = np.where(right, log_p, -np.inf).max(axis=1, keepdims=True)
    total = np.where(right, np.exp(log_p - largest), 0).sum(axis=1)
    return -np.mean(largest[:, 0] + np.log(total))
