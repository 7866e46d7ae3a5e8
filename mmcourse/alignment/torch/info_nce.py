"""InfoNCE between two modalities, as CLIP has it."""

from torch import Tensor
from torch.nn import functional

from mmcourse.alignment.torch import processes
from mmcourse.alignment.torch.base import ContrastiveLoss, full_precision, number, prepare

WHERE = "info_nce"


def info_nce(
    image: Tensor, text: Tensor, *, scale: Tensor | float, gathered: bool = False, check_values: bool = True
) -> Tensor:
    """Symmetric InfoNCE:  L = (1/2B) sum_i [ -log p(t_i | x_i) - log p(x_i | t_i) ].

    p(t_j | x_i) = softmax_j(s cos(x_i, t_j)),  p(x_j | t_i) = softmax_j(s cos(x_j, t_i)): each image finds its text
    among the B texts of the batch, each text its image.
    image, text: (batch, width), row i of one belongs to row i of the other
    scale: s = 1 / temperature, at least 0;  gathered, check_values: see ContrastiveLoss;  returns nats, a scalar
    Raises a ModalityError naming what does not fit; a row of zeros has no direction and is refused.
    Source: van den Oord et al. (2018); symmetric: Radford et al. (2021).
    """
    with full_precision(image):
        pair = prepare(image, text, gathered=gathered, check_values=check_values, where=WHERE)
        s, right = number(scale, "scale", check_values, WHERE), pair.right()
        image_to_text, text_to_image = (functional.cross_entropy(s * cosines, right) for cosines in pair.sides())
        loss = (image_to_text + text_to_image) / 2
    return processes.mean(loss) if gathered else loss


class InfoNCE(ContrastiveLoss):
    """Symmetric InfoNCE with a learned scale:  L = (1/2B) sum_i [ -log p(t_i | x_i) - log p(x_i | t_i) ].

    scale, max_scale, gathered, check_values: see ContrastiveLoss.  Source: Radford et al. (2021).
    """

    where = WHERE

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        """image, text: (batch, width);  returns nats, a scalar"""
        return info_nce(image, text, scale=self.scale(), gathered=self.gathered, check_values=self.check_values)
