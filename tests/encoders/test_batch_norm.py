"""Laws of batch normalisation, in all halves."""

from typing import Any

import keras
import numpy as np
import pytest
import torch

from mmcourse import parity
from mmcourse.parity import relative_error
from tests.encoders.image_halves import HALVES, TRAINABLE, Case, Numpy

ROUNDING = 1e-12
TRAINING = Case("batch_norm", {"channels": 3}, (4, 3, 5, 2), training=True)
EVALUATION = TRAINING.variant(training=False)
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)


def fresh(case: Case) -> Case:
    """With the parameters of a norm that has seen nothing: it gives mean 0 and variance 1."""
    ones, zeros = np.ones(3), np.zeros(3)
    given = {"scale": ones, "bias": zeros, "running_mean": zeros, "running_variance": ones}
    return case.variant(given=given)


def running(half: Any, module: Any) -> dict[str, np.ndarray]:
    return {name: x for name, x in parity.parameters(module).items() if name.startswith("running")}


@over_halves
def test_in_training_each_channel_has_mean_bias_and_variance_scale_squared(half: Any) -> None:
    case = TRAINING.variant(options={"channels": 3, "epsilon": 1e-20})
    output = half.call(half.build(case), 7 * case.images + 3)
    assert relative_error(output.mean(axis=(0, 2, 3)), case.parameters["bias"]) <= ROUNDING
    assert relative_error(output.std(axis=(0, 2, 3)), np.abs(case.parameters["scale"])) <= ROUNDING


@over_halves
def test_in_training_brightness_and_contrast_of_a_channel_do_not_matter_and_in_evaluation_they_do(half: Any) -> None:
    changed = TRAINING.images * np.array([2.0, 0.5, 9.0])[:, None, None] + np.array([1.0, -4.0, 0.0])[:, None, None]
    case = TRAINING.variant(options={"channels": 3, "epsilon": 1e-20})
    module = half.build(case)
    assert relative_error(half.call(module, changed), half.call(module, case.images)) <= ROUNDING
    module = half.build(EVALUATION)
    assert relative_error(half.call(module, changed), half.call(module, TRAINING.images)) > 0.1


@over_halves
def test_in_training_one_picture_changes_the_others_and_in_evaluation_it_does_not(half: Any) -> None:
    for case in (TRAINING, EVALUATION):
        module, images = half.build(case), case.images.copy()
        before = half.call(module, images)
        images[1] += 1
        changed = np.abs(half.call(module, images) - before).max(axis=(1, 2, 3)) > 1e-9
        assert changed.tolist() == [case.training, True, case.training, case.training]


@over_halves
def test_order_of_pictures_and_of_places_does_not_matter_in_training(half: Any) -> None:
    module, images = half.build(TRAINING), TRAINING.images
    turned = half.call(module, images[::-1, :, ::-1].copy())
    assert relative_error(turned, half.call(module, images)[::-1, :, ::-1]) <= ROUNDING


@over_halves
def test_in_evaluation_it_is_one_line_for_each_channel(half: Any) -> None:
    p = EVALUATION.parameters
    slope = p["scale"] / np.sqrt(p["running_variance"] + 1e-5)
    offset = p["bias"] - slope * p["running_mean"]
    wanted = EVALUATION.images * slope[:, None, None] + offset[:, None, None]
    assert relative_error(half.call(half.build(EVALUATION), EVALUATION.images), wanted) <= ROUNDING


@over_trainable
def test_running_statistics_of_equal_batches_go_to_those_of_the_batch_with_the_unbiased_variance(half: Any) -> None:
    case = fresh(TRAINING)
    module, images = half.build(case), 3 * case.images + 2
    for batch in range(1, 4):
        half.call(module, images)
        left = 0.9**batch  # of what they were at first
        after = running(half, module)
        assert relative_error(after["running_mean"], (1 - left) * images.mean(axis=(0, 2, 3))) <= ROUNDING
        variance = images.var(axis=(0, 2, 3), ddof=1)
        assert relative_error(after["running_variance"], left + (1 - left) * variance) <= ROUNDING


@over_trainable
def test_evaluation_leaves_the_running_statistics(half: Any) -> None:
    module = half.build(EVALUATION)
    half.call(module, EVALUATION.images)
    for name, x in running(half, module).items():
        np.testing.assert_array_equal(x, EVALUATION.parameters[name], err_msg=name)


def test_the_formula_returns_the_statistics_after_the_batch_and_changes_none() -> None:
    parameters = {name: x.copy() for name, x in TRAINING.parameters.items()}
    output, after = Numpy.call(TRAINING, TRAINING.images, return_running=True)
    np.testing.assert_array_equal(output, Numpy.call(TRAINING, TRAINING.images))
    wanted = 0.9 * parameters["running_mean"] + 0.1 * TRAINING.images.mean(axis=(0, 2, 3))
    assert relative_error(after["running_mean"], wanted) <= ROUNDING
    for name, x in parameters.items():
        np.testing.assert_array_equal(TRAINING.parameters[name], x)
    _, same = Numpy.call(EVALUATION, EVALUATION.images, return_running=True)
    np.testing.assert_array_equal(same["running_mean"], parameters["running_mean"])


def test_it_is_the_norm_of_pytorch() -> None:
    """Whose statistics move as ours; the norm of Keras keeps the biased variance, and calls 1 - momentum so."""
    theirs = torch.nn.BatchNorm2d(3).double()
    ours = TRAINABLE[0].build(fresh(TRAINING))
    for _ in range(3):
        x = torch.tensor(TRAINING.images)
        assert relative_error(ours(x).detach(), theirs(x).detach()) <= ROUNDING
    assert relative_error(ours.running_variance, theirs.running_var) <= ROUNDING

    layer = keras.layers.BatchNormalization(axis=1, momentum=0.9, epsilon=1e-5, dtype="float64")
    module = TRAINABLE[1].build(fresh(TRAINING))
    output = layer(TRAINING.images, training=True).numpy()
    assert relative_error(TRAINABLE[1].call(module, TRAINING.images), output) <= ROUNDING
    n = TRAINING.images[:, 0].size
    biased = 0.9 + (np.asarray(module.running_variance) - 0.9) * (n - 1) / n
    assert relative_error(layer.moving_variance.numpy(), biased) <= ROUNDING
