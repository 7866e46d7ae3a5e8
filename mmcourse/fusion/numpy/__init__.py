"""Fusion as formulas in NumPy: float64, no cleverness, the referee of the other halves."""

from mmcourse.fusion.numpy.concatenation import concatenation
from mmcourse.fusion.numpy.film import film
from mmcourse.fusion.numpy.gated import gated_fusion
from mmcourse.fusion.numpy.gated_multimodal_unit import gated_multimodal_unit
from mmcourse.fusion.numpy.weighted_sum import weighted_sum

__all__ = ["concatenation", "film", "gated_fusion", "gated_multimodal_unit", "weighted_sum"]
