"""Cross-entropy of a sequence of words."""

import torch
from torch import Tensor
from torch.nn import functional

from mmcourse.checks import Spec
from mmcourse.decoders import checks
from mmcourse.errors import DtypeError, MaskError

WHERE = "sequence cross-entropy"
IGNORED = -100


def sequence_cross_entropy(logits: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
    """The mean over all words that are present of what the right one costs, in nats:

        -(1 / N) sum_{b,t present} log softmax(logits_bt)[target_bt]

    logits: (batch, time, count);  targets: (batch, time) whole numbers from 0 to count - 1
    mask: (batch, time) bool, True = present; a masked target may be any number, and its logits anything
    A long caption counts more than a short one. The work is PyTorch's cross_entropy with its ignore_index.
    Raises a ModalityError naming what does not fit; a target of no word is PyTorch's IndexError.
    """
    given = _spec("logits", logits), _spec("targets", targets), None if mask is None else _spec("mask", mask)
    checks.check_targets(*given, WHERE)
    if mask is not None:
        if not mask.any():
            raise MaskError("mask", got="no word present", wanted="at least one", where=WHERE)
        # Before the softmax: NaN times the zero gradient of an ignored word would be NaN.
        logits = torch.where(mask[..., None], logits, 0.0)
        targets = torch.where(mask, targets, IGNORED)
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten().long(), ignore_index=IGNORED)


def _spec(name: str, x: Tensor) -> Spec:
    if not isinstance(x, Tensor):
        raise DtypeError(name, got=type(x).__name__, wanted="a torch.Tensor", where=WHERE)
    return Spec(tuple(x.shape), str(x.dtype).removeprefix("torch."))
