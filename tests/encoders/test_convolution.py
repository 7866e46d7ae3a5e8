"""Laws of the convolution and of patches, with plain loops as the referee of the referee."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from mmcourse.encoders.numpy import convolution, cut_patches, patch_embedding
from mmcourse.encoders.torch import Convolution, PatchEmbedding
from mmcourse.parity import relative_error
from tests.encoders.image_halves import HALVES, TRAINABLE, Case, Numpy, part_cases

ROUNDING = 1e-12
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "strided": {"stride": (2, 3)},
    "padded": {"padding": (2, 1)},
    "dilated": {"dilation": (1, 3)},
    "grouped": {"groups": 2},
    "everything": {"stride": 2, "padding": (1, 3), "dilation": (2, 1), "groups": 2},
}
CONVOLUTIONS = [case for case in part_cases() if case.concept == "convolution"]
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def loops(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: Any, padding: Any, dilation: Any, groups: int
) -> np.ndarray:
    """One product after the other, as the formula has them; pixels outside are skipped."""
    (s, t), (p, q), (d, e) = (np.broadcast_to(pair, 2) for pair in (stride, padding, dilation))
    batch, _, height, width = x.shape
    out, own, down, across = kernel.shape
    size = (height + 2 * p - d * (down - 1) - 1) // s + 1, (width + 2 * q - e * (across - 1) - 1) // t + 1
    y = np.zeros((batch, out, *size))
    for b, o, i, j in np.ndindex(y.shape):
        y[b, o, i, j] = bias[o]
        first = o // (out // groups) * own  # the first channel of this output's group
        for c, u, v in product(range(own), range(down), range(across)):
            row, column = s * i + d * u - p, t * j + e * v - q
            if 0 <= row < height and 0 <= column < width:
                y[b, o, i, j] += kernel[o, c, u, v] * x[b, first + c, row, column]
    return y


@pytest.mark.parametrize("name", OPTIONS)
def test_it_is_what_plain_loops_compute(name: str) -> None:
    options = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} | OPTIONS[name]
    x, bias = random(2, 4, 7, 8), random(6)
    kernel = random(6, 4 // options["groups"], 3, 2, seed=1)
    assert relative_error(convolution(x, kernel, bias, **options), loops(x, kernel, bias, **options)) <= ROUNDING


def test_it_is_the_cross_correlation_of_scipy_not_flipped() -> None:
    x, kernel = random(1, 1, 6, 5), random(1, 1, 3, 2)
    wanted = correlate2d(x[0, 0], kernel[0, 0], mode="valid")
    assert relative_error(convolution(x, kernel)[0, 0], wanted) <= ROUNDING
    assert relative_error(convolution(x, kernel[:, :, ::-1, ::-1])[0, 0], wanted) > 0.1


def test_a_kernel_with_one_1_shifts_the_picture() -> None:
    x, kernel = random(1, 1, 5, 6), np.zeros((1, 1, 3, 3))
    kernel[0, 0, 0, 1] = 1  # the pixel above
    shifted = convolution(x, kernel, padding=1)[0, 0]
    np.testing.assert_array_equal(shifted[1:], x[0, 0, :-1])
    np.testing.assert_array_equal(shifted[0], 0)


@over_halves
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_it_is_linear_in_the_pictures(case: Case, half: Any) -> None:
    module, a, b = half.build(case), case.images, random(*case.images_shape, seed=5)
    zero = half.call(module, np.zeros_like(a))
    together = half.call(module, 2 * a - 3 * b) - zero
    apart = 2 * (half.call(module, a) - zero) - 3 * (half.call(module, b) - zero)
    assert relative_error(together, apart) <= ROUNDING


@over_halves
def test_a_shift_of_the_picture_shifts_the_map_away_from_the_edges(half: Any) -> None:
    options = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "stride": 2, "padding": 1}
    case = Case("convolution", options, (2, 2, 12, 12))
    module, x = half.build(case), case.images
    moved = np.zeros_like(x)
    moved[:, :, 4:, 2:] = x[:, :, :-4, :-2]  # two places down, one across
    before, after = half.call(module, x), half.call(module, moved)
    assert relative_error(after[:, :, 3:, 2:], before[:, :, 1:-2, 1:-1]) <= ROUNDING
    assert relative_error(after[:, :, :, 0], before[:, :, :, 0]) > 0.1


def test_a_1x1_kernel_is_a_matrix_at_each_place() -> None:
    x, kernel = random(2, 3, 4, 5), random(6, 3, 1, 1)
    wanted = np.einsum("oc,bchw->bohw", kernel[:, :, 0, 0], x)
    assert relative_error(convolution(x, kernel), wanted) <= ROUNDING


def test_a_kernel_as_large_as_the_picture_is_a_linear_layer() -> None:
    x, kernel = random(2, 3, 4, 5), random(6, 3, 4, 5)
    wanted = x.reshape(2, -1) @ kernel.reshape(6, -1).T
    assert relative_error(convolution(x, kernel)[:, :, 0, 0], wanted) <= ROUNDING


@over_halves
def test_groups_are_convolutions_side_by_side(half: Any) -> None:
    options = {"in_channels": 4, "out_channels": 6, "kernel_size": 3, "padding": 1}
    case = Case("convolution", options | {"groups": 2}, (2, 4, 5, 5))
    outputs = []
    for part in range(2):
        own = {"kernel": case.parameters["kernel"][3 * part :][:3], "bias": case.parameters["bias"][3 * part :][:3]}
        alone = Case("convolution", options | {"in_channels": 2, "out_channels": 3}, (2, 2, 5, 5), given=own)
        outputs.append(half.call(half.build(alone), case.images[:, 2 * part :][:, :2]))
    assert relative_error(half.call(half.build(case), case.images), np.concatenate(outputs, axis=1)) <= ROUNDING


@over_halves
@pytest.mark.parametrize("dilation", [2, (3, 1)], ids=str)
def test_dilation_is_a_kernel_with_zeros_between(dilation: Any, half: Any) -> None:
    options = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "padding": 2, "stride": 2}
    case = Case("convolution", options | {"dilation": dilation}, (2, 2, 9, 8))
    d, e = np.broadcast_to(dilation, 2)
    holes = np.zeros((3, 2, 2 * d + 1, 2 * e + 1))
    holes[:, :, ::d, ::e] = case.parameters["kernel"]
    given = case.parameters | {"kernel": holes}
    wide = Case("convolution", options | {"kernel_size": holes.shape[2:]}, case.images_shape, given=given)
    assert (
        relative_error(half.call(half.build(case), case.images), half.call(half.build(wide), case.images)) <= ROUNDING
    )


def test_a_stride_keeps_every_so_manieth_place() -> None:
    x, kernel = random(2, 2, 8, 9), random(3, 2, 3, 3)
    dense = convolution(x, kernel, padding=1)
    np.testing.assert_allclose(convolution(x, kernel, padding=1, stride=(2, 3)), dense[:, :, ::2, ::3], rtol=ROUNDING)


def test_two_convolutions_without_a_bias_are_one_with_the_kernels_convolved() -> None:
    x, first, second = random(1, 1, 9, 9), random(1, 1, 3, 3), random(1, 1, 2, 2)
    both = convolution(first, second[:, :, ::-1, ::-1], padding=1)
    assert both.shape == (1, 1, 4, 4)
    assert relative_error(convolution(convolution(x, first), second), convolution(x, both)) <= ROUNDING


@over_trainable
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_the_module_knows_the_size_of_its_output(case: Case, half: Any) -> None:
    module = half.build(case)
    output = half.call(module, case.images)
    assert output.shape == (*case.images_shape[:1], module.out_channels, *module.windows.places(*case.images_shape[2:]))


@over_halves
def test_patches_are_embedded_as_a_convolution_without_overlap(half: Any) -> None:
    case = Case("patch_embedding", {"patch_size": (2, 3), "dim": 4, "channels": 2}, (2, 2, 4, 9))
    maps = convolution(case.images, case.parameters["kernel"], case.parameters["bias"], stride=(2, 3))
    tokens = half.call(half.build(case), case.images)
    assert tokens.shape == (2, 6, 4)
    assert relative_error(tokens, maps.reshape(2, 4, 6).swapaxes(1, 2)) <= ROUNDING


def test_patches_are_cut_row_by_row() -> None:
    picture = np.arange(24.0).reshape(1, 1, 4, 6)
    patches = cut_patches(picture, (2, 3))
    assert patches.shape == (1, 4, 6)
    np.testing.assert_array_equal(patches[0, 1], [3, 4, 5, 9, 10, 11])
    np.testing.assert_array_equal(patches[0, 2], [12, 13, 14, 18, 19, 20])
    two = np.concatenate([picture, picture + 100], axis=1)
    np.testing.assert_array_equal(cut_patches(two, (2, 3))[0, 0], [0, 1, 2, 6, 7, 8, 100, 101, 102, 106, 107, 108])


@over_halves
def test_each_patch_changes_its_own_token_alone(half: Any) -> None:
    case = Case("patch_embedding", {"patch_size": 2, "dim": 3, "channels": 1}, (1, 1, 4, 4))
    module, x = half.build(case), case.images.copy()
    before = half.call(module, x)
    x[0, 0, 3, 1] += 1  # in the third patch
    assert (np.abs(half.call(module, x) - before).max(axis=2) > 1e-6).tolist() == [[False, False, True, False]]


def test_what_comes_out_of_fresh_modules_is_about_as_large_as_what_came() -> None:
    torch.manual_seed(0)
    x = torch.tensor(random(4, 32, 16, 16), dtype=torch.float32)
    rectified = Convolution(32, 32, 3, padding=1)(x.relu() * 2**0.5)  # mean of squares 1
    assert float(rectified.detach().std()) == pytest.approx(2**0.5, rel=0.1)  # of which a relu keeps half
    assert float(PatchEmbedding(4, 64, channels=32)(x).detach().std()) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("name", ["convolution", "patch_embedding"])
def test_keras_draws_kernels_as_large_as_torch(name: str) -> None:
    options = {"in_channels": 32, "out_channels": 32, "kernel_size": 3}
    if name == "patch_embedding":
        options = {"patch_size": 4, "dim": 32, "channels": 16}
    torch.manual_seed(0)
    drawn = [half.new(name, **options) for half in TRAINABLE]
    sizes = [
        float(np.std(np.asarray(module.kernel.detach() if hasattr(module.kernel, "detach") else module.kernel)))
        for module in drawn
    ]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)
    assert not np.asarray(drawn[1].bias).any()


def test_numbers_are_double_whatever_comes() -> None:
    x, kernel = random(1, 1, 4, 4).astype(np.float32), random(1, 1, 3, 3).astype(np.float32)
    assert convolution(x, kernel).dtype == patch_embedding(x, kernel[:, :, :2, :2], [0.0]).dtype == np.float64
    wanted = convolution(x.astype(np.float64), kernel.astype(np.float64))
    np.testing.assert_array_equal(convolution(x, kernel), wanted)


def test_the_pictures_that_came_stay_as_they_were() -> None:
    x = random(1, 2, 4, 4)
    before = x.copy()
    for case in CONVOLUTIONS[:2]:
        Numpy.call(case, case.images)
    convolution(x, random(1, 2, 3, 3), padding=1)
    np.testing.assert_array_equal(x, before)
