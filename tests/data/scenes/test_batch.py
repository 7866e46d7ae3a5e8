"""Laws of a batch: rows stay together, splits leak nothing, and what is no scene is refused by name."""

import numpy as np
import pytest

from mmcourse.data.scenes import COLOURS, SHAPES, scenes_by_hand
from mmcourse.errors import DtypeError, EmptyBatchError, ModalityError, NotFiniteError, ShapeError
from tests.data.scenes.brute import objects, phrase, world

FIELDS = ("shape", "colour", "size", "material", "name", "position", "velocity", "side", "key")
over_seeds = pytest.mark.parametrize("seed", range(6))


def looks(data, rows=None):
    """The combinations that occur."""
    return {phrase(data, row, slot) for row, slot in objects(data)}


# Rows ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [[3, 0, 7], [2], slice(4, 9), np.arange(20) % 3 == 0, [-1, 5, 5]], ids=str)
def test_take_keeps_the_rows_of_all_fields_together(rows):
    data = world(20)
    part = data.take(rows)
    for field in FIELDS:
        assert np.array_equal(getattr(part, field), getattr(data, field)[rows], equal_nan=True)
    assert len(part) == len(data.side[rows])
    assert np.array_equal(part.images(16), data.images(16)[rows])


@pytest.mark.parametrize("rows", [[], slice(0, 0), np.zeros(5, bool)], ids=str)
def test_take_of_nothing_is_refused(rows):
    with pytest.raises(EmptyBatchError, match=r"Scenes.take: scenes: got no indices, wanted at least 1"):
        world(5).take(rows)


def test_a_batch_says_what_it_is():
    assert repr(world(30)) == "Scenes(30 scenes of 1 to 4 objects; 24 combinations)"
    assert repr(world(3, objects=(2, 2))) == "Scenes(3 scenes of 2 objects; 24 combinations)"


# Splits -------------------------------------------------------------------------------------------------------------


@over_seeds
@pytest.mark.parametrize("held_out", [1, 4, 8])
def test_what_is_held_out_is_in_every_scene_of_test_and_in_none_of_train(seed, held_out):
    data = world(600)
    train, test = data.split(seed, held_out)
    assert len(train) + len(test) == len(data)
    assert not set(train.key) & set(test.key)
    held = data.combinations & ~train.combinations
    names = {f"{colour} {shape}" for i, colour in enumerate(COLOURS) for j, shape in enumerate(SHAPES) if held[i, j]}
    assert len(names) == held_out
    assert not looks(train) & names
    assert looks(test) >= names
    for row in range(len(test)):
        assert looks(test.take([row])) & names
    shown = {train.take([row]).images(16).tobytes() for row in range(0, len(train), 7)}
    assert not shown & {test.take([row]).images(16).tobytes() for row in range(0, len(test), 7)}


@over_seeds
def test_each_colour_and_shape_that_is_held_out_is_seen_in_two_other_combinations(seed):
    train, test = world(600).split(seed, 8)
    seen = looks(train)
    for word in {word for look in looks(test) - seen for word in look.split()}:
        assert sum(word in look.split() for look in seen) >= 2


def test_training_texts_never_name_what_is_held_out():
    train, test = world(600).split(0, 4)
    held = looks(test) - looks(train)
    assert len(held) == 4
    text = "\n".join((*train.captions(), *train.questions().text, *train.questions().answer))
    assert not [look for look in held if look in text]
    assert any(look in " ".join(test.captions()) for look in held)


def test_the_seed_of_a_split_decides_and_not_the_scenes():
    held = [world(200, seed=seed).split(0)[0].combinations for seed in (0, 1)]
    assert np.array_equal(*held)
    assert not np.array_equal(held[0], world(200).split(1)[0].combinations)


def test_scenes_of_other_numbers_are_other_scenes():
    train, test = world(300), world(300, first=300)
    assert not set(train.key) & set(test.key)
    assert not {image.tobytes() for image in train.images(16)} & {image.tobytes() for image in test.images(16)}


@pytest.mark.parametrize(
    ("held_out", "message"),
    [(0, "held_out: got 0, wanted at least 1"), (24, "held_out: got 24, wanted at most")],
)
def test_refuses_to_hold_out_what_it_cannot(held_out, message):
    with pytest.raises(ValueError, match=message):
        world(100).split(0, held_out)


def test_refuses_a_split_with_an_empty_side():
    with pytest.raises(ValueError, match="got 0 of 1 scenes with one of 1 combinations, wanted some on either side"):
        world(1, objects=(1, 1)).split(0, 1)


def test_has_is_where_a_chosen_combination_occurs():
    data = world(100)
    chosen = np.zeros_like(data.combinations)
    chosen[0, 0] = chosen[3, 1] = True
    wanted = [bool(looks(data.take([row])) & {"red circle", "blue square"}) for row in range(100)]
    assert data.has(chosen).tolist() == wanted
    assert any(wanted)


# By hand ------------------------------------------------------------------------------------------------------------


def test_what_is_written_down_is_what_there_is():
    data = scenes_by_hand(
        [
            [
                {"colour": "red", "shape": "circle", "position": (0.3, 0.5), "name": "Dot", "velocity": (0.1, 0.0)},
                {"colour": "blue", "shape": "square", "position": (0.7, 0.5), "size": "small", "material": "glass"},
            ],
            [{"colour": "white", "shape": "diamond", "position": (0.5, 0.5)}],
        ],
        side=3.0,
    )
    assert data.captions(about=("size", "motion", "relations", "names")) == (
        "a large red circle called Dot moving right is left of a small blue square called Bo at rest",
        "there is a large white diamond called Ada at rest",
    )
    assert data.position[0].tolist() == [[0.3, 0.5], [0.7, 0.5]]
    assert data.material.tolist() == [[0, 2], [0, -1]]
    assert data.side.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "pink"}, "got 'pink' as colour, wanted one of red, yellow"),
        ({"shape": "cube"}, "got 'cube' as shape"),
        ({"weight": 3}, "got colour, shape, position, weight, wanted colour, shape, position and no others than size"),
    ],
)
def test_what_cannot_be_written_down_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        scenes_by_hand([[{"colour": "red", "shape": "circle", "position": (0.5, 0.5), **change}]])
    with pytest.raises(ValueError, match="got shape, position, wanted colour"):
        scenes_by_hand([[{"shape": "circle", "position": (0.5, 0.5)}]])


# Bad input ----------------------------------------------------------------------------------------------------------


def two(a=(0.3, 0.5), b=(0.7, 0.5)):
    first, second = ({"colour": c, "shape": "square", "position": at} for c, at in (("red", a), ("blue", b)))
    return scenes_by_hand([[{"colour": "red", "shape": "circle", "position": (0.5, 0.5)}], [first, second]])


def test_objects_that_overlap_or_leave_the_room_are_refused():
    half = np.sqrt(np.pi) * 0.12 / 2
    two((0.5 - half, 0.5), (0.5 + half, 0.5))
    with pytest.raises(ModalityError, match="position: got slots 0 and 1 of row 1, wanted objects that do not overlap"):
        two((0.5 - half + 1e-6, 0.5), (0.5 + half, 0.5))
    for x, y in ((half, 0.5), (1 - half, 0.5), (0.5, half), (0.5, 1 - half)):
        two((x, y), (0.5, 0.5))
        with pytest.raises(ModalityError, match="not in the room, in row 1, slot 0, wanted all of it between 0 and 1"):
            two((x + 1e-6 * np.sign(x - 0.5), y + 1e-6 * np.sign(y - 0.5)), (0.5, 0.5))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"colour": np.zeros((2, 3), int)}, ShapeError, r"colour: got shape \(2, 3\), wanted \(2, 2\)"),
        ({"side": np.ones(3)}, ShapeError, r"side: got shape \(3,\), wanted \(2,\)"),
        ({"combinations": np.ones((4, 6), bool)}, ShapeError, r"combinations: got shape \(4, 6\), wanted \(6, 4\)"),
        ({"shape": np.zeros(2, int)}, ShapeError, r"shape: got shape \(2,\), wanted \(n, slots\)"),
        ({"size": np.array([[0.0, -1], [0, 0]])}, DtypeError, "size: got dtype float64, wanted whole numbers"),
        ({"material": np.array([[0, -1], [3, 0]])}, ModalityError, "material: got 3 in row 1, slot 0, wanted 0 to 2"),
        ({"name": np.array([[0, 0], [0, 0]])}, ModalityError, "name: got 0 in row 0, slot 1"),
        ({"colour": np.array([[0, -1], [0, 0]])}, ModalityError, "colour, shape: got slots 0 and 1 of row 1"),
        ({"velocity": np.zeros((2, 2, 2))}, NotFiniteError, "velocity: got row 0, slot 1"),
        ({"velocity": np.full((2, 2, 2), np.nan)}, NotFiniteError, "velocity: got row 0, slot 0"),
        ({"side": np.array([1.0, -1.0])}, NotFiniteError, "side: got -1.0, wanted positive"),
        ({"side": np.array([1.0, np.nan])}, NotFiniteError, "side: got nan"),
    ],
)
def test_fields_that_do_not_fit_are_refused_by_name(change, error, message):
    with pytest.raises(error, match=message):
        two().changed(**change)


def test_a_scene_without_objects_is_refused():
    with pytest.raises(EmptyBatchError, match=r"shape: got shape \(1, 0\), wanted 1 scene and 1 slot"):
        scenes_by_hand([[]])
    with pytest.raises(EmptyBatchError, match=r"shape: got no object in row 0"):
        scenes_by_hand([[], [{"colour": "red", "shape": "circle", "position": (0.5, 0.5)}]])
