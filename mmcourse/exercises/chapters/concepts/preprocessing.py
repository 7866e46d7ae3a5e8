"""The laws of the exercises on preprocessing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import Generator

from mmcourse.exercises.laws import Answer, Array, Law, Rejected, as_number, concluded, exercise, names_in, show

Pair = tuple[str, str]
LAST_FIRST = "You go through the merges from the last to the first."
# Letters of one byte and of several, with and without an accent.
LETTERS = "abcdefghijklmnopqrstuvwxyzéß红绿蓝圆方"


# -------------------------------------------------------------------------------------------------- byte-pair pieces


def _joined(pieces: Sequence[str], pair: Pair) -> list[str]:
    out: list[str] = []
    free = False  # whether the last piece of `out` may still be joined: a piece is joined once
    for piece in pieces:
        if free and (out[-1], piece) == pair:
            out[-1], free = out[-1] + piece, False
        else:
            out.append(piece)
            free = True
    return out


def _cut(word: str, merges: Sequence[Pair]) -> list[str]:
    pieces = list(word)
    while found := [pair for pair in merges if pair in pairwise(pieces)]:
        pieces = _joined(pieces, found[0])
    return pieces


@exercise("concepts")
def cut_word(answer: Answer, rng: Generator) -> Iterator[Law]:
    """The pieces of a word by merges that byte-pair encoding has learned."""
    a, b, c, d, e = rng.permutation(list(LETTERS))[:5].tolist()
    chain = [(a, b), (a + b, c), (a + b + c, d)]
    yield from _pieces(answer, a, [(a, b)], "a word of one letter is one piece", {}, "Start from the letters.")
    yield from _pieces(
        answer,
        a + b + c + d,
        chain,
        "merges build on one another",
        {
            "You stop after the first merge. Go on with the pieces that it made.": [a + b, c, d],
            "A pair is one of *pieces*. After the first merge look at pieces, not at letters.": [a + b, c + d],
        },
        "Join the first pair, look at the pieces that stand side by side now, and go on.",
    )
    yield from _pieces(
        answer,
        (a + b) * 3,
        [(a, b)],
        "a pair is joined wherever it stands",
        {"You join the first place only.": [a + b, a, b, a, b], "You join the last place only.": [a, b, a, b, a + b]},
        "Go through the whole word for each pair.",
    )
    yield from _pieces(
        answer,
        a + a + a,
        [(a, a)],
        "a letter belongs to one piece, and pairs are joined from the left",
        {
            "You use a letter twice. A piece that has been joined is not there any more.": [a + a, a + a],
            "You join from the right.": [a, a + a],
        },
        "In a word of three equal letters the first two are joined, the third is left.",
    )
    yield from _pieces(
        answer,
        a + b + c,
        [(a, b), (b, c)],
        "only whole pieces are joined",
        {
            "You replace text. In the text “ab c” stands “b c”, but b is no piece of its own there: it is the end of "
            "another. Compare pieces in a list.": [a + b + c],
            LAST_FIRST: [a, b + c],
        },
        "The second pair needs a piece that is just its first half.",
    )
    yield from _pieces(
        answer,
        a + b + c + d,
        [(c, d), (a, b), (a + b, c)],
        "the pair that was learned first is joined first",
        {
            "You take the longest piece from the left, or the first pair that fits. The order in which the pairs were "
            "learned decides, not their place in the word and not their length.": [a + b + c, d],
        },
        "Go through the merges in their order; the word is searched for each of them.",
    )
    yield from _pieces(
        answer,
        a + b + c + d,
        [(c, d), (a, b), (b, c)],
        "the pair that was learned first is joined first",
        {LAST_FIRST: [a, b + c, d]},
        "Go through the merges in their order.",
    )
    yield from _pieces(
        answer,
        a + e + b + a + b,
        [(a, b)],
        "a letter that no merge knows stays as it is",
        {"You leave out what no merge knows. The pieces must make up the word.": [a + b, a + b]},
        "A letter without a partner is a piece by itself.",
    )


def _pieces(
    answer: Answer, word: str, merges: list[Pair], states: str, mistakes: dict[str, list[str]], otherwise: str
) -> Iterator[Law]:
    got = answer(word, list(merges))
    law = "it returns a list of pieces"
    if isinstance(got, str) or not isinstance(got, list | tuple) or not all(isinstance(piece, str) for piece in got):
        raise Rejected(Law(law, False, 'A list of strings: ["wid", "est"].', f"It returned {show(got)}."))
    wanted = _cut(word, merges)
    hint = next((hint for hint, result in mistakes.items() if list(got) == result), otherwise)
    told = ", ".join(f"{left} + {right}" for left, right in merges)
    yield Law(states, list(got) == wanted, hint, f"{word} with {told}: got {_bars(got)}, wanted {_bars(wanted)}.")


def _bars(pieces: Sequence[str]) -> str:
    return "|".join(pieces) if pieces else "nothing"


# -------------------------------------------------------------------------------------------------------- clean splits

FLATTER, AGREE, OTHER = (
    "copies across the split flatter the result",
    "both splits agree",
    "the split by group flatters the result",
)
SPLITS = ("by row", "by group")
MUCH = 0.05


@exercise("concepts", trials=2)
def split_study(answer: Answer, rng: Generator) -> Iterator[Law]:
    """Whether copies of one thing on both sides of a split make a result look better than it is."""
    for make, fitting in ((_copies_with_coins, FLATTER), (_no_copies, AGREE)):
        rows, labels, group = make(rng)
        seed = int(rng.integers(1000))
        found = _study(answer, rows, labels, group, seed)
        again = _study(answer, rows, labels, group, seed)
        yield Law(
            "the same generator gives the same numbers",
            all(found[split] == again[split] for split in SPLITS),
            "Draw with the generator `rng` that you are given, and with no other.",
            f"Two calls with the same seed gave {show(found['by row'])} and {show(again['by row'])} by row.",
        )
        if make is _copies_with_coins:
            yield from _about_copies(found)
        else:
            yield from _about_clean(found)
        difference = found["by row"] - found["by group"]
        yield from concluded(
            found["conclusion"],
            (FLATTER, AGREE, OTHER),
            fitting,
            f"Compare your two numbers; a difference of up to {MUCH} may be chance.",
            f"By row {found['by row']:.3f}, by group {found['by group']:.3f}: a difference of {difference:.3f}.",
        )


def _study(answer: Answer, rows: Array, labels: Array, group: Array, seed: int) -> dict[str, Any]:
    result = names_in(answer(rows, labels, group, np.random.default_rng(seed)), (*SPLITS, "conclusion"), "the result")
    for split in SPLITS:
        result[split] = as_number(result[split], split)
        if not 0 <= result[split] <= 1:
            states = "an accuracy lies between 0 and 1"
            raise Rejected(Law(states, False, "Take means.", f"{split}: {show(result[split])}."))
    return result


def _about_copies(found: dict[str, Any]) -> Iterator[Law]:
    by_row, by_group = (found[split] for split in SPLITS)
    seen = f"By row {by_row:.3f}, by group {by_group:.3f}; the labels are coins, one for each group."
    yield Law(
        "where nothing can be learned, the split by group is at chance",
        abs(by_group - 0.5) < 0.15,
        _group_hint(by_row, by_group),
        seen,
    )
    yield Law(
        "where every row has copies, the split by row is far above chance",
        by_row > 0.75,
        "Do you split by group both times? Draw rows, one by one, whatever their group.",
        seen,
    )
    yield Law(
        "no row is on both sides",
        by_row < 0.999,
        "All answers are right: is each test row among the training rows as well?",
        seen,
    )


def _group_hint(by_row: float, by_group: float) -> str:
    if by_group > 0.999:
        return "All answers are right: is each test row among the training rows as well?"
    if by_group > 0.5 and by_row > 0.75:
        return "Rows of one group fall on both sides. Draw *groups*, then take all their rows: np.isin(group, drawn)."
    if by_group > 0.5:
        return "Have you exchanged the two numbers?"
    return "The rows come sorted by their label. A half that is not drawn at random holds one label alone."


def _about_clean(found: dict[str, Any]) -> Iterator[Law]:
    worst = min(found[split] for split in SPLITS)
    yield Law(
        "where rows are independent and classes far apart, both splits find it out",
        worst > 0.9,
        "The rows come sorted by their label. A half that is not drawn at random holds one label alone."
        if worst < 0.6
        else "Does each test row meet the training rows, with their own labels?",
        f"By row {found['by row']:.3f}, by group {found['by group']:.3f}.",
    )


def _copies_with_coins(rng: Generator) -> tuple[Array, Array, Array]:
    """Groups of four rows that are nearly equal; the label of a group is a coin."""
    groups, width = 120, 12
    coins = rng.permutation(np.repeat([0, 1], groups // 2))
    things = rng.normal(size=(groups, width))
    group = np.repeat(rng.permutation(1000)[:groups], 4)
    rows = np.repeat(things, 4, axis=0) + rng.normal(scale=0.45, size=(4 * groups, width))
    return _sorted(rows, np.repeat(coins, 4), group)


def _no_copies(rng: Generator) -> tuple[Array, Array, Array]:
    """Groups of four independent rows of one class; two classes far apart."""
    groups, width = 60, 6
    coins = rng.permutation(np.repeat([0, 1], groups // 2))
    labels = np.repeat(coins, 4)
    group = np.repeat(rng.permutation(1000)[:groups], 4)
    rows = rng.normal(size=(4 * groups, width)) + 3.0 * labels[:, None]
    return _sorted(rows, labels, group)


def _sorted(rows: Array, labels: Array, group: Array) -> tuple[Array, Array, Array]:
    order = np.argsort(labels, kind="stable")
    return rows[order], labels[order], group[order]
