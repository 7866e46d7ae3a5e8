"""ResNet-18 and the vision Transformer of the library Transformers are ours, with their weights carried over."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import mmcourse.encoders.keras
from mmcourse import parity
from mmcourse.encoders.numpy import resnet18, vision_transformer
from mmcourse.encoders.torch import ResNet, ResNet18, VisionTransformer
from mmcourse.encoders.torch import resnet as torch_resnet
from mmcourse.encoders.torch import vision_transformer as torch_vision_transformer
from mmcourse.parity import relative_error
from tests.encoders.image_halves import Keras

transformers = pytest.importorskip("transformers", reason="Transformers is not installed")
TOLERANCE = 1e-10
DEPTHS = [2, 2, 2, 2]
RESNET: dict[str, Any] = {
    "layer_type": "basic",
    "depths": DEPTHS,
    "hidden_sizes": [64, 128, 256, 512],
    "embedding_size": 64,
}
VIT: dict[str, Any] = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "image_size": 8,
    "patch_size": 4,
}
Named = dict[str, np.ndarray]


def jittered(model: Any) -> Any:
    """In double precision, vectors away from the values with which they begin (biases of zero, scales of one)."""
    torch.manual_seed(0)
    for name, x in model.double().state_dict().items():
        if x.ndim == 1:
            x += 0.1 * (torch.rand_like(x) if name.endswith("running_var") else torch.randn_like(x))
    return model


def resnet_model(**changes: Any) -> Any:
    return jittered(transformers.ResNetModel(transformers.ResNetConfig(**RESNET | changes)))


def vit_model(**changes: Any) -> Any:
    return jittered(transformers.ViTModel(transformers.ViTConfig(**VIT | changes))).eval()


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


def cotangent(output: Any) -> np.ndarray:
    return np.random.default_rng(1).normal(size=tuple(output.shape))


def backward(call: Callable[[Tensor], Tensor], model: torch.nn.Module, images: np.ndarray) -> tuple[np.ndarray, Any]:
    """The output, and the gradients of sum(output * cotangent): {parameter or "images": gradient}."""
    wanted = dict(model.named_parameters()) | {"images": torch.tensor(images, requires_grad=True)}
    output = call(wanted["images"])
    loss = (output * torch.tensor(cotangent(output))).sum()
    found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    return output.detach().numpy(), {n: g for n, g in zip(wanted, found, strict=True) if g is not None}


def check_gradients(got: Mapping[str, Any], theirs: Mapping[str, Any], renamed: Mapping[str, Any]) -> None:
    """A gradient is carried over like the parameter to which it belongs."""
    assert got.keys() == renamed.keys() | {"images"}
    largest = max(float(x.abs().max()) for x in renamed.values())
    for name, wanted in renamed.items():
        assert float((got[name] - wanted).abs().max()) <= TOLERANCE * largest, name
    assert relative_error(got["images"], theirs["images"]) <= TOLERANCE


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_resnet18_in_all_halves(training: bool) -> None:
    model, images = resnet_model().train(training), pictures(2, 3, 64, 40)
    ours = ResNet18.from_transformers(model)
    assert ours.training == training
    layer = mmcourse.encoders.keras.ResNet18(dtype="float64")
    parity.transfer(ours, layer)
    layer.mode = {"training": training}

    referee = resnet18(images, **parity.numpy_arguments(ours), training=training)
    wanted, theirs = backward(lambda x: model(x).pooler_output.flatten(1), model, images)
    output, gradients = backward(ours, ours, images)
    check_gradients(gradients, theirs, torch_resnet._renamed(theirs, DEPTHS))
    for got in (output, referee, layer(images, training=training).numpy()):
        assert relative_error(got, wanted) <= TOLERANCE

    statistics = torch_resnet._renamed(model.state_dict(), DEPTHS)
    for half in (ours, layer):
        for name, x in parity.parameters(half).items():
            assert relative_error(x, statistics[name]) <= TOLERANCE, name


def test_resnet18_in_keras_has_the_same_gradients() -> None:
    ours = ResNet18(widths=(4, 4, 5, 6)).double().eval()
    images = pictures(2, 3, 32, 32)
    output, gradients = backward(ours, ours, images)
    layer = mmcourse.encoders.keras.ResNet18(widths=(4, 4, 5, 6), dtype="float64")
    parity.transfer(ours, layer)
    layer.mode = {"training": False}
    found = Keras.gradients(layer, images, cotangent(output))
    assert found.keys() == gradients.keys()
    largest = max(np.abs(x).max() for x in found.values())
    for name, x in found.items():
        assert np.abs(x - gradients[name].numpy()).max() <= TOLERANCE * largest, name


def test_the_maps_are_their_last_hidden_state_whatever_the_depth_and_the_channels() -> None:
    model = resnet_model(depths=[1, 2], hidden_sizes=[4, 6], embedding_size=4, num_channels=1).eval()
    images = torch.tensor(pictures(2, 1, 33, 20))
    ours = ResNet.from_transformers(model)
    assert (ours.channels, ours.widths, ours.depths) == (1, (4, 6), (1, 2))
    assert relative_error(ours.maps(images).detach(), model(images).last_hidden_state.detach()) <= TOLERANCE


def test_conversion_copies() -> None:
    model = resnet_model(depths=[1], hidden_sizes=[4], embedding_size=4)
    ours = ResNet.from_transformers(model)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.zero_()
    assert all(x.abs().max() > 0 for x in model.parameters())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer_type": "bottleneck"}, "model: got .'bottleneck', 'relu', False. after 64 channels, wanted basic"),
        ({"hidden_act": "gelu"}, "got .'basic', 'gelu', False."),
        ({"downsample_in_first_stage": True}, "got .'basic', 'relu', True."),
        ({"embedding_size": 32}, "after 32 channels"),
        ({"depths": [1, 2, 2, 2]}, r"model: got depths \[1, 2, 2, 2\], wanted \(2, 2, 2, 2\)"),
    ],
)
def test_another_resnet_is_refused(changes: dict[str, Any], message: str) -> None:
    small = {"hidden_sizes": [64, 4, 4, 4], "depths": [1, 1, 1, 1]}
    model = transformers.ResNetModel(transformers.ResNetConfig(**RESNET | small | changes))
    with pytest.raises(ValueError, match=message):
        ResNet18.from_transformers(model)


@pytest.mark.parametrize("changes", [{}, {"num_channels": 1, "image_size": [8, 12], "patch_size": [4, 2]}])
def test_the_vision_transformer_in_all_halves(changes: dict[str, Any]) -> None:
    model = vit_model(**changes)
    ours = VisionTransformer.from_transformers(model)
    images = pictures(2, ours.channels, *ours.size)
    options: dict[str, Any] = {"size": ours.size, "patch_size": ours.patches.patch_size, "channels": ours.channels}
    options |= {"dim": 8, "layers": 2, "heads": 2, "hidden_size": 12, "epsilon": 1e-12, "dtype": "float64"}
    layer = mmcourse.encoders.keras.VisionTransformer(**options)
    parity.transfer(ours, layer)

    wanted, theirs = backward(lambda x: model(x).last_hidden_state, model, images)
    output, gradients = backward(ours.tokens, ours, images)
    check_gradients(gradients, theirs, torch_vision_transformer._renamed(theirs, 2))
    arguments = parity.numpy_arguments(ours) | {"heads": 2, "size": ours.size, "epsilon": 1e-12}
    for got in (output, vision_transformer(images, **arguments, return_tokens=True), layer.tokens(images).numpy()):
        assert relative_error(got, wanted) <= TOLERANCE
    vectors = ours(torch.tensor(images)).detach().numpy()
    for got in (vectors, vision_transformer(images, **arguments), layer(images).numpy()):
        assert relative_error(got, wanted[:, 0]) <= TOLERANCE


@pytest.mark.parametrize("size", [(16, 16), (12, 20), (4, 8)])
def test_positions_are_interpolated_as_theirs(size: tuple[int, int]) -> None:
    model = vit_model()
    ours = VisionTransformer.from_transformers(model, interpolate=True)
    images = torch.tensor(pictures(2, 3, *size))
    theirs = model(images, interpolate_pos_encoding=True).last_hidden_state
    assert relative_error(ours.tokens(images).detach(), theirs.detach()) <= TOLERANCE


@pytest.mark.parametrize("changes", [{"hidden_act": "gelu_new"}, {"qkv_bias": False}], ids=str)
def test_another_vision_transformer_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"vision transformer: model: got gelu.*, wanted gelu, qkv_bias=True"):
        VisionTransformer.from_transformers(vit_model(**changes))
