"""Laws of the encoders."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mmcourse.encoders.torch import ConvolutionalEncoder, MeanOfWords, WordTransformer

WORDS, WIDTH, SIZE, LENGTH = 9, 8, 12, 6
TEXT = {
    "mean": lambda **options: MeanOfWords(WORDS, out_dim=WIDTH, **options),
    "transformer": lambda **options: WordTransformer(WORDS, out_dim=WIDTH, heads=2, length=LENGTH, **options),
}
over_text = pytest.mark.parametrize("kind", TEXT)
over_pools = pytest.mark.parametrize("pool", ["flatten", "mean"])


def text(kind: str, seed: int = 0) -> nn.Module:
    """In double precision, with positions that are no small matter."""
    torch.manual_seed(seed)
    encoder = TEXT[kind]().double().eval()
    if kind == "transformer":
        nn.init.normal_(encoder.positions)
    return encoder


def picture(pool: str = "flatten", seed: int = 0, **options: object) -> ConvolutionalEncoder:
    torch.manual_seed(seed)
    return ConvolutionalEncoder((3, 4, 5), **{"size": SIZE, "out_dim": WIDTH, **options}, pool=pool).double()


def images(n: int = 4, size: int = SIZE) -> Tensor:
    return torch.tensor(np.random.default_rng(0).uniform(size=(n, size, size)))


def some_ids() -> Tensor:
    return torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0], [7, 8, 9, 1], [9, 9, 2, 0]])


def close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=0, atol=1e-12)


def gradients(encoder: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    encoder.zero_grad()
    output = encoder(inputs)
    cotangent = torch.tensor(np.random.default_rng(1).normal(size=tuple(output.shape)))
    (output * cotangent).sum().backward()
    return {name: parameter.grad for name, parameter in encoder.named_parameters()}


@over_text
def test_padding_influences_neither_value_nor_gradient(kind: str) -> None:
    encoder, ids = text(kind), some_ids()
    longer = torch.cat([ids, torch.zeros(4, 2, dtype=torch.int64)], dim=1)
    assert close(encoder(longer), encoder(ids))
    before, after = gradients(encoder, ids), gradients(encoder, longer)
    assert all(close(before[name], after[name]) for name in before)
    alone = encoder(ids[1:2, :2])
    with torch.no_grad():
        encoder.vectors.weight[0] = 1e3  # whatever stands there
    assert close(encoder(ids)[1:2], alone)


@over_text
def test_rows_do_not_see_each_other(kind: str) -> None:
    encoder, ids = text(kind), some_ids()
    assert close(encoder(ids)[2:], encoder(ids[2:]))


@over_text
def test_a_word_encoder_in_training_mode_says_the_same(kind: str) -> None:
    encoder, ids = text(kind), some_ids()
    with torch.no_grad():
        assert close(encoder.train()(ids), encoder.eval()(ids))


def test_the_mean_of_words_is_blind_to_their_order_and_the_transformer_is_not() -> None:
    ids = torch.tensor([[1, 2, 3]])
    for kind, blind in (("mean", True), ("transformer", False)):
        encoder = text(kind)
        assert close(encoder(ids), encoder(ids.flip(1))) is blind


def test_the_transformer_without_positions_is_blind_to_order_too() -> None:
    encoder, ids = text("transformer"), torch.tensor([[1, 2, 3]])
    nn.init.zeros_(encoder.positions)
    assert close(encoder(ids), encoder(ids.flip(1)))


def test_the_mean_of_words_is_the_mean_of_their_vectors() -> None:
    encoder, rows = text("mean"), [[4, 2, 2], [7]]
    vectors = encoder.vectors.weight.detach().numpy()
    expected = [vectors[row].mean(axis=0) for row in rows]
    got = encoder(torch.tensor([[4, 2, 2], [7, 0, 0]])).detach().numpy()
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_a_word_adds_the_same_whatever_stands_beside_it() -> None:
    """The sums of words: a + b - c of names with one word changed each is the fourth name."""
    encoder = text("mean")
    a, b, c, d = encoder(torch.tensor([[1, 2, 3], [1, 4, 5], [6, 2, 3], [6, 4, 5]]))
    assert close(a - c, b - d)


@over_text
def test_every_parameter_of_a_word_encoder_gets_a_gradient(kind: str) -> None:
    """But: padding, positions beyond the words, and the bias of attention's keys.

    A bias on the keys adds one number to all scores of a query, which the softmax does not see.
    """
    encoder, ids = text(kind), torch.tensor(np.random.default_rng(0).integers(1, WORDS + 1, size=(64, 4)))
    for name, gradient in gradients(encoder, ids).items():
        reached = torch.ones_like(gradient, dtype=torch.bool)
        if name == "vectors.weight":
            reached[0] = False
        elif name == "positions":
            reached[ids.shape[1] :] = False
        elif name.endswith("in_proj_bias"):
            reached[WIDTH : 2 * WIDTH] = False
        assert (gradient[~reached].abs() < 1e-12).all(), name
        assert (gradient[reached].abs() > 1e-14).all(), name


@over_pools
def test_every_parameter_of_the_convolutional_encoder_gets_a_gradient(pool: str) -> None:
    for name, gradient in gradients(picture(pool), images(64)).items():
        assert (gradient.abs() > 1e-14).all(), name


@over_pools
@pytest.mark.parametrize("size", [5, 8, 11, 20])
def test_pictures_of_any_size_get_vectors_of_the_same_width(pool: str, size: int) -> None:
    assert picture(pool, size=size)(images(3, size)).shape == (3, WIDTH)


def test_two_blocks_halve_height_and_width() -> None:
    sides = [block.stride for block in ConvolutionalEncoder().blocks if isinstance(block, nn.Conv2d)]
    assert sides == [(1, 1), (2, 2), (2, 2), (1, 1)]
    assert ConvolutionalEncoder().head.in_features == 5 * 5 * 120
    assert ConvolutionalEncoder((7,)).head.in_features == 20 * 20 * 7


def test_flattening_knows_where_a_mark_sits_and_the_mean_does_not() -> None:
    """Shifts by whole steps of the last map, away from the edges, are invisible to a mean over places."""
    x = torch.zeros(1, 40, 40, dtype=torch.float64)
    x[0, 18:21, 17:22] = images(1, 40)[0, :3, :5]
    moved = x.roll((4, -4), dims=(1, 2))
    for pool, blind in (("mean", True), ("flatten", False)):
        encoder = picture(pool, size=40).eval()
        assert close(encoder(x), encoder(moved)) is blind


@over_pools
def test_in_evaluation_pictures_do_not_see_each_other(pool: str) -> None:
    encoder, x = picture(pool), images()
    encoder(x)  # running statistics that are not those of the beginning
    encoder.eval()
    assert close(encoder(x)[1:3], encoder(x[1:3]))


@over_pools
def test_the_convolutional_encoder_is_the_formula(pool: str) -> None:
    encoder, x = picture(pool).eval(), images()
    h = x[:, None]
    for index, stride in enumerate((1, 2, 2)):
        convolution, norm = encoder.blocks[3 * index], encoder.blocks[3 * index + 1]
        h = nn.functional.conv2d(h, convolution.weight, stride=stride, padding=1)
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        h = ((h - norm.running_mean[:, None, None]) * scale[:, None, None] + norm.bias[:, None, None]).clamp(min=0)
    pooled = h.reshape(len(x), -1) if pool == "flatten" else h.mean(dim=(2, 3))
    assert close(encoder(x), pooled @ encoder.head.weight.T + encoder.head.bias)


@over_text
def test_vectors_of_padding_stay_zero(kind: str) -> None:
    encoder = text(kind)
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        encoder(some_ids()).square().sum().backward()
        optimizer.step()
    assert not encoder.vectors.weight[0].any()
    assert encoder.vectors.weight[1:].all()


@pytest.mark.parametrize("build", [*TEXT.values(), lambda: ConvolutionalEncoder((3,), size=SIZE, out_dim=WIDTH)])
def test_parameters_are_drawn_from_pytorchs_generator(build: object) -> None:
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(torch.cat([parameter.detach().flatten() for parameter in build().parameters()]))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
