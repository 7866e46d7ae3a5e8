"""Answers to the exercises on missing modalities that the checks must tell apart."""

from math import prod

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from mmcourse.training import probabilities
from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# ----------------------------------------------------------------------------------------------- subset_chance


def product(rates, among, left):
    return prod(1 - rates[m] if m in left else rates[m] for m in among)


def possible(present, left):
    return bool(left) and set(left) <= set(present)


@another("subset_chance")
def by_going_through_all_draws(rates, present, left):
    chances = {}
    for code in range(1, 2 ** len(present)):
        stays = frozenset(m for place, m in enumerate(present) if code >> place & 1)
        chances[stays] = np.prod([1 - rates[m] if m in stays else rates[m] for m in present])
    return chances.get(frozenset(left), 0.0) / sum(chances.values())


@wrong("subset_chance", hint="do not divide by the chance that something is left")
def not_divided(rates, present, left):
    return product(rates, present, left) if possible(present, left) else 0.0


@wrong("subset_chance", hint="You divide by the chance that nothing is left")
def divided_by_nothing_left(rates, present, left):
    return product(rates, present, left) / prod(rates[m] for m in present) if possible(present, left) else 0.0


@wrong("subset_chance", hint="you use it as the chance to stay")
def rates_to_stay(rates, present, left):
    return by_going_through_all_draws({m: 1 - rate for m, rate in rates.items()}, present, left)


@wrong("subset_chance", hint="is no draw any more")
def mask_ignored(rates, present, left):
    return by_going_through_all_draws(rates, list(rates), left)


@wrong("subset_chance", hint="Below, only those that are there count")
def mask_ignored_below(rates, present, left):
    return product(rates, present, left) / (1 - prod(rates.values())) if possible(present, left) else 0.0


@wrong("subset_chance", hint="forget what goes")
def only_what_stays(rates, present, left):
    if not possible(present, left):
        return 0.0
    return prod(1 - rates[m] for m in left) / (1 - prod(rates[m] for m in present))


@wrong("subset_chance", hint="not equally likely")
def all_alike(rates, present, left):
    return 1 / (2 ** len(present) - 1) if possible(present, left) else 0.0


@wrong("subset_chance", hint="what was missing before does not come back")
def impossible_ones_too(rates, present, left):
    return product(rates, present, left) / (1 - prod(rates[m] for m in present))


# -------------------------------------------------------------------------------------------- best_temperature


def least(logits, loss):
    found = minimize_scalar(lambda t: loss(probabilities(logits, np.exp(t))), bounds=(-4, 4), method="bounded",
                            options={"xatol": 1e-8})  # fmt: skip
    return np.exp(found.x)


def likelihood(labels):
    return lambda p: -np.log(p[np.arange(len(labels)), labels]).mean()


@another("best_temperature")
def by_newton(logits, labels):
    z = torch.tensor(logits)
    b = torch.tensor(0.0, dtype=z.dtype)
    for _ in range(50):
        p = (b * z).softmax(dim=1)
        mean = (p * z).sum(dim=1)
        slope = (mean - z[torch.arange(len(z)), torch.tensor(labels)]).mean()
        b = b - slope / ((p * z**2).sum(dim=1) - mean**2).mean()
    return 1 / b


@wrong("best_temperature", hint="You return 1/T")
def inverse(logits, labels):
    return 1 / least(logits, likelihood(labels))


@wrong("best_temperature", hint="You leave the logits as they are")
def one(logits, labels):
    return 1.0


@wrong("best_temperature", hint="You never go below 1")
def only_less_sure(logits, labels):
    return max(1.0, least(logits, likelihood(labels)))


@wrong("best_temperature", hint="That makes one bin right")
def mean_confidence(logits, labels):
    share = (logits.argmax(axis=1) == labels).mean()
    return least(logits, lambda p: (p.max(axis=1).mean() - share) ** 2)


@wrong("best_temperature", hint="the Brier score")
def squared_error(logits, labels):
    return least(logits, lambda p: ((p - np.eye(p.shape[1])[labels]) ** 2).sum())


@wrong("best_temperature", hint="a softmax is taken of a softmax")
def of_probabilities(logits, labels):
    return least(probabilities(logits), likelihood(labels))


@wrong("best_temperature", hint="in place of that of the label")
def of_the_largest(logits, labels):
    return least(logits, lambda p: -np.log(p.max(axis=1)).mean())


@wrong("best_temperature", hint="A coarse grid is not fine enough")
def coarse_grid(logits, labels):
    grid = np.arange(0.3, 4, 0.25)
    return grid[np.argmin([likelihood(labels)(probabilities(logits, t)) for t in grid])]


@wrong("best_temperature", hint="wide enough")
def narrow_interval(logits, labels):
    return min(3.2, max(0.3, least(logits, likelihood(labels))))
