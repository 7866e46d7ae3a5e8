"""Every module on CUDA against NumPy."""

from collections.abc import Iterator

import pytest
import tensorflow as tf
import torch

from mmcourse.parity import relative_error
from tests.fusion.halves import Case, Keras, Numpy, Torch, cases

TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
EVERY = cases((3,)) + cases((3,), dtype="float32")
pytestmark = pytest.mark.gpu


@pytest.fixture
def full_precision() -> Iterator[None]:
    """TensorFlow multiplies float32 in TensorFloat-32 where it can, with three digits."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    yield
    tf.config.experimental.enable_tensor_float_32_execution(before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA device")
@pytest.mark.parametrize("case", EVERY, ids=str)
def test_torch_on_cuda(case: Case) -> None:
    module = Torch.build(case).to("cuda")
    features, mask = Torch.convert(case.features), Torch.convert(case.mask)
    features = {name: x.to("cuda").requires_grad_() for name, x in features.items()}
    output = module(features, mask and {name: here.to("cuda") for name, here in mask.items()})
    assert output.device.type == "cuda"
    referee = Numpy.call(Numpy.build(case), case.features, case.mask)
    assert relative_error(output.detach().cpu().numpy(), referee) <= TOLERANCE[case.dtype]

    wanted = Torch.gradients(Torch.build(case), case.features, case.mask, case.cotangent)
    output.backward(torch.tensor(case.cotangent, device="cuda"))
    largest = max(abs(gradient).max() for gradient in wanted.values())
    for name, tensor in {
        **dict(module.named_parameters()),
        **{f"features.{m}": x for m, x in features.items()},
    }.items():
        assert abs(tensor.grad.cpu().numpy() - wanted[name]).max() <= TOLERANCE[case.dtype] * largest, name


@pytest.mark.skipif(not tf.config.list_physical_devices("GPU"), reason="TensorFlow sees no CUDA device")
@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize("case", EVERY, ids=str)
def test_keras_on_cuda(case: Case) -> None:
    with tf.device("/GPU:0"):
        output = Keras.build(case)(case.features, mask=case.mask)
    assert "GPU" in output.device
    referee = Numpy.call(Numpy.build(case), case.features, case.mask)
    assert relative_error(output.numpy(), referee) <= TOLERANCE[case.dtype]
