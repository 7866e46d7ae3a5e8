"""Encoders in Keras, on its TensorFlow backend: the functions of `mmcourse.encoders.numpy` as layers."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.encoders.keras.attention import SelfAttention  # noqa: E402
from mmcourse.encoders.keras.batch_norm import BatchNorm  # noqa: E402
from mmcourse.encoders.keras.convolution import Convolution  # noqa: E402
from mmcourse.encoders.keras.embedding import Embedding  # noqa: E402
from mmcourse.encoders.keras.gru import GRUEncoder  # noqa: E402
from mmcourse.encoders.keras.layer_norm import LayerNorm  # noqa: E402
from mmcourse.encoders.keras.log_mel import LogMel  # noqa: E402
from mmcourse.encoders.keras.lstm import LSTMEncoder  # noqa: E402
from mmcourse.encoders.keras.patch_embedding import PatchEmbedding  # noqa: E402
from mmcourse.encoders.keras.pooling import (  # noqa: E402
    average_pooling,
    global_average_pooling,
    global_max_pooling,
    max_pooling,
)
from mmcourse.encoders.keras.positions import LearnedPositions  # noqa: E402
from mmcourse.encoders.keras.recurrent import RecurrentEncoder  # noqa: E402
from mmcourse.encoders.keras.residual_block import ResidualBlock  # noqa: E402
from mmcourse.encoders.keras.resnet import ResNet, ResNet18  # noqa: E402
from mmcourse.encoders.keras.rotary import rotary_positions  # noqa: E402
from mmcourse.encoders.keras.transformer import TransformerEncoder  # noqa: E402
from mmcourse.encoders.keras.vision_transformer import VisionTransformer  # noqa: E402

__all__ = [
    "BatchNorm",
    "Convolution",
    "Embedding",
    "GRUEncoder",
    "LSTMEncoder",
    "LayerNorm",
    "LearnedPositions",
    "LogMel",
    "PatchEmbedding",
    "RecurrentEncoder",
    "ResNet",
    "ResNet18",
    "ResidualBlock",
    "SelfAttention",
    "TransformerEncoder",
    "VisionTransformer",
    "average_pooling",
    "global_average_pooling",
    "global_max_pooling",
    "max_pooling",
    "rotary_positions",
]
