"""Laws of fit and predict."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from mmcourse.data import PairedData, controlled_pairs
from mmcourse.fusion.torch import ConcatenationFusion, WeightedSumFusion
from mmcourse.training import accuracy, fit, predict

WIDTHS = {"image": 4, "text": 3}
QUICK = {"epochs": 3, "learning_rate": 0.02, "seed": 0, "device": "cpu", "progress": False}


class Linear(nn.Module):
    """A linear classifier of all modalities side by side; with dropout where one is asked for."""

    def __init__(self, widths=WIDTHS, classes=2, dropout=0.0):
        super().__init__()
        self.fusion = ConcatenationFusion(widths)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.fusion.out_dim, classes)

    def forward(self, features, mask=None):
        return self.head(self.dropout(self.fusion(features, mask)))


class Pretender(nn.Module):
    """Answers with whatever it was given, so that what fit and predict pass on can be seen."""

    def __init__(self, answer):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.answer = answer

    def forward(self, features, mask=None):
        return self.scale * self.answer(features, mask)


def pairs(n=300, *, missing=None, seed=0):
    separation = {"image": 1.5, "text": 1.0}
    return controlled_pairs("redundant", n, separation=separation, widths=WIDTHS, missing=missing, seed=seed)


def built(seed=0, **options):
    torch.manual_seed(seed)
    return Linear(**options)


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_fit_reaches_nearly_what_the_bayes_rule_reaches():
    data = pairs(4000)
    train, test = data.take(slice(0, 2000)), data.take(slice(2000, 4000))
    model = built()
    history = fit(model, train, **{**QUICK, "epochs": 10}, validation=test)
    assert history.loss[-1] < history.loss[0]
    assert len(history.loss) == len(history.validation_accuracy) == 10
    assert history.validation_accuracy[-1] == accuracy(predict(model, test), test.labels)
    assert history.validation_accuracy[-1] > data.bayes_accuracy - 0.02


def test_the_loss_of_a_model_that_cannot_learn_is_known():
    """Full batches and a vanishing step: the mean cross-entropy of the untrained model itself."""
    data, model = pairs(200), built()
    logits = predict(model, data)
    expected = np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(200), data.labels])
    history = fit(model, data, **{**QUICK, "learning_rate": 1e-12}, batch_size=64)
    assert history.loss == pytest.approx([expected] * 3, abs=1e-6)
    assert history.validation_accuracy == ()


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_seed_decides_the_weights(dropout):
    def trained(seed):
        model = built(dropout=dropout)
        torch.seed()  # whatever was drawn before
        np.random.default_rng().random(3)
        fit(model, pairs(), **{**QUICK, "seed": seed})
        return weights(model)

    first = trained(0)
    assert torch.equal(trained(0), first)
    assert not torch.equal(trained(1), first)


def test_fit_is_the_plain_loop():
    """One batch an epoch, written out: AdamW on the cross-entropy of all examples."""
    data, model, other = pairs(), built().double(), built().double()
    fit(model, data, **QUICK, batch_size=300, weight_decay=0.1)
    features, labels = {name: torch.tensor(rows) for name, rows in data.features.items()}, torch.tensor(data.labels)
    optimizer = torch.optim.AdamW(other.parameters(), lr=QUICK["learning_rate"], weight_decay=0.1)
    for _ in range(QUICK["epochs"]):
        optimizer.zero_grad()
        nn.functional.cross_entropy(other(features), labels).backward()
        optimizer.step()
    assert torch.allclose(weights(model), weights(other), rtol=0, atol=1e-12)


def test_the_callers_generator_stays_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    model = built(dropout=0.5)
    torch.manual_seed(5)
    fit(model, pairs(), **QUICK)
    assert torch.equal(torch.rand(3), expected)


def test_every_example_is_seen_once_an_epoch():
    seen = []

    def remember(features, mask):
        seen.extend(features["image"][:, 0].tolist())
        return torch.zeros(len(features["image"]), 2)

    data = PairedData({"image": np.arange(10.0)[:, None]}, np.arange(10) % 2, ("a", "b"))
    fit(Pretender(remember), data, **QUICK, batch_size=4)
    epochs = [seen[start : start + 10] for start in (0, 10, 20)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != sorted(epochs[1])


def test_weight_decay_shrinks_the_weights():
    norms = []
    for decay in (0.0, 5.0):
        model = built()
        fit(model, pairs(), **QUICK, weight_decay=decay)
        norms.append(float(weights(model).norm()))
    assert norms[1] < norms[0]


def test_features_come_in_the_models_dtype_with_their_mask():
    seen = {}

    def remember(features, mask):
        seen.update(features=features, mask=mask)
        return torch.zeros(len(features["image"]), 2, dtype=torch.float64)

    data = pairs(20, missing={"text": 0.5})
    predict(Pretender(remember).double(), data)
    assert {name: rows.dtype for name, rows in seen["features"].items()} == dict.fromkeys(WIDTHS, torch.float64)
    assert seen["mask"]["text"].tolist() == data.mask["text"].tolist()
    assert list(seen["mask"]) == ["text"]
    predict(Pretender(remember), pairs(20))
    assert seen["mask"] is None
    assert seen["features"]["image"].dtype == torch.float32


def test_what_is_missing_cannot_matter():
    data = pairs(300, missing={"image": 0.4, "text": 0.4})
    other = {name: np.where(data.present(name)[:, None], rows, 1e6) for name, rows in data.features.items()}
    outcomes = []
    for features in (data.features, other):
        model = built()
        fit(model, PairedData(features, data.labels, data.classes, data.mask), **QUICK)
        outcomes.append(weights(model))
    assert torch.isfinite(outcomes[0]).all()
    assert torch.equal(outcomes[0], outcomes[1])


def test_predict_is_the_direct_call():
    model, data = built().double(), pairs()
    features = {name: torch.tensor(rows) for name, rows in data.features.items()}
    logits = predict(model, data)
    assert logits.dtype == np.float64
    assert np.array_equal(logits, model(features).detach().numpy())


@pytest.mark.parametrize("batch_size", [1, 7, 299, 1000])
def test_predict_does_not_depend_on_the_batch_size(batch_size):
    model, data = built().double(), pairs(missing={"text": 0.3})
    assert predict(model, data, batch_size=batch_size) == pytest.approx(predict(model, data), abs=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_predict_evaluates_and_puts_the_mode_back(training):
    model, data = built(dropout=0.9).train(training), pairs()
    assert np.array_equal(predict(model, data), predict(model, data))
    assert model.training is training


def test_fit_trains_in_training_mode_although_validation_evaluates():
    modes = []
    model = Pretender(lambda features, mask: torch.zeros(len(features["image"]), 2))
    model.register_forward_hook(lambda module, inputs, output: modes.append(module.training))
    model.eval()
    fit(model, pairs(64), **QUICK, validation=pairs(64))
    assert modes == [True, False] * 3


def test_a_loss_that_is_not_finite_names_epoch_and_step():
    calls = []

    def breaks_later(features, mask):
        calls.append(1)
        return torch.full((len(features["image"]), 2), np.nan if len(calls) == 6 else 0.0)

    # 300 examples in batches of 64 are five steps an epoch: the sixth is the first of epoch 2.
    with pytest.raises(FloatingPointError, match="epoch 2, step 1: got a loss of nan, wanted a finite one"):
        fit(Pretender(breaks_later), pairs(), **QUICK)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs: got 0, wanted at least 1"),
        ({"batch_size": 0}, "batch_size: got 0, wanted at least 1"),
        ({"learning_rate": 0.0}, "learning_rate: got 0.0, wanted a finite number > 0"),
        ({"learning_rate": np.nan}, "learning_rate: got nan"),
        ({"weight_decay": -1.0}, "weight_decay: got -1.0, wanted a finite number >= 0"),
    ],
)
def test_fit_refuses_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        fit(built(), pairs(), **{**QUICK, **options})


def test_logits_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"Linear: got logits of shape \(64, 3\), wanted \(64, 2\)"):
        fit(built(classes=3), pairs(), **QUICK)
    flat = Pretender(lambda features, mask: torch.zeros(len(features["image"])))
    with pytest.raises(ValueError, match=r"Pretender: got logits of shape \(300,\), wanted \(300, 2\)"):
        predict(flat, pairs())
    with pytest.raises(ValueError, match="predict: batch_size: got 0"):
        predict(built(), pairs(), batch_size=0)


@pytest.mark.parametrize(("stored", "progress", "silent"), [("", True, False), ("1", True, True), ("", False, True)])
def test_the_bar_is_silent_where_outputs_are_stored(monkeypatch, capsys, stored, progress, silent):
    monkeypatch.setenv("MMCOURSE_STORED", stored)
    fit(built(), pairs(), **{**QUICK, "progress": progress})
    printed = capsys.readouterr()
    assert printed.out == ""
    assert (printed.err == "") is silent


def test_metrics_and_the_projection_need_no_pytorch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np, mmcourse.data, mmcourse.training as t\n"
        "data = mmcourse.data.PairedData({'a': np.ones((2, 1))}, np.array([0, 1]), ('x', 'y'))\n"
        "logits = t.additive(lambda d: np.repeat(d.features['a'], 2, axis=1), data)\n"
        "print(t.accuracy(logits, data.labels), t.paired_interval(data.labels == 0, data.labels == 0).high)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert run.stdout.strip() == "0.5 0.0", run.stderr


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("fusion", [ConcatenationFusion, WeightedSumFusion])
def test_fit_and_predict_on_a_gpu(fusion):
    class Fused(nn.Module):
        def __init__(self):
            super().__init__()
            self.fusion = fusion(WIDTHS, out_dim=3)
            self.head = nn.Linear(3, 2)

        def forward(self, features, mask=None):
            return self.head(self.fusion(features, mask))

    data, outcomes = pairs(missing={"image": 0.3, "text": 0.3}), {}
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        model = Fused().double()
        torch.manual_seed(1)
        state = torch.cuda.get_rng_state()
        history = fit(model, data, **{**QUICK, "device": device}, validation=data)
        assert torch.equal(torch.cuda.get_rng_state(), state)
        assert next(model.parameters()).device.type == device
        outcomes[device] = np.array(history.loss), predict(model, data)
        assert predict(model, data, device="cpu") == pytest.approx(outcomes[device][1], abs=1e-10)
    for cpu, cuda in zip(outcomes["cpu"], outcomes["cuda"], strict=True):
        assert cuda == pytest.approx(cpu, abs=1e-8)
