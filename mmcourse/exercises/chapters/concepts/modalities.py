"""The laws of the exercises on modalities."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np
from numpy.random import Generator

from mmcourse.exercises.laws import Answer, Law, Rejected, close, diagnose, exercise, names_in, show

Needs = dict[str, list[set[str]]]  # kind of question: sets of signals, each of them enough
Lost = dict[str, set[str]]  # signal: kinds of questions

# ---------------------------------------------------------------------------------------------------- heard_frequency


@exercise("concepts")
def heard_frequency(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The lowest tone with the same samples as a given one."""
    rate = float(rng.integers(20, 90) * 100)
    low = float(rng.uniform(0.05, 0.45) * rate)
    cases = (
        (low, low, "a tone below half the rate is heard as it is"),
        (rate + low, low, "a whole rate more changes no sample"),
        (rate - low, low, "a tone between half the rate and the rate is heard as rate - frequency"),
        (int(rng.integers(2, 6)) * rate - low, low, "whole rates away, and then folded back"),
    )
    for frequency, wanted, law in cases:
        got = answer.number(frequency, rate)
        yield Law(
            law,
            close(got, wanted, size=rate),
            diagnose(
                got,
                {
                    "The tone does not stop at half the rate. Its samples are those of a lower tone, not of rate / 2.":
                    min(frequency, rate / 2) if frequency > rate / 2 else np.nan,
                    "You subtract from the rate always. A tone below half the rate is not folded.": rate - frequency,
                    "You fold once. A frequency above the rate first loses whole rates, then it is folded.": abs(
                        rate - frequency
                    ),
                    "You take away whole rates and stop. What is left may still lie above half the rate; fold it.":
                    frequency % rate,
                    "You fold at half the rate as if the tone began again from zero there. It runs back: rate - "
                    "frequency.": frequency % (rate / 2),
                    "A frequency below zero: the cosine does not see the sign, give the positive one.": -wanted,
                    "The tone is as it was. Above half the rate there is a lower one with the same samples.": frequency,
                },
                "Write down the samples cos(2 pi f i / rate) of your tone and of the given one, i = 0, 1, 2, …",
            ),
            f"{frequency:.0f} Hz at {rate:.0f} samples a second: got {got:.1f}, wanted {wanted:.1f}.",
        )  # fmt: skip
    got = answer.number(rate, rate)
    yield Law(
        "the samples of a tone at the rate itself are all equal: frequency 0",
        close(got, 0.0, size=rate),
        "Every sample falls on the same point of the turn. Fold what is left of the whole rates, also if it is 0.",
        f"Got {got:.1f} Hz for {rate:.0f} Hz at {rate:.0f} samples a second.",
    )


# ----------------------------------------------------------------------------------------------------- lost_questions

NAMES = ("text", "image", "video", "sound", "scan")
KINDS = ("count", "name", "motion", "material", "speed", "nearest", "impacts")


def _needs(rng: Generator) -> tuple[Needs, str]:
    """Seven kinds in which every mistake shows, and the signal that some of their sets cannot do without."""
    a, b, c, d, e = rng.permutation(NAMES).tolist()
    ways = [[{a}], [{b}], [{a}, {c}], [{b, d}], [{c, d}, {c, e}], [{a}, {b, e}], [{a, e}]]
    return dict(zip(rng.permutation(KINDS).tolist(), ways, strict=True)), e


def _lost(signals: Collection[str], able: Callable[[set[str]], set[str]]) -> Lost:
    """For each signal what is answered with all of them and not without it, if `able` says what is answered."""
    return {name: able(set(signals)) - able(set(signals) - {name}) for name in signals}


@exercise("concepts")
def lost_questions(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Which kinds of questions are lost when one signal is deleted."""
    needs, absent = _needs(rng)
    for signals in (tuple(name for name in NAMES if name != absent), NAMES):
        wanted = _lost(signals, lambda given: {kind for kind, sets in needs.items() if any(s <= given for s in sets)})
        got = _as_sets(answer(needs, signals), signals)
        wrong = next((name for name in signals if got[name] != wanted[name]), "")
        yield Law(
            "a kind is lost with a signal if all signals answer it and the others do not",
            not wrong,
            _lost_hint(got, needs, signals),
            f"Signals {show(list(signals))}; without {wrong}: got {sorted(got[wrong])}, wanted {sorted(wanted[wrong])}."
            if wrong
            else "",
        )


def _as_sets(result: object, signals: Collection[str]) -> Lost:
    entries = names_in(result, signals, "the result")
    for name, kinds in entries.items():
        if isinstance(kinds, str) or not isinstance(kinds, set | frozenset | list | tuple):
            law = f"{name}: a set of kinds"
            raise Rejected(
                Law(law, False, "Not how many: which. An empty set where none is lost.", f"It is {kinds!r}.")
            )
    return {name: set(kinds) for name, kinds in entries.items()}


def _lost_hint(got: Lost, needs: Mapping[str, list[set[str]]], signals: Collection[str]) -> str:
    """The hint of the mistake that gives just this."""
    given = set(signals)
    named = {name: {kind for kind, sets in needs.items() if any(name in s for s in sets)} for name in signals}
    able = {
        "You take a kind as answered as soon as one signal of a set is there. Every signal of the set must be.":
        lambda there: {kind for kind, sets in needs.items() if any(s & there for s in sets)},
        "You ask for all sets of a kind. One of them is enough.":
        lambda there: {kind for kind, sets in needs.items() if all(s <= there for s in sets)},
        "You ask for one set and look at the first only. Any of them will do.":
        lambda there: {kind for kind, sets in needs.items() if sets[0] <= there},
        "You leave out kinds that need several signals together. Such a set is broken when one of them goes.":
        lambda there: {kind for kind, sets in needs.items() if any(len(s) == 1 and s <= there for s in sets)},
    }  # fmt: skip
    mistakes = {hint: _lost(signals, rule) for hint, rule in able.items()}
    mistakes["You name every kind in which the signal occurs. Where another set is enough, nothing is lost."] = named
    mistakes["You turn it round: these are the kinds that remain."] = {
        name: {kind for kind, sets in needs.items() if any(s <= given - {name} for s in sets)} for name in signals
    }
    mistakes["A kind that could not be answered before the deletion is not lost by it."] = {
        name: {kind for kind, sets in needs.items() if not any(s <= given - {name} for s in sets)} for name in signals
    }
    hint = "Twice the same question: what can be answered with all, and what without this one? Take the difference."
    return next((words for words, lost in mistakes.items() if lost == got), hint)
