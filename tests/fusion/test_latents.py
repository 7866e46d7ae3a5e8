"""Laws of PerceiverResampler, GatedCrossAttention and QFormer, and what they refuse."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mmcourse.errors import DtypeError, MaskError, ModalityError, NotFiniteError, ShapeError, UnknownModalityError
from mmcourse.fusion.torch import GatedCrossAttention, PerceiverResampler, QFormer, latest_picture
from mmcourse.fusion.torch.q_former import MODES
from mmcourse.parity import relative_error

BATCH, DIM, KEY_DIM, TIME, KEYS = 3, 8, 6, 5, 7
ROUNDING = 1e-12
Arrays = dict[str, Tensor]


class Reader(NamedTuple):
    """How a module is made and called on named sequences and masks; `widths` names the sequences it reads."""

    build: Callable[[], nn.Module]
    widths: dict[str, tuple[int, int]]
    call: Callable[[nn.Module, Arrays, Arrays], Tensor]


def former(mode: str) -> Reader:
    def call(module: nn.Module, x: Arrays, m: Arrays) -> Tensor:
        both = module(x["picture"], x["text"], mode=mode, mask=m.get("picture"), text_mask=m.get("text"))
        return torch.cat(both, dim=1)

    return Reader(
        lambda: QFormer(DIM, key_dim=KEY_DIM, queries=4, layers=3, heads=2, hidden_size=10),
        {"picture": (KEYS, KEY_DIM), "text": (TIME, DIM)},
        call,
    )


READERS = {
    "resampler": Reader(
        lambda: PerceiverResampler(DIM, latents=4, layers=2, heads=2, hidden_size=10),
        {"sequence": (KEYS, DIM)},
        lambda module, x, m: module(x["sequence"], m.get("sequence")),
    ),
    "gated": Reader(
        lambda: GatedCrossAttention(DIM, key_dim=KEY_DIM, heads=2, hidden_size=10),
        {"text": (TIME, DIM), "pictures": (KEYS, KEY_DIM)},
        lambda module, x, m: module(x["text"], x["pictures"], m.get("pictures"), m.get("text")),
    ),
    **{f"q-former, {mode}": former(mode) for mode in MODES},
}
over_readers = pytest.mark.parametrize("name", READERS)


def jittered(reader: Reader) -> nn.Module:
    """Away from every special value with which a module begins."""
    torch.manual_seed(0)
    module = reader.build().double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return module


def draw(reader: Reader, seed: int = 1) -> Arrays:
    rng = np.random.default_rng(seed)
    return {name: torch.tensor(rng.normal(size=(BATCH, *shape))) for name, shape in reader.widths.items()}


def masks(reader: Reader) -> Arrays:
    """The last two steps masked in row 0, one in the middle in row 1, none in row 2."""
    found = {}
    for name, (time, _) in reader.widths.items():
        found[name] = torch.ones(BATCH, time, dtype=torch.bool)
        found[name][0, -2:] = False
        found[name][1, 1] = False
    return found


@over_readers
@pytest.mark.parametrize("filling", [7.0, -1e6])
def test_what_stands_in_a_masked_step_influences_neither_value_nor_gradient(name: str, filling: float) -> None:
    reader, seen = READERS[name], []
    for value in (float("nan"), filling):
        module, inputs, mask = jittered(reader), draw(reader), masks(reader)
        for modality, x in inputs.items():
            x[~mask[modality]] = value
            x.requires_grad_()
        output = reader.call(module, inputs, mask)
        (output**2).sum().backward()
        for modality, x in inputs.items():
            assert x.grad is not None
            assert not x.grad[~mask[modality]].any()
        seen.append([output.detach(), *(p.grad for p in module.parameters()), *(x.grad for x in inputs.values())])
    for one, other in zip(*seen, strict=True):
        assert torch.equal(one, other)
        assert one.isfinite().all()


@over_readers
def test_masked_steps_at_the_end_are_as_if_they_were_not_there(name: str) -> None:
    reader = READERS[name]
    module, inputs, mask = jittered(reader), draw(reader), masks(reader)
    whole = reader.call(module, inputs, mask)[:1]
    cut = reader.call(module, {m: x[:1, :-2] for m, x in inputs.items()}, {})
    left = [i for i in range(whole.shape[1]) if whole[0, i].any()]  # a masked step of a text is zero
    assert len(left) == cut.shape[1]
    assert relative_error(whole[:, left].detach(), cut.detach()) <= ROUNDING
    assert relative_error(whole.detach(), reader.call(module, inputs, {})[:1].detach()) > 1e-3


@over_readers
def test_every_parameter_receives_a_gradient_but_the_bias_of_the_keys(name: str) -> None:
    """The bias of the keys adds q . b to all scores of a query alike, and a softmax does not see what all share."""
    reader = READERS[name]
    module = jittered(reader)
    before = reader.call(module, draw(reader), {})
    (before**3).sum().backward()
    largest = max(p.grad.abs().max() for p in module.parameters() if p.grad is not None)
    for parameter_name, parameter in module.named_parameters():
        assert parameter.grad is not None, parameter_name
        size = parameter.grad.abs().max() / largest
        assert (size < ROUNDING) == parameter_name.endswith("key.bias"), parameter_name
    torch.optim.SGD(module.parameters(), lr=1e-3).step()
    assert relative_error(reader.call(module, draw(reader), {}).detach(), before.detach()) > 1e-6


@over_readers
def test_changing_any_modality_changes_the_output(name: str) -> None:
    reader = READERS[name]
    module, inputs = jittered(reader), draw(reader)
    for modality, other in draw(reader, seed=2).items():
        changed = reader.call(module, inputs | {modality: other}, {}) - reader.call(module, inputs, {})
        assert (changed.abs().amax(dim=(1, 2)) > 1e-3).all(), modality


@over_readers
def test_rows_of_a_batch_do_not_see_each_other(name: str) -> None:
    reader = READERS[name]
    module, inputs, mask = jittered(reader), draw(reader), masks(reader)
    alone = [
        reader.call(module, {m: x[[i]] for m, x in inputs.items()}, {m: x[[i]] for m, x in mask.items()})
        for i in range(BATCH)
    ]
    assert relative_error(torch.cat(alone).detach(), reader.call(module, inputs, mask).detach()) <= ROUNDING


@over_readers
def test_the_order_of_what_is_read_does_not_matter_without_positions(name: str) -> None:
    reader = READERS[name]
    module, inputs, mask = jittered(reader), draw(reader), masks(reader)
    read = next(modality for modality in ("sequence", "pictures", "picture") if modality in inputs)
    order = torch.tensor(np.random.default_rng(3).permutation(KEYS))
    moved = {n: x[:, order] if n == read else x for n, x in inputs.items()}
    moved_mask = {n: x[:, order] if n == read else x for n, x in mask.items()}
    wanted, got = reader.call(module, inputs, mask), reader.call(module, moved, moved_mask)
    assert relative_error(got.detach(), wanted.detach()) <= ROUNDING


@pytest.mark.parametrize("time", [1, 2, 50])
def test_the_latents_fix_the_length_whatever_comes(time: int) -> None:
    for latents in (1, 3, 9):
        module = PerceiverResampler(DIM, latents=latents, layers=1, heads=2)
        assert module(torch.randn(2, time, DIM)).shape == (2, latents, DIM)
        queries, text = QFormer(DIM, queries=latents, layers=1, heads=2)(torch.randn(2, time, DIM))
        assert queries.shape == (2, latents, DIM)
        assert text is None


def test_latents_that_are_equal_stay_equal() -> None:
    """What tells latents apart is where they begin, nothing else."""
    module = jittered(READERS["resampler"])
    with torch.no_grad():
        module.latents[1] = module.latents[0]
    output = module(draw(READERS["resampler"])["sequence"])
    assert relative_error(output[:, 1].detach(), output[:, 0].detach()) <= ROUNDING
    assert relative_error(output[:, 2].detach(), output[:, 0].detach()) > 1e-3


def test_a_gated_layer_is_the_identity_at_the_start() -> None:
    """To the last bit; the gates receive a gradient there, and what lies behind them exactly none.

    The derivative of tanh(a) r is (1 - tanh(a)^2) r for a, and tanh(a) = 0 times something for what r is made of.
    """
    reader = READERS["gated"]
    torch.manual_seed(0)
    module, inputs = reader.build().double(), draw(reader)
    output = reader.call(module, inputs, {})
    assert torch.equal(output, inputs["text"])
    (output**3).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None
        assert bool(parameter.grad.any()) == name.endswith("_gate"), name


def test_a_text_sees_the_picture_before_it_and_no_other() -> None:
    """By perturbation: each of two pictures with two vectors, standing at steps 1 and 3 of the text."""
    reader = READERS["gated"]
    module, inputs = jittered(reader), draw(reader)
    places = torch.tensor([[False, True, False, True, False]]).expand(BATCH, -1)
    pictures = inputs["pictures"][:, :4]
    seen = latest_picture(places, pictures=2, steps=2)
    before = module(inputs["text"], pictures, seen=seen)
    for picture, steps in ((0, [1, 2]), (1, [3, 4])):
        other = pictures.clone()
        other[:, 2 * picture : 2 * picture + 2] += 1
        moved = (module(inputs["text"], other, seen=seen) - before).abs().amax(dim=2) > 1e-9  # (batch, time)
        assert moved.any(dim=0).nonzero().flatten().tolist() == steps


def test_what_is_seen_and_what_is_present_are_asked_together() -> None:
    reader = READERS["gated"]
    module, inputs = jittered(reader), draw(reader)
    seen, mask = torch.rand(BATCH, TIME, KEYS) < 0.6, masks(reader)["pictures"]
    wanted = module(inputs["text"], inputs["pictures"], seen=seen & mask[:, None])
    got = module(inputs["text"], inputs["pictures"], mask, seen=seen)
    assert relative_error(got.detach(), wanted.detach()) <= ROUNDING
    assert relative_error(module(inputs["text"], inputs["pictures"], mask).detach(), wanted.detach()) > 1e-3


def test_where_no_picture_came_yet_the_text_reads_nothing() -> None:
    reader = READERS["gated"]
    module, inputs = jittered(reader), draw(reader)
    nothing = torch.zeros(BATCH, TIME, KEYS, dtype=torch.bool)
    x = inputs["text"]
    wanted = x + module.feed_forward_gate.tanh() * module.feed_forward(module.feed_forward_norm(x))
    assert relative_error(module(x, inputs["pictures"], seen=nothing).detach(), wanted.detach()) <= ROUNDING
    no_picture = torch.zeros(BATCH, KEYS, dtype=torch.bool)  # the modality is missing in all rows
    spoiled = inputs["pictures"] * torch.nan
    assert relative_error(module(x, spoiled, no_picture).detach(), wanted.detach()) <= ROUNDING


def test_latest_picture_in_known_cases() -> None:
    places = torch.tensor([[0, 1, 0, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]).bool()
    wanted = [[[0, 0], [1, 0], [1, 0], [0, 1], [0, 1]], [[1, 0]] * 5, [[0, 0]] * 5]
    assert latest_picture(places, pictures=2, steps=1).int().tolist() == wanted
    assert latest_picture(places, 3, 4).shape == (3, 5, 12)
    assert torch.equal(latest_picture(places, 2, 3)[..., ::3], latest_picture(places, 2, 1))


SEEN = {  # whether a query sees another query, the text; whether a word sees the queries, an earlier, a later word
    "contrastive": (True, False, False, True, True),
    "matching": (True, True, True, True, True),
    "generation": (True, False, True, True, False),
}


@pytest.mark.parametrize("mode", MODES)
def test_who_sees_whom(mode: str) -> None:
    """By perturbation: what is moved, and whose output moves with it. One layer, so that nobody tells it on."""
    torch.manual_seed(0)
    module = QFormer(DIM, queries=2, layers=1, heads=2).double()
    picture, text = torch.randn(1, KEYS, DIM).double(), torch.randn(1, TIME, DIM).double()
    queries, words = module(picture, text, mode=mode)

    def moved(change: Callable[[], tuple[Tensor, Tensor]]) -> tuple[list[bool], list[bool]]:
        found = change()
        return tuple(
            ((a - b).abs().amax(dim=(0, 2)) > 1e-9).tolist() for a, b in zip(found, (queries, words), strict=True)
        )

    def with_another_query() -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            module.queries[0] += torch.linspace(-1, 1, DIM).double()
            found = module(picture, text, mode=mode)
            module.queries[0] -= torch.linspace(-1, 1, DIM).double()
        return found

    def with_another_word() -> tuple[Tensor, Tensor]:
        other = text.clone()
        other[:, 2] += torch.linspace(-1, 1, DIM).double()
        return module(picture, other, mode=mode)

    query_query, query_text, text_query, earlier, later = SEEN[mode]
    by_query, words_by_query = moved(with_another_query)
    assert by_query == [True, query_query]
    assert words_by_query == [text_query] * TIME
    by_word, words_by_word = moved(with_another_word)
    assert by_word == [query_text] * 2
    assert words_by_word == [later, later, True, earlier, earlier]


def test_the_text_sees_the_picture_through_the_queries_alone() -> None:
    torch.manual_seed(0)
    picture, text = torch.randn(2, KEYS, DIM), torch.randn(2, TIME, DIM)
    for layers, mode, wanted in ((1, "matching", False), (2, "matching", True), (3, "contrastive", False)):
        module = QFormer(DIM, queries=2, layers=layers, heads=2)
        before, after = (module(x, text, mode=mode)[1] for x in (picture, picture + 1))
        assert ((after - before).abs().max() > 1e-6) == wanted


def test_the_queries_alone_are_those_beside_a_text_they_do_not_see() -> None:
    reader = READERS["q-former, contrastive"]
    module, inputs = jittered(reader), draw(reader)
    alone, _ = module(inputs["picture"])
    for mode in ("contrastive", "generation"):
        beside, _ = module(inputs["picture"], inputs["text"], mode=mode)
        assert relative_error(alone.detach(), beside.detach()) <= ROUNDING
    nothing = torch.zeros(BATCH, TIME, dtype=torch.bool)  # a text that is missing
    for mode in MODES:
        beside, words = module(inputs["picture"], inputs["text"] * torch.nan, mode=mode, text_mask=nothing)
        assert relative_error(alone.detach(), beside.detach()) <= ROUNDING
        assert not words.any()


def test_every_second_layer_reads_the_picture() -> None:
    def reading(**options: Any) -> list[bool]:
        module = QFormer(DIM, queries=2, layers=5, heads=2, **options)
        return [layer.cross_attention is not None for layer in module.layers]

    assert reading() == [True, False, True, False, True]
    assert reading(every=1) == [True] * 5
    assert reading(every=3) == [True, False, False, True, False]


@over_readers
def test_values_may_go_unchecked(name: str) -> None:
    reader = READERS[name]
    module, inputs = jittered(reader), draw(reader)
    read = next(iter(inputs))
    inputs[read][1, 0, 0] = float("nan")
    with pytest.raises(NotFiniteError, match=rf"{module.where}: {read}: got NaN or infinity in rows \[1\]"):
        reader.call(module, inputs, {})
    module.check_values = False
    assert reader.call(module, inputs, {}).isnan().any()


X, C = torch.randn(2, 4, DIM), torch.randn(2, KEYS, KEY_DIM)
GATED = GatedCrossAttention(DIM, key_dim=KEY_DIM, heads=2)
FORMER = QFormer(DIM, key_dim=KEY_DIM, queries=2, layers=1, heads=2)
RESAMPLER = PerceiverResampler(DIM, latents=2, layers=1, heads=2)
FAULTS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: RESAMPLER(C), ShapeError, "perceiver resampler: sequence: got width 6, wanted 8"),
    (lambda: RESAMPLER(X.double()), DtypeError, "perceiver resampler: sequence: got dtype float64, wanted float32"),
    (
        lambda: RESAMPLER(X, torch.zeros(2, 4).bool()),
        MaskError,
        "perceiver resampler: sequence: got no step present in rows [0, 1], wanted at least one in every row",
    ),
    (
        lambda: PerceiverResampler(DIM, latents=0, layers=1, heads=2),
        ShapeError,
        "perceiver resampler: latents: got width 0, wanted a whole number above 0",
    ),
    (
        lambda: PerceiverResampler(DIM, latents=1, layers=1, heads=3),
        ShapeError,
        "cross-attention: heads: got 3, wanted a divisor of the width 8",
    ),
    (lambda: GATED(X, X), ShapeError, "gated cross-attention: pictures: got width 8, wanted 6"),
    (lambda: GATED(X[:1], C), ShapeError, "gated cross-attention: pictures: got batch size 2, wanted 1"),
    (
        lambda: GATED(X, C, seen=torch.ones(2, 4, 3).bool()),
        ShapeError,
        "gated cross-attention: seen: got shape (2, 4, 3), wanted (2, 4, 7)",
    ),
    (
        lambda: GATED(X, C, seen=torch.ones(2, 4, KEYS)),
        MaskError,
        "gated cross-attention: seen: got dtype float32, wanted bool",
    ),
    (
        lambda: GATED(X, C, text_mask=torch.ones(2, 5).bool()),
        MaskError,
        "gated cross-attention: mask of text: got shape (2, 5), wanted (2, 4)",
    ),
    (
        lambda: latest_picture(torch.ones(2, 3), 3, 1),
        MaskError,
        "latest_picture: places: got torch.float32 (2, 3), wanted bool (batch, time), a step at least",
    ),
    (
        lambda: latest_picture(torch.ones(2, 0).bool(), 2, 1),
        MaskError,
        "latest_picture: places: got torch.bool (2, 0), wanted bool (batch, time), a step at least",
    ),
    (
        lambda: latest_picture(torch.ones(2, 3).bool(), 2, 1),
        MaskError,
        "latest_picture: places: got 3 places in a text, wanted at most 2",
    ),
    (lambda: FORMER(C, C), ShapeError, "q-former: text: got width 6, wanted 8"),
    (lambda: FORMER([1.0]), DtypeError, "q-former: picture: got list, wanted a torch.Tensor"),
    (
        lambda: FORMER(C, text_mask=torch.ones(2, 4).bool()),
        UnknownModalityError,
        "q-former: text: got mask of an unknown modality, wanted picture",
    ),
    (
        lambda: FORMER(C, X, mode="itm"),
        ValueError,
        "q-former: mode: got 'itm', wanted 'contrastive' or 'matching' or 'generation'",
    ),
    (
        lambda: QFormer(DIM, queries=2, layers=1, heads=2, every=0),
        ShapeError,
        "q-former: every: got width 0, wanted a whole number above 0",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), FAULTS, ids=[message for *_, message in FAULTS])
def test_what_does_not_fit(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert str(caught.value) == message
    assert isinstance(caught.value, ModalityError | ValueError)
