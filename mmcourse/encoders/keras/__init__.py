"""Encoders in Keras, on its TensorFlow backend: the functions of `mmcourse.encoders.numpy` as layers."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.encoders.keras.batch_norm import BatchNorm  # noqa: E402
from mmcourse.encoders.keras.convolution import Convolution  # noqa: E402
from mmcourse.encoders.keras.pooling import (  # noqa: E402
    average_pooling,
    global_average_pooling,
    global_max_pooling,
    max_pooling,
)
from mmcourse.encoders.keras.residual_block import ResidualBlock  # noqa: E402

__all__ = [
    "BatchNorm",
    "Convolution",
    "ResidualBlock",
    "average_pooling",
    "global_average_pooling",
    "global_max_pooling",
    "max_pooling",
]
