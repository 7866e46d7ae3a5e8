"""Encoders in PyTorch."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.encoders.torch.attention import SelfAttention  # noqa: E402
from mmcourse.encoders.torch.batch_norm import BatchNorm  # noqa: E402
from mmcourse.encoders.torch.convolution import Convolution  # noqa: E402
from mmcourse.encoders.torch.convolutional import ConvolutionalEncoder  # noqa: E402
from mmcourse.encoders.torch.embedding import Embedding  # noqa: E402
from mmcourse.encoders.torch.gru import GRUEncoder  # noqa: E402
from mmcourse.encoders.torch.layer_norm import LayerNorm  # noqa: E402
from mmcourse.encoders.torch.log_mel import LogMel  # noqa: E402
from mmcourse.encoders.torch.lstm import LSTMEncoder  # noqa: E402
from mmcourse.encoders.torch.patch_embedding import PatchEmbedding  # noqa: E402
from mmcourse.encoders.torch.pooling import (  # noqa: E402
    average_pooling,
    global_average_pooling,
    global_max_pooling,
    max_pooling,
)
from mmcourse.encoders.torch.positions import LearnedPositions  # noqa: E402
from mmcourse.encoders.torch.recurrent import RecurrentEncoder  # noqa: E402
from mmcourse.encoders.torch.residual_block import ResidualBlock  # noqa: E402
from mmcourse.encoders.torch.resnet import ResNet, ResNet18  # noqa: E402
from mmcourse.encoders.torch.rotary import rotary_positions  # noqa: E402
from mmcourse.encoders.torch.transformer import TransformerEncoder  # noqa: E402
from mmcourse.encoders.torch.vision_transformer import VisionTransformer  # noqa: E402
from mmcourse.encoders.torch.words import MeanOfWords, WordTransformer  # noqa: E402

__all__ = [
    "BatchNorm",
    "Convolution",
    "ConvolutionalEncoder",
    "Embedding",
    "GRUEncoder",
    "LSTMEncoder",
    "LayerNorm",
    "LearnedPositions",
    "LogMel",
    "MeanOfWords",
    "PatchEmbedding",
    "RecurrentEncoder",
    "ResNet",
    "ResNet18",
    "ResidualBlock",
    "SelfAttention",
    "TransformerEncoder",
    "VisionTransformer",
    "WordTransformer",
    "average_pooling",
    "global_average_pooling",
    "global_max_pooling",
    "max_pooling",
    "rotary_positions",
]
