"""What ways to let sequences attend to each other cost, by formula, for one example. Free of any framework.

Counted are trained parameters, the multiply-adds of kernels and of attention, and the bytes that are kept between the
forward and the backward pass: what a layer reads again for its gradients, each number once, in single precision. A
fused kernel keeps one number a query and head; plain attention keeps its softmax, one number a query, key and head.
Not counted: masks, and what goes number by number (norms, activations), of which only the bytes are.
"""

from collections.abc import Sequence
from typing import NamedTuple

from mmcourse.encoders.counts import count_linear

BYTES = 4


class Cost(NamedTuple):
    """Trained parameters; multiply-adds of a forward pass; bytes kept for the backward pass."""

    parameters: int
    multiply_adds: int
    activation_bytes: int


def total(costs: Sequence[Cost]) -> Cost:
    """The sum of several."""
    return Cost(*map(sum, zip(*costs, strict=True)))


def count_cross_attention(
    queries: int, keys: int, dim: int, *, key_dim: int | None = None, heads: int, fused: bool = True
) -> Cost:
    """Two kernels for the queries, two for the keys, then every query with every key twice: scores and mixing.

        multiply-adds  2 queries dim^2 + 2 keys key_dim dim + 2 queries keys dim

    queries, keys: how many;  key_dim: the width of a key, dim if not given;  the number of heads changes only the bytes
    """
    key_dim = dim if key_dim is None else key_dim
    kernels = [count_linear(dim, dim, rows=queries)] * 2 + [count_linear(key_dim, dim, rows=keys)] * 2
    read = queries * dim + keys * key_dim  # the inputs of the projections
    inner = 2 * queries * dim + 2 * keys * dim  # queries, what comes out for them, keys, values
    softmax = heads * queries * (1 if fused else keys)
    return Cost(
        sum(kernel.parameters for kernel in kernels),
        sum(kernel.multiply_adds for kernel in kernels) + 2 * queries * keys * dim,
        BYTES * (read + inner + softmax),
    )


def count_self_attention(tokens: int, dim: int, *, heads: int, fused: bool = True) -> Cost:
    """Cross-attention of a sequence with itself:  multiply-adds  4 tokens dim^2 + 2 tokens^2 dim."""
    return without_bytes(count_cross_attention(tokens, tokens, dim, heads=heads, fused=fused), tokens * dim)


def count_feed_forward(tokens: int, dim: int, hidden_size: int) -> Cost:
    """Two kernels and their biases; kept are the input, and the hidden numbers before and after a gelu."""
    hidden, out = count_linear(dim, hidden_size, rows=tokens), count_linear(hidden_size, dim, rows=tokens)
    kept = tokens * (dim + 2 * hidden_size)
    return Cost(hidden.parameters + out.parameters, hidden.multiply_adds + out.multiply_adds, BYTES * kept)


def count_norm(tokens: int, dim: int) -> Cost:
    """A scale and a bias; kept are the input, and a mean and a deviation for each token."""
    return Cost(2 * dim, 0, BYTES * tokens * (dim + 2))


def count_transformer_layer(tokens: int, dim: int, hidden_size: int, *, heads: int, fused: bool = True) -> Cost:
    """Self-attention and feed-forward, a norm before each."""
    attention = count_self_attention(tokens, dim, heads=heads, fused=fused)
    return total([attention, count_feed_forward(tokens, dim, hidden_size), *[count_norm(tokens, dim)] * 2])


def count_joined(
    lengths: Sequence[int], dim: int, *, layers: int, heads: int, hidden_size: int | None = None, fused: bool = True
) -> Cost:
    """A Transformer over all sequences one after another: its tokens are the sum of the lengths."""
    tokens, hidden_size = sum(lengths), 4 * dim if hidden_size is None else hidden_size
    layer = count_transformer_layer(tokens, dim, hidden_size, heads=heads, fused=fused)
    return total([*[layer] * layers, count_norm(tokens, dim)])


def count_perceiver_resampler(
    time: int, dim: int, *, latents: int, layers: int, heads: int, hidden_size: int | None = None, fused: bool = True
) -> Cost:
    """A PerceiverResampler: in each layer the latents attend to time + latents keys."""
    hidden_size = 4 * dim if hidden_size is None else hidden_size
    attention = count_cross_attention(latents, time + latents, dim, heads=heads, fused=fused)
    # The sequence is kept once, whatever the number of layers that read it.
    norms = [count_norm(latents, dim)] * 2 + [without_bytes(count_norm(time, dim), time * dim)]
    layer = total([attention, *norms, count_feed_forward(latents, dim, hidden_size)])
    own = Cost(latents * dim, 0, BYTES * (time * dim - latents * dim))  # the first norm reads the parameter itself
    return total([own, *[layer] * layers, count_norm(latents, dim)])


def count_gated_cross_attention(
    text: int,
    keys: int,
    dim: int,
    *,
    key_dim: int | None = None,
    heads: int,
    hidden_size: int | None = None,
    fused: bool = True,
) -> Cost:
    """A GatedCrossAttention: text tokens attend to `keys` vectors of pictures; two gates, two norms, a feed-forward."""
    hidden_size = 4 * dim if hidden_size is None else hidden_size
    attention = count_cross_attention(text, keys, dim, key_dim=key_dim, heads=heads, fused=fused)
    gates = Cost(2, 0, BYTES * (2 * text * dim + 2))  # what is multiplied by a gate, and the gates
    return total([attention, count_feed_forward(text, dim, hidden_size), *[count_norm(text, dim)] * 2, gates])


def count_q_former(
    keys: int,
    text: int,
    dim: int,
    *,
    key_dim: int | None = None,
    queries: int,
    layers: int,
    heads: int,
    hidden_size: int | None = None,
    every: int = 2,
    fused: bool = True,
) -> Cost:
    """A QFormer: self-attention over queries + text, cross-attention of the queries to `keys` in every second layer."""
    hidden_size = 4 * dim if hidden_size is None else hidden_size
    both = queries + text
    each = [count_self_attention(both, dim, heads=heads, fused=fused), count_norm(both, dim)]
    each += [count_feed_forward(n, dim, hidden_size) for n in (queries, text)]
    each += [count_norm(n, dim) for n in (queries, text)]
    reading = [count_cross_attention(queries, keys, dim, key_dim=key_dim, heads=heads, fused=fused)]
    reading += [count_norm(queries, dim)]
    count, kept = len(range(0, layers, every)), keys * (dim if key_dim is None else key_dim)
    whole = total([Cost(queries * dim, 0, 0), count_norm(both, dim), *each * layers, *reading * count])
    return without_bytes(whole, (count - 1) * kept)  # the picture is kept once, whatever the number of layers that read


def count_visual_tokens(
    pictures: int,
    text: int,
    dim: int,
    *,
    picture_dim: int,
    layers: int,
    heads: int,
    hidden_size: int | None = None,
    fused: bool = True,
) -> Cost:
    """A projector (picture_dim, dim), and a causal Transformer over visual tokens and text, as LLaVA has it.

    A causal mask hides half of the pairs; counted is the whole square, which a kernel without that knowledge computes.
    Source: Liu et al. (2023).
    """
    projector = count_linear(picture_dim, dim, rows=pictures)
    own = Cost(*projector, BYTES * pictures * picture_dim)
    decoder = count_joined([pictures, text], dim, layers=layers, heads=heads, hidden_size=hidden_size, fused=fused)
    return total([own, decoder])


def crossing_length(dim: int, *, hidden_size: int = 0) -> int:
    """The length at which a layer of self-attention spends as much on pairs of tokens as on the tokens.

        2 n^2 dim = n (4 dim^2 + 2 dim hidden_size)   at   n = 2 dim + hidden_size

    hidden_size: of the feed-forward, 0 for attention alone. Below that length the cost grows nearly as the length,
    far above it as its square.
    """
    return 2 * dim + hidden_size


def without_bytes(cost: Cost, numbers: int) -> Cost:
    """The cost where some numbers are kept by another layer already."""
    return cost._replace(activation_bytes=cost.activation_bytes - BYTES * numbers)
