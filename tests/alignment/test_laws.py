"""Laws that every contrastive loss obeys."""

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from mmcourse.alignment.numpy import info_nce, multi_positive_info_nce, siglip
from mmcourse.parity import parameters
from tests.alignment.halves import HALVES, TRAINABLE, Arrays, Case, Keras, Numpy, Torch, of_each_loss

ROUNDING = 1e-12
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
over_losses = pytest.mark.parametrize("case", of_each_loss(), ids=str)
over_classes = pytest.mark.parametrize("loss", ["info_nce", "multi_positive_info_nce", "siglip"])
INFO_NCE = [case for case in of_each_loss() if case.loss != "siglip"]


def embeddings(batch: int = 6, width: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, width)), rng.normal(size=(batch, width))


def arrays_for(loss: str, batch: int = 6) -> Arrays:
    return Case(loss, grouped=loss.startswith("multi"), batch=batch, dtype="float32").arrays


@over_halves
@over_losses
def test_the_order_of_the_batch_does_not_matter(case: Case, half: Any) -> None:
    order = np.random.default_rng(1).permutation(case.batch)
    moved = case.with_arrays(**{name: array[order] for name, array in case.arrays.items()})
    assert half.call(moved) == pytest.approx(half.call(case), rel=ROUNDING)


@over_halves
@over_losses
def test_image_and_text_may_be_swapped(case: Case, half: Any) -> None:
    swapped = case.with_arrays(image=case.arrays["text"], text=case.arrays["image"])
    assert half.call(swapped) == pytest.approx(half.call(case), rel=ROUNDING)


@over_halves
@over_losses
def test_the_length_of_an_embedding_does_not_matter(case: Case, half: Any) -> None:
    lengths = 10 ** np.random.default_rng(1).uniform(-2, 2, size=(case.batch, 1))
    stretched = case.with_arrays(image=case.arrays["image"] * lengths)
    assert half.call(stretched) == pytest.approx(half.call(case), rel=ROUNDING)


@over_halves
@over_losses
@pytest.mark.parametrize("length", [1e-30, 1e30])
def test_very_short_and_very_long_embeddings_in_single_precision(case: Case, half: Any, length: float) -> None:
    case = case.variant(dtype="float32")
    stretched = case.with_arrays(image=case.arrays["image"] * np.float32(length))
    assert half.call(stretched) == pytest.approx(half.call(case), rel=1e-5)


@over_halves
@over_losses
def test_names_of_groups_do_not_matter(case: Case, half: Any) -> None:
    if not case.grouped:
        pytest.skip("no groups")
    renamed = case.with_arrays(groups=7 - 3 * case.arrays["groups"])
    assert half.call(renamed) == half.call(case)


@over_halves
@pytest.mark.parametrize("case", [case for case in of_each_loss() if case.grouped], ids=str)
def test_groups_of_one_row_are_no_groups(case: Case, half: Any) -> None:
    alone = case.with_arrays(groups=np.arange(case.batch))
    loss = "siglip" if case.loss == "siglip" else "info_nce"
    assert half.call(alone) == half.call(case.variant(loss=loss, options={}, grouped=False))


@over_halves
@pytest.mark.parametrize("case", INFO_NCE, ids=str)
def test_without_a_scale_every_answer_is_as_good(case: Case, half: Any) -> None:
    """Uniform logits: log B; with "any" m of the B answers are right, log(B / m)."""
    uniform = case.variant(scale=0.0)
    wanted = math.log(case.batch)
    if case.options.get("positives") == "any":
        groups = case.arrays["groups"]
        wanted -= np.log((groups[:, None] == groups).sum(axis=1)).mean()
    assert half.call(uniform) == pytest.approx(wanted, rel=ROUNDING)


@over_halves
def test_identical_embeddings_cannot_be_told_apart(half: Any) -> None:
    same = np.ones((6, 4))
    for scale in (1.0, 100.0):
        case = Case("info_nce", scale=scale, given={"image": same, "text": same})
        assert half.call(case) == pytest.approx(math.log(6), rel=ROUNDING)


@over_halves
@pytest.mark.parametrize("case", INFO_NCE, ids=str)
def test_one_row_has_nothing_to_be_confused_with(case: Case, half: Any) -> None:
    assert half.call(case.variant(batch=1)) == 0


@over_halves
def test_siglip_of_one_pair(half: Any) -> None:
    """Image (1, 0), text (3, 4): cosine 3/5; -log sigmoid(5 * 3/5 - 2.5) = log(1 + exp(-1/2))."""
    case = Case("siglip", batch=1, given={"image": np.array([[1.0, 0]]), "text": np.array([[3.0, 4]])})
    assert half.call(case) == pytest.approx(math.log(1 + math.exp(-0.5)), rel=ROUNDING)


@over_halves
def test_two_pairs_by_hand(half: Any) -> None:
    """Cosines [[1, 0], [0, 1]]: each row is a coin with log odds s."""
    given = {"image": np.eye(2), "text": np.eye(2)}
    assert half.call(Case("info_nce", scale=3.0, given=given)) == pytest.approx(math.log1p(math.exp(-3)), rel=ROUNDING)
    joint = given | {"groups": np.zeros(2, int)}
    any_of = Case("multi_positive_info_nce", {"positives": "any"}, scale=3.0, given=joint)
    all_of = Case("multi_positive_info_nce", {"positives": "all"}, scale=3.0, given=joint)
    assert half.call(any_of) == pytest.approx(0, abs=1e-15)
    assert half.call(all_of) == pytest.approx(math.log1p(math.exp(-3)) + 1.5, rel=ROUNDING)


@pytest.mark.parametrize("seed", range(5))
def test_finding_one_of_the_right_is_never_harder_than_finding_all(seed: int) -> None:
    """-log of a sum is below the mean of -log (Jensen), and below the -log of each member."""
    image, text = embeddings(seed=seed)
    groups = np.array([0, 0, 1, 1, 1, 2])
    any_of, all_of = (
        multi_positive_info_nce(image, text, groups, scale=8, positives=positives) for positives in ("any", "all")
    )
    assert any_of < all_of
    assert any_of < info_nce(image, text, scale=8)


@over_trainable
@pytest.mark.parametrize("case", of_each_loss(scale=100.0, dtype="float32", batch=64), ids=str)
def test_nothing_overflows_at_a_scale_of_100(case: Case, half: Any) -> None:
    opposite = case.with_arrays(text=-case.arrays["image"])  # each right answer is the farthest
    for extreme in (opposite, case.with_arrays(text=case.arrays["image"])):
        assert half.call(extreme) == pytest.approx(Numpy.call(extreme), rel=1e-5, abs=1e-6)
        for gradient in half.gradients(extreme).values():
            assert np.isfinite(gradient).all()


@over_trainable
@over_losses
def test_no_gradient_along_an_embedding(case: Case, half: Any) -> None:
    """Only directions count, so what changes the length alone changes nothing."""
    gradients = half.gradients(case)
    for name in ("image", "text"):
        along = (gradients[name] * case.arrays[name]).sum(axis=1)
        assert np.abs(along).max() <= ROUNDING * np.abs(gradients[name] * case.arrays[name]).max()


@over_trainable
@over_losses
def test_every_embedding_and_parameter_receives_a_gradient(case: Case, half: Any) -> None:
    for name, gradient in half.gradients(case).items():
        assert np.atleast_2d(gradient).any(axis=1).all(), name
    for name, gradient in half.parameter_gradients(half.build(case), case.arrays).items():
        assert gradient != 0, name


@over_trainable
@over_losses
def test_a_step_along_the_gradient_lowers_the_loss(case: Case, half: Any) -> None:
    module = half.build(case)
    before = half.run(module, case.arrays)
    half.step(module, case.arrays, 1e-3)
    assert half.run(module, case.arrays) < before


@over_trainable
@over_losses
def test_half_precision_is_computed_in_single(case: Case, half: Any) -> None:
    case = case.variant(dtype="float32", scale=100.0)
    halves = {name: case.arrays[name].astype(np.float16) for name in ("image", "text")}
    rounded = case.with_arrays(**{name: x.astype(np.float32) for name, x in halves.items()})
    value = half.call(case.with_arrays(**halves))
    assert value.dtype == np.float32
    assert value == half.call(rounded)


@over_losses
def test_torch_autocast_changes_nothing(case: Case) -> None:
    case = case.variant(dtype="float32")
    with torch.autocast("cpu", torch.bfloat16):
        value = Torch.call(case)
    assert value == Torch.call(case)


@over_trainable
@over_classes
def test_the_scale_begins_where_the_source_has_it(loss: str, half: Any) -> None:
    found = parameters(half.new(loss))
    wanted = {"log_scale": math.log(10), "bias": -10} if loss == "siglip" else {"log_scale": math.log(1 / 0.07)}
    assert found == pytest.approx(wanted, rel=1e-6)
    assert parameters(half.new(loss, scale=2.0))["log_scale"] == pytest.approx(math.log(2), rel=1e-6)


@over_trainable
@over_classes
def test_a_scale_beyond_its_bound_counts_as_the_bound(loss: str, half: Any) -> None:
    case = Case(loss, grouped=loss.startswith("multi"))
    beyond, bound = case.variant(scale=150.0), case.variant(scale=100.0)
    values = [half.run(half.build(c, max_scale=100.0), case.arrays) for c in (beyond, bound)]
    assert values[0] == pytest.approx(float(values[1]), rel=ROUNDING)
    assert half.run(half.build(beyond, max_scale=None), case.arrays) != values[1]
    gradients = [half.parameter_gradients(half.build(c, max_scale=100.0), case.arrays) for c in (beyond, bound)]
    for name, gradient in gradients[0].items():
        assert gradient == pytest.approx(float(gradients[1][name]), rel=ROUNDING)
        assert gradient != 0


@over_trainable
def test_a_step_beyond_the_bound_is_taken_back(half: Any) -> None:
    """Image and text equal: a larger scale is always better, so the step leads far beyond."""
    image, _ = embeddings()
    case = Case(
        "info_nce",
        scale=99.0,
        given={
            "image": image,
            "text": image,
        },
    )
    module = half.build(case)
    half.step(module, case.arrays, 1e9)
    half.run(module, case.arrays)
    assert parameters(module)["log_scale"] == pytest.approx(math.log(100), rel=1e-9)


@over_halves
def test_another_pair_nearer_to_a_row_raises_its_loss(half: Any) -> None:
    """What makes a false negative: the loss rises with the likeness of any other row."""
    values = []
    for angle in (2.0, 1.0, 0.2):
        rows = np.array([[1.0, 0.0], [math.cos(angle), math.sin(angle)]])
        values.append(half.call(Case("info_nce", given={"image": rows, "text": rows})))
    assert values == sorted(values)


def test_siglip_is_the_sum_of_its_pairs() -> None:
    """Each pair alone: no other pair changes what it contributes."""
    image, text = embeddings(3)
    total = 0.0
    for i in range(3):
        for j in range(3):
            cosine = image[i] @ text[j] / np.linalg.norm(image[i]) / np.linalg.norm(text[j])
            sign = 1 if i == j else -1
            total -= math.log(1 / (1 + math.exp(-sign * (4 * cosine - 1))))
    assert siglip(image, text, scale=4, bias=-1) == pytest.approx(total / 3, rel=ROUNDING)


@over_losses
def test_keras_in_a_graph_of_unknown_batch_computes_the_same(case: Case) -> None:
    layer = Keras.build(case)
    assert Keras.run(layer, case.arrays) == pytest.approx(float(graph(layer, case)(**case.arrays)), rel=ROUNDING)


@over_losses
def test_keras_under_xla_computes_the_same_where_values_are_not_checked(case: Case) -> None:
    layer = Keras.build(case, check_values=False)
    assert layer.supports_jit
    assert not Keras.build(case).supports_jit
    value = graph(layer, case, jit_compile=True)(**case.arrays)
    assert Keras.run(layer, case.arrays) == pytest.approx(float(value), rel=ROUNDING)


@over_losses
def test_a_keras_layer_from_its_configuration(case: Case) -> None:
    layer = Keras.build(case, check_values=False, scale=2.0, max_scale=50.0)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    again.set_weights(layer.get_weights())
    assert Keras.run(again, case.arrays) == Keras.run(layer, case.arrays)


def test_keras_fit_learns_through_a_loss_inside_a_model() -> None:
    keras.utils.set_random_seed(0)
    image, text = (x.astype(np.float32) for x in embeddings(32, 8))
    network = Aligned()
    network.compile(keras.optimizers.Adam(0.02))
    history = network.fit({"image": image, "text": text}, epochs=30, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]
    assert parameters(network.loss_layer)["log_scale"] != pytest.approx(math.log(1 / 0.07), rel=1e-3)


class Aligned(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.image, self.text = keras.layers.Dense(6), keras.layers.Dense(6)
        self.loss_layer = Keras.new("info_nce")

    def call(self, inputs: Any) -> Any:
        loss = self.loss_layer(self.image(inputs["image"]), self.text(inputs["text"]))
        self.add_loss(loss)
        return loss


def graph(layer: Any, case: Case, **options: Any) -> Any:
    signature = {n: tf.TensorSpec((None, *x.shape[1:]), x.dtype) for n, x in case.arrays.items()}
    run = tf.function(lambda **arrays: layer(**arrays), **options)
    return run.get_concrete_function(**signature) if not options else run
