"""One grammar for captions in both languages: from a scene to a sentence, and from a sentence back to facts.

  caption = [count] (list | chain)
  list    = [opening] noun (joint noun)*              there is a red circle and a blue square
  chain   = noun first-relation noun (then-relation noun)*
                                                      a red circle is left of a blue square which is above a …
Each object is said once, from left to right: captions of two scenes that differ only in which object has which colour
are the same bag of words.
"""

import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mmcourse.data.scenes.facts import Fact, check_about, relation_fact
from mmcourse.data.scenes.lexicon import Language, language_of
from mmcourse.data.scenes.streams import uniform
from mmcourse.data.scenes.things import Thing, relation_of, things

if TYPE_CHECKING:
    from mmcourse.data.scenes.batch import Scenes

Choose = Callable[[tuple[str, ...]], str]
_CHOICES = 64  # more than a caption of six objects has to make


def captions(scenes: "Scenes", language: str, about: Collection[str], paraphrase: int | None) -> tuple[str, ...]:
    """(n,) captions; paraphrase: None for the usual words, or a seed for other words and the other direction."""
    check_about(about)
    words = language_of(language)
    found = things(scenes)
    if paraphrase is None:
        return tuple(_caption(words, objects, about, lambda wordings: wordings[0]) for objects in found)
    chances = uniform(scenes.key, "wording", np.arange(_CHOICES), paraphrase).tolist()
    return tuple(
        _caption(words, objects if row.pop() < 0.5 else objects[::-1], about, _chooser(iter(row)))
        for objects, row in zip(found, chances, strict=True)
    )


def _chooser(chances: Iterator[float]) -> Choose:
    return lambda wordings: wordings[int(next(chances) * len(wordings))]


def _caption(words: Language, objects: list[Thing], about: Collection[str], choose: Choose) -> str:
    nouns = [_noun(words, thing, about, choose) for thing in objects]
    count = choose(words.words["count"][str(len(objects))]) if "count" in about else ""
    if "relations" not in about or len(objects) == 1:
        return (count or choose(words.words["opening"][""])) + words.joint.join(nouns)
    said, link = count + nouns[0], words.first
    for (a, b), noun in zip(pairwise(objects), nouns[1:], strict=True):
        said += link.format(relation=choose(words.words["relation"][relation_of(a, b)]), noun=noun)
        link = words.then
    return said


def _noun(words: Language, thing: Thing, about: Collection[str], choose: Choose) -> str:
    told = {"colour": thing.colour, "shape": thing.shape}
    told |= {"size": thing.size} if "size" in about else {}
    told |= {"motion": thing.motion} if "motion" in about else {}
    told |= {"name": thing.name} if "names" in about else {}
    parts = ((kind, around) for kind, around in words.noun if not kind or kind in told)
    return "".join(around.format(choose(words.words[kind][told[kind]])) if kind else around for kind, around in parts)


# What may follow each part of a caption.
_NEXT = {"opened": ("joint",), "begin": ("joint", "first"), "joint": ("joint",), "first": ("then",), "then": ("then",)}


def parse(caption: str, language: str = "en") -> frozenset[Fact]:
    """The facts that a caption tells, whichever wordings it uses.

    Raises ValueError, with what does not fit, for a text that is no caption of this grammar.
    """
    patterns, meanings = _reading(language)
    facts: set[Fact] = set()
    steps: tuple[str, ...] = ("opened", "begin")
    end, before = 0, ""
    while end < len(caption) or not before:
        tried = ((step, patterns[step].match(caption, end)) for step in steps)
        step, found = next(((step, found) for step, found in tried if found), ("", None))
        if found is None:
            raise ValueError(f"parse: caption: got {caption[end:]!r} in {caption!r}, wanted words of the grammar")
        told = {kind: meanings[kind][word] for kind, word in found.groupdict().items() if word is not None}
        phrase = f"{told['colour']} {told['shape']}"
        facts.add(("object", phrase))
        facts |= {(kind, phrase, told[kind]) for kind in ("size", "motion", "name") if kind in told}
        facts |= {("count", told["count"])} if "count" in told else set()
        facts |= {relation_fact(before, told["relation"], phrase)} if "relation" in told else set()
        end, before, steps = found.end(), phrase, _NEXT[step]
    return frozenset(facts)


@cache
def _reading(name: str) -> tuple[dict[str, re.Pattern[str]], dict[str, dict[str, str]]]:
    """How each part of a caption reads, with a group for each kind of word, and what the words of each kind mean."""
    language = language_of(name)
    meanings = {
        kind: {word: meaning for meaning, wordings in words.items() for word in wordings}
        for kind, words in language.words.items()
    }

    def one_of(kind: str) -> str:
        longest_first = sorted(meanings[kind], key=len, reverse=True)
        return f"(?P<{kind}>{'|'.join(map(re.escape, longest_first))})"

    noun = ""
    for kind, around in language.noun:
        part = re.escape(around).replace(r"\{\}", one_of(kind) if kind else "")
        noun += f"(?:{part})?" if kind in ("size", "name", "motion") else part

    def link(template: str) -> str:
        return template.format(relation=one_of("relation"), noun=noun)

    texts = {
        "opened": one_of("opening") + noun,
        "begin": f"{one_of('count')}?{noun}",
        "joint": re.escape(language.joint) + noun,
        "first": link(language.first),
        "then": link(language.then),
    }
    return {step: re.compile(text) for step, text in texts.items()}, meanings
