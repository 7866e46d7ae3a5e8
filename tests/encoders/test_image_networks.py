"""Laws of residual blocks, residual networks and vision Transformers, in all halves."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from mmcourse import parity
from mmcourse.encoders.image_positions import fixed_positions, interpolation_matrix, sine_cosine_positions
from mmcourse.encoders.numpy import resnet, vision_transformer
from mmcourse.encoders.torch import ResNet18
from mmcourse.parity import relative_error
from tests.encoders.image_halves import HALVES, TRAINABLE, Case, network_cases, part_cases

ROUNDING = 1e-12
PARTS, NETWORKS = part_cases(), network_cases()
EVERY = PARTS + NETWORKS
TRANSFORMERS = [case for case in NETWORKS if case.concept == "vision_transformer"]
RESNETS = [case for case in NETWORKS if case.concept == "resnet"]
LEARNED = TRANSFORMERS[0]
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
over_cases = pytest.mark.parametrize("case", EVERY, ids=str)


def changed(half: Any, module: Any, images: np.ndarray, before: np.ndarray) -> list[bool]:
    """Which rows of the output are no longer what they were?"""
    after = half.call(module, images)
    return (np.abs(after - before).reshape(len(after), -1).max(axis=1) > 1e-9).tolist()


@over_trainable
@over_cases
def test_every_parameter_receives_a_gradient(case: Case, half: Any) -> None:
    """But for the bias of keys: it adds query . bias to all scores of one query, and a softmax sees differences."""
    gradients = half.gradients(half.build(case), case.images, case.cotangent)
    largest = max(np.abs(gradient).max() for gradient in gradients.values())
    for name in case.trained:
        if name.endswith("attention.key.bias"):
            assert np.abs(gradients[name]).max() <= ROUNDING * largest, name
        else:
            assert np.abs(gradients[name]).max() > 1e-4 * largest, name


@over_trainable
@over_cases
def test_a_step_changes_the_output(case: Case, half: Any) -> None:
    module = half.build(case)
    before = half.call(module, case.images)
    half.step(module, half.gradients(module, case.images, case.cotangent))
    assert relative_error(half.call(module, case.images), before) > 1e-6


@over_halves
@pytest.mark.parametrize("case", NETWORKS, ids=str)
def test_every_pixel_changes_the_output_of_its_own_row_and_in_training_of_all(case: Case, half: Any) -> None:
    module = half.build(case)
    before = half.call(module, case.images)
    rng = np.random.default_rng(0)
    for _ in range(6):
        images = case.images.copy()
        pixel = tuple(rng.integers(size) for size in case.images_shape[1:])
        images[(0, *pixel)] += 3
        others = [case.training] * (len(images) - 1)
        assert changed(half, module, images, before) == [True, *others], pixel


@over_halves
@pytest.mark.parametrize("case", [case for case in EVERY if not case.training], ids=str)
def test_rows_of_a_batch_are_independent_in_evaluation(case: Case, half: Any) -> None:
    module = half.build(case)
    apart = [half.call(module, case.images[part]) for part in (slice(0, 1), slice(1, None))]
    assert relative_error(np.concatenate(apart), half.call(module, case.images)) <= ROUNDING


@over_halves
@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_a_block_whose_second_norm_gives_zero_is_a_relu(training: bool, half: Any) -> None:
    """The shortcut carries the input, whatever the kernels are: so a deep network begins near the identity."""
    case = Case("residual_block", {"in_channels": 3, "out_channels": 3}, (2, 3, 5, 4), training)
    silent = {"second.norm.scale": np.zeros(3), "second.norm.bias": np.zeros(3)}
    module = half.build(case.variant(given=case.parameters | silent))
    np.testing.assert_array_equal(half.call(module, case.images), np.maximum(case.images, 0))


@over_trainable
def test_the_shortcut_carries_the_gradient_where_the_convolutions_have_none(half: Any) -> None:
    case = Case("residual_block", {"in_channels": 3, "out_channels": 3}, (2, 3, 5, 4))
    silent = {name: np.zeros_like(x) for name, x in case.parameters.items() if name.startswith("second.norm.")}
    silent["second.norm.running_variance"] = np.ones(3)
    module = half.build(case.variant(given=case.parameters | silent))
    gradient = half.gradients(module, case.images, case.cotangent)["images"]
    np.testing.assert_allclose(gradient, case.cotangent * (case.images > 0), rtol=ROUNDING)


@over_trainable
def test_blocks_without_need_have_no_shortcut(half: Any) -> None:
    for case in PARTS:
        if case.concept == "residual_block":
            assert (half.build(case).shortcut is None) == (case.name == "same")


@over_trainable
@pytest.mark.parametrize("case", RESNETS, ids=str)
def test_the_vector_is_the_mean_of_the_maps_times_the_head(case: Case, half: Any) -> None:
    module = half.build(case)
    images = torch.tensor(case.images) if half.name == "torch" else case.images
    maps = np.asarray(
        module.maps(images, **getattr(module, "mode", {})).detach()
        if half.name == "torch"
        else module.maps(images, **module.mode)
    )
    options = {name: case.options[name] for name in ("small_pictures",) if name in case.options}
    referee = resnet(
        case.images, **parity.numpy_arguments(case.parameters), **options, training=case.training, return_maps=True
    )
    assert relative_error(maps, referee) <= ROUNDING
    vectors = maps.mean(axis=(2, 3))
    if "head.kernel" in case.parameters:
        vectors = vectors @ case.parameters["head.kernel"] + case.parameters["head.bias"]
    assert relative_error(half.call(half.build(case), case.images), vectors) <= ROUNDING


@pytest.mark.parametrize(
    ("small", "size", "wanted"), [(False, (64, 96), (2, 3)), (False, (33, 32), (2, 1)), (True, (28, 20), (4, 3))]
)
def test_resnet18_leaves_a_thirty_second_of_each_side_and_of_small_pictures_an_eighth(
    small: bool, size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    network = ResNet18(widths=(2, 2, 2, 2), small_pictures=small).eval()
    assert network.maps(torch.ones(1, 3, *size)).shape == (1, 2, *wanted)
    assert network(torch.ones(1, 3, *size)).shape == (1, network.out_dim)


def shuffled(images: np.ndarray, patch: int, order: np.ndarray) -> np.ndarray:
    """The same patches in another order."""
    batch, channels, height, width = images.shape
    grid = (batch, channels, height // patch, patch, width // patch, patch)
    cut = images.reshape(grid).transpose(2, 4, 0, 1, 3, 5).reshape(-1, batch, channels, patch, patch)[order]
    back = cut.reshape(height // patch, width // patch, batch, channels, patch, patch).transpose(2, 3, 0, 4, 1, 5)
    return back.reshape(images.shape)


@over_halves
def test_without_positions_the_order_of_patches_does_not_matter_and_with_them_it_does(half: Any) -> None:
    images = shuffled(LEARNED.images, 2, np.array([4, 2, 0, 1, 5, 3]))
    module = half.build(LEARNED)
    assert relative_error(half.call(module, images), half.call(module, LEARNED.images)) > 1e-3
    blind = LEARNED.variant(given=LEARNED.parameters | {"positions": np.zeros_like(LEARNED.parameters["positions"])})
    module = half.build(blind)
    assert relative_error(half.call(module, images), half.call(module, LEARNED.images)) <= ROUNDING


@over_halves
def test_positions_shuffled_with_their_patches_are_the_same_function(half: Any) -> None:
    order = np.array([4, 2, 0, 1, 5, 3])
    positions = LEARNED.parameters["positions"]
    moved = LEARNED.variant(given=LEARNED.parameters | {"positions": positions[np.concatenate([[0], 1 + order])]})
    got = half.call(half.build(moved), shuffled(LEARNED.images, 2, order))
    assert relative_error(got, half.call(half.build(LEARNED), LEARNED.images)) <= ROUNDING


def test_fixed_positions_are_learned_ones_of_those_values() -> None:
    case = TRANSFORMERS[1]
    given = case.parameters | {"positions": fixed_positions((2, 2), 4)}
    options = {name: value for name, value in case.options.items() if name != "positions"}
    learned = Case("vision_transformer", options, case.images_shape, given=given)
    for half in HALVES:
        assert (
            relative_error(half.call(half.build(learned), case.images), half.call(half.build(case), case.images))
            <= ROUNDING
        )


def test_sine_cosine_positions_tell_row_and_column_apart() -> None:
    positions = sine_cosine_positions((3, 5), 8).reshape(3, 5, 8)
    assert np.unique(positions.reshape(15, 8).round(9), axis=0).shape == (15, 8)
    np.testing.assert_array_equal(positions[..., :4], np.broadcast_to(positions[:, :1, :4], (3, 5, 4)))  # of the row
    np.testing.assert_array_equal(positions[..., 4:], np.broadcast_to(positions[:1, :, 4:], (3, 5, 4)))  # of the column
    np.testing.assert_array_equal(positions[0, 0], [0, 0, 1, 1, 0, 0, 1, 1])
    np.testing.assert_allclose(
        positions[2, 1], [*np.sin([2, 0.02]), *np.cos([2, 0.02]), *np.sin([1, 0.01]), *np.cos([1, 0.01])]
    )


def test_the_product_of_two_sine_cosine_positions_depends_on_their_difference_alone() -> None:
    positions = sine_cosine_positions((6, 6), 16).reshape(6, 6, 16)
    here, there = positions[:4, :4], positions[2:, 1:5]  # two down, one across
    products = (here * there).sum(axis=-1)
    np.testing.assert_allclose(products, products[0, 0], rtol=ROUNDING)


@pytest.mark.parametrize(("old", "new"), [((4, 4), (7, 9)), ((3, 5), (2, 6)), ((1, 3), (2, 2)), ((6, 6), (3, 3))])
def test_interpolation_is_that_of_pytorch(old: tuple[int, int], new: tuple[int, int]) -> None:
    positions = np.random.default_rng(0).normal(size=(old[0] * old[1], 3))
    grid = torch.tensor(positions.reshape(1, *old, 3)).permute(0, 3, 1, 2)
    wanted = functional.interpolate(grid, size=new, mode="bicubic", align_corners=False)
    got = (interpolation_matrix(old, new) @ positions).reshape(*new, 3)
    assert relative_error(got, wanted[0].permute(1, 2, 0)) <= ROUNDING


def test_interpolation_to_the_same_grid_is_the_identity_and_of_a_constant_the_constant() -> None:
    np.testing.assert_array_equal(interpolation_matrix((3, 4), (3, 4)), np.eye(12))
    np.testing.assert_allclose(interpolation_matrix((3, 4), (5, 9)).sum(axis=1), 1, rtol=ROUNDING)


def test_tokens_keep_their_order_and_the_class_token_comes_first() -> None:
    """With a Transformer that does nothing to them: its layers add zero, its last norm is undone."""
    case = LEARNED
    quiet = {
        name: np.zeros_like(x)
        for name, x in case.parameters.items()
        if name.endswith(
            ("attention.out.kernel", "attention.out.bias", "feed_forward.out.kernel", "feed_forward.out.bias")
        )
    }
    given = case.parameters | quiet | {"encoder.final_norm.scale": np.ones(4), "encoder.final_norm.bias": np.zeros(4)}
    arguments = parity.numpy_arguments(given) | {"heads": 2, "size": case.options["size"], "epsilon": 1e-15}
    tokens = vision_transformer(case.images, **arguments, return_tokens=True)
    kernel, bias, positions = (given[name] for name in ("patches.kernel", "patches.bias", "positions"))
    wanted = [given["class_token"] + positions[0]]
    for index, (row, column) in enumerate(np.ndindex(2, 3)):
        patch = case.images[1, 0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        wanted.append((kernel[:, 0] * patch).sum(axis=(1, 2)) + bias + positions[1 + index])
    normed = np.array(wanted) - np.mean(wanted, axis=1, keepdims=True)
    assert relative_error(tokens[1], normed / normed.std(axis=1, keepdims=True)) <= ROUNDING
