"""The laws of the exercises on image encoders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from mmcourse.encoders.numpy import convolution
from mmcourse.encoders.receptive_field import receptive_field
from mmcourse.encoders.windows import Window
from mmcourse.exercises.laws import (
    Answer,
    Array,
    Law,
    Rejected,
    as_array,
    as_number,
    as_pair,
    close,
    compare,
    diagnose,
    exercise,
)

# ----------------------------------------------------------------------------------------------------- convolution


@exercise("concepts")
def convolve(answer: Answer, rng: Generator) -> Iterator[Law]:
    """A convolution layer for one picture, held to the package's."""
    channels, out, k = 3, 2, int(rng.choice([2, 3]))
    x = rng.normal(size=(channels, int(rng.integers(5, 8)), int(rng.integers(8, 11)))) + 1
    kernels, bias = rng.normal(size=(out, channels, k, k)), rng.normal(size=out) + 2

    def right(bias: Array, **options: Any) -> Array:
        return convolution(x[None], kernels, bias, **options)[0]

    nothing = np.zeros(out)
    wanted = right(nothing)
    got = _maps(answer(x, kernels, nothing, 1, 0), wanted, x, k, 1, 0)
    yield Law(
        "each number is the sum of window times kernel, over all channels",
        close(got, wanted),
        diagnose(
            got,
            {
                "You turn the kernel, by half a turn, as the convolution of mathematics does. The formula here does "
                "not: u and v count up in both factors.": convolution(x[None], kernels[..., ::-1, ::-1])[0],
                "Rows and columns of the kernel are exchanged.": convolution(x[None], kernels.swapaxes(2, 3))[0],
                "You use the first channel only. Every kernel has a table for each channel, and all are added up.":
                convolution(x[None, :1], kernels[:, :1])[0],
                "You take a mean over the window. The formula is a sum.": (
                    wanted / k**2, wanted / (channels * k**2), wanted / channels
                ),
                "You use the first kernel for all output channels.": np.repeat(wanted[:1], out, axis=0),
            },
            "Compute the number at the upper left by hand: x[:, :k, :k] times kernels[0], summed.",
        ),
        compare(got[0, 0, :3], wanted[0, 0, :3]),
    )  # fmt: skip
    got, wanted = _maps(answer(x, kernels, bias, 1, 0), wanted, x, k, 1, 0), right(bias)
    yield Law(
        "each output channel has its bias, once",
        close(got, wanted),
        diagnose(
            got,
            {
                "The bias is missing.": right(nothing),
                "The bias is inside the sum, and is added for every number of the window. It comes once.": tuple(
                    right(times * bias) for times in (channels, k**2, channels * k**2)
                ),
                "The sign of the bias is turned.": right(-bias),
                "All output channels get the first bias.": right(np.full(out, bias[0])),
            },
            "bias[o] is one number; it is added to the whole map of channel o.",
        ),
        compare(got[:, 0, 0], wanted[:, 0, 0]),
    )
    stride, padding = int(rng.integers(2, 4)), 1
    for s, p, states in (
        (1, padding, "outside the picture stand zeros"),
        (stride, 0, "the window moves by the stride"),
        (stride, padding, "the window moves by the stride over the padded picture"),
    ):
        wanted = right(bias, stride=s, padding=p)
        got = _maps(answer(x, kernels, bias, s, p), wanted, x, k, s, p)
        width = ((0, 0), (p, p), (p, p))
        edge, mirror = (
            convolution(np.pad(x, width, mode=mode)[None], kernels, bias, stride=s)[0] for mode in ("edge", "reflect")
        )
        corner = right(bias, padding=p)[:, : wanted.shape[1], : wanted.shape[2]]
        yield Law(
            states,
            close(got, wanted),
            diagnose(
                got,
                {
                    "You repeat the pixels of the border. Here zeros stand outside.": edge,
                    "You mirror the picture at its border. Here zeros stand outside.": mirror,
                    "The size is right, the windows still move by one pixel: place i begins at stride times i.": corner,
                }
                if s > 1 or p
                else {},
                "Pad first; then place (i, j) begins at row stride·i and column stride·j of what is padded.",
            ),
            f"Stride {s}, padding {p}: {compare(got[0, 0, :2], wanted[0, 0, :2])}",
        )


def _maps(result: object, wanted: Array, x: Array, k: int, stride: int, padding: int) -> Array:
    """The result as maps of the size wanted; another size gets the hint that fits it."""
    sizes = x.shape[1:]
    shape = tuple(getattr(result, "shape", ()))

    def places(stride: int, padding: int) -> tuple[int, ...]:
        return (len(wanted), *((n + 2 * padding - k) // stride + 1 for n in sizes))

    mistakes = {
        places(stride, 0): "You leave the padding out.",
        places(1, padding): "You leave the stride out.",
        places(stride, 2 * padding): "The padding is counted twice: `padding` pixels stand at *each* end.",
        (len(wanted), *((n + padding - k) // stride + 1 for n in sizes)): "`padding` pixels stand at *both* ends.",
        (len(wanted), *((n + 2 * padding - k) // stride for n in sizes)): "The last place is missing: between the "
        "first and the last are n + 2p - k steps, and that makes one place more.",
        (len(wanted), *sizes): "The maps are not as large as the picture: the window must fit into what is padded.",
    }
    mistakes.pop(wanted.shape, None)
    hint = mistakes.get(shape, "Along an axis there are floor((n + 2·padding - k) / stride) + 1 places.")
    return as_array(result, wanted.shape, f"the result, for stride {stride} and padding {padding},", hint)


# -------------------------------------------------------------------------------------------------- receptive field

Layers = list[tuple[int, int]]


@exercise("concepts")
def field_and_jump(answer: Answer, rng: Generator) -> Iterator[Law]:
    """How many pixels a number of the last map sees along an axis, and how far its neighbour's field lies."""
    one = [(int(rng.integers(3, 7)), int(rng.integers(2, 4)))]
    plain = [(int(k), 1) for k in rng.integers(2, 8, size=4)]
    # No two layers alike, and the last with a stride: every wrong order shows.
    mixed = [
        (int(k), int(s)) for k, s in zip(rng.permutation([3, 5, 7, 2]), rng.permutation([1, 2, 3, 2]), strict=True)
    ]
    mixed.append((4, 2))
    cases: list[tuple[str, Layers]] = [
        ("without a layer a number is a pixel: it sees 1, and the next is 1 away", []),
        ("one layer sees its kernel, and its neighbours lie one stride apart", one),
        ("with strides of one, each layer adds its kernel minus one", plain),
        ("a layer adds its kernel minus one, times the strides of the layers before it", mixed),
    ]
    for states, layers in cases:
        field, jump = _two(answer(list(layers)))
        wanted = receptive_field([Window(kernel, stride) for kernel, stride in layers])
        told = f"Layers {layers}: got {field:g} and {jump:g}, wanted {wanted.size} and {wanted.jump}."
        yield Law(states, close(field, wanted.size), _field_hint(field, layers), told)
        yield Law(
            "the jump is the product of all strides",
            close(jump, wanted.jump),
            diagnose(
                jump,
                {
                    "You add the strides. Two steps of a map that is already coarse are two coarse steps: they "
                    "multiply.": (sum(s for _, s in layers), 1 + sum(s for _, s in layers)),
                    "The stride of the last layer is missing.": _product(layers[:-1]),
                    "You take the stride of the last layer alone.": layers[-1][1] if layers else 0,
                },
                "Start with 1 and multiply by each stride.",
            ),
            told,
        )


def _two(result: object) -> tuple[float, float]:
    pair = as_pair(result, "the receptive field", "the jump")
    field, jump = as_number(pair[0], "the receptive field"), as_number(pair[1], "the jump")
    if field == 0:
        raise Rejected(
            Law("nothing sees no pixel", False, "Begin with a field of 1: before any layer a number is a pixel.")
        )
    return field, jump


def _product(layers: Sequence[tuple[int, int]]) -> int:
    return int(np.prod([stride for _, stride in layers], dtype=int))


def _field_hint(field: float, layers: Layers) -> str:
    def grown(layers: Sequence[tuple[int, int]], own: bool = False, less: int = 1) -> int:
        size, jump = 1, 1
        for kernel, stride in layers:
            size += (kernel - less) * (jump * stride if own else jump)
            jump *= stride
        return size

    return diagnose(
        field,
        {
            "You add whole kernels. A window of k reaches k - 1 steps beyond its first pixel.": (
                grown(layers, less=0), grown(layers, less=0) - 1, sum(kernel for kernel, _ in layers)
            ),
            "You leave the strides out: after a stride of two a step of the window is two pixels.": 1
            + sum(kernel - 1 for kernel, _ in layers),
            "A layer's own stride does not widen its window; it counts for the layers after it. Update the field "
            "first, then the jump.": grown(layers, own=True),
            "The layers come in the other order: the first of the list lies on the picture.": grown(layers[::-1]),
            "You multiply the kernels.": float(np.prod([kernel for kernel, _ in layers])),
        },
        "field = field + (kernel - 1) · jump, then jump = jump · stride, layer by layer.",
    )  # fmt: skip
