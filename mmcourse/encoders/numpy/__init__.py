"""Encoders as formulas in NumPy: float64, no cleverness, the referee of the other halves."""

from mmcourse.encoders.numpy.batch_norm import batch_norm
from mmcourse.encoders.numpy.convolution import convolution
from mmcourse.encoders.numpy.pooling import average_pooling, global_average_pooling, global_max_pooling, max_pooling
from mmcourse.encoders.numpy.residual_block import residual_block

__all__ = [
    "average_pooling",
    "batch_norm",
    "convolution",
    "global_average_pooling",
    "global_max_pooling",
    "max_pooling",
    "residual_block",
]
