"""Answers to the exercises on preprocessing that the checks must tell apart."""

from itertools import pairwise

import numpy as np

from tests.exercises.gates import Answers

answers = Answers()
wrong, another = answers.wrong, answers.another

# ----------------------------------------------------------------------------------------------------- cut_word


def joined(pieces, pair, most=None):
    out, count = [], 0
    for piece in pieces:
        if out and (out[-1], piece) == pair and count != most:
            out[-1] += piece
            count += 1
        else:
            out.append(piece)
    return out


def by_merges(word, merges, join=joined):
    pieces = list(word)
    for pair in merges:
        pieces = join(pieces, pair)
    return pieces


@another("cut_word")
def always_the_first_learned(word, merges):
    rank = {pair: place for place, pair in enumerate(merges)}
    pieces = list(word)
    while True:
        places = [(rank[pair], place) for place, pair in enumerate(pairwise(pieces)) if pair in rank]
        if not places:
            return tuple(pieces)
        _, place = min(places)
        pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]


@wrong("cut_word", hint="longest piece from the left")
def longest_piece(word, merges):
    known = {left + right for left, right in merges}
    pieces = []
    while word:
        length = max([n for n in range(1, len(word) + 1) if word[:n] in known], default=1)
        pieces.append(word[:length])
        word = word[length:]
    return pieces


@wrong("cut_word", hint="from the last to the first")
def last_learned_first(word, merges):
    pieces, done = list(word), False
    while not done:
        found = [pair for pair in reversed(merges) if pair in pairwise(pieces)]
        done = not found
        pieces = pieces if done else joined(pieces, found[0])
    return pieces


@wrong("cut_word", hint="the first place only")
def first_place_only(word, merges):
    return by_merges(word, merges, lambda pieces, pair: joined(pieces, pair, most=1))


@wrong("cut_word", hint="the last place only")
def last_place_only(word, merges):
    def join(pieces, pair):
        places = [i for i, both in enumerate(pairwise(pieces)) if both == pair][-1:]
        return [*pieces[: places[0]], "".join(pair), *pieces[places[0] + 2 :]] if places else pieces

    return by_merges(word, merges, join)


@wrong("cut_word", hint="stop after the first merge")
def one_merge(word, merges):
    return by_merges(word, merges[:1])


@wrong("cut_word", hint="use a letter twice")
def overlapping(word, merges):
    def join(pieces, pair):
        out, used = [], False
        for left, right in zip(pieces, [*pieces[1:], None], strict=True):
            if (left, right) == pair:
                out.append(left + right)
                used = True
            elif used:
                used = False
            else:
                out.append(left)
        return out

    return by_merges(word, merges, join)


@wrong("cut_word", hint="join from the right")
def from_the_right(word, merges):
    def join(pieces, pair):
        out = []
        for piece in reversed(pieces):
            if out and (piece, out[0]) == pair:
                out[0] = piece + out[0]
            else:
                out.insert(0, piece)
        return out

    return by_merges(word, merges, join)


@wrong("cut_word", hint="You replace text")
def replaced_in_a_text(word, merges):
    text = " ".join(word)
    for left, right in merges:
        text = text.replace(f"{left} {right}", left + right)
    return text.split(" ")


@wrong("cut_word", hint="leave out what no merge knows")
def unknown_letters_left_out(word, merges):
    known = set("".join(left + right for left, right in merges))
    return by_merges([letter for letter in word if letter in known], merges)


@wrong("cut_word", hint="A list of strings")
def pieces_as_a_text(word, merges):
    return " ".join(by_merges(word, merges))


# --------------------------------------------------------------------------------------------------- split_study

FLATTER, AGREE, OTHER = (
    "copies across the split flatter the result",
    "both splits agree",
    "the split by group flatters the result",
)


def nearest(rows, labels, asked):
    return labels[((rows**2).sum(axis=1) - 2 * asked @ rows.T).argmin(axis=1)]


def accuracy(rows, labels, known, test):
    return (nearest(rows[known], labels[known], rows[test]) == labels[test]).mean()


def drawn_rows(rows, group, rng):
    known = np.zeros(len(rows), dtype=bool)
    known[rng.permutation(len(rows))[: len(rows) // 2]] = True
    return known


def drawn_groups(rows, group, rng):
    names = np.unique(group)
    return np.isin(group, rng.permutation(names)[: len(names) // 2])


def study(rows, labels, group, rng, *, by_row=drawn_rows, by_group=drawn_groups, everywhere=(), conclude=None):
    found = {}
    for name, draw in (("by row", by_row), ("by group", by_group)):
        scores = []
        for _ in range(10):
            known = draw(rows, group, rng)
            scores.append(accuracy(rows, labels, known, known | True if name in everywhere else ~known))
        found[name] = np.mean(scores)
    difference = found["by row"] - found["by group"]
    fitting = FLATTER if difference > 0.05 else OTHER if difference < -0.05 else AGREE
    return found | {"conclusion": conclude or fitting}


@another("split_study")
def in_words_of_its_own(rows, labels, group, rng):
    result = study(rows, labels, group, rng, by_group=lambda *given: ~drawn_groups(*given))
    return result | {"conclusion": result["conclusion"].capitalize() + "."}


@wrong("split_study", hint="Rows of one group fall on both sides")
def rows_both_times(rows, labels, group, rng):
    return study(rows, labels, group, rng, by_group=drawn_rows)


@wrong("split_study", hint="split by group both times")
def groups_both_times(rows, labels, group, rng):
    return study(rows, labels, group, rng, by_row=drawn_groups)


@wrong("split_study", hint="exchanged the two numbers")
def exchanged(rows, labels, group, rng):
    found = study(rows, labels, group, rng)
    return found | {"by row": found["by group"], "by group": found["by row"]}


@wrong("split_study", hint="is each test row among the training rows")
def tested_on_the_training_part(rows, labels, group, rng):
    def everything(rows, group, rng):
        return np.ones(len(rows), dtype=bool)

    return study(rows, labels, group, rng, by_row=everything, by_group=everything, everywhere=("by row", "by group"))


@wrong("split_study", hint="come sorted by their label")
def the_first_half(rows, labels, group, rng):
    def half(rows, group, rng):
        return np.arange(len(rows)) < len(rows) // 2

    return study(rows, labels, group, rng, by_group=half)


@wrong("split_study", hint="with the generator")
def a_generator_of_its_own(rows, labels, group, rng):
    return study(rows, labels, group, np.random.default_rng())


@wrong("split_study", hint="Compare your two numbers")
def always_suspicious(rows, labels, group, rng):
    return study(rows, labels, group, rng, conclude=FLATTER)


@wrong("split_study", hint="Copy one of the three")
def another_sentence(rows, labels, group, rng):
    return study(rows, labels, group, rng, conclude="leakage")
