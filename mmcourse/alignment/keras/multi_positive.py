"""InfoNCE where several answers are right."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.alignment import checks
from mmcourse.alignment.keras.base import ContrastiveLoss, cosines, dtype_name, number, same_group

WHERE = "multi_positive_info_nce"


def multi_positive_info_nce(
    image: Any, text: Any, groups: Any, *, scale: Any, positives: str = "any", check_values: bool = True
) -> Any:
    """InfoNCE in which the rows of one group are each other's right answers, P(i) = {j: group_j = group_i}.

    "any":  -log sum_{j in P(i)} p_ij, it is enough to find one of them (Miech et al., 2020)
    "all":  -(1/|P(i)|) sum_{j in P(i)} log p_ij, all are to be found alike (Khosla et al., 2020, L_out)
    Mean over rows and over both directions, p as in info_nce; it is info_nce where every group is one row.
    image, text: (batch, width);  groups: (batch,) whole numbers;  scale: 1 / temperature, at least 0
    check_values: see ContrastiveLoss;  returns nats, a scalar
    Raises a ModalityError naming what does not fit, ValueError for another word.
    """
    checks.check_positives(positives, WHERE)
    cosine, groups = cosines(image, text, groups=groups, check_values=check_values, where=WHERE)
    right = same_group(groups)
    logits = number(scale, "scale", dtype_name(cosine), check_values, WHERE) * cosine
    return (_side(logits, right, positives) + _side(ops.transpose(logits), right, positives)) / 2


def _side(logits: Any, right: Any, positives: str) -> Any:
    """logits: (batch, batch);  right: (batch, batch) bool"""
    # TensorFlow's own: the one of keras.ops warns where there is a single row.
    log_p = tf.nn.log_softmax(logits, axis=1)
    if positives == "any":
        return -ops.mean(ops.logsumexp(ops.where(right, log_p, -float("inf")), axis=1))
    count = ops.sum(ops.cast(right, dtype_name(log_p)), axis=1)
    return -ops.mean(ops.sum(ops.where(right, log_p, 0.0), axis=1) / count)


@keras.saving.register_keras_serializable(package="mmcourse")
class MultiPositiveInfoNCE(ContrastiveLoss):
    """InfoNCE with joint right answers and a learned scale; "any" one of them, or "all": see multi_positive_info_nce.

    scale, max_scale, check_values: see ContrastiveLoss.
    Source: Miech et al. (2020), "any"; Khosla et al. (2020), "all".
    """

    where = WHERE

    def __init__(self, *, positives: str = "any", **options: Any) -> None:
        super().__init__(**options)
        checks.check_positives(positives, WHERE)
        self.positives = positives

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "positives": self.positives}

    def call(self, image: Any, text: Any, groups: Any) -> Any:
        """image, text: (batch, width);  groups: (batch,) whole numbers;  returns nats, a scalar"""
        return multi_positive_info_nce(
            image, text, groups, scale=self.scale(), positives=self.positives, check_values=self.check_values
        )
