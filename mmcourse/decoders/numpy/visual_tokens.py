"""Visual tokens in a causal decoder."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.decoders import checks
from mmcourse.decoders.numpy.transformer import decode, word_logits
from mmcourse.encoders import sequence_checks
from mmcourse.encoders.numpy import embedding, gelu, inputs
from mmcourse.encoders.numpy.inputs import specification

WHERE = "visual token decoder"


def visual_token_decoder(
    ids: ArrayLike,
    patches: ArrayLike,
    *,
    projector: Mapping[str, Any],
    decoder: Mapping[str, Any],
    heads: int,
    mask: ArrayLike | None = None,
    patch_mask: ArrayLike | None = None,
    activation: str = "relu",
    epsilon: float = 1e-5,
) -> NDArray[np.float64]:
    """The logits of each next word of a causal decoder that has read the picture as if it were words:

        x = [projector(patch_1), ..., projector(patch_P), words[id_1], ..., words[id_T]] + positions
        projector(p) = p out + b,   or   gelu(p hidden + b_1) out + b_2

    Causal throughout: a word sees every visual token and the words up to itself; a visual token sees the visual tokens
    up to itself, and no word.
    ids: (batch, time);  patches: (batch, P, patch_dim), features of an encoder
    projector: "out" and perhaps "hidden", kernel and bias each
    decoder: words, positions, layers, final_norm and perhaps head, as transformer_decoder has them
    mask, patch_mask: booleans (batch, time) and (batch, P), True = present
    returns the logits of the words alone, (batch, time, count).  Raises a ModalityError naming what does not fit.
    Source: Liu et al. (2023).
    """
    read, given = np.asarray(ids), np.asarray(patches)
    present = np.ones(read.shape, np.bool_) if mask is None else np.asarray(mask)
    shown = np.ones(given.shape[:2], np.bool_) if patch_mask is None else np.asarray(patch_mask)
    checks.check_memory(specification(given), specification(shown), given.shape[-1], len(read), WHERE)
    both = given.shape[1] + read.shape[1]
    sequence_checks.check_length(both, len(np.asarray(decoder["positions"]["vectors"])), WHERE)
    visual, shown = inputs.prepare(given, shown, None, WHERE)
    if "hidden" in projector:
        visual = gelu(inputs.linear(visual, projector["hidden"], "projector.hidden", WHERE))
    visual = np.where(shown[..., None], inputs.linear(visual, projector["out"], "projector.out", WHERE), 0)
    x = np.concatenate([visual, embedding(read, mask=present, **decoder["words"])], axis=1)
    here = np.concatenate([shown, present], axis=1)
    parts = (decoder["positions"], decoder["layers"], decoder["final_norm"])
    x = decode(x, here, None, None, *parts, heads, activation, epsilon)[:, given.shape[1] :]
    return np.where(present[..., None], word_logits(x, decoder["words"], decoder.get("head")), 0)
