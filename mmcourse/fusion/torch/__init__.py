"""Fusion in PyTorch: the functions of `mmcourse.fusion.numpy` as modules."""

from mmcourse.fusion.torch.classifier import FusionClassifier
from mmcourse.fusion.torch.concatenation import ConcatenationFusion
from mmcourse.fusion.torch.gated import GatedFusion
from mmcourse.fusion.torch.weighted_sum import WeightedSumFusion

__all__ = ["ConcatenationFusion", "FusionClassifier", "GatedFusion", "WeightedSumFusion"]
