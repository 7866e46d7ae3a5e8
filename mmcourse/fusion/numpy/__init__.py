"""Fusion as formulas in NumPy: float64, no cleverness, the referee of the other halves."""

from mmcourse.fusion.numpy.concatenation import concatenation
from mmcourse.fusion.numpy.dropout import modality_dropout
from mmcourse.fusion.numpy.gated import gated_fusion
from mmcourse.fusion.numpy.weighted_sum import weighted_sum

__all__ = ["concatenation", "gated_fusion", "modality_dropout", "weighted_sum"]
