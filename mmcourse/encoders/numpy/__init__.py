"""Encoders as formulas in NumPy: float64, no cleverness, the referee of the other halves."""

from mmcourse.encoders.numpy.activations import gelu, relu, sigmoid
from mmcourse.encoders.numpy.attention import scaled_dot_product_attention, self_attention
from mmcourse.encoders.numpy.embedding import embedding
from mmcourse.encoders.numpy.gru import gru
from mmcourse.encoders.numpy.layer_norm import layer_norm
from mmcourse.encoders.numpy.log_mel import log_mel, log_mel_frames
from mmcourse.encoders.numpy.lstm import lstm
from mmcourse.encoders.numpy.mel_filters import mel_filters
from mmcourse.encoders.numpy.positions import learned_positions
from mmcourse.encoders.numpy.recurrent import recurrent
from mmcourse.encoders.numpy.rotary import rotary_positions
from mmcourse.encoders.numpy.transformer import transformer_encoder

__all__ = [
    "embedding",
    "gelu",
    "gru",
    "layer_norm",
    "learned_positions",
    "log_mel",
    "log_mel_frames",
    "lstm",
    "mel_filters",
    "recurrent",
    "relu",
    "rotary_positions",
    "scaled_dot_product_attention",
    "self_attention",
    "sigmoid",
    "transformer_encoder",
]
