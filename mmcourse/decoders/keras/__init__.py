"""Decoders in Keras, on its TensorFlow backend: the functions of `mmcourse.decoders.numpy` as layers, no cache."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.decoders.keras.cross_entropy import sequence_cross_entropy  # noqa: E402
from mmcourse.decoders.keras.recurrent import RecurrentDecoder  # noqa: E402
from mmcourse.decoders.keras.transformer import TransformerDecoder  # noqa: E402

__all__ = ["RecurrentDecoder", "TransformerDecoder", "sequence_cross_entropy"]
