"""Connectionist temporal classification by PyTorch's own kernel."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mmcourse.alignment import ctc_checks as checks
from mmcourse.alignment.torch.base import full_precision, spec

WHERE = "ctc_loss"


def ctc_loss(
    logits: Tensor,
    targets: Tensor,
    *,
    mask: Tensor | None = None,
    target_mask: Tensor | None = None,
    input_lengths: Tensor | None = None,
    target_lengths: Tensor | None = None,
    blank: int = 0,
    check_values: bool = True,
) -> Tensor:
    """Minus the logarithm of the probability of each transcript, in nats: (batch,), neither averaged nor divided.

    The function of mmcourse.alignment.numpy.ctc_loss, same arguments, same errors; PyTorch's own returns infinity where
    a transcript has no room, and with zero_infinity nothing at all.
    logits: (batch, time, classes);  targets: (batch, labels);  masks bool, or lengths as counts (batch,)
    check_values: also refuse NaN and infinity in frames that are present, for which a GPU is waited for
    Half precision becomes single.  Keras has its own as keras.ops.ctc_loss; there is no second half here.
    Source: Graves et al. (2006).
    """
    shape = checks.check_logits(spec(logits, "logits", WHERE), WHERE)
    found = checks.transcripts(
        shape, targets.detach().cpu().numpy(), mask=_array(mask), target_mask=_array(target_mask),
        input_lengths=_array(input_lengths), target_lengths=_array(target_lengths), blank=blank, where=WHERE,
    )  # fmt: skip
    frames = torch.as_tensor(found.frames, device=logits.device)
    present = torch.arange(shape[1], device=logits.device) < frames[:, None]
    with full_precision(logits):
        x = logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits
        x = torch.where(present[..., None], x, 0.0)
        if check_values:
            checks.check_finite(x.detach().abs().amax(dim=(1, 2)).isfinite().cpu().numpy(), WHERE)
        labels = torch.as_tensor(found.targets, device=logits.device)
        log_probs = x.log_softmax(dim=2).transpose(0, 1)  # (time, batch, classes), as PyTorch wants it
        lengths = torch.as_tensor(found.lengths, device=logits.device)
        return functional.ctc_loss(log_probs, labels, frames, lengths, blank=blank, reduction="none")


def _array(x: Tensor | None) -> NDArray[Any] | None:
    return None if x is None else x.detach().cpu().numpy()
