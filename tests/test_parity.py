"""The machinery that compares frameworks."""

import sys

import keras
import numpy as np
import pytest
import torch

from mmcourse import parity


class TorchTwo(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.zeros(2, 3))
        self.weights = torch.nn.ParameterDict({"image": torch.tensor(0.0)})
        self.register_buffer("offset", torch.zeros(3))


class KerasTwo(keras.layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.scale = self.add_weight(name="weights.image", shape=())
        self.kernel = self.add_weight(name="kernel", shape=(2, 3))
        self.offset = self.add_weight(name="offset", shape=(3,), trainable=False)


@pytest.fixture
def arrays() -> parity.Arrays:
    rng = np.random.default_rng(0)
    return {
        "kernel": rng.normal(size=(2, 3)).astype(np.float32),
        "weights.image": np.float32(0.25) * np.ones((), np.float32),
        "offset": rng.normal(size=3).astype(np.float32),
    }


def same(one: parity.Arrays, other: parity.Arrays) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_parameters_go_round_all_frameworks_unchanged(arrays: parity.Arrays) -> None:
    first, layer, second = TorchTwo(), KerasTwo(), TorchTwo()
    parity.numpy_to_torch(arrays, first)
    parity.torch_to_keras(first, layer)
    parity.keras_to_torch(layer, second)
    assert same(parity.torch_to_numpy(second), arrays)
    assert same(parity.keras_to_numpy(layer), arrays)


def test_transfer_finds_the_way_by_itself(arrays: parity.Arrays) -> None:
    module, layer, again = TorchTwo(), KerasTwo(), TorchTwo()
    parity.transfer(arrays, module)
    parity.transfer(module, layer)
    parity.transfer(layer, again)
    assert same(parity.parameters(again), arrays)
    with pytest.raises(TypeError, match="target: got dict, wanted a PyTorch module or a Keras layer"):
        parity.transfer(module, {})
    with pytest.raises(TypeError, match="got int, wanted a PyTorch module or a Keras layer"):
        parity.transfer(3, module)


@pytest.mark.parametrize("target", [TorchTwo, KerasTwo])
def test_what_does_not_fit_is_refused_before_anything_is_copied(target: type, arrays: parity.Arrays) -> None:
    built = target()
    before = parity.parameters(built)
    faults = {
        "offset: the source has no such parameter": {n: a for n, a in arrays.items() if n != "offset"},
        "bias: the target has no such parameter": arrays | {"bias": np.zeros(3)},
        r"kernel: got shape \(3, 2\), wanted \(2, 3\)": arrays | {"kernel": arrays["kernel"].T},
        r"kernel: got shape \(\), wanted \(2, 3\)": arrays | {"kernel": np.float32(1)},
    }
    for message, wrong in faults.items():
        with pytest.raises(ValueError, match=message):
            parity.transfer(wrong, built)
    assert same(parity.parameters(built), before)


def test_copies_are_copies(arrays: parity.Arrays) -> None:
    for built in (TorchTwo(), KerasTwo()):
        parity.transfer(arrays, built)
        taken = parity.parameters(built)
        taken["kernel"][:] = 7
        assert same(parity.parameters(built), arrays)


def test_keras_variables_of_one_name_are_refused() -> None:
    layer = keras.layers.Layer(name="twins")
    layer.add_weight(name="kernel", shape=())
    layer.add_weight(name="kernel", shape=())
    with pytest.raises(ValueError, match="layer twins: got several variables of one name"):
        parity.keras_to_numpy(layer)


class TorchNested(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = TorchTwo()
        self.layers = torch.nn.ModuleList([TorchTwo(), TorchTwo()])
        self.by_name = torch.nn.ModuleDict({"image": TorchTwo()})
        self.bias = torch.nn.Parameter(torch.zeros(2))


class KerasNested(keras.layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.by_name = {"image": KerasTwo()}
        self.layers = [KerasTwo(), KerasTwo()]
        self.norm = KerasTwo()
        self.bias = self.add_weight(name="bias", shape=(2,))


def test_parts_of_a_module_add_the_names_under_which_they_are_kept() -> None:
    layer, module = KerasNested(), TorchNested()
    for variable in layer.variables:
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    parity.transfer(layer, module)
    names = {"bias"} | {
        f"{part}.{name}"
        for part in ("norm", "layers.0", "layers.1", "by_name.image")
        for name in ("kernel", "weights.image", "offset")
    }
    assert parity.keras_to_numpy(layer).keys() == names
    assert same(parity.torch_to_numpy(module), parity.keras_to_numpy(layer))
    np.testing.assert_array_equal(parity.keras_variables(layer)["layers.1.kernel"], layer.layers[1].kernel)


def test_a_shared_part_is_named_wherever_it_is_kept() -> None:
    layer = KerasNested()
    layer.layers[1] = layer.norm
    assert parity.keras_variables(layer)["layers.1.kernel"] is parity.keras_variables(layer)["norm.kernel"]


def test_numpy_arguments_nest_by_every_part_of_a_name(arrays: parity.Arrays) -> None:
    deep = parity.numpy_arguments({"layers.0.norm.bias": 1, "layers.0.norm.scale": 2, "layers.1.norm.bias": 3, "x": 4})
    assert deep == {"layers": {"0": {"norm": {"bias": 1, "scale": 2}}, "1": {"norm": {"bias": 3}}}, "x": 4}


def test_numpy_arguments_are_taken_from_arrays_and_modules(arrays: parity.Arrays) -> None:
    module = TorchTwo()
    parity.transfer(arrays, module)
    for source in (arrays, module):
        found = parity.numpy_arguments(source)
        assert found.keys() == {"kernel", "weights", "offset"}
        assert found["weights"] == {"image": 0.25}
        np.testing.assert_array_equal(found["kernel"], arrays["kernel"])


def test_relative_error_is_measured_against_the_largest_magnitude() -> None:
    assert parity.relative_error([1.0, -9.0], [1.0, -10.0]) == pytest.approx(0.1)
    assert parity.relative_error([0.0, 0.0], [0.0, 0.0]) == 0
    assert parity.relative_error([0.0, 1e-9], [0.0, 0.0]) == np.inf
    assert np.isnan(parity.relative_error([np.nan, 1.0], [1.0, 1.0]))
    with pytest.raises(ValueError, match=r"got shape \(1,\), wanted \(3,\)"):
        parity.relative_error([1.0], [1.0, 1.0, 1.0])  # no broadcasting
    with pytest.raises(ValueError, match="nothing to compare"):
        parity.relative_error([], [])


def test_central_differences_of_a_known_function() -> None:
    def function(at: dict[str, np.ndarray]) -> float:
        return float(np.sin(at["x"]).sum() + at["s"] ** 3)

    point = {"x": np.array([[0.1, 2.0], [-1.0, 0.5]]), "s": np.array(2.0)}
    gradient = parity.central_differences(function, point)
    np.testing.assert_allclose(gradient["x"], np.cos(point["x"]), atol=1e-9)
    np.testing.assert_allclose(gradient["s"], 12, atol=1e-7)
    np.testing.assert_array_equal(point["x"], [[0.1, 2.0], [-1.0, 0.5]])  # the caller's arrays stay as they are


def test_numpy_alone_needs_no_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    for framework in ("torch", "keras"):
        monkeypatch.delitem(sys.modules, framework)
    assert parity.numpy_arguments({"weights.image": 1}) == {"weights": {"image": 1}}
    with pytest.raises(TypeError, match="got object, wanted"):
        parity.parameters(object())
