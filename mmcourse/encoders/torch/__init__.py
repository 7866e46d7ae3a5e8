"""Encoders in PyTorch."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.encoders.torch.convolutional import ConvolutionalEncoder  # noqa: E402
from mmcourse.encoders.torch.words import MeanOfWords, WordTransformer  # noqa: E402

__all__ = ["ConvolutionalEncoder", "MeanOfWords", "WordTransformer"]
