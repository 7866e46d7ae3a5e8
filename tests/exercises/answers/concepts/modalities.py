"""Answers to the exercises on modalities that the checks must tell apart."""

import numpy as np

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# ---------------------------------------------------------------------------------------------- heard_frequency


@wrong("heard_frequency", hint="does not stop at half the rate")
def cut_off(frequency, rate):
    return min(frequency, rate / 2)


@wrong("heard_frequency", hint="You subtract from the rate always")
def always_subtracted(frequency, rate):
    return rate - frequency


@wrong("heard_frequency", hint="You fold once")
def folded_once(frequency, rate):
    return frequency if frequency < rate / 2 else abs(rate - frequency)


@wrong("heard_frequency", hint="take away whole rates and stop")
def remainder(frequency, rate):
    return frequency % rate


@wrong("heard_frequency", hint="as if the tone began again")
def remainder_of_half(frequency, rate):
    return frequency % (rate / 2)


@wrong("heard_frequency", hint="below zero")
def with_a_sign(frequency, rate):
    return frequency - rate * np.round(frequency / rate)


@wrong("heard_frequency", hint="The tone is as it was")
def unchanged(frequency, rate):
    return frequency


@another("heard_frequency")
def from_the_samples(frequency, rate):
    """Where the samples of a second, taken as a cosine, have their angle: arccos undoes the fold."""
    return np.arccos(np.cos(2 * np.pi * frequency / rate)) * rate / (2 * np.pi)


# ---------------------------------------------------------------------------------------------- lost_questions


def by_rule(needs, signals, answered):
    signals = set(signals)
    with_all = {kind for kind in needs if answered(needs[kind], signals)}
    return {m: {kind for kind in with_all if not answered(needs[kind], signals - {m})} for m in signals}


@wrong("lost_questions", hint="as soon as one signal of a set is there")
def any_signal_of_a_set(needs, signals):
    return by_rule(needs, signals, lambda sets, there: any(s & there for s in sets))


@wrong("lost_questions", hint="You ask for all sets of a kind")
def all_sets(needs, signals):
    return by_rule(needs, signals, lambda sets, there: all(s <= there for s in sets))


@wrong("lost_questions", hint="look at the first only")
def first_set(needs, signals):
    return by_rule(needs, signals, lambda sets, there: sets[0] <= there)


@wrong("lost_questions", hint="that need several signals together")
def single_signals(needs, signals):
    return by_rule(needs, signals, lambda sets, there: any(s <= there for s in sets if len(s) == 1))


@wrong("lost_questions", hint="every kind in which the signal occurs")
def named(needs, signals):
    return {m: {kind for kind, sets in needs.items() if any(m in s for s in sets)} for m in signals}


@wrong("lost_questions", hint="You turn it round")
def what_remains(needs, signals):
    return {m: {k for k, sets in needs.items() if any(s <= set(signals) - {m} for s in sets)} for m in signals}


@wrong("lost_questions", hint="could not be answered before")
def never_answered(needs, signals):
    return {m: {k for k, sets in needs.items() if not any(s <= set(signals) - {m} for s in sets)} for m in signals}


@wrong("lost_questions", hint="Not how many")
def how_many(needs, signals):
    return {m: len(kinds) for m, kinds in signals_in_every_set(needs, signals).items()}


@another("lost_questions")
def signals_in_every_set(needs, signals):
    """A kind is lost with a signal that is in each of its sets that these signals hold."""
    lost = {m: [] for m in signals}
    for kind, sets in needs.items():
        held = [s for s in sets if s <= set(signals)]
        for m in set.intersection(*held) if held else ():
            lost[m].append(kind)
    return lost
