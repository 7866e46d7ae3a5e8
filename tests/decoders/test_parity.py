"""NumPy = PyTorch = Keras: logits, gradients, losses."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

import mmcourse.decoders.keras
import mmcourse.decoders.numpy
import mmcourse.decoders.torch
from mmcourse.parity import central_differences, keras_variables, relative_error
from tests.decoders.halves import HALVES, PLAIN, TRAINABLE, Case, Keras, Numpy, Torch, cases

LOSS = "sequence_cross_entropy"


@pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
@pytest.mark.parametrize("case", cases(), ids=str)
def test_logits_agree(half: Any, case: Case) -> None:
    if half.offers(case):
        assert relative_error(half.call(half.build(case), case), Numpy.call(case, case)) < 1e-10


@pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)
@pytest.mark.parametrize("case", cases(("right",), dtype="float32"), ids=str)
def test_logits_agree_in_single_precision(half: Any, case: Case) -> None:
    if half.offers(case):
        assert relative_error(half.call(half.build(case), case), Numpy.call(case, case)) < 1e-5


@pytest.mark.parametrize("case", cases(("gaps",)), ids=str)
def test_gradients_agree(case: Case) -> None:
    """Of every parameter and of what the words are about; each but a key's bias gets one."""
    wanted = Torch.gradients(Torch.build(case), case)
    differences = Numpy.gradients(case, case)
    largest = max(np.abs(gradient).max() for gradient in wanted.values())
    for name, gradient in wanted.items():
        assert np.abs(gradient - differences[name]).max() < 1e-6 * largest, name
        # softmax does not feel what is added to all scores of a row alike, as the bias of the keys is
        assert name.endswith("key.bias") or np.abs(gradient).max() > 1e-9 * largest, name
    if Keras.offers(case):
        for name, gradient in Keras.gradients(Keras.build(case), case).items():
            assert np.abs(gradient - wanted[name]).max() < 1e-10 * largest, name


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_parameters_have_the_names_and_shapes_of_the_formula(case: Case) -> None:
    module = Torch.new(case.concept, **case.options)
    assert {name: tuple(p.shape) for name, p in module.named_parameters()} == case.shapes
    if Keras.offers(case):
        variables = keras_variables(Keras.new(case.concept, **case.options))
        assert {name: tuple(v.shape) for name, v in variables.items()} == case.shapes


@pytest.mark.parametrize("case", [case for case in PLAIN if Keras.offers(case)], ids=str)
def test_a_keras_decoder_is_saved_and_runs_in_a_graph(case: Case, tmp_path: Any) -> None:
    layer = Keras.build(case.variant(dtype="float32"))
    ids = keras.Input((None,), dtype="int64")
    inputs = [ids]
    if not case.plain:
        recurrent = case.concept == "recurrent_decoder"
        inputs.append(keras.Input((3,) if recurrent else (None, 5)))
    model = keras.Model(inputs, layer(*inputs))
    model.save(tmp_path / "decoder.keras")
    loaded = keras.models.load_model(tmp_path / "decoder.keras")
    given = [case.ids] + ([] if case.plain else [case.about.astype(np.float32)])
    single = case.variant(dtype="float32")
    assert relative_error(loaded.predict(given, verbose=0), Numpy.call(single, single)) < 1e-5


@pytest.mark.parametrize("masked", [False, True])
def test_losses_agree(masked: bool) -> None:
    rng = np.random.default_rng(5)
    logits, targets = rng.normal(size=(3, 4, 6)), rng.integers(0, 6, size=(3, 4))
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]], bool) if masked else None
    if mask is not None:
        logits[~mask], targets[~mask] = np.nan, -3
    wanted = getattr(mmcourse.decoders.numpy, LOSS)(logits, targets, mask=mask)
    differences = central_differences(
        lambda point: getattr(mmcourse.decoders.numpy, LOSS)(point["logits"], targets, mask=mask), {"logits": logits}
    )["logits"]
    x = torch.tensor(logits, requires_grad=True)
    loss = mmcourse.decoders.torch.sequence_cross_entropy(
        x, torch.tensor(targets), None if mask is None else torch.tensor(mask)
    )
    (gradient,) = torch.autograd.grad(loss, x)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        other = mmcourse.decoders.keras.sequence_cross_entropy(tf.convert_to_tensor(variable), targets, mask)
    found = tape.gradient(other, variable).numpy()
    assert relative_error([loss.item(), float(other)], [wanted, wanted]) < 1e-12
    assert relative_error(found, gradient) < 1e-12
    assert relative_error(gradient, differences) < 1e-6
    if mask is not None:
        assert not gradient.numpy()[~mask].any()
        plain = [getattr(mmcourse.decoders.numpy, LOSS)(logits[:1], targets[:1])]
        plain += [getattr(mmcourse.decoders.numpy, LOSS)(logits[1:2, :2], targets[1:2, :2])]
        assert np.isclose(wanted, (4 * plain[0] + 2 * plain[1]) / 6)


def test_every_half_has_all_cases() -> None:
    assert {half.name for half in HALVES} == {"numpy", "torch", "keras"}
    assert sum(Keras.offers(case) for case in PLAIN) == len(PLAIN) - 2
