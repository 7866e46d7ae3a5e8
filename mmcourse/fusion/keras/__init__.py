"""Fusion in Keras, on its TensorFlow backend: the functions of `mmcourse.fusion.numpy` as layers."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.fusion.keras.attention_pooling import AttentionPooling  # noqa: E402
from mmcourse.fusion.keras.concatenation import ConcatenationFusion  # noqa: E402
from mmcourse.fusion.keras.cross_attention import CrossAttention  # noqa: E402
from mmcourse.fusion.keras.gated import GatedFusion  # noqa: E402
from mmcourse.fusion.keras.weighted_sum import WeightedSumFusion  # noqa: E402

__all__ = [
    "AttentionPooling",
    "ConcatenationFusion",
    "CrossAttention",
    "GatedFusion",
    "WeightedSumFusion",
]
