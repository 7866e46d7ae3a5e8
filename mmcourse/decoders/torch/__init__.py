"""Decoders in PyTorch: the functions of `mmcourse.decoders.numpy` as modules that can also go on word by word."""

from mmcourse.frameworks import load_triton_before_tensorflow

load_triton_before_tensorflow()

from mmcourse.decoders.torch.cache import Cache  # noqa: E402
from mmcourse.decoders.torch.captioner import Captioner, FeatureMap  # noqa: E402
from mmcourse.decoders.torch.cross_entropy import sequence_cross_entropy  # noqa: E402
from mmcourse.decoders.torch.recurrent import RecurrentDecoder, RecurrentState  # noqa: E402
from mmcourse.decoders.torch.step import StepOf  # noqa: E402
from mmcourse.decoders.torch.transformer import TransformerDecoder  # noqa: E402
from mmcourse.decoders.torch.visual_tokens import VisualTokenDecoder  # noqa: E402

__all__ = [
    "Cache",
    "Captioner",
    "FeatureMap",
    "RecurrentDecoder",
    "RecurrentState",
    "StepOf",
    "TransformerDecoder",
    "VisualTokenDecoder",
    "sequence_cross_entropy",
]
