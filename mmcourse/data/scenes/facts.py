"""What is true of a scene, as a set, and how much of it a caption tells.

A fact is a tuple of words, the same in every language:
  ("count", "2")    ("object", "red circle")    ("size", "red circle", "large")    ("motion", "red circle", "left")
  ("name", "red circle", "Ada")    ("left of", "red circle", "blue square")    ("above", "red circle", "blue square")
Right of and below are said the other way round, so that one fact has one form.
"""

from collections.abc import Collection, Iterable
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from mmcourse.data.scenes.things import Thing, relation_of, things

if TYPE_CHECKING:
    from mmcourse.data.scenes.batch import Scenes

Fact = tuple[str, ...]
OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
# What a caption can tell beside colours and shapes.
ABOUT = ("count", "size", "motion", "relations", "names")


def relation_fact(a: str, how: str, b: str) -> Fact:
    """Where a is from b, in the one form that this fact has."""
    return (how, a, b) if how in ("left of", "above") else (OPPOSITE[how], b, a)


def true_facts(scenes: "Scenes") -> list[frozenset[Fact]]:
    """All facts of each scene, with the relation of every two objects."""
    return [frozenset(_facts(found, ABOUT, combinations(found, 2))) for found in things(scenes)]


def caption_facts(scenes: "Scenes", about: Collection[str]) -> list[frozenset[Fact]]:
    """The facts that a caption about this tells: of relations only those of neighbours from left to right."""
    check_about(about)
    return [frozenset(_facts(found, about, pairwise(found))) for found in things(scenes)]


def _facts(found: list[Thing], about: Collection[str], pairs: Iterable[tuple[Thing, Thing]]) -> list[Fact]:
    told: list[Fact] = [("object", thing.phrase) for thing in found]
    if "count" in about:
        told.append(("count", str(len(found))))
    if "size" in about:
        told += [("size", thing.phrase, thing.size) for thing in found]
    if "motion" in about:
        told += [("motion", thing.phrase, thing.motion) for thing in found]
    if "names" in about:
        told += [("name", thing.phrase, thing.name) for thing in found]
    if "relations" in about:
        told += [relation_fact(a.phrase, relation_of(a, b), b.phrase) for a, b in pairs]
    return told


def check_about(about: Collection[str]) -> None:
    """Raise ValueError unless each is one of ABOUT."""
    if isinstance(about, str) or not set(about) <= set(ABOUT):
        raise ValueError(f"captions: about: got {about!r}, wanted some of {', '.join(ABOUT)}")
