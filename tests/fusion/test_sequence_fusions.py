"""Fusions of whole sequences, in PyTorch alone: laws of the crossmodal and the bottleneck Transformer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mmcourse.errors import ModalityError, ShapeError, UnknownModalityError
from mmcourse.fusion.torch import BottleneckTransformer, CrossmodalTransformer
from mmcourse.fusion.torch.sequences import SequenceFusion

NAMES = ("text", "image", "speech", "depth")
Tensors = dict[str, Tensor]
SIZES: dict[str, Any] = {"dim": 4, "heads": 2, "layers": 2, "hidden_size": 9, "out_dim": 3}
CLASSES: dict[str, Callable[..., SequenceFusion]] = {
    "crossmodal transformer": CrossmodalTransformer,
    "bottleneck transformer": BottleneckTransformer,
}
over_classes = pytest.mark.parametrize("where", CLASSES)
over_counts = pytest.mark.parametrize("count", [2, 3, 4])


def dims_of(count: int) -> dict[str, int]:
    return {name: 3 + index for index, name in enumerate(NAMES[:count])}


def build(where: str, count: int, **options: Any) -> Any:
    """A module in double precision whose parameters are away from every special value with which it begins."""
    torch.manual_seed(count)
    module = CLASSES[where](dims_of(count), **SIZES | options).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module


def inputs_of(count: int, masked: bool = False) -> tuple[Tensors, Tensors | None]:
    """Four rows; masked: some steps, and in rows 1 and 2 a whole modality; a masked step holds NaN."""
    rng = torch.Generator().manual_seed(10 + count)
    x = {
        name: torch.randn(4, 3 + index, width, generator=rng, dtype=torch.double)
        for index, (name, width) in enumerate(dims_of(count).items())
    }
    if not masked:
        return x, None
    mask = {name: torch.rand(sequence.shape[:2], generator=rng) > 0.4 for name, sequence in x.items()}
    for here in mask.values():
        here[:, 0] = True
    mask["text"][1] = False
    mask["image"][2] = False
    for name, here in mask.items():
        x[name][~here] = torch.nan
    return x, mask


def filled(x: Tensors, mask: Tensors, value: float) -> Tensors:
    return {name: torch.where(mask[name][..., None], sequence, value) for name, sequence in x.items()}


def moved(x: Tensors, name: str) -> Tensors:
    return x | {name: x[name] + torch.linspace(0.2, 0.9, x[name].shape[2], dtype=torch.double)}


def gradients(module: Any, x: Tensors, mask: Tensors | None) -> Tensors:
    leaves = {name: sequence.clone().requires_grad_() for name, sequence in x.items()}
    wanted = dict(module.named_parameters()) | {f"{name} given": leaf for name, leaf in leaves.items()}
    loss = (module(leaves, mask) * torch.linspace(-1, 1, 12, dtype=torch.double).reshape(4, 3)).sum()
    return dict(zip(wanted, torch.autograd.grad(loss, list(wanted.values())), strict=True))


@over_classes
@over_counts
def test_every_parameter_receives_a_gradient(where: str, count: int) -> None:
    """But the bias of the keys: it adds one number to all scores of a query, which the softmax does not see."""
    module = build(where, count)
    found = gradients(module, *inputs_of(count))
    for name, _ in module.named_parameters():
        largest = found[name].abs().max()
        assert largest < 1e-12 if name.endswith("key.bias") else largest > 1e-8, name


@over_classes
def test_a_step_changes_the_output(where: str) -> None:
    module, (x, mask) = build(where, 2), inputs_of(2, masked=True)
    before, found = module(x, mask), gradients(module, x, mask)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter -= 0.1 * found[name]
    assert (module(x, mask) - before).abs().max() > 1e-6


@over_classes
@over_counts
def test_changing_any_modality_changes_the_output(where: str, count: int) -> None:
    module, (x, mask) = build(where, count), inputs_of(count, masked=True)
    before = module(x, mask)
    assert before.shape == (4, 3)
    for name in x:
        changed = (module(moved(x, name), mask) - before).abs().amax(dim=1) > 1e-9
        assert changed.tolist() == mask[name].any(dim=1).tolist()


@over_classes
@over_counts
def test_what_is_masked_has_no_influence(where: str, count: int) -> None:
    """On value and gradient, whole modalities included; the gradient with respect to it is zero."""
    module, (x, mask) = build(where, count), inputs_of(count, masked=True)
    before, found = module(x, mask), gradients(module, x, mask)
    assert before.isfinite().all()
    for filling in (0.0, 1e300, torch.inf):
        assert torch.equal(module(filled(x, mask, filling), mask), before)
    same = gradients(module, filled(x, mask, 0.5), mask)
    for name, gradient in found.items():
        assert gradient.isfinite().all(), name
        assert torch.equal(gradient, same[name]), name
    for name, here in mask.items():
        assert not found[f"{name} given"][~here].any()


@over_classes
def test_rows_are_independent_and_the_order_of_modalities_is_that_of_dims(where: str) -> None:
    module, (x, mask) = build(where, 3), inputs_of(3, masked=True)
    whole = module(x, mask)
    parts = [
        module({n: s[i : i + 1] for n, s in x.items()}, {n: m[i : i + 1] for n, m in mask.items()}) for i in range(4)
    ]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=1e-12)
    turned = dict(reversed(x.items())), dict(reversed(mask.items()))
    assert torch.equal(module(*turned), whole)


@over_classes
def test_a_masked_step_might_as_well_not_be_there(where: str) -> None:
    module, (x, mask) = build(where, 2), inputs_of(2, masked=True)
    whole = module(x, mask)
    row = {name: x[name][:1, mask[name][0]] for name in x}  # both modalities are present in row 0
    torch.testing.assert_close(module(row), whole[:1], rtol=0, atol=1e-12)


@over_classes
def test_without_positions_the_order_of_steps_does_not_matter(where: str) -> None:
    module, (x, _) = build(where, 2), inputs_of(2)
    turned = {name: sequence.flip(1) for name, sequence in x.items()}
    torch.testing.assert_close(module(turned), module(x), rtol=0, atol=1e-12)
    for name, stream in module.streams(x).items():
        torch.testing.assert_close(module.streams(turned)[name], stream.flip(1), rtol=0, atol=1e-12)


@over_classes
def test_masked_steps_of_streams_are_zero(where: str) -> None:
    module, (x, mask) = build(where, 3), inputs_of(3, masked=True)
    for name, stream in module.streams(x, mask).items():
        np.testing.assert_array_equal((stream != 0).any(dim=2).numpy(), mask[name].numpy())


# Who hears whom


def hears(module: Any, x: Tensors) -> dict[tuple[str, str], bool]:
    """Does a change of the second modality change the stream of the first?"""
    before = module.streams(x)
    after = {name: module.streams(moved(x, name)) for name in x}
    return {(m, n): bool((after[n][m] - before[m]).abs().max() > 1e-9) for m in x for n in x}


@over_counts
def test_information_crosses_only_through_the_bottleneck(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stream hears every other; where the exchange of tokens is cut, each hears but itself."""
    module, (x, _) = build("bottleneck transformer", count), inputs_of(count)
    assert all(hears(module, x).values())
    monkeypatch.setattr("mmcourse.fusion.torch.bottleneck._mean", lambda parts, here: torch.zeros_like(parts[0]))
    assert {pair for pair, heard in hears(module, x).items() if heard} == {(name, name) for name in x}


@over_counts
def test_a_bottleneck_takes_two_layers_to_cross(count: int) -> None:
    """In one layer what a modality knows enters the tokens; not before the next does it reach another's stream."""
    x, _ = inputs_of(count)
    for fusion_from in (0, 1):
        module = build("bottleneck transformer", count, layers=4, fusion_from=fusion_from)
        for kept in (4, 3, 2, 1):
            module.layers = module.layers[:kept]
            crosses = {heard for (m, n), heard in hears(module, x).items() if m != n}
            assert crosses == {kept >= fusion_from + 2}


def test_a_missing_modality_says_nothing_to_the_bottleneck() -> None:
    """A row of three modalities of which one is missing is a row of the other two."""
    three, two = build("bottleneck transformer", 3), build("bottleneck transformer", 2)
    own = three.state_dict()
    two.load_state_dict({name: own[name] for name in two.state_dict()})
    x, _ = inputs_of(3)
    missing = {"speech": torch.zeros(4, 5, dtype=torch.bool)}
    torch.testing.assert_close(
        three(x, missing), two({name: x[name] for name in ("text", "image")}), rtol=0, atol=1e-12
    )


@over_counts
def test_every_ordered_pair_has_an_encoder_of_its_own(count: int) -> None:
    """Cut one direction, m asks n, and the stream of m no longer hears n; all else stays as it was."""
    module, (x, _) = build("crossmodal transformer", count), inputs_of(count)
    assert all(hears(module, x).values())
    pairs = [(m, n) for m in x for n in x if m != n]
    assert sum(len(sources) for sources in module.crossmodal.values()) == len(pairs) == count * (count - 1)
    m, n = pairs[-1]
    for layer in module.crossmodal[m][n].layers:
        torch.nn.init.zeros_(layer.attention.value.kernel)
    silent = {pair for pair, heard in hears(module, x).items() if not heard}
    assert silent == {(m, n)}


def test_a_crossmodal_encoder_that_is_asked_in_vain_is_a_network_that_sees_each_step_alone() -> None:
    module, (x, _) = build("crossmodal transformer", 2), inputs_of(2)
    nothing = {"image": torch.zeros(4, 4, dtype=torch.bool)}
    encoder, h = module.crossmodal["text"]["image"], module.projections["text"](x["text"])
    wanted = h
    for layer in encoder.layers:
        wanted = wanted + layer.feed_forward(layer.feed_forward_norm(wanted))
    stream = module.memories["text"](encoder.final_norm(wanted))
    torch.testing.assert_close(module.streams(x, nothing)["text"], stream, rtol=0, atol=1e-12)


# Refused


@over_classes
def test_what_does_not_fit_is_refused(where: str) -> None:
    module, (x, _) = build(where, 2), inputs_of(2)
    everywhere = {name: torch.ones(sequence.shape[:2], dtype=torch.bool) for name, sequence in x.items()}
    spoiled = x["image"].clone()
    spoiled[[0, 3], 1, 0] = torch.nan
    faults: list[tuple[str, Tensors, Tensors | None]] = [
        ("image: got no features, wanted an entry for each of text, image", {"text": x["text"]}, None),
        ("sound: got features of an unknown modality, wanted text or image", x | {"sound": x["text"]}, None),
        ("sound: got mask of an unknown modality, wanted text or image", x, {"sound": everywhere["text"]}),
        ("image: got width 3, wanted 4", x | {"image": x["image"][..., 1:]}, None),
        ("image: got batch size 3, wanted 4", x | {"image": x["image"][1:]}, None),
        ("mask of image: got shape (4, 3), wanted (4, 4)", x, {"image": everywhere["image"][:, 1:]}),
        ("mask of text: got dtype float64, wanted bool", x, {"text": everywhere["text"].double()}),
        ("image: got dtype float32, wanted float64", x | {"image": x["image"].float()}, None),
        (
            "image: got NaN or infinity in rows [0, 3], wanted finite numbers where present",
            x | {"image": spoiled},
            None,
        ),
        (
            "text, image: got no modality present in rows [0, 1, 2, 3], wanted at least one in every row",
            x,
            {name: ~here for name, here in everywhere.items()},
        ),
    ]
    for message, features, mask in faults:
        with pytest.raises(ModalityError) as caught:
            module(features, mask)
        assert str(caught.value) == f"{where}: {message}"


@over_classes
def test_modules_that_cannot_be_are_refused(where: str) -> None:
    with pytest.raises(UnknownModalityError) as caught:
        build(where, 1)
    assert str(caught.value) == f"{where}: dims: got 1 modality (text), wanted at least 2"
    with pytest.raises(ShapeError) as caught:
        build(where, 2, heads=3)
    assert str(caught.value) == f"{where}: heads: got 3, wanted a divisor of the width 4"


def test_a_bottleneck_that_nothing_could_cross_is_refused() -> None:
    for layers, fusion_from in ((1, 0), (3, 2), (2, -1)):
        with pytest.raises(ShapeError, match=r"fusion_from: got .* layers, fusion from layer"):
            build("bottleneck transformer", 2, layers=layers, fusion_from=fusion_from)


@over_classes
@pytest.mark.parametrize("name", ["items", "type"])
def test_a_name_that_pytorch_uses_itself_is_refused(where: str, name: str) -> None:
    message = f"{where}: {name}: got the name '{name}', which the dictionaries of PyTorch use themselves"
    with pytest.raises(UnknownModalityError, match=message):
        CLASSES[where]({"text": 3, name: 4}, dim=4, heads=2, layers=2, out_dim=2)
