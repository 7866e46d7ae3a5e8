"""Encoders in PyTorch."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.encoders.torch.attention import SelfAttention  # noqa: E402
from mmcourse.encoders.torch.convolutional import ConvolutionalEncoder  # noqa: E402
from mmcourse.encoders.torch.embedding import Embedding  # noqa: E402
from mmcourse.encoders.torch.gru import GRUEncoder  # noqa: E402
from mmcourse.encoders.torch.layer_norm import LayerNorm  # noqa: E402
from mmcourse.encoders.torch.log_mel import LogMel  # noqa: E402
from mmcourse.encoders.torch.lstm import LSTMEncoder  # noqa: E402
from mmcourse.encoders.torch.positions import LearnedPositions  # noqa: E402
from mmcourse.encoders.torch.recurrent import RecurrentEncoder  # noqa: E402
from mmcourse.encoders.torch.rotary import rotary_positions  # noqa: E402
from mmcourse.encoders.torch.transformer import TransformerEncoder  # noqa: E402
from mmcourse.encoders.torch.words import MeanOfWords, WordTransformer  # noqa: E402

__all__ = [
    "ConvolutionalEncoder",
    "Embedding",
    "GRUEncoder",
    "LSTMEncoder",
    "LayerNorm",
    "LearnedPositions",
    "LogMel",
    "MeanOfWords",
    "RecurrentEncoder",
    "SelfAttention",
    "TransformerEncoder",
    "WordTransformer",
    "rotary_positions",
]
