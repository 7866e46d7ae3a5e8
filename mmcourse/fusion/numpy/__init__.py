"""Fusion as formulas in NumPy: float64, no cleverness, the referee of the other halves."""

from mmcourse.fusion.numpy.attention_pooling import attention_pooling
from mmcourse.fusion.numpy.bilinear import bilinear_fusion, multiplicative_fusion
from mmcourse.fusion.numpy.concatenation import concatenation
from mmcourse.fusion.numpy.cross_attention import cross_attention
from mmcourse.fusion.numpy.dropout import modality_dropout
from mmcourse.fusion.numpy.early import early_fusion
from mmcourse.fusion.numpy.film import film
from mmcourse.fusion.numpy.gated import gated_fusion
from mmcourse.fusion.numpy.gated_multimodal_unit import gated_multimodal_unit
from mmcourse.fusion.numpy.hybrid import hybrid_fusion
from mmcourse.fusion.numpy.late import late_fusion
from mmcourse.fusion.numpy.low_rank import expand_factors, low_rank_fusion
from mmcourse.fusion.numpy.tensor import outer_product, tensor_fusion
from mmcourse.fusion.numpy.weighted_sum import weighted_sum

__all__ = [
    "attention_pooling",
    "bilinear_fusion",
    "concatenation",
    "cross_attention",
    "early_fusion",
    "expand_factors",
    "film",
    "gated_fusion",
    "gated_multimodal_unit",
    "hybrid_fusion",
    "late_fusion",
    "low_rank_fusion",
    "modality_dropout",
    "multiplicative_fusion",
    "outer_product",
    "tensor_fusion",
    "weighted_sum",
]
