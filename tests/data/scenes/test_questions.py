"""Laws of questions: answers equal those of another reader, are balanced, and depend on their scene alone."""

import re
from collections import Counter

import numpy as np
import pytest

from mmcourse.data.scenes import COLOURS, KINDS, MATERIALS, NAMES, SHAPES, SIGNALS, WALL
from mmcourse.errors import EmptyBatchError
from tests.data.scenes.brute import SIZE_NAMES, outline, permuted, phrase, way, where, world

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six")


class Reader:
    """Answers a question from its words and the arrays of its scene, knowing nothing of how it was made."""

    def __init__(self, data):
        self.data, self.what = data, data.motion(2.0)
        self.outlines = {(s, z): outline(s, r, 4000) for s in range(len(SHAPES)) for z, r in enumerate((0.08, 0.12))}

    def __call__(self, row, text):
        self.row = row
        self.slots = range(self.data.count[row])
        for pattern, answer in self.answers.items():
            if found := re.fullmatch(pattern, text):
                return answer(self, *found.groups())
        raise AssertionError(text)

    def slot(self, *words):
        """The one object that has all these words in its colour and shape."""
        (slot,) = [s for s in self.slots if set(words) <= set(phrase(self.data, self.row, s).split())]
        return slot

    def velocity(self, slot):
        return self.data.velocity[self.row, slot]

    def impacts(self):
        """(time, slot, other) in order."""
        here = zip(self.what.time[self.row, 1:], self.what.objects[self.row], strict=True)
        return [(time, *pair) for time, pair in here if time <= 2]

    def points(self, slot):
        """The outline of an object relative to the sensor, in room widths."""
        edge = self.outlines[self.data.shape[self.row, slot], self.data.size[self.row, slot]]
        return edge + self.data.position[self.row, slot] - [0.5, 0]

    def nearest(self):
        return min((np.hypot(*self.points(slot).T).min(), slot) for slot in self.slots)

    def count(self):
        return NUMBERS[len(self.slots)]

    def exists(self, thing):
        return "yes" if thing in [phrase(self.data, self.row, s) for s in self.slots] else "no"

    def colour(self, shape):
        return list(COLOURS)[self.data.colour[self.row, self.slot(shape)]]

    def shape(self, colour):
        return SHAPES[self.data.shape[self.row, self.slot(colour)]]

    def size(self, *thing):
        return SIZE_NAMES[self.data.size[self.row, self.slot(*thing)]]

    def relation(self, a, b, c, d):
        place = self.data.position[self.row]
        return where(place[self.slot(a, b)], place[self.slot(c, d)])

    def name(self, *thing):
        return NAMES[self.data.name[self.row, self.slot(*thing)]]

    def motion(self, *thing):
        return way(self.velocity(self.slot(*thing)))

    def fastest(self):
        return phrase(self.data, self.row, max(self.slots, key=lambda slot: np.hypot(*self.velocity(slot))))

    def first_wall(self):
        return phrase(self.data, self.row, next(slot for _, slot, other in self.impacts() if other == WALL))

    def number_of_impacts(self):
        return NUMBERS[len(self.impacts())]

    def first_material(self):
        (_, slot, other), *_ = self.impacts()
        assert other == WALL
        return MATERIALS[self.data.material[self.row, slot]]

    def material(self, *thing):
        slot = self.slot(*thing)
        assert slot in [first for _, first, other in self.impacts() if other == WALL]
        return MATERIALS[self.data.material[self.row, slot]]

    def near(self):
        return "less than one metre" if self.nearest()[0] * self.data.side[self.row] < 1 else "more than one metre"

    def approach(self):
        distance, slot = self.nearest()
        later = np.hypot(*(self.points(slot) + 1e-3 * self.velocity(slot)).T).min()
        if not self.velocity(slot).any():
            return "stays as far"
        return "comes nearer" if later < distance else "goes away"

    def speed(self, *thing):
        return "yes" if np.hypot(*self.velocity(self.slot(*thing))) * self.data.side[self.row] > 2 else "no"

    answers = {  # noqa: RUF012
        r"how many objects are there\?": count,
        r"is there a (\w+ \w+)\?": exists,
        r"what colour is the (\w+)\?": colour,
        r"what shape is the (\w+) object\?": shape,
        r"is the (\w+) (\w+) small or large\?": size,
        r"where is the (\w+) (\w+), seen from the (\w+) (\w+)\?": relation,
        r"what is the (\w+) (\w+) called\?": name,
        r"which way does the (\w+) (\w+) move at first\?": motion,
        r"which object moves fastest at first\?": fastest,
        r"which object is the first to hit a wall\?": first_wall,
        r"how many impacts are there in two seconds\?": number_of_impacts,
        r"what is the first object that hits a wall made of\?": first_material,
        r"what is the (\w+) (\w+) made of\?": material,
        r"how far from the sensor is the nearest object\?": near,
        r"does the object nearest to the sensor come nearer or go away at first\?": approach,
        r"does the (\w+) (\w+) move faster than two metres a second at first\?": speed,
    }


@pytest.fixture(scope="module")
def data():
    return world(1200)


@pytest.fixture(scope="module")
def asked(data):
    return data.questions()


def test_another_reader_gives_the_same_answers(data, asked):
    reader = Reader(data)
    for row, text, answer in zip(asked.scene.tolist(), asked.text, asked.answer, strict=True):
        assert reader(row, text) == answer, (row, text)


def test_every_kind_is_asked_and_answered_with_its_answers(data, asked):
    assert set(asked.kind) == set(KINDS)
    phrases = {f"{colour} {shape}" for colour in COLOURS for shape in SHAPES}
    for kind, counts in asked._counts().items():
        # A scene here has four objects at most.
        assert set(counts) == (set(KINDS[kind].answers) or phrases) - ({"five", "six"} if kind == "count" else set())
        assert counts.total() > 100


def test_at_most_one_question_of_a_kind_is_asked_of_a_scene_in_order(asked):
    rows = list(zip(asked.scene.tolist(), map(list(KINDS).index, asked.kind), strict=True))
    assert rows == sorted(set(rows))


def test_chinese_questions_are_the_same_questions(data, asked):
    chinese = data.questions(language="zh")
    assert np.array_equal(chinese.scene, asked.scene)
    assert chinese.kind == asked.kind
    meanings = {}
    for english, words in (
        *zip(asked.answer, chinese.answer, strict=True),
        *zip(asked.text, chinese.text, strict=True),
    ):
        assert meanings.setdefault(english, words) == words
        assert not re.search("[A-Za-z{}]", words)
    assert len(set(meanings.values())) >= len(meanings) - 1  # "left of" and "left" may be one word, others may not


def test_a_question_depends_on_its_scene_and_seed_and_not_on_what_else_is_asked(data, asked):
    alone = data.questions(("material", "exists"))
    both = asked.take(np.isin(asked.kind, ["material", "exists"]))
    assert {*zip(alone.scene, alone.text, strict=True)} == {*zip(both.scene, both.text, strict=True)}
    other = data.questions(("exists",), seed=1)
    assert other.text != data.questions(("exists",)).text
    # Which slot an object is in is no fact about the scene.
    small = world(100, objects=(4, 4))
    assert permuted(small, [3, 1, 0, 2]).questions().text == small.questions().text


def test_kinds_choose_their_objects_each_on_its_own():
    crowd = world(400, objects=(4, 4))
    about = [re.search(r"the (\w+ \w+) (?:small|called)", text)[1] for text in crowd.questions(("size", "name")).text]
    same = np.mean([a == b for a, b in zip(about[::2], about[1::2], strict=True)])
    assert same == pytest.approx(1 / 4, abs=0.08)


# Balance ------------------------------------------------------------------------------------------------------------


def test_who_always_answers_the_same_is_right_no_more_often_than_by_chance(asked):
    chances = {"count": 1 / 4, "relation": 1 / 3, "approach": 0.4, "impacts": 0.25, "speed": 0.6}
    for kind, share in asked.majority().items():
        number = len(KINDS[kind].answers) or 24
        assert share < chances.get(kind, 1 / number) + 0.05, kind


def test_the_words_of_a_question_do_not_tell_its_answer():
    """The best answer for each wording, learnt on other scenes: no better than the most frequent answer of its kind."""
    asked = world(4000, objects=(1, 4)).questions(("exists", "colour", "shape", "size", "relation", "name"))
    learn = asked.scene < 2000
    best = {}
    for text, answer in zip(asked.take(learn).text, asked.take(learn).answer, strict=True):
        best.setdefault(text, Counter())[answer] += 1
    test = asked.take(~learn)
    for kind, share in test.majority().items():
        rows = test.take(np.array(test.kind) == kind)
        guesses = [best[text].most_common(1)[0][0] if text in best else None for text in rows.text]
        hits = [guess == answer for guess, answer in zip(guesses, rows.answer, strict=True)]
        assert np.mean(hits) < share + 0.04, kind


def test_balanced_questions_have_all_answers_equally_often(asked):
    fair = asked.balanced(seed=0)
    for kind, counts in fair._counts().items():
        assert set(counts) == set(asked._counts()[kind])
        assert len(set(counts.values())) == 1
        assert min(counts.values()) == min(asked._counts()[kind].values())
    assert (np.diff(fair.scene) >= 0).all()
    assert asked.balanced(seed=0).text == fair.text
    assert asked.balanced(seed=1).text != fair.text


def test_what_is_absent_has_a_colour_and_a_shape_that_are_there(data):
    """So that knowing which colours and which shapes there are is not enough."""
    asked = data.questions(("exists",))
    for row, text, answer in zip(asked.scene.tolist(), asked.text, asked.answer, strict=True):
        colour, shape = re.search(r"a (\w+) (\w+)\?", text).groups()
        words = {word for slot in range(data.count[row]) for word in phrase(data, row, slot).split()}
        colours, shapes = words & set(COLOURS), words & set(SHAPES)
        if answer == "no" and len(colours) * len(shapes) > data.count[row]:
            assert colour in colours
            assert shape in shapes


def test_questions_name_no_combination_that_this_world_cannot_have():
    left_out = (("red", "circle"), ("blue", "square"), ("green", "triangle"))
    text = " ".join(world(800, without=left_out).questions().text)
    assert "red square" in text
    assert not any(f"{colour} {shape}" in text for colour, shape in left_out)


# Selection ----------------------------------------------------------------------------------------------------------


def test_take_keeps_rows_together(asked):
    rows = [5, 3, 400]
    part = asked.take(rows)
    assert part.text == tuple(asked.text[row] for row in rows)
    assert part.answer == tuple(asked.answer[row] for row in rows)
    assert part.kind == tuple(asked.kind[row] for row in rows)
    assert part.scene.tolist() == asked.scene[rows].tolist()
    assert len(asked.take(np.array(asked.kind) == "count")) == 1200
    with pytest.raises(EmptyBatchError, match="questions: got no indices"):
        asked.take([])


def test_with_every_signal_every_question_can_be_answered_and_without_any_none(asked):
    assert asked.answerable(SIGNALS).all()
    assert not asked.answerable(()).any()
    more = asked.answerable(("image", "sound"))
    assert (more >= asked.answerable(("image",))).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda data: data.questions(("weight",)), r"kinds: got \('weight',\), wanted some of count, exists"),
        (lambda data: data.questions("count"), "kinds: got 'count'"),
        (lambda data: data.questions(()), r"kinds: got \(\)"),
        (lambda data: data.questions(language="fr"), "language: got 'fr'"),
        (lambda data: data.questions().answerable("text"), "signals: got 'text', wanted some of text, image"),
        (lambda data: data.questions().answerable(("smell",)), "signals: got .*, wanted some of"),
    ],
)
def test_refuses_what_cannot_be_asked(call, message):
    with pytest.raises(ValueError, match=message):
        call(world(3))


def test_says_so_where_nothing_can_be_asked():
    with pytest.raises(ValueError, match="got first_wall, of which none can be asked"):
        world(3, moving=0.0).questions(("first_wall",))
