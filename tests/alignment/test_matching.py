"""Image-text matching and hard negatives: parity of the three halves, laws, bad input."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

import mmcourse.alignment.keras
import mmcourse.alignment.numpy
import mmcourse.alignment.torch
from mmcourse.alignment.numpy import hard_negatives, image_text_matching, negative_probabilities
from mmcourse.errors import DtypeError, EmptyBatchError, ModalityError, NotFiniteError, ShapeError
from mmcourse.parity import central_differences, relative_error

PUBLIC = {"image_text_matching", "hard_negatives", "negative_probabilities"}
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
BATCH, WIDTH = 7, 4
GROUPS = np.array([3, 0, 3, 1, 0, 3, 9])
HALVES = {"numpy": mmcourse.alignment.numpy, "torch": mmcourse.alignment.torch, "keras": mmcourse.alignment.keras}
over_halves = pytest.mark.parametrize("half", HALVES)
over_groups = pytest.mark.parametrize("groups", [None, GROUPS], ids=["pairs", "groups"])
over_columns = pytest.mark.parametrize("columns", [(), (2,)], ids=["one number", "two classes"])
over_dtypes = pytest.mark.parametrize("dtype", TOLERANCE)


def call(half: str, function: str, *arrays: Any, **options: Any) -> Any:
    """The function of a half, arrays converted for it and back."""
    if half == "torch":
        arrays = tuple(torch.tensor(x) if isinstance(x, np.ndarray) else x for x in arrays)
        options = {name: torch.tensor(x) if isinstance(x, np.ndarray) else x for name, x in options.items()}
    result = getattr(HALVES[half], function)(*arrays, **options)
    return tuple(np.asarray(x) for x in result) if isinstance(result, tuple) else np.asarray(result)


def embeddings(dtype: str = "float64", seed: int = 0, batch: int = BATCH) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(batch, WIDTH)).astype(dtype) for _ in range(2)]


def pairs(columns: tuple[int, ...], dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return 3 * rng.normal(size=(9, *columns)).astype(dtype), rng.random(9) < 0.4


def right_answers(groups: np.ndarray | None) -> np.ndarray:
    groups = np.arange(BATCH) if groups is None else groups
    return groups[:, None] == groups


@over_dtypes
@over_columns
def test_the_loss_is_the_same_in_all_halves(columns: tuple[int, ...], dtype: str) -> None:
    logits, labels = pairs(columns, dtype)
    referee = image_text_matching(logits, labels)
    for half in ("torch", "keras"):
        got = call(half, "image_text_matching", logits, labels)
        assert got.dtype == dtype
        assert got.shape == ()
        assert relative_error(got, referee) <= TOLERANCE[dtype], half


@over_columns
def test_the_gradient_of_the_loss(columns: tuple[int, ...]) -> None:
    """(p - y) / N for one number a pair, and half of all three by differences."""
    logits, labels = pairs(columns)
    wanted = central_differences(lambda point: image_text_matching(point["z"], labels), {"z": logits})["z"]
    z = torch.tensor(logits, requires_grad=True)
    mmcourse.alignment.torch.image_text_matching(z, torch.tensor(labels)).backward()
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = mmcourse.alignment.keras.image_text_matching(variable, labels)
    assert relative_error(z.grad, wanted) <= 1e-6
    assert relative_error(tape.gradient(loss, variable), z.grad) <= 1e-10
    if not columns:
        assert relative_error(z.grad, (1 / (1 + np.exp(-logits)) - labels) / len(labels)) <= 1e-12


def test_two_classes_are_one_number_their_difference() -> None:
    logits, labels = pairs((2,))
    assert image_text_matching(logits, labels) == pytest.approx(
        image_text_matching(logits[:, 1] - logits[:, 0], labels)
    )
    shifted = logits + np.arange(len(logits))[:, None]
    assert image_text_matching(shifted, labels) == pytest.approx(image_text_matching(logits, labels), rel=1e-12)
    one_hot = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(labels.astype(int)))
    assert image_text_matching(logits, labels) == pytest.approx(float(one_hot), rel=1e-12)


@over_halves
def test_what_the_loss_is_in_known_cases(half: str) -> None:
    labels = np.array([True, False])
    assert call(half, "image_text_matching", np.zeros(2), labels) == pytest.approx(math.log(2))
    assert call(half, "image_text_matching", np.array([1e3, -1e3]), labels) == 0  # nothing overflows
    assert call(half, "image_text_matching", np.array([-1e3, -1e3]), labels) == pytest.approx(500)


@over_dtypes
@over_groups
def test_probabilities_and_draws_are_the_same_in_all_halves(groups: np.ndarray | None, dtype: str) -> None:
    arrays = embeddings(dtype)
    uniform = np.random.default_rng(2).random((2, BATCH))
    wanted = negative_probabilities(*arrays, scale=8.0, groups=groups)
    drawn = hard_negatives(*arrays, scale=8.0, uniform=uniform, groups=groups)
    for half in ("torch", "keras"):
        for got, referee in zip(
            call(half, "negative_probabilities", *arrays, scale=8.0, groups=groups), wanted, strict=True
        ):
            assert got.dtype == dtype
            assert relative_error(got, referee) <= 10 * TOLERANCE[dtype], (
                half
            )  # a softmax at scale 8 of rounded cosines
        for got, referee in zip(
            call(half, "hard_negatives", *arrays, scale=8.0, uniform=uniform, groups=groups), drawn, strict=True
        ):
            assert got.dtype == np.int64
            np.testing.assert_array_equal(got, referee, err_msg=half)


@over_halves
@over_groups
def test_the_distribution_is_the_softmax_without_the_right_answers(groups: np.ndarray | None, half: str) -> None:
    """Written another way: all exponentials, the right ones struck out, what is left divided by its sum."""
    image, text = embeddings()
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text)]
    exponentials = np.exp(5.0 * unit[0] @ unit[1].T) * ~right_answers(groups)
    texts, pictures = call(half, "negative_probabilities", image, text, scale=5.0, groups=groups)
    assert relative_error(texts, exponentials / exponentials.sum(axis=1, keepdims=True)) <= 1e-12
    assert relative_error(pictures, exponentials.T / exponentials.T.sum(axis=1, keepdims=True)) <= 1e-12


@over_halves
@pytest.mark.parametrize("scale", [0.0, 4.0, 100.0])
def test_draws_come_as_often_as_their_probability_says(scale: float, half: str) -> None:
    """On an even grid of u every j is drawn in a share of at most one grid step from q(j)."""
    steps = 400 if half == "numpy" else 16
    arrays, counts = embeddings(), np.zeros((BATCH, BATCH))
    q, _ = negative_probabilities(*arrays, scale=scale, groups=GROUPS)
    for u in (np.arange(steps) + 0.5) / steps:
        texts, _ = call(half, "hard_negatives", *arrays, scale=scale, uniform=np.full((2, BATCH), u), groups=GROUPS)
        counts[np.arange(BATCH), texts] += 1
    assert np.abs(counts / steps - q).max() <= 1.01 / steps


@over_halves
@over_groups
@over_dtypes
def test_a_right_answer_is_never_drawn(groups: np.ndarray | None, dtype: str, half: str) -> None:
    """Not at the ends of the interval either, and not where the right answers are the nearest by far."""
    last = np.full((2, BATCH), np.nextafter(1.0, 0))
    pairs = [(*embeddings(dtype, seed), 1.0, last) for seed in range(12)]  # of some q the sum is rounded to below u
    first, second = embeddings(dtype)
    for image, text, scale, uniform in [*pairs, (first, second, 9.0, 0 * last), (first, first, 100.0, last / 2)]:
        for drawn in call(half, "hard_negatives", image, text, scale=scale, uniform=uniform, groups=groups):
            assert not right_answers(groups)[np.arange(BATCH), drawn].any()


@over_halves
def test_twins_declared_as_a_group_are_never_drawn_and_undeclared_are(half: str) -> None:
    """A caption that stands twice in the batch is the hardest negative of its own picture."""
    image, text = embeddings()
    text[3] = text[0]
    groups = np.array([0, 1, 2, 0, 4, 5, 6])
    uniform = np.full((2, BATCH), 0.5)
    image[[0, 3]] = text[[0, 3]]
    assert call(half, "hard_negatives", image, text, scale=100.0, uniform=uniform)[0][0] == 3
    assert call(half, "hard_negatives", image, text, scale=100.0, uniform=uniform, groups=groups)[0][0] != 3


@over_halves
def test_a_larger_scale_draws_likelier_negatives(half: str) -> None:
    image, text = embeddings()
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text)]
    cosines, likeness = unit[0] @ unit[1].T, []
    for scale in (0.0, 2.0, 10.0, 100.0):
        texts, _ = call(half, "negative_probabilities", image, text, scale=scale)
        likeness.append((texts * cosines).sum(axis=1))
    assert (np.diff(likeness, axis=0) > 0).all()
    even, _ = call(half, "negative_probabilities", image, text, scale=0.0)
    assert relative_error(even, (1 - np.eye(BATCH)) / (BATCH - 1)) <= 1e-12


def test_of_two_pairs_the_other_is_the_negative() -> None:
    for side in negative_probabilities(*embeddings(batch=2), scale=3.0):
        np.testing.assert_array_equal(side, np.eye(2)[::-1])


def test_no_gradient_flows_through_a_draw() -> None:
    image, text = (torch.tensor(x, requires_grad=True) for x in embeddings())
    assert not mmcourse.alignment.torch.negative_probabilities(image, text, scale=1.0)[0].requires_grad
    variable = tf.Variable(embeddings()[0])
    with tf.GradientTape() as tape:
        texts, _ = mmcourse.alignment.keras.negative_probabilities(variable, embeddings()[1], scale=1.0)
        total = tf.reduce_sum(texts**2)
    assert tape.gradient(total, variable) is None


DRAWS: dict[str, tuple[type[ModalityError], str, dict[str, Any]]] = {
    "one row": (
        ModalityError,
        "batch: got no negative for rows [0], wanted one at least, a row that is not theirs or their group's",
        {"image": np.ones((1, WIDTH)), "text": np.ones((1, WIDTH)), "uniform": np.zeros((2, 1))},
    ),
    "one group": (
        ModalityError,
        "batch: got no negative for rows [0, 1, 2, 3, 4, ...], wanted one at least, a row that is not theirs or their "
        "group's",
        {"groups": np.zeros(BATCH, int)},
    ),
    "width": (ShapeError, "text: got width 5, wanted 4", {"text": np.ones((BATCH, 5))}),
    "groups of floats": (DtypeError, "groups: got dtype float64, wanted whole numbers", {"groups": np.zeros(BATCH)}),
    "scale": (ModalityError, "scale: got -1.0, wanted at least 0", {"scale": -1.0}),
    "numbers for another batch": (
        ShapeError,
        "uniform: got shape (2, 6), wanted (2, 7)",
        {"uniform": np.zeros((2, 6))},
    ),
    "numbers for one side": (ShapeError, "uniform: got shape (7,), wanted (2, 7)", {"uniform": np.zeros(BATCH)}),
    "whole numbers": (
        DtypeError,
        "uniform: got dtype int64, wanted a floating one",
        {"uniform": np.zeros((2, BATCH), np.int64)},
    ),
    "a one": (
        ModalityError,
        "uniform: got numbers outside [0, 1), wanted 0 to below 1",
        {"uniform": np.ones((2, BATCH))},
    ),
    "NaN": (
        ModalityError,
        "uniform: got numbers outside [0, 1), wanted 0 to below 1",
        {"uniform": np.full((2, BATCH), np.nan)},
    ),
}


@over_halves
@pytest.mark.parametrize("name", DRAWS)
def test_draws_that_do_not_fit(name: str, half: str) -> None:
    error, message, changes = DRAWS[name]
    image, text = embeddings()
    arguments = {"image": image, "text": text, "scale": 1.0, "uniform": np.zeros((2, BATCH))} | changes
    with pytest.raises(error) as caught:
        call(half, "hard_negatives", **arguments)
    assert str(caught.value) == f"hard_negatives: {message}"


LOGITS: dict[str, tuple[type[ModalityError], str, np.ndarray, np.ndarray]] = {
    "three classes": (
        ShapeError,
        "logits: got shape (4, 3), wanted (pairs,) or (pairs, 2)",
        np.zeros((4, 3)),
        np.ones(4, bool),
    ),
    "whole numbers": (
        DtypeError,
        "logits: got dtype int64, wanted a floating one",
        np.zeros(4, np.int64),
        np.ones(4, bool),
    ),
    "no pairs": (EmptyBatchError, "logits: got 0 pairs, wanted at least 1", np.zeros(0), np.ones(0, bool)),
    "labels of numbers": (DtypeError, "labels: got dtype int64, wanted bool", np.zeros(4), np.ones(4, np.int64)),
    "labels of another length": (ShapeError, "labels: got shape (3,), wanted (4,)", np.zeros(4), np.ones(3, bool)),
    "labels in a column": (ShapeError, "labels: got shape (4, 1), wanted (4,)", np.zeros(4), np.ones((4, 1), bool)),
    "NaN": (
        NotFiniteError,
        "logits: got NaN or infinity in rows [1, 3], wanted finite numbers",
        np.array([[0, 0], [0, np.nan], [0, 0], [-np.inf, 0]]),
        np.ones(4, bool),
    ),
}


@over_halves
@pytest.mark.parametrize("name", LOGITS)
def test_logits_that_do_not_fit(name: str, half: str) -> None:
    error, message, logits, labels = LOGITS[name]
    with pytest.raises(error) as caught:
        call(half, "image_text_matching", logits, labels)
    assert str(caught.value) == f"image_text_matching: {message}"


def test_a_keras_graph_of_unknown_batch_draws_and_refuses_alike() -> None:
    image, text = embeddings()
    uniform = np.random.default_rng(3).random((2, BATCH))
    floats = tf.TensorSpec((None, WIDTH), tf.float64)
    signature = [floats, floats, tf.TensorSpec((2, None), tf.float64), tf.TensorSpec((None,), tf.int64)]

    @tf.function(input_signature=signature)
    def draw(image: Any, text: Any, uniform: Any, groups: Any) -> Any:
        return mmcourse.alignment.keras.hard_negatives(image, text, scale=6.0, uniform=uniform, groups=groups)

    for got, wanted in zip(
        draw(image, text, uniform, GROUPS),
        hard_negatives(image, text, scale=6.0, uniform=uniform, groups=GROUPS),
        strict=True,
    ):
        np.testing.assert_array_equal(got, wanted)
    for words, arguments in {
        "no negative for rows [0, 1, 2, 3, 4, ...]": (image, text, uniform, np.zeros(BATCH, np.int64)),
        "uniform: got numbers outside": (image, text, uniform + 1, GROUPS),
    }.items():
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            draw(*arguments)
        assert words in str(caught.value)


def test_a_batch_of_no_known_size_in_a_keras_graph_of_the_loss() -> None:
    logits, labels = pairs((2,))
    run = tf.function(mmcourse.alignment.keras.image_text_matching).get_concrete_function(
        tf.TensorSpec((None, 2), tf.float64), tf.TensorSpec((None,), tf.bool)
    )
    assert float(run(tf.constant(logits), tf.constant(labels))) == pytest.approx(image_text_matching(logits, labels))
    with pytest.raises(tf.errors.InvalidArgumentError, match="NaN or infinity in rows"):
        run(tf.constant(logits * np.nan), tf.constant(labels))
