"""Laws of the additive projection and of the baselines."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from mmcourse.data import PairedData, controlled_pairs
from mmcourse.fusion.torch import ConcatenationFusion, GatedFusion, WeightedSumFusion
from mmcourse.training import accuracy, additive, baselines, fit, paired_interval, predict
from mmcourse.training.baselines import MAX_COMBINATIONS

NAMES = ("image", "text", "audio")


def data_of(count, n=9, *, mask=None, seed=0):
    rng = np.random.default_rng(seed)
    features = {name: rng.standard_normal((n, 2 + i)) for i, name in enumerate(NAMES[:count])}
    return PairedData(features, rng.integers(3, size=n), ("a", "b", "c"), mask)


def two_masked():
    """Nine examples: rows 0 and 1 lack the text, row 2 lacks the image, the others have both."""
    mask = {"image": np.arange(9) != 2, "text": np.arange(9) > 1}
    data = data_of(2, mask=mask)
    for name, present in mask.items():
        data.features[name][~present] = np.nan
    return data


def additive_logits(data):
    """A sum of one curved function a modality, with class offsets; nothing where a modality is missing."""
    total = np.tile([1.0, 2.0, 3.0], (len(data), 1))
    for i, (name, rows) in enumerate(data.features.items()):
        own = np.sin(rows.sum(axis=1) * (i + 1))[:, None] * [1.0, -2.0, 0.5] + (rows[:, :1] ** 2) * [0.0, 1.0, 1.0]
        total += np.where(data.present(name)[:, None], own, 0.0)
    return total


def interacting_logits(data):
    """Every modality with every other, and no symmetry to hide behind."""
    total = np.zeros((len(data), 3))
    product_of_all = np.ones((len(data), 1))
    for i, (name, rows) in enumerate(data.features.items()):
        seen = np.where(data.present(name)[:, None], rows, 0.3)
        product_of_all = product_of_all * (seen[:, :1] + i)
        total += seen[:, 1:2] * [1.0, 0.0, -1.0]
    return total + product_of_all * [1.0, 2.0, 4.0] + np.tanh(product_of_all * total)


def by_hand(predict_logits, data):
    """The definition, one recombination at a time, for data without a mask."""
    n, names = len(data), list(data.features)
    table = np.empty((n,) * len(names) + (3,))
    for choice in product(range(n), repeat=len(names)):
        features = {name: data.features[name][[i]] for name, i in zip(names, choice, strict=True)}
        table[choice] = predict_logits(PairedData(features, [0], data.classes))[0]
    everything = tuple(range(len(names)))
    means = [table.mean(axis=tuple(axis for axis in everything if axis != m)) for m in everything]
    return sum(means) - (len(names) - 1) * table.mean(axis=everything)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_additive_function_is_its_own_projection(count):
    data = data_of(count)
    assert additive(additive_logits, data) == pytest.approx(additive_logits(data), abs=1e-12)


@pytest.mark.parametrize("count", [2, 3])
def test_a_product_of_centred_factors_leaves_its_constant(count):
    data = data_of(count)
    means = {name: rows[:, 0].mean() for name, rows in data.features.items()}

    def centred_product(data):
        factors = [rows[:, 0] - means[name] for name, rows in data.features.items()]
        return 7 + np.prod(factors, axis=0)[:, None] * [1.0, -1.0, 3.0]

    assert np.ptp(centred_product(data)) > 0.5
    assert additive(centred_product, data) == pytest.approx(np.full((9, 3), 7.0), abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_equals_the_definition_by_brute_force(count):
    data = data_of(count, n=5)
    assert additive(interacting_logits, data) == pytest.approx(by_hand(interacting_logits, data), abs=1e-12)


def test_the_projection_is_linear():
    data = data_of(2)
    both = additive(lambda data: 2 * interacting_logits(data) - additive_logits(data), data)
    expected = 2 * additive(interacting_logits, data) - additive_logits(data)
    assert both == pytest.approx(expected, abs=1e-12)


def test_more_combinations_than_one_chunk_holds():
    data = data_of(2, n=300)  # 90,000 recombinations, two chunks
    assert additive(additive_logits, data) == pytest.approx(additive_logits(data), abs=1e-11)


def test_with_a_mask_an_additive_function_is_its_own_projection():
    data = two_masked()
    assert additive(additive_logits, data) == pytest.approx(additive_logits(data), abs=1e-12)


def test_with_a_mask_each_pattern_of_presence_is_projected_by_itself():
    data = two_masked()
    projected = additive(interacting_logits, data)
    complete = np.arange(3, 9)
    alone = PairedData({name: rows[complete] for name, rows in data.features.items()}, data.labels[complete], "abc")
    assert projected[complete] == pytest.approx(by_hand(interacting_logits, alone), abs=1e-12)
    # One modality, nothing to interact with.
    assert projected[:3] == pytest.approx(interacting_logits(data)[:3], abs=1e-12)


def test_the_labels_are_not_shown():
    def peek(data):
        assert not data.labels.any()
        return np.zeros((len(data), 3))

    additive(peek, data_of(2))


@pytest.mark.parametrize(("count", "most"), [(2, 2048), (3, 161)])
def test_refuses_more_recombinations_than_its_limit(count, most):
    assert most**count <= MAX_COMBINATIONS < (most + 1) ** count
    message = f"got {most + 1} examples of {count} modalities, .* wanted at most 4,194,304; take fewer"
    with pytest.raises(ValueError, match=message):
        additive(additive_logits, data_of(count, n=most + 1))


class Linear(nn.Module):
    def __init__(self, fusion, classes=2):
        super().__init__()
        self.fusion = fusion
        self.head = nn.Linear(fusion.out_dim, classes)

    def forward(self, features, mask=None):
        return self.head(self.fusion(features, mask))


class Network(nn.Module):
    """One hidden layer over all modalities: it can interact."""

    def __init__(self, widths):
        super().__init__()
        self.fusion = ConcatenationFusion(widths)
        self.layers = nn.Sequential(nn.Linear(self.fusion.out_dim, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, features, mask=None):
        return self.layers(self.fusion(features, mask))


LINEAR_FUSIONS = {
    "concatenation": ConcatenationFusion,
    "weighted sum": lambda widths: WeightedSumFusion(widths, out_dim=3),
    "softmax weighted sum": lambda widths: WeightedSumFusion(widths, out_dim=3, softmax=True),
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("fusion", LINEAR_FUSIONS.values(), ids=LINEAR_FUSIONS)
def test_a_linear_model_is_its_own_projection(fusion, masked):
    """Also where softmax renormalises under a mask: given what is present, it is a sum."""
    data = two_masked() if masked else data_of(3)
    torch.manual_seed(0)
    model = Linear(fusion(data.widths), classes=3).double()
    assert additive(lambda data: predict(model, data), data) == pytest.approx(predict(model, data), abs=1e-12)


def test_a_gate_interacts():
    data = data_of(2)
    torch.manual_seed(0)
    model = Linear(GatedFusion(data.widths, out_dim=3, hidden_size=4), classes=3).double()
    apart = additive(lambda data: predict(model, data), data) - predict(model, data)
    assert np.abs(apart).max() > 1e-3


WIDTHS = {"image": 3, "text": 2}
OPTIONS = {"epochs": 12, "learning_rate": 0.04, "progress": False, "device": "cpu"}


def table_of(kind, build=Network, *, missing=None, n=(1200, 500), **options):
    separation = {"image": 2.5, "text": 2.5}
    data = controlled_pairs(kind, sum(n), separation=separation, widths=WIDTHS, missing=missing, seed=0)
    train, test = data.take(slice(0, n[0])), data.take(slice(n[0], None))
    return data, test, baselines(build, train, test, seed=0, **{**OPTIONS, **options})


@pytest.fixture(scope="module")
def synergistic():
    return table_of("synergistic")


@pytest.fixture(scope="module")
def unique():
    return table_of("unique")


def assert_chance(table, name):
    assert abs(table.accuracy(name) - 0.5) < 4 * 0.5 / np.sqrt(len(table.correct[name])), name


def test_on_synergistic_pairs_only_interaction_helps(synergistic):
    data, _, table = synergistic
    assert table.accuracy("fused") > data.bayes_accuracy - 0.04
    for name in ("image alone", "text alone", "image shuffled", "text shuffled", "additive"):
        assert_chance(table, name)
    assert table.interval("fused", "additive").low > 0.3


def test_on_unique_pairs_one_modality_does_everything(unique):
    data, _, table = unique
    assert table.accuracy("image alone") > data.bayes_accuracy - 0.03
    assert_chance(table, "text alone")
    assert_chance(table, "image shuffled")
    assert abs(table.accuracy("text shuffled") - table.accuracy("fused")) < 0.02
    assert abs(table.accuracy("additive") - table.accuracy("fused")) < 0.02


def test_a_linear_model_scores_as_its_projection_on_every_example():
    _, _, table = table_of("redundant", lambda widths: Linear(ConcatenationFusion(widths)).double(), n=(300, 200))
    assert np.array_equal(table.correct["additive"], table.correct["fused"])


def test_with_missing_modalities_each_alone_guesses_where_it_has_nothing():
    data, test, table = table_of("redundant", missing={"image": 0.3, "text": 0.3})
    for name in WIDTHS:
        absent = ~test.present(name)
        guesses = test.labels[absent][table.correct[f"{name} alone"][absent]]
        assert len(np.unique(guesses)) == 1, "where it is missing, one and the same class is right"
        assert table.accuracy(f"{name} alone") == pytest.approx(data.alone[name], abs=0.06)
    assert table.accuracy("fused") > data.bayes_accuracy - 0.04
    assert table.accuracy("fused") > table.accuracy("image alone")


def test_the_table_holds_what_one_gets_by_hand(synergistic):
    data, test, table = synergistic
    torch.manual_seed(0)
    model = Network(WIDTHS)
    fit(model, data.take(slice(0, 1200)), seed=0, **OPTIONS)
    assert table.accuracy("fused") == accuracy(predict(model, test), test.labels)
    torch.manual_seed(0)
    alone = Network({"text": 2})
    fit(alone, data.take(slice(0, 1200)).only("text"), seed=0, **OPTIONS)
    assert table.accuracy("text alone") == accuracy(predict(alone, test.only("text")), test.labels)


def test_rows_and_intervals_come_from_the_kept_answers(unique):
    _, test, table = unique
    names = ["fused", "image alone", "text alone", "image shuffled", "text shuffled", "additive"]
    assert [name for name, _ in table.as_rows()] == names
    assert dict(table.as_rows()) == {name: table.correct[name].mean() for name in names}
    assert all(right.shape == (len(test),) and right.dtype == bool for right in table.correct.values())
    pair = table.correct["fused"], table.correct["text alone"]
    assert table.interval("fused", "text alone", seed=3) == paired_interval(*pair, seed=3)
    with pytest.raises(KeyError, match="audio alone"):
        table.accuracy("audio alone")


def test_the_seed_decides_and_the_callers_generator_stays():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    tables = [table_of("redundant", n=(200, 100), epochs=2)[2] for _ in range(2)]
    assert torch.equal(torch.rand(2), expected)
    for name, right in tables[0].correct.items():
        assert np.array_equal(right, tables[1].correct[name]), name


def test_a_test_part_that_is_too_large_is_refused_before_training():
    def build(widths):
        raise AssertionError("training began")

    with pytest.raises(ValueError, match="got 3000 examples of 2 modalities"):
        table_of("redundant", build, n=(100, 3000))
