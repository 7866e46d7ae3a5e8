"""What one number sees, by formula and by the gradient's footprint."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mmcourse.encoders.receptive_field import ReceptiveField, receptive_field
from mmcourse.encoders.resnet_plan import longest_path
from mmcourse.encoders.torch import Convolution, ResNet
from mmcourse.encoders.windows import Window

STACKS: dict[str, list[Window]] = {
    "none": [],
    "one": [Window(5)],
    "two of three": [Window(3), Window(3)],
    "strided": [Window(3, stride=2, padding=1), Window(3, stride=2, padding=1), Window(3, padding=1)],
    "even": [Window(2, stride=2), Window(4, padding=1)],
    "dilated": [Window(3, dilation=1), Window(3, dilation=2), Window(3, dilation=4, padding=4)],
    "patches": [Window(4, stride=4), Window(3, padding=1)],
}


def footprint(network: Callable[[Tensor], Tensor], size: int, place: int) -> np.ndarray:
    """Which pixels along one axis have a gradient from the number at that place?"""
    x = torch.rand(1, 1, 1, size, dtype=torch.float64, requires_grad=True)
    network(x)[0, 0, 0, place].backward()
    return np.flatnonzero(x.grad[0, 0, 0].numpy())


def line(windows: list[Window]) -> nn.Module:
    """Convolutions along one axis with positive kernels, so that nothing cancels."""
    layers = [
        Convolution(
            1, 1, (1, w.kernel_size), stride=(1, w.stride), padding=(0, w.padding), dilation=(1, w.dilation)
        ).double()
        for w in windows
    ]
    for layer in layers:
        nn.init.uniform_(layer.kernel, 0.5, 1)
    return nn.Sequential(*layers)


@pytest.mark.parametrize("name", STACKS)
def test_the_field_is_where_the_gradient_is(name: str) -> None:
    windows, size = STACKS[name], 64
    field, network = receptive_field(windows), line(windows)
    places = network(torch.ones(1, 1, 1, size, dtype=torch.float64)).shape[3]
    for place in (places // 3, places // 2):  # so far inside that the field lies in the picture
        seen = footprint(network, size, place)
        assert seen[-1] - seen[0] + 1 == field.size
        assert (seen[0] + seen[-1]) / 2 == field.centre + place * field.jump


def test_at_the_edge_the_field_reaches_into_the_padding() -> None:
    windows = STACKS["strided"]
    field = receptive_field(windows)
    seen = footprint(line(windows), 64, 0)
    assert field.centre - (field.size - 1) / 2 < 0
    assert (seen[0], seen[-1]) == (0, field.centre + (field.size - 1) / 2)


@pytest.mark.parametrize("small", [False, True], ids=["large", "small"])
def test_of_a_residual_network_it_is_that_of_the_longest_path(small: bool) -> None:
    torch.manual_seed(0)
    network = ResNet(channels=1, widths=(2, 2), depths=(1, 2), small_pictures=small).double().eval()
    for name, parameter in network.named_parameters():
        if name.endswith("kernel"):
            nn.init.uniform_(parameter, 0.1, 1)  # positive, so that nothing cancels and no relu is silent
    field = receptive_field(longest_path((1, 2), small_pictures=small))
    size, place = 256, 8 if not small else 32
    x = torch.rand(1, 1, 9, size, dtype=torch.float64, requires_grad=True)
    network.maps(x)[0, :, 0, place].sum().backward()
    seen = np.flatnonzero(x.grad[0, 0].abs().sum(dim=0).numpy())
    low, high = (field.centre + place * field.jump + side * (field.size - 1) / 2 for side in (-1, 1))
    assert low <= seen[0]
    assert seen[-1] <= high
    if small:  # max-pooling hands the gradient to one pixel of nine, so the footprint may be narrower
        assert (seen[0], seen[-1]) == (low, high)


def test_of_resnet18_it_is_435_pixels_and_places_lie_32_apart() -> None:
    assert receptive_field(longest_path()) == ReceptiveField(size=435, jump=32, centre=0.0)
    assert receptive_field(longest_path(small_pictures=True)) == ReceptiveField(size=109, jump=8, centre=0.0)


def test_places_of_a_window() -> None:
    assert Window(3, dilation=2).reach == 5
    assert Window(7, stride=2, padding=3).places(224) == 112
    for window in STACKS["strided"] + STACKS["even"] + STACKS["dilated"]:
        assert window.places(20) == line([window])(torch.ones(1, 1, 1, 20, dtype=torch.float64)).shape[3]
