"""Edit distance: how far one sequence of labels is from another."""

from collections.abc import Iterable, Sequence

import numpy as np

from mmcourse.errors import EmptyBatchError, ShapeError


def edit_distance(wanted: Sequence[object], got: Sequence[object]) -> int:
    """The fewest labels to change, leave out or put in, so that one sequence becomes the other.

        E_ij = min(E_i-1,j-1 + [wanted_i != got_j], E_i-1,j + 1, E_i,j-1 + 1),   E_i0 = i,   E_0j = j

    The table is that of dynamic time warping; what differs is the prices: a step in one sequence alone costs 1.
    A string is a sequence of letters; split it for words.
    Source: Levenshtein (1966).
    """
    row = np.arange(len(got) + 1)
    for i, label in enumerate(wanted, start=1):
        above, row = row, np.full(len(got) + 1, i)
        for j, other in enumerate(got, start=1):
            row[j] = min(above[j - 1] + (label != other), above[j] + 1, row[j - 1] + 1)
    return int(row[-1])


def label_error_rate(wanted: Iterable[Sequence[object]], got: Iterable[Sequence[object]]) -> float:
    """All edit distances together over all wanted labels together; it can pass 1.

    Of words it is the word error rate, jiwer.wer; of strings, whose labels are letters, the character error rate.
    Raises ShapeError where the two have not as many sequences, EmptyBatchError where no label is wanted.
    """
    where = "label_error_rate"
    wanted, got = list(wanted), list(got)
    if len(wanted) != len(got):
        raise ShapeError("got", got=f"{len(got)} sequences", wanted=len(wanted), where=where)
    labels = sum(map(len, wanted))
    if not labels:
        raise EmptyBatchError("wanted", got="no label", wanted="at least 1", where=where)
    return sum(map(edit_distance, wanted, got)) / labels
