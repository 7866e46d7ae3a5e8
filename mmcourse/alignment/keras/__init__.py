"""Contrastive losses in Keras, on its TensorFlow backend: the functions of `mmcourse.alignment.numpy`, and layers."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.alignment.keras.hard_negatives import hard_negatives, negative_probabilities  # noqa: E402
from mmcourse.alignment.keras.info_nce import InfoNCE, info_nce  # noqa: E402
from mmcourse.alignment.keras.matching import image_text_matching  # noqa: E402
from mmcourse.alignment.keras.multi_positive import MultiPositiveInfoNCE, multi_positive_info_nce  # noqa: E402
from mmcourse.alignment.keras.siglip import SigLIP, siglip  # noqa: E402

__all__ = [
    "InfoNCE",
    "MultiPositiveInfoNCE",
    "SigLIP",
    "hard_negatives",
    "image_text_matching",
    "info_nce",
    "multi_positive_info_nce",
    "negative_probabilities",
    "siglip",
]
