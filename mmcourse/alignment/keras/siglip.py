"""Each pair judged alone, by a sigmoid."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.alignment import checks
from mmcourse.alignment.keras.base import ContrastiveLoss, cosines, dtype_name, number, same_group

WHERE = "siglip"


def siglip(image: Any, text: Any, *, scale: Any, bias: Any, groups: Any = None, check_values: bool = True) -> Any:
    """Pairwise sigmoid loss:  L = -(1/B) sum_ij log sigmoid(z_ij (s cos(x_i, t_j) + b)).

    z_ij = 1 where row i and row j belong together (j = i, or of one group), else -1
    image, text: (batch, width);  scale: s, at least 0;  bias: b;  groups: (batch,) whole numbers
    check_values: see ContrastiveLoss;  returns nats a row, a scalar
    Raises a ModalityError naming what does not fit.  Source: Zhai et al. (2023).
    """
    cosine, groups = cosines(image, text, groups=groups, check_values=check_values, where=WHERE)
    dtype = dtype_name(cosine)
    s, b = (number(x, name, dtype, check_values, WHERE) for x, name in ((scale, "scale"), (bias, "bias")))
    logits, right = s * cosine + b, same_group(groups)
    # Rows are summed and their mean taken: the batch size may be known only when a graph runs.
    return -ops.mean(ops.sum(tf.math.log_sigmoid(ops.where(right, logits, -logits)), axis=1))


@keras.saving.register_keras_serializable(package="mmcourse")
class SigLIP(ContrastiveLoss):
    """Pairwise sigmoid loss with a learned scale, "log_scale", and a learned "bias".

    scale, bias: to begin with;  max_scale: none, as in the source, where trained scales pass 100
    check_values: see ContrastiveLoss.  Source: Zhai et al. (2023).
    """

    where = WHERE

    def __init__(
        self,
        *,
        scale: float = checks.SIGLIP_SCALE,
        bias: float = checks.SIGLIP_BIAS,
        max_scale: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(scale=scale, max_scale=max_scale, **options)
        checks.check_bias(bias, WHERE)
        self.initial_bias = bias
        self.bias = self.add_weight(name="bias", shape=(), initializer=keras.initializers.Constant(bias))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bias": self.initial_bias}

    def call(self, image: Any, text: Any, groups: Any = None) -> Any:
        """image, text: (batch, width);  groups: (batch,) whole numbers;  returns nats a row, a scalar"""
        return siglip(image, text, scale=self.scale(), bias=self.bias, groups=groups, check_values=self.check_values)
