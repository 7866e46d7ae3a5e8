"""The laws of the exercises on products of features."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from mmcourse.exercises.laws import Answer, Array, Law, Rejected, as_array, close, compare, diagnose, exercise, show
from mmcourse.fusion.numpy import low_rank_fusion, multiplicative_fusion

MODALITIES = ("image", "text", "audio")

# ---------------------------------------------------------------------------------------------------- low_rank


@exercise("fusion")
def low_rank(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Low-rank fusion of three modalities, some of them missing."""
    rows, rank, out = int(rng.integers(5, 8)), int(rng.integers(2, 4)), int(rng.integers(4, 6))
    widths = dict(zip(MODALITIES, rng.permutation([2, 3, 6]).tolist(), strict=True))
    features = {m: rng.normal(size=(rows, width)) for m, width in widths.items()}
    factors = {m: rng.normal(size=(rank, 1 + width, out)) for m, width in widths.items()}
    weights, bias = rng.uniform(0.5, 2, size=rank) * rng.choice([-1, 1], size=rank), rng.normal(size=out)
    everywhere = {m: np.ones(rows, bool) for m in MODALITIES}
    shape = (rows, out)

    got = answer.array(features, factors, weights, bias, everywhere, shape=shape)
    wanted = low_rank_fusion(features, factors, weights, bias)
    parts = [_projected(features[m], factors[m]) for m in MODALITIES]  # each (rank, rows, out)
    summed, whole = np.add.reduce(parts), np.multiply.reduce(parts)
    no_constant = np.multiply.reduce([features[m] @ factors[m][:, 1:] for m in MODALITIES])
    at_the_end = [np.hstack([features[m], np.ones((rows, 1))]) @ factors[m] for m in MODALITIES]
    yield Law(
        "where all are present, it is the sum over the ranks of weighted products",
        close(got, wanted),
        diagnose(
            got,
            {
                "You add the modalities. Within a rank they are multiplied, number by number.": _mixed(weights, summed)
                + bias,
                "You sum over the ranks before you multiply. Multiply the modalities of one rank first, then add up "
                "the ranks.": (
                    np.multiply.reduce([_mixed(weights, part) for part in parts]) + bias,
                    np.multiply.reduce([part.sum(axis=0) for part in parts]) + bias,
                    weights.sum() * np.multiply.reduce([part.sum(axis=0) for part in parts]) + bias,
                ),
                "The constant is missing: each factor has 1 + width rows, and the first one meets the 1 of [1, x].":
                _mixed(weights, no_constant) + bias,
                "You put the 1 after x. The first row of a factor belongs to it: [1, x].":
                _mixed(weights, np.multiply.reduce(at_the_end)) + bias,
                "The weights of the ranks are missing.": whole.sum(axis=0) + bias,
                "You take the mean over the ranks where a weighted sum is asked for.": whole.mean(axis=0) + bias,
                "The bias is missing.": _mixed(weights, whole),
                "You add the bias in every rank. It is added once, after the sum.": _mixed(weights, whole)
                + rank * bias,
                "One factor for all ranks? Each rank has its own.": tuple(
                    weights.sum() * whole[r] + bias for r in range(rank)
                ),
                MASK_UPSIDE_DOWN: _mixed(weights, _constants(factors, rows)) + bias,
            },
            "For one rank: [1, x] times its factor, for each modality; multiply the three; times the weight. Then add "
            "the ranks and the bias.",
        ),
        compare(got[0], wanted[0]),
    )  # fmt: skip

    mask = {m: rng.random(rows) < 0.6 for m in MODALITIES}
    mask["image"][:2], mask["text"][:2], mask["audio"][:2] = (False, True), (True, False), (True, True)
    mask["audio"] |= ~mask["image"] & ~mask["text"]  # no row without any modality
    lost = {m: np.where(mask[m][:, None], x, np.nan) for m, x in features.items()}
    got = answer.array(lost, factors, weights, bias, mask, shape=shape)
    yield Law(
        "NaN in a missing place has no influence",
        bool(np.isfinite(got).all()),
        "Multiplying by the mask does not remove NaN, for 0 · NaN is NaN; and a mask that is True means *present*. Put "
        "a zero there first: np.where(mask, x, 0).",
        f"In row 0 the image is missing and holds NaN; the result there is {show(got[0])}.",
    )
    wanted = low_rank_fusion(lost, factors, weights, bias, mask=mask)
    here = {m: mask[m][:, None] for m in MODALITIES}
    left_out = [np.where(here[m], part, 1.0) for m, part in zip(MODALITIES, parts, strict=True)]
    nothing = [np.where(here[m], part, 0.0) for m, part in zip(MODALITIES, parts, strict=True)]
    yield Law(
        "a missing modality is [1, 0, …, 0]: its constant is left",
        close(got, wanted),
        diagnose(
            got,
            {
                "You leave a missing modality out of the product. Its constant stays: [1, 0, …, 0] times the factor is "
                "the factor's first row.": _mixed(weights, np.multiply.reduce(left_out)) + bias,
                "You set the whole of [1, x] to zero, and with it the product of all the others. The 1 stays.":
                _mixed(weights, np.multiply.reduce(nothing)) + bias,
            },
            "Put zeros in place of the missing x, then the 1 before it, then everything as before.",
        ),
        compare(got[0], wanted[0]),
    )  # fmt: skip


MASK_UPSIDE_DOWN = "Nothing is missing here. True means *present*: do you read the mask the other way round?"


def _projected(x: Array, factor: Array) -> Array:
    projected: Array = np.hstack([np.ones((len(x), 1)), x]) @ factor
    return projected


def _mixed(weights: Array, products: Array) -> Array:
    mixed: Array = np.tensordot(weights, products, axes=1)
    return mixed


def _constants(factors: dict[str, Array], rows: int) -> Array:
    constants: Array = np.multiply.reduce([factors[m][:, :1] for m in MODALITIES])
    return np.repeat(constants, rows, axis=1)


# --------------------------------------------------------------------------------------------- film_as_product


@exercise("fusion")
def film_as_product(answer: Answer, rng: Generator) -> Iterator[Law]:
    """FiLM's parameters as those of a multiplicative interaction."""
    first, width, rows = int(rng.integers(2, 4)), int(rng.integers(4, 6)), 6
    scale, shift = rng.normal(size=(2, first, width))
    z, x = rng.normal(size=(rows, first)), rng.normal(size=(rows, width))
    W, U, V, b = _four(answer(scale, shift), first, width)

    def output(z: Array, x: Array) -> Array:
        pair, linear = {"z": z, "x": x}, {"z": U, "x": V}
        return multiplicative_fusion(pair, ["z", "x"], kernel=W, linear=linear, bias=b)

    zero_z, zero_x = np.zeros_like(z), np.zeros_like(x)
    got = output(zero_z, zero_x)
    yield Law(
        "where z and x are zero, F is zero",
        close(got, zero_x, size=1.0),
        "(1 + 0) ⊙ 0 + 0 is 0, and b is all that is left of the first formula.",
        compare(got[0], zero_x[0]),
    )
    got = output(zero_z, x)
    yield Law(
        "where z is zero, F is x",
        close(got, x),
        diagnose(
            got,
            {
                "V is zero: the 1 in 1 + zG is lost. Without z every feature of x must come through as it is.": zero_x,
                "V adds up the features of x in every output. Only feature o belongs to output o.": np.repeat(
                    x.sum(axis=1, keepdims=True), width, axis=1
                ),
                "The sign of V is turned.": -x,
            },
            "With z = 0 the first formula is xV + b, the second is x.",
        ),
        compare(got[0], x[0]),
    )
    got = output(z, zero_x)
    yield Law(
        "where x is zero, F is zB",
        close(got, z @ shift),
        diagnose(
            got,
            {
                "U is zero: the shift is lost.": zero_x,
                "You exchanged G and B: the shift is zB.": z @ scale,
            },
            "With x = 0 the first formula is zU + b, the second is zB.",
        ),
        compare(got[0], (z @ shift)[0]),
    )
    got, wanted = output(z, x), (1 + z @ scale) * x + z @ shift
    everything = np.einsum("bi,io,bj->bo", z, scale, x)
    turned = np.einsum("bi,ij,bj->b", z, scale, x)[:, None] * np.ones(width)
    yield Law(
        "F = (1 + zG) ⊙ x + zB for every z and x",
        close(got, wanted),
        diagnose(
            got - x - z @ shift,
            {
                "W is zero: nothing is multiplied.": zero_x,
                "Each output o multiplies all features of x. W must be zero wherever j is not o.": everything,
                "Every output gets the sum over all features. W must be zero wherever j is not o.": turned,
                "You exchanged G and B: the products take G.": (z @ shift) * x,
                "The 1 is counted twice: V already lets x through, so W holds G alone.": (
                    (z.sum(axis=1, keepdims=True) + z @ scale) * x
                ),
                "The sign of W is turned.": -(z @ scale) * x,
            },
            "Which products z_i x_j does output o need, and with which factor? Only those with j = o, with G_io.",
        ),
        compare(got[0], wanted[0]),
    )


def _four(result: object, first: int, width: int) -> list[Array]:
    if not isinstance(result, tuple | list) or len(result) != 4:
        law = "it returns four things: W, U, V and b"
        raise Rejected(Law(law, False, "`return W, U, V, b`", f"It returned {show(result)}."))
    shapes = {"W": (first, width, width), "U": (first, width), "V": (width, width), "b": (width,)}
    return [as_array(part, shape, name) for part, (name, shape) in zip(result, shapes.items(), strict=True)]
