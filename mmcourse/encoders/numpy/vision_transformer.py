"""The vision Transformer."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.encoders.image_checks import check_picture_size
from mmcourse.encoders.image_positions import fixed_positions, grid_of, interpolation_matrix
from mmcourse.encoders.numpy.image_inputs import prepare
from mmcourse.encoders.numpy.inputs import linear
from mmcourse.encoders.numpy.patch_embedding import patch_embedding
from mmcourse.encoders.numpy.transformer import transformer_encoder
from mmcourse.encoders.windows import Pair, pair

WHERE = "vision transformer"


def vision_transformer(
    images: ArrayLike,
    *,
    patches: Mapping[str, ArrayLike],
    class_token: ArrayLike,
    encoder: Mapping[str, Any],
    positions: ArrayLike | None = None,
    head: Mapping[str, ArrayLike] | None = None,
    heads: int,
    size: Pair,
    interpolate: bool = False,
    epsilon: float = 1e-6,
    return_tokens: bool = False,
) -> NDArray[np.float64]:
    """One vector of each picture: what a Transformer makes of a class token that attends to the picture's patches.

        t_0 = class_token,  t_n = patch embedding;   v = Transformer(t + positions)_0, times the head's kernel + bias

    images: (batch, channels, height, width);  patches: kernel and bias of patch_embedding;  class_token: (dim,)
    positions: (1 + patches, dim), learned; without them image_positions.sine_cosine_positions, 0 for the class token
    encoder: {"layers", "final_norm"} of transformer_encoder;  heads, epsilon: as there; the activation is GELU
    head: {"kernel": (dim, out), "bias": (out,)}
    size: of the pictures for which the positions are, one number or (height, width); with interpolate pictures may
        have another, to which image_positions.interpolation_matrix carries the positions
    returns (batch, dim), with a head (batch, out), with return_tokens (batch, 1 + patches, dim)
    Raises a ModalityError naming what does not fit.
    Source: Dosovitskiy et al. (2021).
    """
    size = pair("size", size, WHERE)
    images = prepare(images, np.shape(patches["kernel"])[1], WHERE)
    if not interpolate:
        check_picture_size(images.shape[2:], size, WHERE)
    embedded = patch_embedding(images, **patches)
    old, new = (grid_of(sides, np.shape(patches["kernel"])[2:]) for sides in (size, images.shape[2:]))
    dim = embedded.shape[2]
    if positions is None:
        positions = fixed_positions(old, dim)
    positions = check_shape(positions, "positions", (1 + old[0] * old[1], dim), WHERE)
    if new != old:
        positions = np.concatenate([positions[:1], interpolation_matrix(old, new) @ positions[1:]])
    first = np.broadcast_to(check_shape(class_token, "class_token", (dim,), WHERE), (len(images), 1, dim))
    tokens = np.concatenate([first, embedded], axis=1) + positions
    tokens = transformer_encoder(tokens, **encoder, heads=heads, activation="gelu", epsilon=epsilon)
    if return_tokens:
        return tokens
    return tokens[:, 0] if head is None else linear(tokens[:, 0], head, "head", WHERE)
