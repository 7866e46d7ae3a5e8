"""For each picture a caption that could be mistaken for its own, and for each caption a picture."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.alignment import checks
from mmcourse.alignment.numpy import inputs
from mmcourse.alignment.numpy.inputs import Floats
from mmcourse.checks import Spec

WHERE = "hard_negatives"


def negative_probabilities(
    image: ArrayLike, text: ArrayLike, *, scale: ArrayLike, groups: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """With what probability each text is drawn against each picture, and each picture against each text.

        q(t_j | x_i) = exp(s cos(x_i, t_j)) / sum over k outside P(i) of exp(s cos(x_i, t_k)),   0 for j in P(i)

    P(i): the rows of the group of row i, itself without groups; q(x_j | t_i) likewise. It is the softmax of InfoNCE
    without the right answers: the likelier a wrong text is taken for the right one, the more often it is drawn.
    image, text: (batch, width);  scale: s, at least 0, and 0 draws evenly;  groups: (batch,) whole numbers
    returns texts against pictures and pictures against texts, (batch, batch) each, whose rows sum to 1
    Raises a ModalityError naming what does not fit, and the rows that have no negative.
    Source: Li et al. (2021); rows of one group left out as false negatives.
    """
    logits = inputs.scale_number(scale, WHERE) * inputs.cosines(image, text, WHERE)
    right = inputs.same_group(np.arange(len(logits)) if groups is None else groups, len(logits), WHERE)
    checks.check_negatives(~np.all(right, axis=1), WHERE)
    return _softmax(logits, right), _softmax(logits.T, right)


def hard_negatives(
    image: ArrayLike, text: ArrayLike, *, scale: ArrayLike, uniform: ArrayLike, groups: ArrayLike | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw for each picture a text, for each text a picture, by `negative_probabilities`.

    uniform: (2, batch) numbers from [0, 1), a row for the texts and a row for the pictures: drawn is the first j with
        q(1) + ... + q(j) > u, which comes with probability q(j)
    image, text, scale, groups: see `negative_probabilities`
    returns the rows of the texts, and the rows of the pictures: (batch,) each
    Raises a ModalityError naming what does not fit, and the rows that have no negative.
    Source: Li et al. (2021).
    """
    texts, pictures = negative_probabilities(image, text, scale=scale, groups=groups)
    u = np.asarray(uniform)
    checks.check_uniform(Spec(u.shape, u.dtype.name), len(texts), WHERE)
    checks.check_uniform_values(bool(((u >= 0) & (u < 1)).all()), WHERE)
    return _draw(texts, u[0]), _draw(pictures, u[1])


def _softmax(logits: Floats, right: NDArray[np.bool_]) -> Floats:
    logits = np.where(right, -np.inf, logits)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _draw(probabilities: Floats, u: Floats) -> NDArray[np.int64]:
    passed = (probabilities.cumsum(axis=1) <= u[:, None]).sum(axis=1)
    # Rounding may leave the last sum below u: then it is the last that can be drawn.
    possible = probabilities > 0
    last = possible.shape[1] - 1 - possible[:, ::-1].argmax(axis=1)
    return np.minimum(passed, last)
