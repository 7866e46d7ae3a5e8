"""Transformer encoder."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.encoders import sequence_checks as checks
from mmcourse.encoders.numpy import inputs
from mmcourse.encoders.numpy.activations import gelu, relu
from mmcourse.encoders.numpy.attention import allowed_keys, multi_head
from mmcourse.encoders.numpy.inputs import Array
from mmcourse.encoders.numpy.layer_norm import layer_norm

WHERE = "transformer encoder"
MEMBERS = {
    "attention": ("query", "key", "value", "out"),
    "attention_norm": ("scale", "bias"),
    "feed_forward": ("hidden", "out"),
    "feed_forward_norm": ("scale", "bias"),
}


def transformer_encoder(
    sequence: ArrayLike,
    *,
    layers: Mapping[str, Mapping[str, Any]],
    heads: int,
    final_norm: Mapping[str, ArrayLike] | None = None,
    mask: ArrayLike | None = None,
    causal: bool = False,
    rotary: bool = False,
    norm_first: bool = True,
    activation: str = "relu",
    epsilon: float = 1e-5,
) -> NDArray[np.float64]:
    """Pass a sequence through layers of self-attention and of a network that sees each step alone.

        norm_first:  x <- x + attention(norm(x)),   x <- x + feed_forward(norm(x))
        else:        x <- norm(x + attention(x)),   x <- norm(x + feed_forward(x))
        feed_forward(x) = activation(x hidden + b_1) out + b_2

    sequence: (batch, time, dim)
    layers: {"0": layer, "1": layer, ...}, each with "attention" (its four parts as in self_attention), "attention_norm"
        and "feed_forward_norm" (scale and bias), and "feed_forward" with two parts of kernel and bias each, "hidden"
        with its kernel (dim, hidden) and "out" with its kernel (hidden, dim)
    final_norm: scale and bias (dim,) of a norm after the last layer, if there is one
    mask: (batch, time) booleans, True = present; a masked step is seen by none, and its output is zero
    heads, causal, rotary: see self_attention;  activation: "relu" or "gelu";  epsilon: of every norm
    returns (batch, time, dim).  Raises a ModalityError naming the input or parameter that does not fit.
    Source: Vaswani et al. (2017); normalising first: Xiong et al. (2020).
    """
    x, present = inputs.prepare(sequence, mask, None, WHERE)
    checks.check_heads(x.shape[2], heads, rotary, WHERE)
    checks.check_activation(activation, WHERE)
    checks.check_members(layers, map(str, range(max(1, len(layers)))), "layers", WHERE)
    allowed = allowed_keys(present, causal)
    for index in map(str, range(len(layers))):
        x = _layer(x, allowed, layers[index], f"layers.{index}.", heads, rotary, norm_first, activation, epsilon)
    if final_norm is not None:
        x = _norm(x, final_norm, "final_norm", epsilon)
    return np.where(present[..., None], x, 0)


def _layer(
    x: Array,
    allowed: NDArray[np.bool_],
    layer: Mapping[str, Mapping[str, Any]],
    path: str,
    heads: int,
    rotary: bool,
    norm_first: bool,
    activation: str,
    epsilon: float,
) -> Array:
    checks.check_members(layer, MEMBERS, path.rstrip("."), WHERE)
    for group in ("attention", "feed_forward"):
        checks.check_members(layer[group], MEMBERS[group], path + group, WHERE)

    def attention(x: Array) -> Array:
        named = f"{path}attention."
        return multi_head(x, allowed, layer["attention"], heads=heads, rotary=rotary, where=WHERE, path=named)[0]

    def feed_forward(x: Array) -> Array:
        hidden = inputs.linear(x, layer["feed_forward"]["hidden"], f"{path}feed_forward.hidden", WHERE)
        active = relu(hidden) if activation == "relu" else gelu(hidden)
        return inputs.linear(active, layer["feed_forward"]["out"], f"{path}feed_forward.out", WHERE, x.shape[2])

    for name, function in (("attention", attention), ("feed_forward", feed_forward)):
        norm = f"{name}_norm"
        if norm_first:
            x = x + function(_norm(x, layer[norm], path + norm, epsilon))
        else:
            x = _norm(x + function(x), layer[norm], path + norm, epsilon)
    return x


def _norm(x: Array, parameters: Mapping[str, ArrayLike], path: str, epsilon: float) -> Array:
    checks.check_members(parameters, ("scale", "bias"), path, WHERE)
    shaped = {name: check_shape(parameters[name], f"{path}.{name}", x.shape[2:], WHERE) for name in parameters}
    return layer_norm(x, **shaped, epsilon=epsilon)
