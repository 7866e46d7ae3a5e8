"""Decoders as formulas in NumPy: float64, no cleverness, no cache, the referee of the other halves."""

from mmcourse.decoders.numpy.cross_entropy import sequence_cross_entropy
from mmcourse.decoders.numpy.recurrent import recurrent_decoder
from mmcourse.decoders.numpy.transformer import transformer_decoder
from mmcourse.decoders.numpy.visual_tokens import visual_token_decoder

__all__ = ["recurrent_decoder", "sequence_cross_entropy", "transformer_decoder", "visual_token_decoder"]
