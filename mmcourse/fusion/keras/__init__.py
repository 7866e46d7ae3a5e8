"""Fusion in Keras, on its TensorFlow backend: the functions of `mmcourse.fusion.numpy` as layers."""

from mmcourse.fusion.keras.concatenation import ConcatenationFusion
from mmcourse.fusion.keras.gated import GatedFusion
from mmcourse.fusion.keras.weighted_sum import WeightedSumFusion

__all__ = ["ConcatenationFusion", "GatedFusion", "WeightedSumFusion"]
