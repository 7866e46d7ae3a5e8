"""Each pair judged alone, by a sigmoid."""

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.alignment.numpy import inputs

WHERE = "siglip"


def siglip(
    image: ArrayLike, text: ArrayLike, *, scale: ArrayLike, bias: ArrayLike, groups: ArrayLike | None = None
) -> float:
    """Pairwise sigmoid loss:  L = -(1/B) sum_ij log sigmoid(z_ij (s cos(x_i, t_j) + b)).

    z_ij = 1 where row i and row j belong together (j = i, or of one group), else -1
    image, text: (batch, width);  scale: s;  bias: b;  groups: (batch,) whole numbers;  returns nats a row
    Raises a ModalityError naming what does not fit.  Source: Zhai et al. (2023).
    """
    cosines = inputs.cosines(image, text, WHERE)
    logits = inputs.scale_number(scale, WHERE) * cosines + inputs.bias_number(bias, WHERE)
    right = inputs.same_group(np.arange(len(logits)) if groups is None else groups, len(logits), WHERE)
    z = np.where(right, 1, -1)
    return float(np.logaddexp(0, -z * logits).sum() / len(logits))  # -log sigmoid(u) = log(1 + exp(-u))
