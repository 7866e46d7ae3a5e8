"""A decoder as the step function that a search asks."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmcourse.decoders.torch.recurrent import RecurrentDecoder
from mmcourse.decoders.torch.transformer import TransformerDecoder
from mmcourse.decoders.torch.visual_tokens import VisualTokenDecoder

State = Any  # a Cache or a RecurrentState


class StepOf:
    """step(words, state) -> (log-probabilities of the next word, state), as `mmcourse.decoders.decoding` wants it.

    words: (rows,) whole numbers in NumPy;  log-probabilities: (rows, count), float64
    No gradient is kept.
    """

    def __init__(self, decoder: RecurrentDecoder | TransformerDecoder | VisualTokenDecoder) -> None:
        self.decoder = decoder
        self.device = next(decoder.parameters()).device

    def __call__(self, words: NDArray[np.int64], state: State) -> tuple[NDArray[np.float64], State]:
        ids = torch.as_tensor(words, dtype=torch.int64, device=self.device)[:, None]
        with torch.no_grad():
            logits, state = self.decoder.extend(ids, state)
        return logits[:, 0].double().log_softmax(dim=-1).cpu().numpy(), state
