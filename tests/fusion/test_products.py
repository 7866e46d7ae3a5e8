"""Laws of the fusions that multiply: what they contain, what they make, how they begin, what they learn."""

from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
import torch

from mmcourse.errors import ModalityError, ShapeError, UnknownModalityError
from mmcourse.fusion.numpy import (
    bilinear_fusion,
    concatenation,
    expand_factors,
    low_rank_fusion,
    multiplicative_fusion,
    outer_product,
    tensor_fusion,
)
from mmcourse.fusion.products import plan
from mmcourse.fusion.torch import BilinearFusion, LowRankFusion, TensorFusion
from mmcourse.fusion.torch.products import contract
from mmcourse.parity import parameters, relative_error
from tests.fusion.halves import HALVES, NAMES, OUT, TRAINABLE, Case, Torch
from tests.fusion.test_counts import Largest

ROUNDING = 1e-12
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
over_counts = pytest.mark.parametrize("count", [1, 2, 3, 4])
over_masks = pytest.mark.parametrize("masked", [False, True], ids=["complete", "masked"])


def case_of(concept: str, count: int, masked: bool = False, **options: Any) -> Case:
    return Case(concept, count, options | {"out_dim": OUT}, masked, seed=count)


@over_halves
@over_counts
@over_masks
def test_low_rank_is_the_tensor_of_its_expanded_factors(count: int, masked: bool, half: Any) -> None:
    low = case_of("low-rank fusion", count, masked, rank=3)
    factors = {name: low.parameters[f"factors.{name}"] for name in reversed(low.dims)}
    kernel = expand_factors(factors, list(low.dims), low.parameters["weights"], low.parameters["bias"])
    tensor = case_of("tensor fusion", count, masked).variant(given={"kernel": kernel})
    outputs = [half.call(half.build(case), low.features, low.mask) for case in (low, tensor)]
    assert relative_error(*outputs) <= ROUNDING


def test_a_kernel_of_full_rank_has_factors_too() -> None:
    """Any (side_1, side_2, out) kernel is a sum of min(side_1, side_2) products: singular values for each output."""
    kernel = np.random.default_rng(0).normal(size=(4, 3, 2))
    left, values, right = np.linalg.svd(np.moveaxis(kernel, -1, 0), full_matrices=False)
    factors = {"a": np.einsum("oir,or->rio", left, values), "b": np.einsum("orj->rjo", right)}
    assert relative_error(expand_factors(factors, ["a", "b"], np.ones(3), np.zeros(2)), kernel) <= ROUNDING


@over_halves
@over_masks
def test_tensor_fusion_contains_the_others(masked: bool, half: Any) -> None:
    """Corner: bias; edges: linear maps of each modality; face: products. Without the face, a concatenation."""
    case = case_of("tensor fusion", 2, masked)
    kernel = case.parameters["kernel"]
    names = list(case.dims)
    U, V, bias = kernel[1:, 0], kernel[0, 1:], kernel[0, 0]
    wanted = multiplicative_fusion(
        case.features, names, kernel=kernel[1:, 1:], linear=dict(zip(names, (U, V), strict=True)), bias=bias,
        mask=case.mask,
    )  # fmt: skip
    assert relative_error(half.call(half.build(case), case.features, case.mask), wanted) <= ROUNDING

    flat = kernel.copy()
    flat[1:, 1:] = 0
    wanted = concatenation(case.features, names, kernel=np.concatenate([U, V]), bias=bias, mask=case.mask)
    edges = case.variant(given={"kernel": flat})
    assert relative_error(half.call(half.build(edges), case.features, case.mask), wanted) <= ROUNDING


@over_halves
def test_multiplicative_fusion_contains_bilinear_film_and_gate(half: Any) -> None:
    """z W x + z U + x V + b, with diagonal W and V: FiLM, (1 + z G) x + z B;  with U = V = 0: bilinear."""
    rng = np.random.default_rng(0)
    z, x = rng.normal(size=(6, 3)), rng.normal(size=(6, OUT))
    scale, shift = rng.normal(size=(2, 3, OUT))
    features, names = {"text": z, "image": x}, ["text", "image"]
    diagonal = np.einsum("io,jo->ijo", scale, np.eye(OUT))  # output o multiplies x_o alone
    nothing = {"linear.text": np.zeros((3, OUT)), "linear.image": np.zeros((OUT, OUT)), "bias": np.zeros(OUT)}

    def output(**given: Any) -> np.ndarray:
        case = Case("multiplicative fusion", 2, {"out_dim": OUT}, widths={"text": 3, "image": OUT}, given=given)
        return half.call(half.build(case), features)

    film = output(**nothing | {"kernel": diagonal, "linear.text": shift, "linear.image": np.eye(OUT)})
    assert relative_error(film, (1 + z @ scale) * x + z @ shift) <= ROUNDING
    gate = output(**nothing | {"kernel": diagonal})
    assert relative_error(gate, (z @ scale) * x) <= ROUNDING
    kernel = rng.normal(size=(3, OUT, OUT))
    products = bilinear_fusion(features, names, kernel=kernel, bias=np.zeros(OUT))
    assert relative_error(output(**nothing | {"kernel": kernel}), products) <= ROUNDING


def test_bilinear_fusion_is_that_of_pytorch() -> None:
    case = case_of("bilinear fusion", 2)
    module, theirs = Torch.build(case), torch.nn.Bilinear(*case.dims.values(), OUT).double()
    with torch.no_grad():
        theirs.weight.copy_(module.kernel.permute(2, 0, 1))
        theirs.bias.copy_(module.bias)
    features = Torch.convert(case.features)
    torch.testing.assert_close(module(features), theirs(*features.values()), rtol=ROUNDING, atol=ROUNDING)


def test_products_by_hand() -> None:
    features = {"image": np.array([[2.0, 3.0]]), "text": np.array([[5.0, 7.0]])}
    np.testing.assert_array_equal(outer_product(features, ["image", "text"]), [[[1, 5, 7], [2, 10, 14], [3, 15, 21]]])
    here = {"text": np.array([False])}
    np.testing.assert_array_equal(
        outer_product(features, ["image", "text"], mask=here), [[[1, 0, 0], [2, 0, 0], [3, 0, 0]]]
    )
    kernel = np.array([[1.0, 10.0], [100.0, 1000.0]])[:, :, None]
    fused = bilinear_fusion(features, ["image", "text"], kernel=kernel, bias=[0.5])
    np.testing.assert_array_equal(fused, [[10 + 140 + 1500 + 21000 + 0.5]])


@over_trainable
@over_counts
@over_masks
def test_the_outer_product_that_is_not_made(count: int, masked: bool, half: Any) -> None:
    case = case_of("tensor fusion", count, masked)
    module = half.build(case)
    arrays = Torch.convert((case.features, case.mask)) if half is Torch else (case.features, case.mask)
    features, mask = (Torch.convert(case.features), Torch.convert(case.mask)) if half is Torch else arrays
    got = module.outer_product(features, mask)
    got = got.detach().numpy() if half is Torch else got.numpy()
    assert relative_error(got, outer_product(case.features, list(case.dims), mask=case.mask)) <= ROUNDING


@over_halves
@pytest.mark.parametrize("concept", ["tensor fusion", "low-rank fusion"])
@pytest.mark.parametrize("missing", NAMES[:3])
def test_without_a_modality_the_others_are_fused(missing: str, concept: str, half: Any) -> None:
    """The constant of the missing one is left: the slice 0 of the kernel, the rows 0 of its factors as weights."""
    case = case_of(concept, 3, **({"rank": 2} if concept == "low-rank fusion" else {}))
    mask = {missing: np.zeros(case.batch, bool)}
    got = half.call(half.build(case), case.features | {missing: case.features[missing] * np.nan}, mask)
    others = {name: x for name, x in case.features.items() if name != missing}
    if concept == "tensor fusion":
        kernel = case.parameters["kernel"].take(0, axis=list(case.dims).index(missing))
        wanted = tensor_fusion(others, list(others), kernel=kernel)
    else:
        first, *rest = ({name: case.parameters[f"factors.{name}"] for name in others}).items()
        constant = case.parameters[f"factors.{missing}"][:, :1]
        factors = {first[0]: first[1] * constant, **dict(rest)}
        wanted = low_rank_fusion(others, factors, case.parameters["weights"], case.parameters["bias"])
    assert relative_error(got, wanted) <= ROUNDING


@pytest.mark.parametrize("sides", [(5,), (7, 2), (2, 7), (3, 4, 5), (5, 2, 2), (2, 3, 4, 2)], ids=str)
@pytest.mark.parametrize("out_dim", [1, 6, 40])
def test_every_contraction_is_the_sum_over_all_entries(sides: tuple[int, ...], out_dim: int) -> None:
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(*sides, out_dim))
    factors = [rng.normal(size=(3, side)) for side in sides]
    wanted = sum(
        np.prod([factor[:, i] for factor, i in zip(factors, index, strict=True)], axis=0)[:, None] * kernel[index]
        for index in product(*map(range, sides))
    )
    got = contract([torch.tensor(factor) for factor in factors], torch.tensor(kernel)).numpy()
    assert relative_error(got, wanted) <= ROUNDING


def test_the_contraction_of_smallest_arrays_is_chosen() -> None:
    assert plan((129, 129, 65), 32) == (2, 129 * 129)
    assert plan((65, 129, 129), 32) == (2, 65 * 129)
    assert plan((128, 128), 32) == (1, 128 * 32)
    assert plan((16, 16), 512) == (2, 512)  # the outer product is smaller than a row of outputs for each number
    for sides in product((2, 5, 9), repeat=3):
        sizes = [max(prod(sides[:k]), prod(sides[k:]) * 4) for k in (1, 2, 3)]
        assert plan(sides, 4).largest == min(sizes)


def test_forward_and_backward_make_no_array_of_the_outer_product() -> None:
    dims, batch, out = {"text": 15, "image": 11, "speech": 7}, 64, 3
    module = TensorFusion(dims, out_dim=out, check_values=False)
    features = {name: torch.randn(batch, width, requires_grad=True) for name, width in dims.items()}
    with Largest(module.parameters()) as made:
        module(features).square().sum().backward()
    whole = batch * 16 * 12 * 8
    assert module.kernel.numel() < whole / 10  # its gradient must be made
    assert made.numbers <= max(module.kernel.numel(), batch * plan((16, 12, 8), out).largest) < whole / 5
    with Largest(module.parameters()) as made:
        module.outer_product(features)
    assert made.numbers == whole


@over_trainable
@pytest.mark.parametrize("count", [1, 2, 4, 6])
@pytest.mark.parametrize("concept", ["bilinear fusion", "tensor fusion", "low-rank fusion"])
def test_products_begin_neither_vanishing_nor_exploding(concept: str, count: int, half: Any) -> None:
    """Features of mean square 1 give outputs of mean square 1; factors drawn as Glorot and Bengio (2010) do not."""
    rng = np.random.default_rng(0)
    count = 2 if concept == "bilinear fusion" else count
    dims = {f"m{number}": 3 for number in range(count)}
    options = {"rank": 8} if concept == "low-rank fusion" else {}
    torch.manual_seed(0)
    module = half.new(concept, dims, out_dim=400, **options)
    features = {name: np.sign(rng.normal(size=(20, width))).astype(np.float32) for name, width in dims.items()}
    assert 0.6 < np.square(half.call(module, features)).mean() < 1.6


def test_low_rank_learns_a_product_of_three() -> None:
    """The target is sum_r prod_m x_m . a_mr; held-out error."""
    torch.manual_seed(0)
    directions = torch.randn(3, 4, 2) / 2  # three modalities of width 4, rank 2
    x = torch.randn(3, 3000, 4)
    target = torch.einsum("mbi,mir->mbr", x, directions).prod(dim=0).sum(dim=1, keepdim=True)
    features = dict(zip(NAMES, x, strict=False))
    train, test = ({name: v[rows] for name, v in features.items()} for rows in (slice(1000), slice(1000, None)))
    module = LowRankFusion(dict.fromkeys(features, 4), out_dim=1, rank=6)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 500)
    for _ in range(500):
        optimiser.zero_grad()
        (module(train) - target[:1000]).square().mean().backward()
        optimiser.step()
        schedule.step()
    error = (module(test) - target[1000:]).square().mean().item()
    assert error < 1e-3 < target.var().item()


def test_products_decide_xor_and_sums_cannot() -> None:
    signs = torch.tensor([[-1.0], [1.0]])
    features = {"text": signs.repeat(2, 1), "image": signs.repeat_interleave(2, dim=0)}
    different = (features["text"] != features["image"]).float()
    module = BilinearFusion({"text": 1, "image": 1}, out_dim=1)
    with torch.no_grad():
        module.kernel.fill_(-5)
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    assert loss(module(features), different) < 0.01
    with torch.no_grad():
        module.kernel.zero_()
    torch.testing.assert_close(loss(module(features), different), torch.tensor(2.0).log())


@over_trainable
@pytest.mark.parametrize(
    ("concept", "dims", "options", "error", "message"),
    [
        ("bilinear fusion", {"text": 3}, {}, UnknownModalityError, "text: got one modality, wanted two"),
        ("multiplicative fusion", dict.fromkeys(NAMES[:3], 2), {}, UnknownModalityError, "got 3 modalities, wanted"),
        ("low-rank fusion", {"text": 3}, {"rank": 0}, ShapeError, "rank: got 0, wanted a whole number above 0"),
        ("low-rank fusion", {"text": 3}, {"rank": 2.0}, ShapeError, "rank: got 2.0, wanted a whole number above 0"),
        ("tensor fusion", {"text": 3}, {"out_dim": 0}, ShapeError, "out_dim: got width 0, wanted"),
        ("tensor fusion", {}, {}, UnknownModalityError, "dims: got no modality, wanted at least one"),
    ],
)  # fmt: skip
def test_refuses_to_be_built(
    concept: str, dims: Any, options: Any, error: type[ModalityError], message: str, half: Any
) -> None:
    with pytest.raises(error) as caught:
        half.new(concept, dims, **{"out_dim": 2} | options)
    assert str(caught.value).startswith(f"{concept}: ")
    assert message in str(caught.value)


X = {"text": np.ones((2, 4)), "image": np.ones((2, 3))}
BOTH = ["text", "image"]
F = {"text": np.ones((2, 5, 6)), "image": np.ones((2, 4, 6))}


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (
            lambda: bilinear_fusion(X, BOTH, kernel=np.ones((4, 3)), bias=[0]),
            "bilinear fusion: kernel: got shape (4, 3), wanted 3 axes, one a modality and the last out",
        ),
        (
            lambda: bilinear_fusion(X, BOTH, kernel=np.ones((4, 3, 2)), bias=[0]),
            "bilinear fusion: bias: got shape (1,), wanted (2,)",
        ),
        (
            lambda: multiplicative_fusion(
                X, BOTH, kernel=np.ones((4, 3, 2)), linear={"text": np.ones((4, 2)), "image": np.ones((2, 2))},
                bias=np.zeros(2),
            ),
            "multiplicative fusion: linear.image: got shape (2, 2), wanted (3, 2)",
        ),
        (
            lambda: tensor_fusion(X, BOTH, kernel=np.ones((5, 5, 2))),
            "tensor fusion: image: got width 3, wanted 4",
        ),
        (
            lambda: low_rank_fusion(X, F | {"image": np.ones((2, 4, 5))}, np.ones(2), np.zeros(6)),
            "low-rank fusion: factors.image: got shape (2, 4, 5), wanted (2, 1 + width, 6)",
        ),
        (lambda: low_rank_fusion(X, F, np.ones(0), np.zeros(6)), "low-rank fusion: rank: got 0, wanted a whole"),
        (lambda: low_rank_fusion({}, {}, np.ones(2), np.zeros(6)), "low-rank fusion: features: got no modality"),
        (lambda: low_rank_fusion(X, F, np.ones(2), np.zeros((6, 1))), "low-rank fusion: bias: got shape (6, 1)"),
        (lambda: outer_product({}, []), "tensor fusion: features: got no modality, wanted at least one"),
    ],
)  # fmt: skip
def test_the_formulas_refuse_parameters_that_do_not_fit(attempt: Any, message: str) -> None:
    with pytest.raises(ModalityError) as caught:
        attempt()
    assert str(caught.value).startswith(message)


def test_a_step_trains_every_factor() -> None:
    """A program in wide use kept them in a plain list, where no optimiser finds them."""
    module = LowRankFusion({"text": 3, "image": 2}, out_dim=2, rank=2)
    before = parameters(module)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    module({"text": torch.randn(4, 3), "image": torch.randn(4, 2)}).square().sum().backward()
    optimiser.step()
    after = parameters(module)
    assert before.keys() == {"factors.text", "factors.image", "weights", "bias"}
    assert all((before[name] != after[name]).any() for name in before)
