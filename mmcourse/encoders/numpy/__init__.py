"""Encoders as formulas in NumPy: float64, no cleverness, the referee of the other halves."""

from mmcourse.encoders.numpy.activations import gelu, relu, sigmoid
from mmcourse.encoders.numpy.attention import scaled_dot_product_attention, self_attention
from mmcourse.encoders.numpy.batch_norm import batch_norm
from mmcourse.encoders.numpy.convolution import convolution
from mmcourse.encoders.numpy.embedding import embedding
from mmcourse.encoders.numpy.gru import gru
from mmcourse.encoders.numpy.layer_norm import layer_norm
from mmcourse.encoders.numpy.log_mel import log_mel, log_mel_frames
from mmcourse.encoders.numpy.log_mel_summary import log_mel_summary
from mmcourse.encoders.numpy.lstm import lstm
from mmcourse.encoders.numpy.mel_filters import mel_filters
from mmcourse.encoders.numpy.patch_embedding import cut_patches, patch_embedding
from mmcourse.encoders.numpy.pooling import average_pooling, global_average_pooling, global_max_pooling, max_pooling
from mmcourse.encoders.numpy.positions import learned_positions
from mmcourse.encoders.numpy.recurrent import recurrent
from mmcourse.encoders.numpy.residual_block import residual_block
from mmcourse.encoders.numpy.resnet import resnet, resnet18
from mmcourse.encoders.numpy.rotary import rotary_positions
from mmcourse.encoders.numpy.transformer import transformer_encoder
from mmcourse.encoders.numpy.vision_transformer import vision_transformer

__all__ = [
    "average_pooling",
    "batch_norm",
    "convolution",
    "cut_patches",
    "embedding",
    "gelu",
    "global_average_pooling",
    "global_max_pooling",
    "gru",
    "layer_norm",
    "learned_positions",
    "log_mel",
    "log_mel_frames",
    "log_mel_summary",
    "lstm",
    "max_pooling",
    "mel_filters",
    "patch_embedding",
    "recurrent",
    "relu",
    "residual_block",
    "resnet",
    "resnet18",
    "rotary_positions",
    "scaled_dot_product_attention",
    "self_attention",
    "sigmoid",
    "transformer_encoder",
    "vision_transformer",
]
