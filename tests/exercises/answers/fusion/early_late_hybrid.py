"""Answers to the exercises on early, late and hybrid fusion that the checks must tell apart."""

import numpy as np

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# ----------------------------------------------------------------------------------------------- combine_decisions


def rule(decisions, prior, mask, *, shares=None, axis=1):
    """The right rule, with the number of priors taken out and the axis of the sum as dials."""
    logs = [np.where(mask[m][:, None], np.log(np.where(mask[m][:, None], p, 1.0)), 0.0) for m, p in decisions.items()]
    present = np.sum([mask[m] for m in decisions], axis=0)[:, None]
    score = np.sum(logs, axis=0) - (present - 1 if shares is None else shares) * np.log(prior)
    powers = np.exp(score - score.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@wrong("combine_decisions", hint="The rows do not sum to one")
def not_normalised(decisions, prior, mask):
    return np.prod(list(decisions.values()), axis=0)


@wrong("combine_decisions", hint="You made the columns sum to one")
def over_columns(decisions, prior, mask):
    product = np.prod(list(decisions.values()), axis=0)
    return product / product.sum(axis=0)


@wrong("combine_decisions", hint="This is the mean of the probabilities")
def mean(decisions, prior, mask):
    return np.mean(list(decisions.values()), axis=0)


@wrong("combine_decisions", hint="You return logarithms")
def logarithms(decisions, prior, mask):
    return np.log(rule(decisions, prior, mask))


@wrong("combine_decisions", hint="three answers hold it three times")
def prior_left_in(decisions, prior, mask):
    return rule(decisions, prior, mask, shares=0)


@wrong("combine_decisions", hint="once more than you should")
def prior_gone(decisions, prior, mask):
    return rule(decisions, prior, mask, shares=len(decisions))


@wrong("combine_decisions", hint="multiply by the prior once more")
def prior_added(decisions, prior, mask):
    return rule(decisions, prior, mask, shares=-1)


@wrong("combine_decisions", hint="take it out a single time")
def prior_once(decisions, prior, mask):
    return rule(decisions, prior, mask, shares=1)


@wrong("combine_decisions", hint="NaN times zero is NaN")
def multiplied_by_the_mask(decisions, prior, mask):
    score = np.log(prior) + sum(mask[m][:, None] * (np.log(p) - np.log(prior)) for m, p in decisions.items())
    powers = np.exp(score - score.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@wrong("combine_decisions", hint="With k present it is k - 1 times")
def share_stays(decisions, prior, mask):
    return rule(decisions, prior, mask, shares=len(decisions) - 1)


@wrong("combine_decisions", hint="Add logarithms")
def products(decisions, prior, mask):
    score = prior * np.prod([np.where(mask[m][:, None], p / prior, 1.0) for m, p in decisions.items()], axis=0)
    with np.errstate(invalid="ignore"):
        return score / score.sum(axis=1, keepdims=True)


@another("combine_decisions")
def row_by_row(decisions, prior, mask):
    rows = []
    for row in range(len(next(iter(mask.values())))):
        score = np.log(prior).copy()
        for m, p in decisions.items():
            if mask[m][row]:
                score += np.log(p[row] / prior)
        rows.append(np.exp(score - np.logaddexp.reduce(score)))
    return np.array(rows)


# ---------------------------------------------------------------------------------------------- as_if_independent


def pairs(joint):
    return joint.sum(axis=1)[:, None, :] * joint.sum(axis=0)[None, :, :]


@wrong("as_if_independent", hint="This is the table that came")
def unchanged(joint):
    return joint


@wrong("as_if_independent", hint="forget to divide by p(y)")
def undivided(joint):
    return pairs(joint)


@wrong("as_if_independent", hint="p(x1) p(x2) p(y)")
def all_independent(joint):
    one, two, label = joint.sum(axis=(1, 2)), joint.sum(axis=(0, 2)), joint.sum(axis=(0, 1))
    return np.einsum("a,b,y->aby", one, two, label)


@wrong("as_if_independent", hint="within each class")
def independent_over_all(joint):
    one, two = joint.sum(axis=(1, 2)), joint.sum(axis=(0, 2))
    return np.outer(one, two)[:, :, None] * joint / joint.sum(axis=2, keepdims=True)


@wrong("as_if_independent", hint="each class sums to one")
def conditional(joint):
    label = joint.sum(axis=(0, 1))
    return pairs(joint) / label / label


@wrong("as_if_independent", hint="0 / 0 is NaN")
def no_thought_of_zero(joint):
    with np.errstate(invalid="ignore"):
        return pairs(joint) / joint.sum(axis=(0, 1))


@another("as_if_independent")
def class_by_class(joint):
    table = np.zeros_like(joint)
    for y, chance in enumerate(joint.sum(axis=(0, 1))):
        if chance > 0:
            given = joint[:, :, y] / chance
            table[:, :, y] = chance * np.outer(given.sum(axis=1), given.sum(axis=0))
    return table
