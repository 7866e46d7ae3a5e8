"""Fusion in PyTorch: the functions of `mmcourse.fusion.numpy` as modules."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.fusion.torch.absence import LearnedAbsence  # noqa: E402
from mmcourse.fusion.torch.attention_pooling import AttentionPooling  # noqa: E402
from mmcourse.fusion.torch.bilinear import BilinearFusion, MultiplicativeFusion  # noqa: E402
from mmcourse.fusion.torch.bottleneck import BottleneckTransformer  # noqa: E402
from mmcourse.fusion.torch.classifier import FusionClassifier  # noqa: E402
from mmcourse.fusion.torch.concatenation import ConcatenationFusion  # noqa: E402
from mmcourse.fusion.torch.cross_attention import CrossAttention  # noqa: E402
from mmcourse.fusion.torch.crossmodal import CrossmodalTransformer  # noqa: E402
from mmcourse.fusion.torch.dropout import ModalityDropout  # noqa: E402
from mmcourse.fusion.torch.early import EarlyFusion  # noqa: E402
from mmcourse.fusion.torch.encoded import EncodedFusion  # noqa: E402
from mmcourse.fusion.torch.film import FiLM  # noqa: E402
from mmcourse.fusion.torch.gated import GatedFusion  # noqa: E402
from mmcourse.fusion.torch.gated_cross_attention import GatedCrossAttention, latest_picture  # noqa: E402
from mmcourse.fusion.torch.gated_multimodal_unit import GatedMultimodalUnit  # noqa: E402
from mmcourse.fusion.torch.hybrid import HybridFusion  # noqa: E402
from mmcourse.fusion.torch.late import LateFusion  # noqa: E402
from mmcourse.fusion.torch.low_rank import LowRankFusion  # noqa: E402
from mmcourse.fusion.torch.perceiver_resampler import PerceiverResampler  # noqa: E402
from mmcourse.fusion.torch.q_former import QFormer  # noqa: E402
from mmcourse.fusion.torch.tensor import TensorFusion  # noqa: E402
from mmcourse.fusion.torch.weighted_sum import WeightedSumFusion  # noqa: E402

__all__ = [
    "AttentionPooling",
    "BilinearFusion",
    "BottleneckTransformer",
    "ConcatenationFusion",
    "CrossAttention",
    "CrossmodalTransformer",
    "EarlyFusion",
    "EncodedFusion",
    "FiLM",
    "FusionClassifier",
    "GatedCrossAttention",
    "GatedFusion",
    "GatedMultimodalUnit",
    "HybridFusion",
    "LateFusion",
    "LearnedAbsence",
    "LowRankFusion",
    "ModalityDropout",
    "MultiplicativeFusion",
    "PerceiverResampler",
    "QFormer",
    "TensorFusion",
    "WeightedSumFusion",
    "latest_picture",
]
