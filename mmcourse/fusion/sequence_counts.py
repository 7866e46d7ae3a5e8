"""What the crossmodal and the bottleneck Transformer cost, by formula, for one example. Free of any framework.

Counted are trained parameters and the multiply-adds of kernels and of attention, as in `attention_counts`, which counts
the others of the family and the bytes that are kept.
"""

from collections.abc import Mapping, Sequence

from mmcourse.encoders.counts import Count, count_linear, total
from mmcourse.fusion.attention_counts import (
    Cost,
    count_cross_attention,
    count_feed_forward,
    count_joined,
    count_norm,
    count_transformer_layer,
)


def count_crossmodal_transformer(
    lengths: Mapping[str, int],
    dims: Mapping[str, int],
    *,
    dim: int,
    heads: int,
    layers: int,
    memory_layers: int = 1,
    hidden_size: int | None = None,
    out_dim: int,
) -> Count:
    """A CrossmodalTransformer: for each ordered pair, layers in which length_m queries ask length_n keys.

    The memories attend over length_m steps of width (M - 1) dim: they bring in the square of every length.
    """
    hidden, others = 4 * dim if hidden_size is None else hidden_size, len(lengths) - 1
    parts = [count_linear(dims[m], dim, rows=n) for m, n in lengths.items()]
    for m, own in lengths.items():
        for n, other in lengths.items():
            if m == n:
                continue
            layer = [count_cross_attention(own, other, dim, heads=heads), count_feed_forward(own, dim, hidden)]
            layer += [count_norm(own, dim)] * 2 + [count_norm(other, dim)]
            parts += _counts([*layer * layers, count_norm(own, dim)])
        wide = others * dim
        parts += _counts([count_joined([own], wide, layers=memory_layers, heads=heads, hidden_size=others * hidden)])
    return total([*parts, count_linear(len(lengths) * others * dim, out_dim)])


def count_bottleneck_transformer(
    lengths: Mapping[str, int],
    dims: Mapping[str, int],
    *,
    dim: int,
    heads: int,
    layers: int,
    fusion_from: int = 0,
    tokens: int = 4,
    hidden_size: int | None = None,
    out_dim: int,
) -> Count:
    """A BottleneckTransformer: each modality attends over length_m steps, and over the tokens from `fusion_from` on."""
    hidden = 4 * dim if hidden_size is None else hidden_size
    parts = [Count(tokens * dim, 0)]
    for m, own in lengths.items():
        parts.append(count_linear(dims[m], dim, rows=own))
        for index in range(layers):
            seen = own + (tokens if index >= fusion_from else 0)
            parts += _counts([count_transformer_layer(seen, dim, hidden, heads=heads)])
        parts += [*_counts([count_norm(own, dim)]), count_linear(dim, out_dim)]
    return total(parts)


def _counts(costs: Sequence[Cost]) -> list[Count]:
    """The costs without their bytes."""
    return [Count(cost.parameters, cost.multiply_adds) for cost in costs]
