"""Laws of every_subset: each subset is what it says, and a model that looks at what is missing is found out."""

import numpy as np
import pytest
import torch
from torch import nn

from mmcourse.data import PairedData, controlled_pairs, masked, subset_mask, subsets
from mmcourse.errors import MaskError, UnknownModalityError
from mmcourse.fusion.torch import ConcatenationFusion, EncodedFusion, FusionClassifier
from mmcourse.training import accuracy, every_subset, fill_zeros, fit, mean_imputer, predict

WIDTHS = {"image": 4, "text": 3, "audio": 2}


def pairs(n: int = 200) -> PairedData:
    separation = {"image": 1.5, "text": 1.0, "audio": 0.5}
    return controlled_pairs("redundant", n, separation=separation, widths=WIDTHS, seed=0)


def model(seed: int = 0) -> FusionClassifier:
    torch.manual_seed(seed)
    return FusionClassifier(EncodedFusion(WIDTHS, hidden_size=5, out_dim=6), classes=2)


class Maskless(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = FusionClassifier(ConcatenationFusion(WIDTHS), classes=2)

    def forward(self, features):
        return self.inner(features)


class Deaf(Maskless):
    """Takes the mask and does not hand it on."""

    def forward(self, features, mask=None):
        return self.inner(features)


class Unchecked(nn.Module):
    """Takes the mask, looks at everything all the same, and checks nothing."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(sum(WIDTHS.values()), 2)

    def forward(self, features, mask=None):
        return self.head(torch.cat(list(features.values()), dim=1))


class Forgiving(Unchecked):
    """Looks at two modalities alone."""

    def forward(self, features, mask=None):
        x = {name: torch.where(mask[name][:, None], rows, 0.0) for name, rows in features.items()}
        return self.head(torch.cat(list(x.values()), dim=1))


def test_every_subset_is_the_models_answer_under_that_mask():
    data, trained = pairs(), model()
    table = every_subset(trained, data)
    assert list(table.logits) == subsets(WIDTHS)
    for subset in subsets(WIDTHS):
        wanted = predict(trained, masked(data, subset_mask(WIDTHS, subset, len(data))))
        np.testing.assert_array_equal(table.at(subset), wanted)
        assert table.accuracy(subset).mean == pytest.approx(accuracy(wanted, data.labels))
    np.testing.assert_array_equal(table.at(), predict(trained, data))


def test_what_a_subset_leaves_out_has_no_influence():
    data, trained = pairs(), model()
    other = PairedData({**data.features, "audio": data.features["audio"][::-1]}, data.labels, data.classes)
    tables = every_subset(trained, data), every_subset(trained, other)
    for subset in subsets(WIDTHS):
        same = np.array_equal(tables[0].at(subset), tables[1].at(subset))
        assert same == ("audio" not in subset)


def test_names_come_in_any_order_and_none_means_all():
    table = every_subset(model(), pairs())
    np.testing.assert_array_equal(table.at(["audio", "image"]), table.at(("image", "audio")))
    np.testing.assert_array_equal(table.at("audio"), table.at(["audio"]))
    np.testing.assert_array_equal(table.at(), table.at(WIDTHS))
    assert [name for name, _, _ in table.as_rows()] == [" + ".join(s) for s in reversed(subsets(WIDTHS))]


def test_differences_are_paired():
    trained = model()
    fit(trained, pairs(), epochs=5, learning_rate=0.02, seed=0, progress=False)
    table = every_subset(trained, pairs())
    assert table.difference("audio").high < 0 < table.difference(None, "audio").low
    for subset in subsets(WIDTHS):
        difference, low, high = table.difference(subset)
        assert difference == pytest.approx(table.accuracy(subset).mean - table.accuracy().mean)
        assert low <= difference <= high
        assert table.difference(subset, subset) == (0, 0, 0)


def test_clusters_widen_the_intervals():
    data = pairs().take(np.repeat(np.arange(20), 10))
    alone = every_subset(model(), data).accuracy("image")
    together = every_subset(model(), data, clusters=np.repeat(np.arange(20), 10)).accuracy("image")
    assert together.mean == alone.mean
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_model_that_looks_at_everything_is_asked_with_filled_places():
    data, plain = pairs(), Deaf()
    for fill in (fill_zeros, mean_imputer(data)):
        table = every_subset(plain, data, fill=fill)
        less = fill(masked(data, subset_mask(WIDTHS, ["text"], len(data))))
        np.testing.assert_array_equal(table.at("text"), predict(plain, less))


def test_a_model_without_a_mask_is_named():
    with pytest.raises(
        TypeError, match=r"model: got Maskless, whose forward takes no mask, wanted forward\(features, m"
    ):
        every_subset(Maskless(), pairs())


@pytest.mark.parametrize(("kind", "said"), [(Deaf, "Deaf that refuses the NaN"), (Unchecked, "NaN from Unchecked")])
def test_a_model_that_looks_at_what_is_missing_is_found_out(kind, said):
    with pytest.raises(MaskError, match=f"every_subset: text, audio: got {said}.* wanted no influence of what is mis"):
        every_subset(kind(), pairs())


def test_a_model_that_respects_the_mask_in_its_own_way_is_fine():
    assert len(every_subset(Forgiving(), pairs()).logits) == 7


def test_refuses():
    less = masked(pairs(), {"text": np.arange(200) > 2})
    with pytest.raises(MaskError, match="every_subset: text: got 3 rows without it, wanted complete data"):
        every_subset(model(), less)
    with pytest.raises(ValueError, match=r"clusters: got shape \(3,\), wanted \(200,\)"):
        every_subset(model(), pairs(), clusters=np.arange(3))
    table = every_subset(model(), pairs())
    with pytest.raises(UnknownModalityError, match="SubsetTable: sound: got subset of an unknown modality"):
        table.accuracy("sound")
    with pytest.raises(MaskError, match="SubsetTable: image, text, audio: got an empty subset"):
        table.accuracy([])
