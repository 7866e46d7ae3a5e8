"""Contrastive losses in PyTorch: the functions of `mmcourse.alignment.numpy`, and modules with a learned scale.

Several processes, each with a part of the batch: `gathered=True` gives each of them the loss of the whole batch, and
gradients whose mean over the processes, which is what DistributedDataParallel takes, is the gradient of one process
with the whole batch. Each process computes its own rows of the logits against all columns.
"""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.alignment.torch.ctc import ctc_loss  # noqa: E402
from mmcourse.alignment.torch.hard_negatives import hard_negatives, negative_probabilities  # noqa: E402
from mmcourse.alignment.torch.info_nce import InfoNCE, info_nce  # noqa: E402
from mmcourse.alignment.torch.matching import image_text_matching  # noqa: E402
from mmcourse.alignment.torch.multi_positive import MultiPositiveInfoNCE, multi_positive_info_nce  # noqa: E402
from mmcourse.alignment.torch.siglip import SigLIP, siglip  # noqa: E402
from mmcourse.alignment.torch.soft_warping import soft_dtw  # noqa: E402

__all__ = [
    "InfoNCE",
    "MultiPositiveInfoNCE",
    "SigLIP",
    "ctc_loss",
    "hard_negatives",
    "image_text_matching",
    "info_nce",
    "multi_positive_info_nce",
    "negative_probabilities",
    "siglip",
    "soft_dtw",
]
