"""Laws of late fusion: the product rule is Bayes' rule where it should be, and what a missing modality takes along."""

from typing import Any

import numpy as np
import pytest
import torch

from mmcourse.errors import ModalityError, ShapeError
from mmcourse.fusion.numpy import late_fusion
from mmcourse.fusion.numpy.decisions import mean_of_probabilities, product_rule
from mmcourse.parity import numpy_arguments, parameters, relative_error
from tests.fusion.halves import HALVES, NAMES, TRAINABLE, Case, Numpy, Torch

PRIOR = (0.5, 0.3, 0.2)
over_halves = pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
over_trainable = pytest.mark.parametrize("half", TRAINABLE, ids=lambda half: half.name)


def late(count: int, masked: bool = False, **options: Any) -> Case:
    return Case("late fusion", count, {"hidden_size": 3, "out_dim": 3, "rule": "product"} | options, masked, seed=count)


def with_prior(case: Case, prior: Any = PRIOR) -> np.ndarray:
    return Numpy.formula(case, case.parameters, case.features, case.mask, prior=prior)


@over_trainable
@pytest.mark.parametrize("masked", [False, True], ids=["complete", "masked"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_prior_is_used_alike_in_all_halves(count: int, masked: bool, half: Any) -> None:
    case = late(count, masked)
    output = half.call(half.build(case, prior=PRIOR), case.features, case.mask)
    assert relative_error(output, with_prior(case)) <= 1e-10
    if count > 1:
        assert relative_error(output, Numpy.call(case, case.features, case.mask)) > 1e-3


@over_trainable
def test_the_mean_without_weights_is_the_mean_of_probabilities(half: Any) -> None:
    case = late(3, rule="mean")
    module = half.build(case)
    apart = np.exp(np.asarray(half_decisions(half, module, case)))
    np.testing.assert_allclose(np.exp(half.call(module, case.features)), apart.mean(1), rtol=1e-12)


def half_decisions(half: Any, module: Any, case: Case) -> Any:
    found = module.decisions(half.convert(case.features) if half is Torch else case.features)
    return found.detach() if half is Torch else found


@over_halves
@pytest.mark.parametrize("rule", ["product", "mean"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_output_is_a_distribution(count: int, rule: str, half: Any) -> None:
    case = late(count, masked=True, rule=rule)
    output = half.call(half.build(case), case.features, case.mask)
    np.testing.assert_allclose(np.exp(output).sum(1), 1, rtol=1e-12)


@over_halves
@pytest.mark.parametrize("rule", ["product", "mean"])
def test_of_one_modality_it_is_that_classifier_with_any_prior(rule: str, half: Any) -> None:
    case = late(1, rule=rule)
    hidden = np.tanh(case.features["text"] @ case.parameters["kernels.text"] + case.parameters["biases.text"])
    logits = hidden @ case.parameters["heads.text"] + case.parameters["head_biases.text"]
    wanted = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert relative_error(half.call(half.build(case), case.features), wanted) <= 1e-12
    if rule == "product":
        assert relative_error(with_prior(case), wanted) <= 1e-12


@pytest.mark.parametrize("rule", ["product", "mean"])
@pytest.mark.parametrize("left_out", NAMES[:3])
def test_a_missing_modality_leaves_the_fusion_of_the_others(left_out: str, rule: str) -> None:
    case = late(3, rule=rule)
    prior = PRIOR if rule == "product" else None
    mask = {left_out: np.zeros(case.batch, bool)}
    masked = Numpy.formula(case, case.parameters, case.features, mask, prior=prior)
    without = {name: array for name, array in case.parameters.items() if not name.endswith(f".{left_out}")}
    features = {name: x for name, x in case.features.items() if name != left_out}
    assert relative_error(masked, Numpy.formula(case, without, features, prior=prior)) <= 1e-12


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_product_rule_is_bayes_rule_where_modalities_are_independent_given_the_label(count: int) -> None:
    rng = np.random.default_rng(count)
    prior = rng.dirichlet(np.ones(3))
    channels = [rng.dirichlet(np.ones(4), size=3) for _ in range(count)]  # p(x_m | y), (classes, values)
    values = [rng.integers(4, size=50) for _ in range(count)]
    joint = prior * np.prod([channel[:, x].T for channel, x in zip(channels, values, strict=True)], axis=0)
    wanted = joint / joint.sum(1, keepdims=True)  # from the joint distribution itself
    decisions = {}
    for name, channel, x in zip(NAMES, channels, values, strict=False):
        alone = prior * channel[:, x].T
        decisions[name] = np.log(alone / alone.sum(1, keepdims=True))
    np.testing.assert_allclose(np.exp(product_rule(decisions, prior=prior)), wanted, rtol=1e-10)
    if count > 1:  # the prior counted M times
        assert relative_error(np.exp(product_rule(decisions)), wanted) > 1e-3
        assert relative_error(np.exp(mean_of_probabilities(decisions)), wanted) > 1e-3


def test_two_that_agree_are_surer_in_a_product_and_no_surer_in_a_mean() -> None:
    said = {name: np.log([[0.8, 0.2]]) for name in ("text", "image")}
    assert np.exp(product_rule(said))[0, 0] == pytest.approx(16 / 17)
    assert np.exp(mean_of_probabilities(said))[0, 0] == pytest.approx(0.8)


def test_a_weight_of_zero_leaves_a_classifier_out() -> None:
    said = {"text": np.log([[0.8, 0.2]]), "image": np.log([[0.3, 0.7]])}
    found = product_rule(said, prior=[0.6, 0.4], weights={"text": 1.0, "image": 0.0})
    np.testing.assert_allclose(np.exp(found), [[0.8, 0.2]])


@over_trainable
@pytest.mark.parametrize("rule", ["product", "mean"])
def test_learned_weights_begin_where_there_are_none(rule: str, half: Any) -> None:
    case = late(3, rule=rule, learned=True)
    fresh = half.new("late fusion", case.dims, **case.options)
    given = case.parameters | {f"weights.{name}": np.float64(rule == "product") for name in case.dims}
    plain = {name: array for name, array in given.items() if not name.startswith("weights.")}
    weights = [float(np.asarray(w)) for w in start_of(fresh)]
    assert weights == [float(rule == "product")] * 3
    wanted = half.call(half.build(late(3, rule=rule).variant(given=plain)), case.features)
    assert relative_error(half.call(half.build(case.variant(given=given)), case.features), wanted) <= 1e-12


def start_of(module: Any) -> list[Any]:
    return [array for name, array in parameters(module).items() if name.startswith("weights.")]


def test_the_prior_keeps_its_digits_when_a_module_changes_its_dtype() -> None:
    case = late(2)
    module = Torch.build(case, prior=PRIOR)
    again = Torch.build(case, prior=PRIOR).float().double()
    again.load_state_dict(module.state_dict())
    features = Torch.convert(case.features)
    assert torch.equal(again(features), module(features))


@over_halves
@pytest.mark.parametrize(
    ("prior", "error", "message"),
    [
        ((0.5, 0.5), ShapeError, "late fusion: prior: got shape (2,), wanted (3,)"),
        ((0.5, 0.5, 0.0), ModalityError, "late fusion: prior: got [0.5, 0.5, 0.0], wanted positive probabilities"),
        ((0.5, 0.5, 0.5), ModalityError, "late fusion: prior: got [0.5, 0.5, 0.5], wanted positive probabilities"),
    ],
)
def test_a_prior_that_is_none_is_refused(prior: Any, error: type[ModalityError], message: str, half: Any) -> None:
    case = late(2)
    with pytest.raises(error) as caught:
        with_prior(case, prior) if half is Numpy else half.build(case, prior=prior)
    assert str(caught.value).startswith(message)


@over_halves
def test_an_unknown_rule_and_a_prior_for_a_mean_are_refused(half: Any) -> None:
    for options, message in (({"rule": "vote"}, "got 'vote', wanted product or mean"), ({"rule": "mean"}, "prior")):
        case = late(2).variant(options=late(2).options | options)
        with pytest.raises(ValueError, match=f"late fusion: (rule: )?{message}"):
            with_prior(case) if half is Numpy else half.build(case, prior=PRIOR)


@pytest.mark.parametrize("concept", ["early fusion", "late fusion", "hybrid fusion"])
def test_parameters_read_from_a_module_give_the_formula_whatever_their_order(concept: str) -> None:
    """PyTorch may list the entries of a dictionary of parameters in another order than that of dims."""
    rule = {"rule": "product"} if concept == "late fusion" else {}
    case = Case(concept, 3, {"hidden_size": 3, "out_dim": 3} | rule)
    module = Torch.build(case)
    read = case.variant(given=dict(reversed(parameters(module).items())))
    output = Torch.call(module, case.features)
    assert relative_error(output, Numpy.formula(read, read.parameters, case.features)) <= 1e-12


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p | {"biases": {"text": p["biases"]["text"]}}, "late fusion: image: got no bias, wanted an entry"),
        (lambda p: p | {"heads": p["heads"] | {"sound": 1}}, "late fusion: sound: got head of an unknown modality"),
        (lambda p: p | {"head_biases": {}}, "late fusion: text: got no head_bias, wanted an entry"),
        (lambda p: p | {"weights": {"text": 1.0}}, "late fusion: image: got no weight, wanted an entry"),
        (lambda p: p | {"weights": {"text": 1.0, "image": [1.0]}}, "weights.image: got shape (1,), wanted ()"),
        (
            lambda p: p | {"heads": p["heads"] | {"image": np.ones((4, 3))}},
            "heads.image: got shape (4, 3), wanted (3, 3)",
        ),
        (lambda p: p | {"biases": p["biases"] | {"image": np.ones(2)}}, "biases.image: got shape (2,), wanted (3,)"),
    ],
)
def test_the_formula_refuses_parameters_that_do_not_fit(spoil: Any, message: str) -> None:
    case = late(2)
    with pytest.raises(ModalityError) as caught:
        late_fusion(case.features, **spoil(numpy_arguments(case.parameters)))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("decisions", "options", "message"),
    [
        ({}, {}, "decisions: got no modality"),
        ({"image": np.zeros((2, 2)), "text": np.zeros((3, 2))}, {}, r"text: got shape \(3, 2\)"),
        ({"image": np.zeros(2)}, {}, r"image: got shape \(2,\), wanted \(batch, classes\)"),
        ({"image": np.zeros((2, 2))}, {"weights": {}}, "image: got no weight"),
        ({"image": np.zeros((2, 2))}, {"prior": [1.0]}, "prior: got shape"),
    ],
)
def test_decisions_that_do_not_fit_are_refused_by_name(decisions: Any, options: Any, message: str) -> None:
    with pytest.raises(ModalityError, match=message):
        product_rule(decisions, **options)
    if "prior" not in options:
        with pytest.raises(ModalityError, match=message):
            mean_of_probabilities(decisions, **options)
