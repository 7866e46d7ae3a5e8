"""For each picture a caption that could be mistaken for its own, and for each caption a picture."""

import torch
from torch import Tensor

from mmcourse.alignment import checks
from mmcourse.alignment.torch.base import full_precision, number, prepare, same_group, spec

WHERE = "hard_negatives"


@torch.no_grad()
def negative_probabilities(
    image: Tensor, text: Tensor, *, scale: Tensor | float, groups: Tensor | None = None, check_values: bool = True
) -> tuple[Tensor, Tensor]:
    """With what probability each text is drawn against each picture, and each picture against each text.

        q(t_j | x_i) = exp(s cos(x_i, t_j)) / sum over k outside P(i) of exp(s cos(x_i, t_k)),   0 for j in P(i)

    P(i): the rows of the group of row i, itself without groups; q(x_j | t_i) likewise. It is the softmax of InfoNCE
    without the right answers: the likelier a wrong text is taken for the right one, the more often it is drawn.
    image, text: (batch, width);  scale: s, at least 0, and 0 draws evenly;  groups: (batch,) whole numbers
    check_values: see ContrastiveLoss; without it a row that has no negative becomes NaN
    returns texts against pictures and pictures against texts, (batch, batch) each, whose rows sum to 1; no gradient
    Raises a ModalityError naming what does not fit, and the rows that have no negative.
    Source: Li et al. (2021); rows of one group left out as false negatives.
    """
    with full_precision(image):
        pair = prepare(image, text, groups=groups, gathered=False, check_values=check_values, where=WHERE)
        logits = number(scale, "scale", check_values, WHERE) * pair.cosines()
        right = same_group(pair.right() if groups is None else groups, gathered=False)
        if check_values:
            checks.check_negatives(~right.all(dim=1).cpu().numpy(), WHERE)
        texts, pictures = (side.masked_fill(right, -torch.inf).softmax(dim=1) for side in (logits, logits.T))
    return texts, pictures


@torch.no_grad()
def hard_negatives(
    image: Tensor,
    text: Tensor,
    *,
    scale: Tensor | float,
    uniform: Tensor,
    groups: Tensor | None = None,
    check_values: bool = True,
) -> tuple[Tensor, Tensor]:
    """Draw for each picture a text, for each text a picture, by `negative_probabilities`.

    uniform: (2, batch) numbers from [0, 1), a row for the texts and a row for the pictures: drawn is the first j with
        q(1) + ... + q(j) > u, which comes with probability q(j)
    image, text, scale, groups, check_values: see `negative_probabilities`; unchecked, a row without a negative draws 0
    returns the rows of the texts, and the rows of the pictures: (batch,) each
    Raises a ModalityError naming what does not fit, and the rows that have no negative.
    Source: Li et al. (2021).
    """
    texts, pictures = negative_probabilities(image, text, scale=scale, groups=groups, check_values=check_values)
    checks.check_uniform(spec(uniform, "uniform", WHERE), len(texts), WHERE)
    if check_values:
        checks.check_uniform_values(bool(((uniform >= 0) & (uniform < 1)).all()), WHERE)
    return _draw(texts, uniform[0]), _draw(pictures, uniform[1])


def _draw(probabilities: Tensor, u: Tensor) -> Tensor:
    passed = (probabilities.cumsum(dim=1) <= u[:, None]).sum(dim=1)
    # Rounding may leave the last sum below u: then it is the last that can be drawn.
    places = torch.arange(probabilities.shape[1], device=u.device)
    return torch.minimum(passed, torch.where(probabilities > 0, places, 0).amax(dim=1))
