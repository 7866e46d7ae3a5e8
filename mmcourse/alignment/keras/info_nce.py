"""InfoNCE between two modalities, as CLIP has it."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from mmcourse.alignment.keras.base import ContrastiveLoss, cosines, dtype_name, number

WHERE = "info_nce"


def info_nce(image: Any, text: Any, *, scale: Any, check_values: bool = True) -> Any:
    """Symmetric InfoNCE:  L = (1/2B) sum_i [ -log p(t_i | x_i) - log p(x_i | t_i) ].

    p(t_j | x_i) = softmax_j(s cos(x_i, t_j)),  p(x_j | t_i) = softmax_j(s cos(x_j, t_i)): each image finds its text
    among the B texts of the batch, each text its image.
    image, text: (batch, width), row i of one belongs to row i of the other
    scale: s = 1 / temperature, at least 0;  check_values: see ContrastiveLoss;  returns nats, a scalar
    Raises a ModalityError naming what does not fit; a row of zeros has no direction and is refused.
    Source: van den Oord et al. (2018); symmetric: Radford et al. (2021).
    """
    cosine, _ = cosines(image, text, check_values=check_values, where=WHERE)
    logits = number(scale, "scale", dtype_name(cosine), check_values, WHERE) * cosine
    return (_side(logits) + _side(ops.transpose(logits))) / 2


def _side(logits: Any) -> Any:
    # TensorFlow's own: the one of keras.ops warns where there is a single row.
    return -ops.mean(tf.linalg.diag_part(tf.nn.log_softmax(logits, axis=1)))


@keras.saving.register_keras_serializable(package="mmcourse")
class InfoNCE(ContrastiveLoss):
    """Symmetric InfoNCE with a learned scale:  L = (1/2B) sum_i [ -log p(t_i | x_i) - log p(x_i | t_i) ].

    scale, max_scale, check_values: see ContrastiveLoss.  Source: Radford et al. (2021).
    """

    where = WHERE

    def call(self, image: Any, text: Any) -> Any:
        """image, text: (batch, width);  returns nats, a scalar"""
        return info_nce(image, text, scale=self.scale(), check_values=self.check_values)
