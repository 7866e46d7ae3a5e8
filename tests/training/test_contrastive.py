"""Laws of fit_pairs and embed."""

import numpy as np
import pytest
import torch
from torch import nn

from mmcourse.alignment.torch import InfoNCE, MultiPositiveInfoNCE, SigLIP
from mmcourse.encoders.torch import ConvolutionalEncoder, MeanOfWords, WordTransformer
from mmcourse.training import embed, fit_pairs, recall_at

QUICK = {"epochs": 2, "batch_size": 16, "seed": 0, "device": "cpu", "progress": False}
SIZE, BASES, MARKS = 8, 6, 6


def combinations(seed=0):
    """Pictures of a pattern above and a pattern below; their words are the numbers of both.

    Returns images (36, 8, 8), ids (36, 2), each combination once.
    """
    rng = np.random.default_rng(seed)
    above, below = (rng.uniform(size=(n, SIZE // 2, SIZE)) for n in (BASES, MARKS))
    ids = np.array([[1 + a, 1 + BASES + b] for a in range(BASES) for b in range(MARKS)])
    images = np.concatenate([above[ids[:, 0] - 1], below[ids[:, 1] - 1 - BASES]], axis=1)
    return images.astype(np.float32), ids


def built(seed=0, loss=MultiPositiveInfoNCE, text=MeanOfWords, **options):
    torch.manual_seed(seed)
    image = ConvolutionalEncoder((6, 8, 8), size=SIZE, out_dim=16)
    return image, text(BASES + MARKS, out_dim=16), loss(**options)


def weights(*modules):
    return torch.cat([parameter.detach().flatten() for module in modules for parameter in module.parameters()])


class Remembering(nn.Module):
    """An encoder (batch, ...) -> (batch, 3) that keeps what it was given."""

    def __init__(self, noise=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.dropout = nn.Dropout(noise)
        self.seen = []
        self.modes = []

    def forward(self, x):
        self.seen.append(x)
        self.modes.append(self.training)
        return self.dropout(x.reshape(len(x), -1)[:, :1].to(self.weight.dtype) + self.weight)


class Known(nn.Module):
    """A loss that is what it is told to be, call after call, and keeps the groups."""

    def __init__(self, values=(0.5,)):
        super().__init__()
        self.values, self.groups, self.calls = values, [], 0

    def scale(self):
        return torch.tensor(7.0)

    def forward(self, image, text, groups=None):
        self.groups.append(groups)
        value = self.values[self.calls % len(self.values)]
        self.calls += 1
        return value + 0.0 * (image.sum() + text.sum())


def numbered(n):
    return np.arange(1.0, n + 1)[:, None], np.arange(1, n + 1)[:, None]


def remembering(n=40, loss=None, groups=None, noise=0.0, **options):
    image, text, loss = Remembering(noise), Remembering(), loss or Known()
    history = fit_pairs(image, text, loss, *numbered(n), groups, **{**QUICK, **options})
    return image, text, loss, history


@pytest.mark.parametrize("text", [MeanOfWords, WordTransformer])
@pytest.mark.parametrize("loss", [InfoNCE, MultiPositiveInfoNCE, SigLIP])
def test_training_finds_the_pairs(loss, text):
    images, ids = combinations()
    options = {"scale": 14.0, "bias": -7.0} if loss is SigLIP else {}
    image_encoder, text_encoder, loss = built(loss=loss, text=text, **options)
    history = fit_pairs(
        image_encoder, text_encoder, loss, images, ids, np.arange(36), **{**QUICK, "epochs": 60, "batch_size": 36}
    )
    assert history.loss[-1] < 0.5 * history.loss[0]
    similarity = embed(image_encoder, images) @ embed(text_encoder, ids).T
    assert recall_at(similarity, np.eye(36, dtype=bool), 1) == 1.0


def test_a_combination_that_was_never_shown_is_found():
    images, ids = combinations()
    held_out = np.isin(np.arange(36), [0, 7, 14, 21, 28, 35])  # each part once
    encoders = built()
    known = images[~held_out], ids[~held_out], np.flatnonzero(~held_out)
    fit_pairs(*encoders, *known, **{**QUICK, "epochs": 100, "batch_size": 30})
    similarity = embed(encoders[0], images[held_out]) @ embed(encoders[1], ids).T
    assert recall_at(similarity, np.eye(36, dtype=bool)[held_out], 1) >= 5 / 6


@pytest.mark.parametrize("seed", [0, 1])
def test_fit_pairs_is_the_plain_loop(seed):
    images, ids = combinations()
    groups = np.arange(36) // 2
    image, text, loss = built()
    history = fit_pairs(image, text, loss, images, ids, groups, **{**QUICK, "seed": seed}, weight_decay=0.3)
    image_2, text_2, loss_2 = built()
    optimizer = torch.optim.AdamW(
        [
            {"params": [*image_2.parameters(), *text_2.parameters()], "weight_decay": 0.3},
            {"params": loss_2.parameters(), "weight_decay": 0.0},
        ],
        lr=3e-3,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=4, pct_start=0.2)
    order, losses = np.random.default_rng(seed), []
    for _ in range(2):
        rows = order.permutation(36)
        for batch in (rows[:16], rows[16:32]):
            x, y, g = (torch.tensor(part[batch]) for part in (images, ids, groups))
            value = loss_2(image_2(x), text_2(y), g)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            losses.append(value.item())
    assert torch.allclose(weights(image, text, loss), weights(image_2, text_2, loss_2), rtol=0, atol=1e-6)
    assert history.loss == pytest.approx([np.mean(losses[:2]), np.mean(losses[2:])], abs=1e-6)
    assert history.scale[-1] == loss.scale().item()


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_seed_decides_the_weights(noise):
    images, ids = combinations()

    def trained(seed):
        image, text, loss = built()
        torch.seed()  # whatever was drawn before
        noisy = nn.Sequential(image, nn.Dropout(noise))
        history = fit_pairs(noisy, text, loss, images, ids, np.arange(36), **{**QUICK, "seed": seed})
        return weights(noisy, text, loss), history

    first, history = trained(0)
    again, same_history = trained(0)
    assert torch.equal(again, first)
    assert same_history == history
    assert not torch.equal(trained(1)[0], first)


def test_the_callers_generator_stays_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    remembering(noise=0.5)
    assert torch.equal(torch.rand(3), expected)


def test_pairs_and_groups_stay_together_and_the_last_batch_is_dropped():
    image, text, loss, history = remembering(40, groups=np.arange(100, 140))
    assert [len(x) for x in image.seen] == [16] * 4
    for x, y, groups in zip(image.seen, text.seen, loss.groups, strict=True):
        assert torch.equal(x[:, 0].long(), y[:, 0])
        assert torch.equal(groups, y[:, 0] + 99)
    epochs = [torch.cat(image.seen[start : start + 2])[:, 0].tolist() for start in (0, 2)]
    assert all(len(set(epoch)) == 32 for epoch in epochs)
    assert epochs[0] != epochs[1] != sorted(epochs[1])
    assert history.scale == (7.0, 7.0)


def test_the_rows_that_are_dropped_are_others_each_epoch():
    image, *_ = remembering(40, epochs=20)
    assert {row for x in image.seen for row in x[:, 0].tolist()} == set(range(1, 41))


def test_the_loss_of_an_epoch_is_the_mean_over_its_steps():
    *_, history = remembering(48, loss=Known((1.0, 2.0, 6.0, 0.0, 0.0, 3.0)))
    assert history.loss == (3.0, 1.0)


def test_floats_come_in_the_dtype_of_their_encoder_and_whole_numbers_stay():
    image, text = Remembering().double(), Remembering()
    images, texts = numbered(16)
    fit_pairs(image, text, Known(), images.astype(np.float32), texts, **QUICK)
    assert image.seen[0].dtype == torch.float64
    assert text.seen[0].dtype == torch.int64


def test_groups_go_only_to_losses_that_take_them():
    images, ids = combinations()
    outcomes = []
    for groups in (None, np.zeros(36, dtype=int)):
        modules = built(loss=InfoNCE)
        fit_pairs(*modules, images, ids, groups, **QUICK)
        outcomes.append(weights(*modules))
    assert torch.equal(*outcomes)
    for kind in (SigLIP, MultiPositiveInfoNCE):
        outcomes = []
        for groups in (np.arange(36), np.arange(36) % 2):
            modules = built(loss=kind)
            fit_pairs(*modules, images, ids, groups, **QUICK)
            outcomes.append(weights(*modules))
        assert not torch.equal(*outcomes), kind
    fit_pairs(*built(loss=SigLIP), images, ids, **QUICK)
    with pytest.raises(ValueError, match="groups: got none, wanted those that MultiPositiveInfoNCE needs"):
        fit_pairs(*built(), images, ids, **QUICK)


def test_weight_decay_spares_what_the_loss_learns():
    """Without gradients all that moves is what decays."""
    images, ids = combinations()
    image, text, _ = built()

    class Nothing(SigLIP):
        def forward(self, image, text, groups=None):
            return 0.0 * super().forward(image, text, groups)

    loss = Nothing()
    before, own = weights(image, text), weights(loss)
    fit_pairs(image, text, loss, images, ids, **QUICK, weight_decay=1.0)
    assert torch.equal(weights(loss), own)
    assert weights(image, text).norm() < 0.999 * before.norm()


@pytest.mark.filterwarnings("error:optimizer contains a parameter group with duplicate parameters")
def test_a_parameter_that_both_encoders_share_is_listed_once():
    encoder = Remembering()
    fit_pairs(encoder, encoder, InfoNCE(), *numbered(16), **{**QUICK, "epochs": 1})
    assert len(encoder.seen) == 2


@pytest.mark.parametrize("epochs", range(1, 12))
def test_any_number_of_steps_can_be_a_cycle(epochs):
    *_, history = remembering(16, epochs=epochs)
    assert len(history.loss) == epochs


def test_modules_train_in_training_mode():
    image, text, *_ = remembering()
    assert image.modes == text.modes == [True] * 4
    evaluating = Remembering().eval()
    fit_pairs(evaluating, Remembering(), Known(), *numbered(16), **QUICK)
    assert evaluating.modes == [True, True]


def test_a_loss_that_is_not_finite_names_epoch_and_step():
    with pytest.raises(FloatingPointError, match="epoch 2, step 1: got a loss of nan, wanted a finite one"):
        remembering(40, loss=Known((1.0, 1.0, np.nan)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "fit_pairs: epochs: got 0, wanted at least 1"),
        ({"batch_size": 0}, "fit_pairs: batch_size: got 0, wanted at least 1"),
        ({"batch_size": 41}, "fit_pairs: images: got 40 rows, wanted at least 41, one batch"),
        ({"learning_rate": np.inf}, "fit_pairs: learning_rate: got inf, wanted a finite number > 0"),
        ({"weight_decay": -1.0}, "fit_pairs: weight_decay: got -1.0, wanted a finite number >= 0"),
        ({"groups": np.arange(39)}, "fit_pairs: groups: got 39 rows, wanted 40 as in images"),
    ],
)
def test_fit_pairs_refuses_what_does_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        remembering(**options)


def test_images_without_texts_are_refused():
    with pytest.raises(ValueError, match="fit_pairs: texts: got 3 rows, wanted 16 as in images"):
        fit_pairs(Remembering(), Remembering(), Known(), numbered(16)[0], numbered(3)[1], **QUICK)


@pytest.mark.parametrize("batch_size", [1, 7, 36, 1000])
def test_embed_gives_the_directions_whatever_the_batch_size(batch_size):
    images, ids = combinations()
    for encoder, inputs in zip(built()[:2], (images, ids), strict=True):
        encoder.double()
        expected = encoder.eval()(torch.tensor(inputs).double() if inputs is images else torch.tensor(inputs))
        expected = nn.functional.normalize(expected, dim=1).detach().numpy()
        got = embed(encoder, inputs, batch_size=batch_size)
        assert got.dtype == np.float64
        assert got == pytest.approx(expected, abs=1e-12)
        assert np.linalg.norm(got, axis=1) == pytest.approx(np.ones(36), abs=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_embed_evaluates_and_puts_the_mode_back(training):
    encoder = Remembering(noise=0.9).train(training)
    assert np.array_equal(embed(encoder, numbered(5)[0]), embed(encoder, numbered(5)[0]))
    assert encoder.modes == [False, False]
    assert encoder.training is training


def test_embed_refuses_what_has_no_direction():
    encoder = Remembering()
    for value in (0.0, float("nan")):
        encoder.weight.data.fill_(value)
        with pytest.raises(ValueError, match="embed: Remembering: got a row of zeros, NaN or infinity"):
            embed(encoder, np.zeros((2, 1)))
    with pytest.raises(ValueError, match="embed: batch_size: got 0, wanted at least 1"):
        embed(encoder, np.zeros((2, 1)), batch_size=0)
    with pytest.raises(ValueError, match="embed: inputs: got 0 rows, wanted at least 1"):
        embed(encoder, np.zeros((0, 1)))


@pytest.mark.parametrize(("stored", "progress", "silent"), [("", True, False), ("1", True, True), ("", False, True)])
def test_the_bar_is_silent_where_outputs_are_stored(monkeypatch, capsys, stored, progress, silent):
    monkeypatch.setenv("MMCOURSE_STORED", stored)
    remembering(progress=progress)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert (printed.err == "") is silent


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_fit_pairs_and_embed_on_a_gpu():
    images, ids = combinations()
    outcomes = {}
    for device in ("cpu", "cuda"):
        modules = [module.double() for module in built()]
        torch.manual_seed(1)
        state = torch.cuda.get_rng_state()
        history = fit_pairs(*modules, images, ids, np.arange(36), **{**QUICK, "device": device})
        assert torch.equal(torch.cuda.get_rng_state(), state)
        assert {parameter.device.type for module in modules for parameter in module.parameters()} == {device}
        outcomes[device] = np.array(history.loss), embed(modules[0], images), embed(modules[1], ids, device="cpu")
    for cpu, cuda in zip(outcomes["cpu"], outcomes["cuda"], strict=True):
        assert cuda == pytest.approx(cpu, abs=1e-7)
