"""Laws of the generator: a scene depends on seed, number and options alone; what is varied is balanced."""

from itertools import combinations

import numpy as np
import pytest

from mmcourse.data.scenes import COLOURS, DIRECTIONS, MATERIALS, NAMES, SHAPES, SIZES, scenes
from mmcourse.data.scenes.things import direction
from tests.data.scenes.brute import inside, objects, outline, world

FIELDS = ("shape", "colour", "size", "material", "name", "position", "velocity", "side", "key")
OPTIONS = [
    {},
    {"objects": (6, 6)},
    {"objects": (2, 3), "all_different": True},
    {"without": (("red", "circle"), ("blue", "square")), "sizes": ("large",), "moving": 0.3},
]
over_options = pytest.mark.parametrize("options", OPTIONS, ids=str)


def same(a, b):
    return all(np.array_equal(getattr(a, field), getattr(b, field), equal_nan=True) for field in FIELDS)


# The same every time ------------------------------------------------------------------------------------------------


@over_options
def test_a_scene_is_the_same_whatever_is_made_with_it(options):
    whole = world(40, **options)
    assert same(whole, world(40, **options))
    assert same(whole.take(slice(0, 7)), world(7, **options))
    assert same(whole.take(slice(31, 40)), world(9, first=31, **options))
    for row in (0, 17, 39):
        assert same(whole.take([row]), world(1, first=row, **options))


def test_every_signal_of_a_scene_is_the_same_whatever_is_made_with_it():
    whole = world(30)
    for rows in ([4], [29, 0, 11]):
        part = whole.take(rows)
        for signal in (
            lambda data: data.images(32),
            lambda data: data.masks(32),
            lambda data: data.video(16, frames=4),
            lambda data: data.sound(),
            lambda data: data.scan().distance,
            lambda data: data.scan(time=1.0).radial_velocity,
        ):
            assert np.array_equal(signal(part), signal(whole)[rows])
        for options in ({}, {"paraphrase": 5}, {"language": "zh", "paraphrase": 5}):
            assert part.captions(**options) == tuple(whole.captions(**options)[row] for row in rows)
        asked = whole.questions(seed=2)
        for number, row in enumerate(rows):
            here = asked.take(asked.scene == row)
            again = part.questions(seed=2)
            again = again.take(again.scene == number)
            assert (here.kind, here.text, here.answer) == (again.kind, again.text, again.answer)


def test_another_seed_and_another_number_are_other_scenes():
    first, second, later = world(30, seed=0), world(30, seed=1), world(30, seed=0, first=30)
    for other in (second, later):
        assert not set(first.key.tolist()) & set(other.key.tolist())
        assert not {*first.side.tolist()} & {*other.side.tolist()}


# What there is ------------------------------------------------------------------------------------------------------


@over_options
def test_objects_are_in_the_room_and_apart(options):
    """By outlines of many points: none is outside of the room, none inside another object."""
    data = world(25, **options)
    edges = {(row, slot): outline(data.shape[row, slot], data.radius[row, slot], 60) for row, slot in objects(data)}
    for (row, slot), edge in edges.items():
        points = edge + data.position[row, slot]
        assert points.min() > 0.0199
        assert points.max() < 1 - 0.0199
        for other in range(data.count[row]):
            if other != slot:
                x, y = (points - data.position[row, other]).T
                assert not inside(data.shape[row, other], data.radius[row, other], x, y).any()


@over_options
def test_every_pair_is_clearly_beside_or_clearly_above(options):
    data = world(100, **options)
    for i, j in combinations(range(data.shape.shape[1]), 2):
        across, up = np.abs(data.position[:, i] - data.position[:, j]).T
        apart = np.abs(across - up)
        assert np.nanmin(apart, initial=1) >= 0.05


def test_values_are_equally_frequent():
    data = world(6000)
    here = data.present
    for values, names in (
        (data.count - 1, range(4)),
        (data.size[here], SIZES),
        (data.material[here], MATERIALS),
        (data.name[here], NAMES),
        (data.shape[here], SHAPES),
        (data.colour[here], COLOURS),
        ((data.colour * len(SHAPES) + data.shape)[here], range(24)),
        (direction(data.velocity)[here], DIRECTIONS),
    ):
        counts = np.bincount(values, minlength=len(names))
        expected = len(values) / len(names)
        assert counts.sum() == len(values)
        # Chi-square, six standard deviations above its mean.
        assert ((counts - expected) ** 2 / expected).sum() < len(names) + 6 * np.sqrt(2 * len(names))
    assert np.histogram(np.log2(data.side), bins=4, range=(1, 3))[0] == pytest.approx(1500, abs=150)


def test_a_crowd_is_as_large_and_as_colourful_as_a_single_object():
    """Where a place is hard to find, another place is tried, not another object."""
    crowd = world(1500, objects=(6, 6))
    assert crowd.size.mean() == pytest.approx(0.5, abs=0.025)
    assert np.bincount(crowd.shape.ravel()) / crowd.shape.size == pytest.approx(0.25, abs=0.02)


def test_speeds_and_directions_are_what_they_are_called():
    data = world(1000)
    velocity = data.velocity[data.present]
    speed = np.hypot(*velocity.T)
    moving = speed > 0
    assert moving.mean() == pytest.approx(0.8, abs=0.03)
    assert speed[moving].min() >= 0.3
    assert speed[moving].max() <= 0.9
    small, large = np.sort(np.abs(velocity[moving]), axis=1).T
    assert (np.arctan2(small, large) <= np.pi / 7 + 1e-12).all()


# Options ------------------------------------------------------------------------------------------------------------


def test_options_choose():
    data = world(300, colours=("red", "blue"), shapes=("circle", "square", "diamond"), sizes=("small",), objects=(2, 5))
    assert set(np.unique(data.colour)) == {-1, 0, 3}
    assert set(np.unique(data.shape)) == {-1, 0, 1, 3}
    assert set(np.unique(data.size)) == {-1, 0}
    assert set(np.unique(data.count)) == {2, 3, 4, 5}
    assert (world(50, moving=0).velocity[world(50).present] == 0).all()
    assert (np.hypot(*world(50, moving=1).velocity[world(50).present].T) > 0).all()


def test_what_is_left_out_never_occurs():
    left_out = (("red", "circle"), ("white", "diamond"))
    data = world(500, without=left_out)
    found = {(list(COLOURS)[data.colour[at]], SHAPES[data.shape[at]]) for at in objects(data)}
    assert len(found) == 22
    assert not found & set(left_out)
    assert data.combinations.sum() == 22


@pytest.mark.parametrize("all_different", [False, True])
def test_no_two_objects_of_a_scene_look_alike(all_different):
    data = world(400, objects=(2, 4), all_different=all_different)
    shared = 0
    for i, j in combinations(range(4), 2):
        both = data.present[:, i] & data.present[:, j]
        colour, shape = (values[both, i] == values[both, j] for values in (data.colour, data.shape))
        assert not (colour & shape).any()
        shared += (colour | shape).sum()
    assert (shared == 0) == all_different


def test_all_different_finds_the_one_way_that_is_left():
    """Three objects, and combinations in which only one choice of three shares no colour and no shape."""
    keep = {("red", "circle"), ("red", "square"), ("green", "square"), ("green", "triangle"), ("blue", "triangle")}
    names = {"colours": ("red", "green", "blue"), "shapes": ("circle", "square", "triangle")}
    without = [(c, s) for c in names["colours"] for s in names["shapes"] if (c, s) not in keep]
    data = world(50, objects=(3, 3), all_different=True, without=without, **names)
    combination = np.sort(data.colour * len(SHAPES) + data.shape, axis=1)
    assert len(np.unique(combination, axis=0)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n, first: got 0, 0, wanted at least 1"),
        ({"first": -1}, "n, first: got 5, -1"),
        ({"objects": (0, 3)}, r"objects: got \(0, 3\), wanted the fewest and the most, from 1 to 6"),
        ({"objects": (3, 2)}, r"objects: got \(3, 2\)"),
        ({"objects": (1, 7)}, r"objects: got \(1, 7\)"),
        ({"objects": (1, 3), "colours": ["red"], "shapes": ["circle", "square"]}, "got 3 for 2 combinations"),
        ({"objects": (1, 3), "colours": ["red", "blue"], "all_different": True}, "got 3 objects for 8 combinations"),
        ({"colours": ("red", "pink")}, r"colours: got \('red', 'pink'\), wanted some of red, yellow"),
        ({"colours": "red"}, "colours: got 'red'"),
        ({"shapes": ()}, r"shapes: got \(\), wanted some of circle"),
        ({"sizes": ("huge",)}, "sizes: got .* wanted some of small, large"),
        ({"without": [("circle", "red")]}, "without: got .'circle', 'red'., wanted a colour and a shape"),
        ({"moving": 1.5}, "moving: got 1.5"),
        ({"moving": float("nan")}, "moving: got nan"),
        ({"seed": -1}, "seed: got -1"),
    ],
)
def test_refuses_what_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        scenes(**{"n": 5, "seed": 0, **options})
