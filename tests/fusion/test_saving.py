"""Saved and loaded modules compute the same."""

from pathlib import Path

import keras
import pytest
import torch

from mmcourse.parity import parameters
from tests.fusion.halves import Case, Keras, Torch, cases

EVERY = [*cases((3,)), Case("weighted sum", 3, {"learned": False}, masked=True)]


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_torch_state_dict_round_trip(case: Case, tmp_path: Path) -> None:
    module = Torch.build(case)
    torch.save(module.state_dict(), tmp_path / "fusion.pt")
    fresh = Torch.new(case.concept, case.dims, **case.options).double()
    fresh.load_state_dict(torch.load(tmp_path / "fusion.pt", weights_only=True))
    assert (Torch.call(fresh, case.features, case.mask) == Torch.call(module, case.features, case.mask)).all()


# Keras converts its own variables in `save` by a call of NumPy 1's time.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@pytest.mark.parametrize("case", EVERY, ids=str)
def test_keras_file_round_trip(case: Case, tmp_path: Path) -> None:
    layer = Keras.build(case)
    features = {name: keras.Input((width,), name=name, dtype="float64") for name, width in case.dims.items()}
    mask = None
    inputs = {"features": features}
    if case.masked:
        mask = {name: keras.Input((), dtype="bool", name=f"{name}_mask") for name in case.dims}
        inputs |= {"mask": mask}
    keras.Model(inputs, layer(features, mask=mask)).save(tmp_path / "fusion.keras")
    loaded = keras.saving.load_model(tmp_path / "fusion.keras")
    arrays = {"features": case.features} | ({"mask": case.mask} if case.masked else {})
    assert (loaded(arrays).numpy() == Keras.call(layer, case.features, case.mask)).all()


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_keras_layer_from_its_configuration(case: Case) -> None:
    layer = Keras.build(case, check_values=False)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert list(again.dims) == list(case.dims)
    assert {name: array.shape for name, array in parameters(again).items()} == case.shapes
    assert len(again.trainable_variables) == len(layer.trainable_variables)
    again.set_weights(layer.get_weights())
    assert (Keras.call(again, case.features, case.mask) == Keras.call(layer, case.features, case.mask)).all()
