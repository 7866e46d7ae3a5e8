"""Laws of captions: parse(caption) is what it tells, in both languages; swapped bindings are one bag of words."""

import re
from collections import Counter
from itertools import chain, combinations, pairwise

import numpy as np
import pytest

from mmcourse.data import WordTokens, vocabulary
from mmcourse.data.scenes import ABOUT, NAMES, parse
from mmcourse.data.scenes.lexicon import LANGUAGES
from mmcourse.errors import ModalityError
from tests.data.scenes.brute import SIZE_NAMES, permuted, phrase, way, where, world

SUBJECTS = list(chain.from_iterable(combinations(ABOUT, r) for r in range(len(ABOUT) + 1)))
over_languages = pytest.mark.parametrize("language", LANGUAGES)


def truth(data, row, *, neighbours):
    """All facts of a scene by kind, from the arrays; relations of all pairs, or of neighbours from left to right."""
    slots = sorted(range(data.count[row]), key=lambda slot: data.position[row, slot, 0])
    name = {slot: phrase(data, row, slot) for slot in slots}
    pairs = list(pairwise(slots)) if neighbours else list(combinations(slots, 2))
    relations = set()
    for a, b in pairs:
        a, b = (a, b) if where(data.position[row, a], data.position[row, b]) in ("left of", "above") else (b, a)
        relations.add((where(data.position[row, a], data.position[row, b]), name[a], name[b]))
    return {
        "object": {("object", name[slot]) for slot in slots},
        "count": {("count", str(len(slots)))},
        "size": {("size", name[slot], SIZE_NAMES[data.size[row, slot]]) for slot in slots},
        "motion": {("motion", name[slot], way(data.velocity[row, slot])) for slot in slots},
        "names": {("name", name[slot], NAMES[data.name[row, slot]]) for slot in slots},
        "relations": relations,
    }


# Facts --------------------------------------------------------------------------------------------------------------


def test_facts_are_what_the_arrays_say():
    data = world(120, objects=(1, 6))
    for row, facts in enumerate(data.facts()):
        assert facts == frozenset().union(*truth(data, row, neighbours=False).values())


@pytest.mark.parametrize("about", SUBJECTS, ids=lambda about: "+".join(about) or "nothing")
def test_a_caption_tells_what_it_is_about(about):
    data = world(40, objects=(1, 5))
    for row, facts in enumerate(data.facts(about)):
        told = truth(data, row, neighbours=True)
        assert facts == frozenset().union(told["object"], *(told[subject] for subject in about))
    for language in LANGUAGES:
        for paraphrase in (None, 0):
            captions = data.captions(language, about=about, paraphrase=paraphrase)
            assert [parse(caption, language) for caption in captions] == data.facts(about)


# Round trip ---------------------------------------------------------------------------------------------------------


@over_languages
@pytest.mark.parametrize("paraphrase", [None, *range(6)])
def test_parsing_a_caption_gives_its_facts(language, paraphrase):
    data = world(300, objects=(1, 6))
    captions = data.captions(language, about=ABOUT, paraphrase=paraphrase)
    assert [parse(caption, language) for caption in captions] == data.facts(ABOUT)


@over_languages
def test_the_order_of_slots_is_not_told(language):
    data = world(50, objects=(4, 4))
    assert data.captions(language) == permuted(data, [2, 0, 3, 1]).captions(language)


@over_languages
def test_paraphrases_use_every_word_and_both_directions(language):
    data = world(400, objects=(1, 6))
    captions = [caption for seed in range(2) for caption in data.captions(language, about=ABOUT, paraphrase=seed)]
    captions += data.captions(language, about=(), paraphrase=0)
    text = "\n".join(captions)
    for words in LANGUAGES[language].words.values():
        for wordings in words.values():
            assert all(wording in text for wording in wordings)
    usual = data.captions(language, about=())
    shown = data.captions(language, about=(), paraphrase=1)
    assert 0.2 < np.mean([a[-8:] == b[-8:] for a, b in zip(usual, shown, strict=True)]) < 0.95


def test_a_seed_of_paraphrases_is_a_choice_of_words():
    data = world(50)
    assert data.captions(paraphrase=1) == data.captions(paraphrase=1)
    assert data.captions(paraphrase=1) != data.captions(paraphrase=2)


def test_english_captions_are_words_with_one_space_between():
    data = world(100)
    captions = data.captions(about=ABOUT)
    tokens = WordTokens(vocabulary(captions))
    assert tokens.decode(tokens.encode(captions)) == captions
    assert not re.search(r" an? [aeiou]", " ".join(captions)), "an article that does not fit its word"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", ""),
        ("en", "a red"),
        ("en", "a red circl"),
        ("en", "there is a red circle "),
        ("en", "there is a red circle is left of a blue square"),
        ("en", "a red circle is left of a blue square is above a green square"),
        ("en", "a red circle which is left of a blue square"),
        ("en", "a red circle and a blue square is above a green square"),
        ("en", "a circle red"),
        ("en", "a pink circle"),
        ("en", "A red circle"),
        ("en", "seven objects: a red circle"),
        ("zh", "一个红色"),
        ("zh", "一个红色圆形在一个蓝色正方形的"),
        ("zh", "a red circle"),
        ("en", "一个红色圆形"),
    ],
)
def test_what_is_no_caption_is_refused(language, text):
    with pytest.raises(ValueError, match=r"parse: caption: got .* wanted words of the grammar"):
        parse(text, language)


def test_both_directions_of_a_relation_are_one_fact():
    assert parse("a red circle is left of a blue square") == parse("a blue square is right of a red circle")
    assert parse("a red circle is above a blue square") == parse("a blue square is under a red circle")
    assert parse("a red circle is above a blue square") != parse("a red circle is below a blue square")


# Binding ------------------------------------------------------------------------------------------------------------


def bindable(n=300, **options):
    data = world(n, objects=(2, 4), **options)
    return data.take(data.can_swap)


def test_swapped_colours_are_the_same_bag_of_words_for_another_scene():
    data = bindable()
    other = data.swapped()
    assert len(data) > 200
    for subjects in ((), ("relations",), ABOUT):
        captions = zip(data.captions(about=subjects), other.captions(about=subjects), strict=True)
        for ours, theirs in captions:
            assert Counter(ours.split()) == Counter(theirs.split())
            assert ours != theirs
            assert parse(ours) != parse(theirs)
        for ours, theirs in zip(data.captions("zh", about=subjects), other.captions("zh", about=subjects), strict=True):
            assert sorted(ours) == sorted(theirs)
            assert ours != theirs


def test_swapping_exchanges_two_colours_and_nothing_else():
    data = bindable()
    other = data.swapped()
    assert ((data.colour != other.colour).sum(axis=1) == 2).all()
    assert np.array_equal(np.sort(data.colour, axis=1), np.sort(other.colour, axis=1))
    for field in ("shape", "size", "material", "name", "position", "velocity", "side", "key"):
        assert np.array_equal(getattr(data, field), getattr(other, field), equal_nan=True)
    assert not any(np.array_equal(a, b) for a, b in zip(data.images(32), other.images(32), strict=True))


def test_swapping_twice_is_nothing_where_there_are_two_objects():
    data = bindable(all_different=True)
    data = data.take(data.count == 2)
    assert np.array_equal(data.swapped().swapped().colour, data.colour)


def test_can_swap_is_where_two_differ_in_both_and_no_third_is_the_result():
    data = world(800, objects=(1, 4), colours=("red", "blue", "green"), shapes=("circle", "square"))
    for row, can in enumerate(data.can_swap):
        looks = [(data.colour[row, slot], data.shape[row, slot]) for slot in range(data.count[row])]
        possible = any(
            a[0] != b[0] and a[1] != b[1] and not {(a[0], b[1]), (b[0], a[1])} & set(looks)
            for a, b in combinations(looks, 2)
        )
        assert can == possible
    with pytest.raises(ModalityError, match=r"swapped: colour: got none to exchange in row \d+"):
        data.swapped()


# Scores -------------------------------------------------------------------------------------------------------------


@over_languages
def test_true_captions_score_one_in_any_words(language):
    data = world(60)
    for paraphrase in (None, 4):
        scores = data.fact_scores(data.captions(language, paraphrase=paraphrase), language)
        for values in (scores.precision, scores.recall, scores.f1):
            assert (values == 1).all()
        assert scores.readable.all()


def test_a_swapped_caption_is_punished_and_noise_scores_nothing():
    data = bindable()
    swapped = data.fact_scores(data.swapped().captions())
    assert (swapped.f1 < 1).all()
    assert (swapped.precision < 1).all()
    noise = data.fact_scores(["a red"] * len(data))
    assert not noise.readable.any()
    assert (noise.precision == 0).all()
    assert (noise.recall == 0).all()
    assert (noise.f1 == 0).all()


def test_scores_by_hand():
    data = world(200, objects=(2, 2))
    data = data.take(where_left(data))
    row = data.take([0])
    ours = row.captions(about=("relations",))[0]
    first, second = (noun for noun in re.findall(r"\w+ \w+(?= is|$)", ours))
    # Two true objects, one of the three facts that were due missing.
    scores = row.fact_scores([f"there is a {first} and a {second}"], about=("relations",))
    assert (scores.precision[0], scores.recall[0]) == (1, pytest.approx(2 / 3))
    assert scores.f1[0] == pytest.approx(0.8)
    # One of two objects is not there.
    wrong = next(c for c in ("red", "blue", "green") if c not in ours)
    scores = row.fact_scores([f"there is a {first} and a {wrong} {second.split()[1]}"], about=("relations",))
    assert (scores.precision[0], scores.recall[0]) == (0.5, pytest.approx(1 / 3))
    # Another true fact than those that were due costs nothing.
    scores = row.fact_scores([f"two objects: {ours}"], about=("relations",))
    assert (scores.precision[0], scores.recall[0], scores.f1[0]) == (1, 1, 1)


def where_left(data):
    return data.position[..., 0].argmin(axis=1) == 0


# Bad input ----------------------------------------------------------------------------------------------------------


def test_refuses_what_it_cannot_tell():
    data = world(2)
    with pytest.raises(ValueError, match="language: got 'fr', wanted one of en, zh"):
        data.captions("fr")
    for about in ("size", ("size", "weight")):
        with pytest.raises(ValueError, match=r"about: got .* wanted some of count, size"):
            data.captions(about=about)
    with pytest.raises(ValueError, match="captions: got 1, wanted 2"):
        data.fact_scores(["a red circle"])
    with pytest.raises(ValueError, match="captions: got 'ab', wanted 2"):
        data.fact_scores("ab")
    with pytest.raises(ValueError, match="language: got 'fr'"):
        parse("a red circle", "fr")
    with pytest.raises(ValueError, match="language: got 'fr'"):
        data.fact_scores(["a red circle"] * 2, "fr")
