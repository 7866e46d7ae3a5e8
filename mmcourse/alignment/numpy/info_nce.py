"""InfoNCE between two modalities, as CLIP has it."""

import numpy as np
from numpy.typing import ArrayLike

from mmcourse.alignment.numpy import inputs

WHERE = "info_nce"


def info_nce(image: ArrayLike, text: ArrayLike, *, scale: ArrayLike) -> float:
    """Symmetric InfoNCE:  L = (1/2B) sum_i [ -log p(t_i | x_i) - log p(x_i | t_i) ].

    p(t_j | x_i) = softmax_j(s cos(x_i, t_j)),  p(x_j | t_i) = softmax_j(s cos(x_j, t_i)): each image finds its text
    among the B texts of the batch, each text its image.
    image, text: (batch, width), row i of one belongs to row i of the other
    scale: s = 1 / temperature, at least 0;  returns the loss in nats
    Raises a ModalityError naming what does not fit; a row of zeros has no direction and is refused.
    Source: van den Oord et al. (2018); symmetric: Radford et al. (2021).
    """
    logits = inputs.scale_number(scale, WHERE) * inputs.cosines(image, text, WHERE)
    image_to_text = -np.diag(inputs.log_softmax(logits)).mean()
    text_to_image = -np.diag(inputs.log_softmax(logits.T)).mean()
    return float((image_to_text + text_to_image) / 2)
