"""Fusion in PyTorch: the functions of `mmcourse.fusion.numpy` as modules."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.fusion.torch.attention_pooling import AttentionPooling  # noqa: E402
from mmcourse.fusion.torch.bottleneck import BottleneckTransformer  # noqa: E402
from mmcourse.fusion.torch.classifier import FusionClassifier  # noqa: E402
from mmcourse.fusion.torch.concatenation import ConcatenationFusion  # noqa: E402
from mmcourse.fusion.torch.cross_attention import CrossAttention  # noqa: E402
from mmcourse.fusion.torch.crossmodal import CrossmodalTransformer  # noqa: E402
from mmcourse.fusion.torch.encoded import EncodedFusion  # noqa: E402
from mmcourse.fusion.torch.gated import GatedFusion  # noqa: E402
from mmcourse.fusion.torch.weighted_sum import WeightedSumFusion  # noqa: E402

__all__ = [
    "AttentionPooling",
    "BottleneckTransformer",
    "ConcatenationFusion",
    "CrossAttention",
    "CrossmodalTransformer",
    "EncodedFusion",
    "FusionClassifier",
    "GatedFusion",
    "WeightedSumFusion",
]
