"""Fusion as formulas in NumPy: float64, no cleverness, the referee of the other halves."""

from mmcourse.fusion.numpy.attention_pooling import attention_pooling
from mmcourse.fusion.numpy.concatenation import concatenation
from mmcourse.fusion.numpy.cross_attention import cross_attention
from mmcourse.fusion.numpy.gated import gated_fusion
from mmcourse.fusion.numpy.weighted_sum import weighted_sum

__all__ = ["attention_pooling", "concatenation", "cross_attention", "gated_fusion", "weighted_sum"]
