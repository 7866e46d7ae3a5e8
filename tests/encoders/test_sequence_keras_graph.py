"""Sequence encoders in Keras in a graph: tf.function, fit, XLA, and from a file. Nothing goes unchecked in silence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mmcourse.encoders.keras import Embedding, LearnedPositions, LogMel, LSTMEncoder, TransformerEncoder
from mmcourse.errors import ShapeError
from mmcourse.parity import relative_error
from tests.encoders.sequence_halves import PLAIN, Case, Keras, flat

EVERY = [case.variant(masked="gaps", dtype="float32") for case in PLAIN]
ONE_EACH = [case for case in EVERY if not case.options]
OTHER_PATHS = [case for case in EVERY if case.options.get("bidirectional") or case.options.get("rotary")]
LSTM = next(case for case in EVERY if case.concept == "lstm")


def graph(layer: keras.Layer, case: Case, time: int | None = None, **options: Any) -> Callable[..., list[tf.Tensor]]:
    """The layer as a graph that knows no batch size beforehand, nor how long a sequence is unless told."""
    shape = (None, time) if case.concept == "embedding" else (None, time, case.sizes["dim"])
    sequence = tf.TensorSpec(shape, "int64" if case.concept == "embedding" else "float32")
    signature = (sequence, tf.TensorSpec((None, None), tf.bool))
    return tf.function(lambda x, mask: flat(layer(x, mask=mask)), input_signature=signature, **options)


@pytest.mark.parametrize("case", ONE_EACH + OTHER_PATHS, ids=str)
def test_a_graph_computes_what_eager_execution_computes(case: Case) -> None:
    layer = Keras.build(case)
    wanted = Keras.call(layer, case.sequence, case.mask)
    for got, array in zip(graph(layer, case)(case.sequence, case.mask), wanted, strict=True):
        assert relative_error(got, array) <= 1e-6


@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_a_graph_refuses_with_the_same_words(case: Case) -> None:
    run, x, everywhere = graph(Keras.build(case), case), case.filled(1), np.ones((3, 5), bool)
    name, where = ("ids" if case.concept == "embedding" else "sequence"), Keras.build(case).where
    nowhere = everywhere & (np.arange(3)[:, None] != 1)
    faults = [
        (x[:0], everywhere[:0], f"EmptyBatchError: {where}: {name}: got batch size 0, wanted at least 1"),
        (x[:, :0], everywhere[:, :0], f"ShapeError: {where}: {name}: got 0 steps, wanted at least 1"),
        (x, everywhere[:, :4], f"MaskError: {where}: mask: got shape (3, 4), wanted (3, 5)"),
        (x, everywhere[:1], f"MaskError: {where}: mask: got shape (1, 5), wanted (3, 5)"),
        (x, nowhere, f"MaskError: {where}: {name}: got no step present in rows [1], wanted at least one in every row"),
    ]
    if name == "sequence":
        spoiled = x.copy()
        spoiled[[0, 2], 1, 0] = np.nan
        faults.append((spoiled, everywhere, f"{where}: sequence: got NaN or infinity in rows [0, 2], wanted finite"))
    else:
        faults.append((x + 5, everywhere, f"{where}: ids: got an id of no vector in rows [0, 1, 2], wanted 0 to 5"))
    if case.concept == "learned_positions":
        longer = np.ones((3, 8, 3), np.float32), np.ones((3, 8), bool)
        faults.append((*longer, f"ShapeError: {where}: sequence: got 8 steps, wanted at most 7, one a position"))
    for sequence, mask, message in faults:
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            run(sequence, mask)
        assert message in str(caught.value)


@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_xla_computes_the_same_where_values_are_not_checked(case: Case) -> None:
    layer = Keras.build(case, check_values=False)
    assert layer.supports_jit
    assert not Keras.build(case).supports_jit
    got = graph(layer, case, time=5, jit_compile=True)(case.sequence, case.mask)
    for array, wanted in zip(got, Keras.call(layer, case.sequence, case.mask), strict=True):
        assert relative_error(array, wanted) <= 1e-6


def reader() -> keras.Model:
    """Words through everything that this package has for them."""
    ids, mask = keras.Input((None,), dtype="int64", name="ids"), keras.Input((None,), dtype="bool", name="mask")
    x = LearnedPositions(4, length=9)(Embedding(6, out_dim=4)(ids, mask=mask), mask=mask)
    x = TransformerEncoder(4, layers=1, heads=2)(x, mask=mask)
    _, (hidden, _) = LSTMEncoder(4, hidden_size=2)(x, mask=mask)
    return keras.Model({"ids": ids, "mask": mask}, keras.layers.Dense(1)(hidden))


def words(filling: int) -> dict[str, np.ndarray]:
    mask = Case("embedding", masked="gaps").mask
    return {"ids": np.where(mask, np.arange(15).reshape(3, 5) % 6, filling), "mask": mask}


def test_masked_ids_have_no_influence_in_fit_and_a_model_comes_back_from_a_file(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model, histories = reader(), []
    model.compile(keras.optimizers.SGD(0.1), "mse")
    begin = model.get_weights()
    for filling in (0, -7):
        model.set_weights(begin)
        history = model.fit(words(filling), np.array([[0.0], [1.0], [-1.0]]), epochs=4, shuffle=False, verbose=0)
        histories.append(history.history["loss"])
    assert histories[0] == histories[1]
    assert histories[0][0] > histories[0][-1]
    model.save(tmp_path / "reader.keras")
    again = keras.models.load_model(tmp_path / "reader.keras")
    np.testing.assert_array_equal(again(words(0)), model(words(-7)))


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_a_layer_is_made_again_from_its_configuration(case: Case) -> None:
    layer = Keras.build(case, check_values=False)
    again = type(layer).from_config(layer.get_config())
    again.set_weights(layer.get_weights())
    for got, wanted in zip(
        Keras.call(again, case.sequence, case.mask), Keras.call(layer, case.sequence, case.mask), strict=True
    ):
        np.testing.assert_array_equal(got, wanted)
    assert not again.check_values


def test_a_network_that_does_not_fit_is_refused_when_it_is_put_together() -> None:
    with pytest.raises(ShapeError, match=r"LSTM: sequence: got width 8, wanted 3"):
        Keras.build(LSTM)(keras.Input((None, 8)))
    with pytest.raises(ShapeError, match=r"learned positions: sequence: got 12 steps, wanted at most 7"):
        Keras.new("learned_positions")(keras.Input((12, 3)))
    outputs, (hidden, cell) = Keras.build(LSTM)(keras.Input((None, 3)))
    assert (outputs.shape, hidden.shape, cell.shape) == ((None, None, 2), (None, 2), (None, 2))


@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_mixed_precision_computes_in_the_smaller_dtype(case: Case) -> None:
    layer = Keras.build(case, dtype="mixed_float16")
    sequence = case.sequence if case.concept == "embedding" else case.sequence.astype(np.float16)
    wanted = Keras.call(Keras.build(case), case.sequence, case.mask)
    for got, array in zip(Keras.call(layer, sequence, case.mask), wanted, strict=True):
        assert got.dtype == np.float16
        np.testing.assert_allclose(got, array, rtol=0.05, atol=0.05)


def test_a_log_mel_layer_in_a_graph_checks_what_it_hears() -> None:
    layer = LogMel(sample_rate=1000, n_fft=32, hop_length=8, n_mels=5)
    run = tf.function(layer, input_signature=[tf.TensorSpec((None, None), tf.float32)])
    x = np.random.default_rng(0).normal(size=(3, 100)).astype(np.float32)
    assert relative_error(run(x), layer(x)) <= 1e-6
    x[1, 3] = np.nan
    faults = {
        "log-mel: waveform: got NaN or infinity in rows [1], wanted finite numbers": x,
        "log-mel: waveform: got 20 samples, wanted at least 32, one window": x[:1, :20],
        "log-mel: waveform: got batch size 0, wanted at least 1": x[:0],
    }
    for message, waveform in faults.items():
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            run(waveform)
        assert message in str(caught.value)
    symbolic = layer(keras.Input((100,)))
    assert symbolic.shape == (None, 13, 5)
    again = LogMel.from_config(layer.get_config())
    np.testing.assert_array_equal(again(x[:1]), layer(x[:1]))
