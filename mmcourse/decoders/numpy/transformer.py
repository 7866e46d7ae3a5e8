"""Transformer decoder."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmcourse.checks import check_shape
from mmcourse.decoders import checks
from mmcourse.encoders import sequence_checks
from mmcourse.encoders.numpy import embedding, gelu, inputs, layer_norm, relu, scaled_dot_product_attention
from mmcourse.encoders.numpy.inputs import Array, specification
from mmcourse.fusion.numpy.cross_attention import cut, join

WHERE = "transformer decoder"
NORM = ("scale", "bias")
SELF = {
    "attention": ("query", "key", "value", "out"),
    "attention_norm": NORM,
    "feed_forward": ("hidden", "out"),
    "feed_forward_norm": NORM,
}
CROSS = SELF | {"cross_attention": SELF["attention"], "cross_attention_norm": NORM}
Parameters = Mapping[str, Any]


def transformer_decoder(
    ids: ArrayLike,
    memory: ArrayLike | None = None,
    *,
    words: Mapping[str, ArrayLike],
    positions: Mapping[str, ArrayLike],
    layers: Mapping[str, Parameters],
    final_norm: Mapping[str, ArrayLike],
    heads: int,
    head: Mapping[str, ArrayLike] | None = None,
    mask: ArrayLike | None = None,
    memory_mask: ArrayLike | None = None,
    activation: str = "relu",
    epsilon: float = 1e-5,
) -> NDArray[np.float64]:
    """The logits of each next word, by layers of causal self-attention, cross-attention and feed-forward:

        x_t = words[id_t] + positions[p_t],                    p_t: how many words are present before t
        x <- x + softmax(Q K^T / sqrt(d) + M) V,               Q, K, V from norm(x);  M_ts = 0 for s <= t, else -inf
        x <- x + softmax(Q K^T / sqrt(d)) V,                   Q from norm(x), K and V from memory
        x <- x + feed_forward(norm(x)),                        logits = norm(x) head + b,  or  norm(x) words^T

    ids: (batch, time), the words before: logits_t speaks of word t + 1
    memory: (batch, steps, memory_dim); without it no layer has cross-attention: a plain causal language model
    words: {"vectors": (count, dim)};  positions: {"vectors": (length, dim)}
    layers: {"0": layer, ...}, each with "attention", "feed_forward" and their norms as in transformer_encoder, and with
        memory "cross_attention", whose key and value have kernels (memory_dim, dim), and "cross_attention_norm"
    head: kernel (dim, count) and bias; None ties it to the word vectors
    mask, memory_mask: booleans (batch, time) and (batch, steps), True = present; what is masked is seen by none, a
        masked word takes no position, and its logits are zero
    returns (batch, time, count).  Raises a ModalityError naming what does not fit.
    Source: Vaswani et al. (2017); without memory: Radford et al. (2018); normalising first: Xiong et al. (2020).
    """
    read = np.asarray(ids)
    present = np.ones(read.shape, np.bool_) if mask is None else np.asarray(mask)
    checks.check_words(specification(read), specification(present), len(np.asarray(positions["vectors"])), WHERE)
    x = embedding(read, mask=present, **words)
    x = decode(
        x, present, memory, memory_mask, positions, layers, final_norm, heads, activation, epsilon
    )  # (batch, time, dim)
    return np.where(present[..., None], word_logits(x, words, head), 0)


def word_logits(x: Array, words: Mapping[str, ArrayLike], head: Mapping[str, ArrayLike] | None) -> Array:
    """x head + b, or x words^T where the head is tied."""
    if head is not None:
        return inputs.linear(x, head, "head", WHERE, len(np.asarray(words["vectors"])))
    return x @ np.asarray(words["vectors"], np.float64).T


def decode(
    x: Array,
    present: NDArray[np.bool_],
    memory: ArrayLike | None,
    memory_mask: ArrayLike | None,
    positions: Mapping[str, ArrayLike],
    layers: Mapping[str, Parameters],
    final_norm: Mapping[str, ArrayLike],
    heads: int,
    activation: str,
    epsilon: float,
) -> Array:
    """All layers on vectors (batch, time, dim), masked ones zero."""
    batch, time, dim = x.shape
    sequence_checks.check_heads(dim, heads, False, WHERE)
    sequence_checks.check_activation(activation, WHERE)
    sequence_checks.check_members(layers, map(str, range(max(1, len(layers)))), "layers", WHERE)
    earlier: NDArray[np.int64] = np.cumsum(present, axis=1) - present  # how many stand before
    vectors = check_shape(
        positions["vectors"], "positions.vectors", (len(np.asarray(positions["vectors"])), dim), WHERE
    )
    x = x + vectors[earlier]
    seen = (present[:, None, :] & np.tri(time, dtype=np.bool_)) | np.eye(time, dtype=np.bool_)
    if memory is not None:
        given = np.asarray(memory)
        steps = np.ones(given.shape[:2], np.bool_) if memory_mask is None else np.asarray(memory_mask)
        wanted = (
            np.shape(layers["0"]["cross_attention"]["key"]["kernel"])[0] if "cross_attention" in layers["0"] else None
        )
        checks.check_memory(specification(given), specification(steps), wanted, batch, WHERE)
        memory, steps = inputs.prepare(given, steps, None, WHERE)
    for index in range(len(layers)):
        layer, path = layers[str(index)], f"layers.{index}."
        sequence_checks.check_members(layer, SELF if memory is None else CROSS, path.rstrip("."), WHERE)
        normed = _norm(x, layer["attention_norm"], f"{path}attention_norm", epsilon)
        x = x + attend(normed, normed, seen, layer["attention"], heads, f"{path}attention")
        if memory is not None:
            normed = _norm(x, layer["cross_attention_norm"], f"{path}cross_attention_norm", epsilon)
            x = x + attend(normed, memory, steps[:, None], layer["cross_attention"], heads, f"{path}cross_attention")
        normed = _norm(x, layer["feed_forward_norm"], f"{path}feed_forward_norm", epsilon)
        hidden = inputs.linear(normed, layer["feed_forward"]["hidden"], f"{path}feed_forward.hidden", WHERE)
        active = relu(hidden) if activation == "relu" else gelu(hidden)
        x = x + inputs.linear(active, layer["feed_forward"]["out"], f"{path}feed_forward.out", WHERE, dim)
    return _norm(x, final_norm, "final_norm", epsilon)


def attend(
    asking: Array, answering: Array, seen: NDArray[np.bool_], parameters: Parameters, heads: int, path: str
) -> Array:
    """softmax(Q K^T / sqrt(d)) V in several heads, Q from asking (batch, n, dim), K and V from answering (batch, m, .).

    seen: (batch, n or 1, m), True where a query may see a key
    """
    sequence_checks.check_members(parameters, SELF["attention"], path, WHERE)
    dim = asking.shape[2]
    asked = {"query": asking, "key": answering, "value": answering}
    projected = {name: inputs.linear(x, parameters[name], f"{path}.{name}", WHERE, dim) for name, x in asked.items()}
    mixed, _ = scaled_dot_product_attention(*(cut(x, heads) for x in projected.values()), allowed=seen[:, None])
    return inputs.linear(join(mixed), parameters["out"], f"{path}.out", WHERE, dim)


def _norm(x: Array, parameters: Mapping[str, ArrayLike], path: str, epsilon: float) -> Array:
    sequence_checks.check_members(parameters, NORM, path, WHERE)
    shaped = {name: check_shape(parameters[name], f"{path}.{name}", x.shape[2:], WHERE) for name in parameters}
    return layer_norm(x, **shaped, epsilon=epsilon)
