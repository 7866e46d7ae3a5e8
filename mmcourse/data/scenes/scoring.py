"""How true captions are, and how much they tell: precision, recall and F1 of their facts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmcourse.data.scenes.facts import caption_facts, true_facts
from mmcourse.data.scenes.grammar import parse
from mmcourse.data.scenes.lexicon import language_of

if TYPE_CHECKING:
    from mmcourse.data.scenes.batch import Scenes


@dataclass(frozen=True, eq=False)
class FactScores:
    """For n captions, each (n,) floats in [0, 1]; a text outside the grammar scores 0 in all.

    precision: the share of the told facts that are true; what is missing to 1 is hallucinated
    recall: the share of the facts that a caption of this scene should tell that were told
    f1: their harmonic mean
    readable: (n,) booleans, whether the text is in the grammar
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    readable: np.ndarray


def fact_scores(captions: Sequence[str], scenes: "Scenes", language: str, about: Collection[str]) -> FactScores:
    """Score captions against the scenes that they are meant to describe.

    A fact is true if it is one of all facts of the scene; what should be told is what the usual caption tells about
    `about`. Raises ValueError for another number of captions than of scenes, an unknown language or subject.
    """
    language_of(language)
    if isinstance(captions, str) or len(captions) != len(scenes):
        got = repr(captions) if isinstance(captions, str) else f"{len(captions)}"
        raise ValueError(f"fact_scores: captions: got {got}, wanted {len(scenes)}, one for each scene")
    rows = zip(captions, true_facts(scenes), caption_facts(scenes, about), strict=True)
    counts = []
    for caption, true, wanted in rows:
        try:
            told = parse(caption, language)
        except ValueError:
            told = frozenset()
        counts.append((len(told), len(told & true), len(told & wanted), len(wanted)))
    said, right, hit, due = np.array(counts, dtype=float).T
    precision, recall = right / np.maximum(said, 1), hit / due
    total = precision + recall
    return FactScores(precision, recall, 2 * precision * recall / np.where(total > 0, total, 1), said > 0)
