"""Fusion in Keras, on its TensorFlow backend: the functions of `mmcourse.fusion.numpy` as layers."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.fusion.keras.attention_pooling import AttentionPooling  # noqa: E402
from mmcourse.fusion.keras.bilinear import BilinearFusion, MultiplicativeFusion  # noqa: E402
from mmcourse.fusion.keras.concatenation import ConcatenationFusion  # noqa: E402
from mmcourse.fusion.keras.cross_attention import CrossAttention  # noqa: E402
from mmcourse.fusion.keras.dropout import ModalityDropout  # noqa: E402
from mmcourse.fusion.keras.early import EarlyFusion  # noqa: E402
from mmcourse.fusion.keras.film import FiLM  # noqa: E402
from mmcourse.fusion.keras.gated import GatedFusion  # noqa: E402
from mmcourse.fusion.keras.gated_multimodal_unit import GatedMultimodalUnit  # noqa: E402
from mmcourse.fusion.keras.hybrid import HybridFusion  # noqa: E402
from mmcourse.fusion.keras.late import LateFusion  # noqa: E402
from mmcourse.fusion.keras.low_rank import LowRankFusion  # noqa: E402
from mmcourse.fusion.keras.tensor import TensorFusion  # noqa: E402
from mmcourse.fusion.keras.weighted_sum import WeightedSumFusion  # noqa: E402

__all__ = [
    "AttentionPooling",
    "BilinearFusion",
    "ConcatenationFusion",
    "CrossAttention",
    "EarlyFusion",
    "FiLM",
    "GatedFusion",
    "GatedMultimodalUnit",
    "HybridFusion",
    "LateFusion",
    "LowRankFusion",
    "ModalityDropout",
    "MultiplicativeFusion",
    "TensorFusion",
    "WeightedSumFusion",
]
