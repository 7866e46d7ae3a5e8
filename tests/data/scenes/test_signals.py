"""Laws of what signals carry: an attribute changes the signals that tell of it and no others; what answers a question.

Two scenes that are equal in some signals and differ in an answer prove that these signals do not tell it.
"""

import re
import sys
from itertools import chain, combinations

import numpy as np
import pytest

from mmcourse.data.scenes import ABOUT, CARRIES, KINDS, SIGNALS, scenes_by_hand
from tests.data.scenes.brute import world


def signals(data):
    """{signal: (n, values)}: what each signal of each scene is; the scan is its distances and its radial velocities."""
    scan = data.scan()
    return {
        "text": np.array(data.captions(about=ABOUT))[:, None],
        "image": data.images(24).reshape(len(data), -1),
        "video": data.video(16, frames=16).reshape(len(data), -1),
        "sound": data.sound(4000),
        "scan": np.concatenate([scan.distance, scan.radial_velocity], axis=1),
    }


def differs(data, other):
    """{signal: (n,) where the two differ in it}."""
    ours, theirs = signals(data), signals(other)
    return {name: (ours[name] != theirs[name]).any(axis=1) for name in SIGNALS}


# Attributes ---------------------------------------------------------------------------------------------------------


def next_value(values, number):
    return np.where(values >= 0, (values + 1) % number, -1)


def first_free(data, **changes):
    """`data` with the changes, on the scenes where they are possible, and those scenes."""
    good = []
    for row in range(len(data)):
        try:
            data.take([row]).changed(**{field: values[[row]] for field, values in changes.items()})
        except ValueError:
            continue
        good.append(row)
    return data.take(good), data.take(good).changed(**{field: values[good] for field, values in changes.items()})


def slower(data):
    return data.changed(velocity=0.9 * data.velocity)


def mirrored_motion(data):
    return data.changed(velocity=-data.velocity)


def shifted(data):
    return first_free(data, position=data.position + np.array([0.011, 0.007]))


# Which signals change in every scene of one moving object, and which do in some; the others never.
CHANGES = {
    "colour": (lambda data: data.changed(colour=next_value(data.colour, 6)), {"text", "image", "video"}, set()),
    "name": (lambda data: data.changed(name=next_value(data.name, 6)), {"text"}, set()),
    "material": (lambda data: data.changed(material=next_value(data.material, 3)), set(), {"sound"}),
    "side": (lambda data: data.changed(side=1.5 * data.side), {"scan"}, set()),
    "speed": (slower, {"video", "scan"}, {"sound"}),
    "direction of motion": (mirrored_motion, {"text", "video", "scan"}, {"sound"}),
}


@pytest.mark.parametrize("attribute", CHANGES)
def test_an_attribute_changes_the_signals_that_tell_of_it_and_no_others(attribute):
    change, always, sometimes = CHANGES[attribute]
    data = world(60, objects=(1, 1), moving=1.0)
    for signal, where in differs(data, change(data)).items():
        if signal in always:
            assert where.all(), signal
        elif signal in sometimes:
            assert where.mean() > 0.2, signal
        else:
            assert not where.any(), signal


@pytest.mark.parametrize(
    ("attribute", "told"),
    [("shape", {"text", "image", "video", "scan"}), ("size", {"text", "image", "video", "scan"})],
)
def test_shape_and_size_are_seen_told_and_scanned(attribute, told):
    """Sound changes as well, but only where something is struck: by the pitch of a size, or by when a side arrives."""
    data = world(60, objects=(1, 1), moving=1.0)
    values = next_value(getattr(data, attribute), {"shape": 4, "size": 2}[attribute])
    data, other = first_free(data, **{attribute: values})
    where = differs(data, other)
    assert all(where[signal].all() for signal in told)
    struck = data.motion().objects[..., 0].max(axis=1, initial=-1) >= 0
    assert not where["sound"][~(struck | (other.motion().objects[..., 0].max(axis=1, initial=-1) >= 0))].any()
    assert where["sound"][struck].all()


def test_a_place_is_seen_and_scanned_but_told_only_in_relation_to_others():
    data, other = shifted(world(60, objects=(1, 1), moving=0.0))
    where = differs(data, other)
    assert where["image"].all()
    assert where["video"].all()
    assert where["scan"].all()
    assert not where["text"].any()
    assert not where["sound"].any()


def test_motion_across_the_beams_is_invisible_to_them():
    thing = {"colour": "red", "shape": "circle", "position": (0.5, 0.6)}
    still, crossing = ({**thing, "velocity": velocity} for velocity in ((0.0, 0.0), (0.4, 0.0)))
    one_beam = [scenes_by_hand([[which]]).scan(1) for which in (still, crossing)]
    assert one_beam[0].distance == one_beam[1].distance
    assert one_beam[0].radial_velocity == pytest.approx(one_beam[1].radial_velocity)


# Which row of CARRIES each change is about.
ROWS = {
    "colour": "colour",
    "name": "name",
    "side": "metres",
    "speed": "speed",
    "direction of motion": "direction of motion",
}


@pytest.mark.parametrize(("attribute", "fact"), ROWS.items())
def test_the_table_says_what_the_changes_show(attribute, fact):
    _, always, _ = CHANGES[attribute]
    assert {signal for signal, how in CARRIES[fact].items() if how != "no"} == always
    assert CARRIES["material"] == {signal: "partly" if signal == "sound" else "no" for signal in SIGNALS}


def test_the_table_in_the_package_is_the_one_in_its_documentation():
    lines = re.findall(
        r"^    ([a-z ]+?) {2,}((?:(?:yes|no|partly) *){5})$", sys.modules["mmcourse.data.scenes"].__doc__, re.MULTILINE
    )
    assert {fact: dict(zip(SIGNALS, row.split(), strict=True)) for fact, row in lines} == CARRIES


# Questions ----------------------------------------------------------------------------------------------------------


def subsets():
    return [frozenset(names) for names in chain.from_iterable(combinations(SIGNALS, r) for r in range(6))]


def enough(kind, having):
    return any(needed <= having for needed in KINDS[kind].signals)


def thing(colour, shape, x, y, velocity=(0.0, 0.0), size="small", material="wood", **more):
    return {
        "colour": colour,
        "shape": shape,
        "position": (x, y),
        "velocity": velocity,
        "size": size,
        "material": material,
        **more,
    }


# A large object stands before the sensor and hides from it what is above.
SCREEN = thing("white", "square", 0.5, 0.15, size="large", name="Fay")


def hidden(*objects):
    return [SCREEN, *objects]


def two_runners(swap, materials=("wood", "wood")):
    """A red and a blue circle, one above the other and out of the scan's sight, run to the right wall; who is first?"""
    first, second = ((0.5, 0.0), (0.3, 0.0)) if not swap else ((0.3, 0.0), (0.5, 0.0))
    return hidden(
        thing("red", "circle", 0.5, 0.5, first, material=materials[0]),
        thing("blue", "circle", 0.5, 0.8, second, material=materials[1]),
    )


SLOW = (0.11, 0.0)  # does not reach a wall in two seconds
TWINS = {
    "a hidden object has another colour": (
        hidden(thing("red", "circle", 0.5, 0.5)),
        hidden(thing("blue", "circle", 0.5, 0.5)),
    ),
    "two hidden objects have exchanged colours": (
        hidden(thing("red", "circle", 0.5, 0.45), thing("blue", "square", 0.5, 0.75)),
        hidden(thing("blue", "circle", 0.5, 0.45), thing("red", "square", 0.5, 0.75)),
    ),
    "a hidden object has another shape": (
        hidden(thing("red", "circle", 0.5, 0.5)),
        hidden(thing("red", "square", 0.5, 0.5)),
    ),
    "a hidden object is larger": (
        hidden(thing("red", "circle", 0.5, 0.5)),
        hidden(thing("red", "circle", 0.5, 0.5, size="large")),
    ),
    "a hidden object is not there": (
        hidden(thing("red", "circle", 0.5, 0.5), thing("blue", "circle", 0.5, 0.8)),
        hidden(thing("red", "circle", 0.5, 0.5)),
    ),
    "a hidden object is elsewhere": (
        hidden(thing("red", "circle", 0.5, 0.45), thing("blue", "circle", 0.5, 0.75)),
        hidden(thing("red", "circle", 0.5, 0.75), thing("blue", "circle", 0.5, 0.45)),
    ),
    "a hidden object has another name": (
        hidden(thing("red", "circle", 0.5, 0.5, name="Ada")),
        hidden(thing("red", "circle", 0.5, 0.5, name="Bo")),
    ),
    "a hidden object moves elsewhere": (
        hidden(thing("red", "circle", 0.5, 0.5, (0.0, 0.05))),
        hidden(thing("red", "circle", 0.5, 0.5, (0.0, -0.05))),
    ),
    "of two hidden objects the other is faster": (two_runners(False), two_runners(True)),
    "the other is faster, and the materials have changed places": (
        two_runners(False, ("wood", "metal")),
        two_runners(True, ("metal", "wood")),
    ),
    "another material": (two_runners(False, ("wood", "metal")), two_runners(False, ("metal", "wood"))),
    "hidden and fast enough for an impact": (
        hidden(thing("red", "circle", 0.5, 0.5, SLOW)),
        hidden(thing("red", "circle", 0.5, 0.5, (0.5, 0.0))),
    ),
    "another slant": (
        [thing("red", "circle", 0.55, 0.5, (-0.15, 0.13))],
        [thing("red", "circle", 0.55, 0.5, (-0.15, -0.13))],
    ),
}
LONE = thing("red", "circle", 0.5, 0.5, SLOW)


def twins():
    """[(one scene, its twin)], also of one scene in rooms of two widths, and of two speeds in a very wide room."""
    made = [tuple(scenes_by_hand([objects]) for objects in both) for both in TWINS.values()]
    made += [tuple(scenes_by_hand([[LONE]], side=side) for side in sides) for sides in ((1.5, 8.0), (3.0, 36.0))]
    speeds = (0.05, 0.11)
    return [*made, tuple(scenes_by_hand([hidden({**LONE, "velocity": (v, 0.0)})], side=30.0) for v in speeds)]


@pytest.fixture(scope="module")
def proofs():
    """{kind: the sets of signals that are equal for two scenes with different answers to the same question}."""
    found = {kind: set() for kind in KINDS}
    for one, other in twins():
        same = frozenset(signal for signal, where in differs(one, other).items() if not where[0])
        answers = {}
        for data in (one, other):
            for seed in range(24):
                asked = data.questions(seed=seed)
                for kind, text, answer in zip(asked.kind, asked.text, asked.answer, strict=True):
                    answers.setdefault((kind, text), set()).add(answer)
        for (kind, _), different in answers.items():
            if len(different) > 1:
                found[kind].add(same)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_not_to_be_enough_is_not_enough(kind, proofs):
    for having in subsets():
        if not enough(kind, having):
            assert any(having <= same for same in proofs[kind]), sorted(having)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_to_be_enough_is_never_fooled(kind, proofs):
    assert not [sorted(same) for same in proofs[kind] if enough(kind, same)]


@pytest.fixture(scope="module")
def many():
    """Scenes with every single attribute changed in turn, and where each signal is the same."""
    data = world(60, objects=(2, 3))
    changed = [change(data) for change, *_ in CHANGES.values()] + [
        data.changed(velocity=0.0 * data.velocity),
        data.changed(material=np.where(np.arange(3) == 0, next_value(data.material, 3), data.material)),
    ]
    return data, [(other, differs(data, other)) for other in changed]


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_that_is_enough_fixes_the_answer(kind, many):
    """Scenes with other attributes that are equal in a sufficient set of signals have equal answers."""
    data, others = many
    for other, where in others:
        for needed in KINDS[kind].signals:
            same = ~np.any([where[signal] for signal in needed], axis=0)
            ours, theirs = data.questions((kind,)), other.questions(("count", kind))
            answers = dict(zip(zip(ours.scene.tolist(), ours.text, strict=True), ours.answer, strict=True))
            for row, text, answer in zip(theirs.scene.tolist(), theirs.text, theirs.answer, strict=True):
                if same[row] and (row, text) in answers:
                    assert answers[row, text] == answer


def test_answerable_says_what_the_kinds_say():
    asked = world(80).questions()
    for having in subsets():
        wanted = [enough(kind, having) for kind in asked.kind]
        assert asked.answerable(having).tolist() == wanted


def test_deleting_a_signal_costs_questions_but_for_the_picture_which_the_film_contains():
    """Which kinds nobody can answer any more when one signal of the five is gone."""
    lost = {gone: {kind for kind in KINDS if not enough(kind, frozenset(SIGNALS) - {gone})} for gone in SIGNALS}
    assert lost["text"] == {"name"}
    assert lost["image"] == set()
    assert lost["video"] == {"fastest", "first_wall", "material", "speed"}
    assert lost["sound"] == {"first_material", "material"}
    assert lost["scan"] == {"nearest", "speed"}
