"""Does this picture belong to this caption?"""

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.alignment import checks
from mmcourse.checks import Spec

WHERE = "image_text_matching"


def image_text_matching(logits: ArrayLike, labels: ArrayLike) -> float:
    """Cross-entropy of "belongs" and "does not belong", mean over the pairs:  L = -(1/N) sum_i log p_i(y_i).

    logits: (pairs,), one number a pair:  p_i(true) = sigmoid(logit_i);  or (pairs, 2), the columns "does not" and
        "does":  p_i = softmax(logits_i), which is the sigmoid of their difference
    labels: (pairs,) booleans, True where picture and caption belong together;  returns nats
    Raises a ModalityError naming what does not fit.
    Source: the matching head of Li et al. (2021), with two columns.
    """
    z, y = np.asarray(logits), np.asarray(labels)
    checks.check_matching(Spec(z.shape, z.dtype.name), Spec(y.shape, y.dtype.name), WHERE)
    z = z.astype(np.float64)
    checks.check_logits(np.isfinite(z.reshape(len(z), -1)).all(axis=1), WHERE)
    z = z if z.ndim == 1 else z[:, 1] - z[:, 0]
    return float(np.mean(np.logaddexp(0, np.where(y, -z, z))))  # -log sigmoid(z) = log(1 + exp(-z))
