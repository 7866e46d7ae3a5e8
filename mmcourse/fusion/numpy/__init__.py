"""Fusion as formulas in NumPy: float64, no cleverness, the referee of the other halves."""

from mmcourse.fusion.numpy.concatenation import concatenation
from mmcourse.fusion.numpy.early import early_fusion
from mmcourse.fusion.numpy.gated import gated_fusion
from mmcourse.fusion.numpy.hybrid import hybrid_fusion
from mmcourse.fusion.numpy.late import late_fusion
from mmcourse.fusion.numpy.weighted_sum import weighted_sum

__all__ = ["concatenation", "early_fusion", "gated_fusion", "hybrid_fusion", "late_fusion", "weighted_sum"]
