"""Laws of the controlled pairs: the Bayes rule, made from densities alone, is as accurate as they say."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mmcourse import errors
from mmcourse.data import ControlledPairs, controlled_pairs

KINDS = ("redundant", "unique", "synergistic", "shared_noise")
N = 20_000
WIDTHS = {"image": 5, "text": 3}
TWO = {"image": 1.0, "text": 1.5}


def close_to(share, chance, draws):
    """Within four standard deviations of a binomial share: a right figure fails once in 16,000."""
    return abs(share - chance) <= 4 * np.sqrt(chance * (1 - chance) / draws)


def normal(z, mean, covariance):
    """Density of rows z (n, k), up to a factor that all labels share."""
    apart = z - mean
    return np.exp(-0.5 * np.einsum("ni,ij,nj->n", apart, np.linalg.inv(covariance), apart))


def likelihood(kind, z, d, names, y):
    """p(z | y) for the modalities `names` that are seen; z (n, len(names)), their projections on the directions."""
    seen = [list(d).index(name) for name in names]
    strengths = np.array(list(d.values()))
    one = np.eye(len(names))
    if kind == "redundant":
        return normal(z, y * strengths[seen], one)
    if kind == "unique":
        useful = np.array(seen) == 0  # the others' random signs are summed out
        return sum(normal(z, np.where(useful, y, sign) * strengths[seen], one) for sign in (-1, 1))
    if kind == "synergistic":
        pairs = [(s, y * s) for s in (-1, 1)]
        return sum(normal(z, np.array(signs)[seen] * strengths[seen], one) for signs in pairs)
    return normal(z, np.where(np.array(seen) == 0, y * strengths[0], 0.0), one + strengths[1] ** 2)


def posterior(kind, data, d, names):
    """P(y = +1 | what is present of the modalities `names`), (n,)."""
    chances = np.full(len(data), 0.5)
    presence = np.stack([data.present(name) for name in names], axis=1)
    for pattern in np.unique(presence, axis=0):
        seen = [name for name, present in zip(names, pattern, strict=True) if present]
        if not seen:
            continue
        rows = (presence == pattern).all(axis=1)
        z = np.stack([data.features[name][rows] @ data.directions[name] for name in seen], axis=1)
        plus, minus = (likelihood(kind, z, d, seen, y) for y in (1, -1))
        chances[rows] = plus / (plus + minus)
    return chances


def assert_bayes(kind, data, d, names, claimed):
    chances = posterior(kind, data, d, names)
    assert close_to(np.mean((chances > 0.5) == (data.labels == 1)), claimed, len(data))
    # The rule's own confidence, a second estimate of the same figure, free of the labels.
    assert np.maximum(chances, 1 - chances).mean() == pytest.approx(claimed, abs=4 * 0.25 / np.sqrt(len(data)))


@pytest.mark.parametrize(
    "missing", [None, {"image": 0.3, "text": 0.5}, {"text": 0.4}], ids=["complete", "both", "text"]
)
@pytest.mark.parametrize(
    "d", [TWO, {"image": 0.4, "text": 2.5}, {"image": 2.0, "text": 0.3}], ids=["1/1.5", "weak", "strong"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_bayes_rule_is_as_accurate_as_claimed(kind, d, missing):
    data = controlled_pairs(kind, N, separation=d, widths=WIDTHS, missing=missing, seed=0)
    assert_bayes(kind, data, d, ("image", "text"), data.bayes_accuracy)
    for name in d:
        assert_bayes(kind, data, d, (name,), data.alone[name])


@pytest.mark.parametrize("kind", ["redundant", "unique"])
@pytest.mark.parametrize("count", [1, 3, 4])
def test_one_to_many_modalities(kind, count):
    d = dict(list({"image": 0.8, "text": 0.6, "audio": 1.0, "lidar": 0.5}.items())[:count])
    data = controlled_pairs(kind, N, separation=d, widths=dict.fromkeys(d, 2), missing=dict.fromkeys(d, 0.4), seed=0)
    assert_bayes(kind, data, d, tuple(d), data.bayes_accuracy)
    for name in d:
        assert_bayes(kind, data, d, (name,), data.alone[name])


@pytest.mark.parametrize("missing", [None, {"image": 0.3, "text": 0.5}], ids=["complete", "missing"])
@pytest.mark.parametrize("synergy", [0.0, 0.3, 1.0])
def test_mixed_pairs_are_of_two_kinds_and_tell_which(synergy, missing):
    data = controlled_pairs("mixed", N, separation=TWO, widths=WIDTHS, missing=missing, synergy=synergy, seed=0)
    told = np.nanmax([rows[:, -1] for rows in data.features.values()], axis=0)
    assert set(np.unique(told)) <= {-1.0, 1.0}
    assert close_to(np.mean(told == 1), synergy, N)

    def chances(names):
        kinds = [posterior(kind, data, TWO, names) for kind in ("redundant", "synergistic")]
        return np.where(told == 1, kinds[1], kinds[0])

    for names, claimed in [(tuple(TWO), data.bayes_accuracy), *(((name,), data.alone[name]) for name in TWO)]:
        found = chances(names)
        assert close_to(np.mean((found > 0.5) == (data.labels == 1)), claimed, N)
    assert close_to(np.mean(late_answer([chances((name,)) for name in TWO]) == data.labels), data.late_accuracy, N)


def late_answer(chances):
    """The answers of the product of the modalities' posteriors, for even chances; a tie falls as it may."""
    odds = np.sum([np.log(chance / (1 - chance)) for chance in chances], axis=0)
    tie = np.random.default_rng(1).random(len(odds)) < 0.5  # not the seed of the labels
    return np.where(np.abs(odds) < 1e-9, tie, odds > 0)


@pytest.mark.parametrize("missing", [None, {"image": 0.3, "text": 0.5}], ids=["complete", "missing"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_product_of_posteriors_is_as_accurate_as_claimed(kind, missing):
    data = controlled_pairs(kind, N, separation=TWO, widths=WIDTHS, missing=missing, seed=0)
    found = late_answer([posterior(kind, data, TWO, (name,)) for name in TWO])
    assert close_to(np.mean(found == data.labels), data.late_accuracy, N)
    assert data.late_accuracy <= data.bayes_accuracy


def test_figures_that_can_be_checked_by_hand():
    for kind in KINDS:
        nothing = controlled_pairs(kind, 1, separation={"image": 0, "text": 0}, widths=WIDTHS, seed=0)
        assert nothing.bayes_accuracy == 0.5, kind
        assert nothing.alone == {"image": 0.5, "text": 0.5}, kind
    # Phi(1) = 0.8413447 and Phi(5) = 0.9999997
    both = controlled_pairs("redundant", 1, separation={"image": 0.6, "text": 0.8}, widths=WIDTHS, seed=0)
    assert both.bayes_accuracy == pytest.approx(0.8413447, abs=1e-7)
    clear = controlled_pairs("synergistic", 1, separation={"image": 5, "text": 5}, widths=WIDTHS, seed=0)
    assert clear.bayes_accuracy == pytest.approx(1, abs=1e-6)
    calm = controlled_pairs("shared_noise", 1, separation={"image": 1, "text": 0}, widths=WIDTHS, seed=0)
    assert calm.bayes_accuracy == pytest.approx(0.8413447, abs=1e-7)


def linear_accuracy(data, names):
    rows = np.concatenate([data.features[name] for name in names], axis=1)
    half = len(data) // 2
    return LogisticRegression().fit(rows[:half], data.labels[:half]).score(rows[half:], data.labels[half:])


def test_synergistic_modalities_are_at_chance_alone_and_together_for_a_linear_rule():
    data = controlled_pairs("synergistic", N, separation={"image": 3, "text": 3}, widths=WIDTHS, seed=0)
    for names in (["image"], ["text"], ["image", "text"]):
        assert close_to(linear_accuracy(data, names), 0.5, N // 2), names
    assert data.bayes_accuracy > 0.99


def test_shared_noise_is_cancelled_by_the_modality_that_says_nothing():
    d = {"image": 1.0, "text": 2.0}
    data = controlled_pairs("shared_noise", N, separation=d, widths=WIDTHS, seed=0)
    assert data.alone["text"] == 0.5
    assert close_to(linear_accuracy(data, ["text"]), 0.5, N // 2)
    assert close_to(linear_accuracy(data, ["image"]), data.alone["image"], N // 2)
    assert close_to(linear_accuracy(data, ["image", "text"]), data.bayes_accuracy, N // 2)
    assert data.bayes_accuracy > data.alone["image"] + 0.05
    z = np.stack([data.features[name] @ data.directions[name] for name in d], axis=1)
    weights = LogisticRegression(C=np.inf).fit(z, data.labels).coef_[0]
    assert weights[1] < 0 < weights[0]
    # S^-1 m is proportional to (1 + d_2^2, -d_2^2).
    assert weights[1] / weights[0] == pytest.approx(-4 / 5, abs=0.05)


def test_everything_but_noise_lies_along_the_direction():
    data = controlled_pairs("redundant", N, separation=TWO, widths=WIDTHS, seed=0)
    for name, direction in data.directions.items():
        assert np.linalg.norm(direction) == pytest.approx(1)
        sign = np.where(data.labels == 1, 1, -1)[:, None]
        noise = data.features[name] - TWO[name] * sign * direction
        assert np.cov(noise.T) == pytest.approx(np.eye(WIDTHS[name]), abs=0.06)
        assert noise.mean(axis=0) == pytest.approx(0, abs=0.03)


def test_masks_come_at_the_asked_rate_and_never_hide_everything():
    rates = {"image": 0.5, "text": 0.6, "audio": 0.2}
    data = controlled_pairs(
        "redundant", N, separation=dict.fromkeys(rates, 1.0), widths=dict.fromkeys(rates, 2), missing=rates, seed=0
    )
    assert np.any(list(data.mask.values()), axis=0).all()
    nothing = 0.5 * 0.6 * 0.2
    for name, rate in rates.items():
        assert close_to(1 - data.mask[name].mean(), (rate - nothing) / (1 - nothing), N), name
        assert np.isnan(data.features[name][~data.mask[name]]).all()
    # Independent but for what is excluded: image and text both missing is r_1 r_2 (1 - r_3), over what is left.
    both = ~data.mask["image"] & ~data.mask["text"]
    assert close_to(both.mean(), 0.5 * 0.6 * 0.8 / (1 - nothing), N)


def test_a_modality_without_a_rate_is_always_present():
    data = controlled_pairs("redundant", 100, separation=TWO, widths=WIDTHS, missing={"text": 0.5}, seed=0)
    assert list(data.mask) == ["text"]
    assert controlled_pairs("redundant", 100, separation=TWO, widths=WIDTHS, seed=0).mask is None


def draw(kind="redundant", n=50, *, seed=0, separation=TWO, widths=WIDTHS, **options):
    return controlled_pairs(kind, n, separation=separation, widths=widths, seed=seed, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides_everything_and_the_order_of_calls_nothing(kind):
    first = draw(kind)
    draw(kind, seed=1)
    again = draw(kind)
    assert np.array_equal(again.labels, first.labels)
    assert all(np.array_equal(again.features[name], first.features[name]) for name in WIDTHS)
    assert not np.array_equal(draw(kind, seed=1).features["image"], first.features["image"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_n_only_adds_rows(kind):
    missing = {"image": 0.5, "text": 0.5}
    few, many = draw(kind, 50, missing=missing), draw(kind, 80, missing=missing)
    assert np.array_equal(many.labels[:50], few.labels)
    for name in WIDTHS:
        assert np.array_equal(many.features[name][:50], few.features[name], equal_nan=True)
        assert np.array_equal(many.mask[name][:50], few.mask[name])


def test_missing_rows_change_nothing_else():
    complete, some = draw(), draw(missing={"text": 0.5})
    present = some.mask["text"]
    assert np.array_equal(some.features["text"][present], complete.features["text"][present])
    assert np.array_equal(some.labels, complete.labels)


def test_take_keeps_what_is_known_of_the_distribution():
    data = draw()
    part = data.take(slice(10, 20))
    assert isinstance(part, ControlledPairs)
    assert (part.bayes_accuracy, part.alone) == (data.bayes_accuracy, data.alone)
    assert not isinstance(data.shuffled("image", 0), ControlledPairs)


AUDIO = {"image": 5, "text": 3, "audio": 2}
REFUSED = {
    "no share": ({"kind": "mixed"}, ValueError, "synergy: got None, wanted a share from 0 to 1"),
    "a share for another kind": ({"synergy": 0.5}, ValueError, "synergy: got 0.5 for the kind redundant"),
    "no room": ({"kind": "mixed", "synergy": 0.5, "widths": dict.fromkeys(TWO, 1)}, errors.ShapeError, "at least 2"),
    "kind": ({"kind": "magic"}, ValueError, "kind: got 'magic', wanted one of redundant, unique"),
    "n": ({"n": 0}, ValueError, "n: got 0, wanted at least 1"),
    "no modality": ({"widths": {}, "separation": {}}, ValueError, "redundant: got 0 modalities, wanted at least 1"),
    "three for XOR": ({"kind": "synergistic", "widths": AUDIO}, ValueError, "got 3 modalities, wanted exactly 2"),
    "one for shared noise": ({"kind": "shared_noise", "widths": {"image": 2}}, ValueError, "got 1 modalities, wanted"),
    "unknown separation": (
        {"separation": {**TWO, "audio": 1.0}},
        errors.UnknownModalityError,
        "audio: got a separation, wanted one of image, text",
    ),
    "no separation": ({"widths": AUDIO}, errors.UnknownModalityError, "audio: got no separation, wanted one"),
    "negative separation": ({"separation": {**TWO, "text": -1}}, errors.ModalityError, "text: got separation -1"),
    "separation NaN": ({"separation": {**TWO, "text": np.nan}}, errors.ModalityError, "text: got separation nan"),
    "width": ({"widths": {**WIDTHS, "image": 0}}, errors.ShapeError, "image: got width 0, wanted at least 1"),
    "unknown missing": ({"missing": {"audio": 0.1}}, errors.UnknownModalityError, "audio: got a missing rate"),
    "missing rate": ({"missing": {"text": 1.0}}, errors.ModalityError, "text: got missing rate 1.0, wanted at least 0"),
}


@pytest.mark.parametrize(("changes", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(changes, error, message):
    with pytest.raises(error, match=f"^controlled_pairs: .*{message}"):
        draw(**changes)
