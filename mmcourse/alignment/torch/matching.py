"""Does this picture belong to this caption?"""

import torch
from torch import Tensor
from torch.nn import functional

from mmcourse.alignment import checks
from mmcourse.alignment.torch.base import full_precision, spec

WHERE = "image_text_matching"


def image_text_matching(logits: Tensor, labels: Tensor, *, check_values: bool = True) -> Tensor:
    """Cross-entropy of "belongs" and "does not belong", mean over the pairs:  L = -(1/N) sum_i log p_i(y_i).

    logits: (pairs,), one number a pair:  p_i(true) = sigmoid(logit_i);  or (pairs, 2), the columns "does not" and
        "does":  p_i = softmax(logits_i), which is the sigmoid of their difference
    labels: (pairs,) booleans, True where picture and caption belong together
    check_values: also refuse NaN and infinity, see ContrastiveLoss;  returns nats, a scalar
    Raises a ModalityError naming what does not fit.
    Source: the matching head of Li et al. (2021), with two columns.
    """
    checks.check_matching(spec(logits, "logits", WHERE), spec(labels, "labels", WHERE), WHERE)
    with full_precision(logits):
        z = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
        if check_values:
            checks.check_logits(z.detach().reshape(len(z), -1).isfinite().all(dim=1).cpu().numpy(), WHERE)
        z = z if z.ndim == 1 else z[:, 1] - z[:, 0]
        return functional.binary_cross_entropy_with_logits(z, labels.to(z.dtype))
