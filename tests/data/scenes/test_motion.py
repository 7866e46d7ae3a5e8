"""Laws of motion: straight lines, nothing overlaps, energy and momentum are kept, and time can run backwards."""

import numpy as np
import pytest

from mmcourse.data.scenes import SHAPES, WALL, scenes_by_hand
from mmcourse.data.scenes.contact import dot, gap, pair
from tests.data.scenes.brute import inside, outline, world

OPTIONS = [{}, {"objects": (6, 6), "moving": 1.0}]
over_options = pytest.mark.parametrize("options", OPTIONS, ids=str)


def energy(data, velocity):
    """(n, ...): twice the kinetic energy, with velocity (n, ..., slots, 2)."""
    mass = data.radius.reshape(len(data), *[1] * (velocity.ndim - 3), -1) ** 2
    return np.nansum(mass[..., None] * velocity**2, axis=(-1, -2))


def ball(x, y, velocity, **more):
    return {"colour": "red", "shape": "circle", "position": (x, y), "velocity": velocity, **more}


@over_options
def test_energy_is_kept(options):
    data = world(150, **options)
    what = data.motion(3.0)
    kept = energy(data, what.velocity)
    before = energy(data, data.velocity[:, None])
    assert np.abs(kept - before).max() < 1e-12 * before.max()


@over_options
def test_an_impact_of_two_keeps_momentum_and_one_on_a_wall_turns_one_component(options):
    data = world(150, **options)
    what = data.motion(3.0)
    change = np.nan_to_num(np.diff(what.velocity, axis=1))  # (n, impacts, slots, 2)
    momentum = (np.nan_to_num(data.radius)[:, None, :, None] ** 2 * change).sum(axis=2)
    pairs = what.objects[..., 1] >= 0
    assert pairs.sum() > 50
    assert np.abs(momentum[pairs]).max() < 1e-15
    at_wall = what.objects[..., 1] == WALL
    kinds = {tuple(kind) for kind in (change[at_wall] != 0).reshape(at_wall.sum(), -1, 2).any(axis=1)}
    assert kinds == {(True, False), (False, True)}
    # Those who do not meet go on as before; `change` is by how much those who do change.
    for row, impact in np.argwhere(what.objects[..., 0] >= 0):
        sizes = np.hypot(*change[row, impact].T)
        for slot, size in enumerate(sizes):
            place = np.flatnonzero(what.objects[row, impact] == slot)
            assert size == pytest.approx(what.change[row, impact, place[0]] if len(place) else 0, abs=1e-15)


@over_options
def test_positions_are_continuous_and_straight_between_impacts(options):
    data = world(60, **options)
    what = data.motion(2.0)
    times = np.linspace(0, 2, 401)
    position, velocity = what.at(times)
    assert np.array_equal(position[:, 0], data.position, equal_nan=True)
    assert np.array_equal(velocity[:, 0], data.velocity, equal_nan=True)
    step = np.diff(position, axis=1)
    fastest = np.nanmax(np.hypot(what.velocity[..., 0], what.velocity[..., 1]), axis=(1, 2))
    assert (np.nan_to_num(np.hypot(step[..., 0], step[..., 1])) <= 0.005 * fastest[:, None, None] + 1e-12).all()
    # Where nothing happens from one instant to the next, the step is velocity times time.
    happened = (what.time[:, :, None] > times[:-1]) & (what.time[:, :, None] <= times[1:])
    calm = ~happened.any(axis=1)
    assert np.nanmax(np.abs(step - 0.005 * velocity[:, :-1])[calm]) < 1e-12


@over_options
def test_nothing_ever_overlaps_or_leaves(options):
    data = world(12, **options)
    position, _ = data.motion(2.0).at(np.linspace(0, 2, 41))
    edges = {}
    for row in range(len(data)):
        slots = range(data.count[row])
        for slot in slots:
            edges[slot] = outline(data.shape[row, slot], data.radius[row, slot], 40)
            points = edges[slot] + position[row, :, slot, None]
            assert points.min() > -1e-9
            assert points.max() < 1 + 1e-9
        for a in slots:
            for b in set(slots) - {a}:
                # Outlines drawn in by a millionth, as those who meet do touch.
                apart = (1 - 1e-6) * edges[a] + (position[row, :, a] - position[row, :, b])[:, None]
                assert not inside(data.shape[row, b], data.radius[row, b], apart[..., 0], apart[..., 1]).any()


@over_options
def test_what_meets_touches_and_approached_before_and_parts_after(options):
    data = world(150, **options)
    what = data.motion(2.0)
    seen = 0
    for row, impact in np.argwhere(what.objects[..., 1] >= 0):
        a, b = what.objects[row, impact]
        offset = what.position[row, impact + 1, b] - what.position[row, impact + 1, a]
        between = pair(data.shape[row, a], data.radius[row, a], data.shape[row, b], data.radius[row, b])
        distance, normal = gap(between, offset)
        assert distance == pytest.approx(0, abs=1e-9)
        before, after = (what.velocity[row, k, b] - what.velocity[row, k, a] for k in (impact, impact + 1))
        assert dot(before, normal) < 0
        assert dot(after, normal) == pytest.approx(-dot(before, normal), rel=1e-6)
        seen += 1
    assert seen > 50
    assert (what.time[:, 1:] >= what.time[:, :-1]).all()


@over_options
def test_time_runs_backwards(options):
    """Turn all velocities round: the scene goes back through every impact to where it began."""
    data = world(150, **options)
    position, velocity = (values[:, 0] for values in data.motion(1.5).at([1.5]))
    back, speed = (values[:, 0] for values in data.changed(position=position, velocity=-velocity).motion(1.5).at([1.5]))
    assert np.nanmax(np.abs(back - data.position)) < 1e-9
    assert np.nanmax(np.abs(speed + data.velocity)) < 1e-9


def test_one_object_goes_to_and_fro_between_the_walls():
    """A triangle wave between the places where its sides touch, for each coordinate on its own."""
    data = world(100, objects=(1, 1), moving=1.0)
    times = np.linspace(0, 10, 80)
    position, _ = data.motion(10.0).at(times)
    edges = {shape: outline(shape, 1.0, 40_000) for shape in range(len(SHAPES))}
    for row in range(len(data)):
        edge = data.radius[row, 0] * edges[data.shape[row, 0]]
        for axis in (0, 1):
            low, high = -edge[:, axis].min(), 1 - edge[:, axis].max()
            x = data.position[row, 0, axis] + times * data.velocity[row, 0, axis] - low
            room = high - low
            wave = low + room - np.abs(x % (2 * room) - room)
            assert position[row, :, 0, axis] == pytest.approx(wave, abs=1e-3)


def test_equal_balls_exchange_velocities_and_a_large_one_pushes_a_small_one():
    equal, unequal = (
        scenes_by_hand(
            [
                [ball(0.2, 0.5, (0.5, 0.0)), ball(0.7, 0.5, (0.0, 0.0), colour="blue")],
                [ball(0.2, 0.5, (0.5, 0.0)), ball(0.7, 0.5, (0.0, 0.0), colour="blue", size="small")],
            ]
        )
        .motion(0.7)
        .at([0.7])[1][:, 0]
    )
    assert equal == pytest.approx(np.array([[0, 0], [0.5, 0]]))
    ratio = (0.12 / 0.08) ** 2
    assert unequal[:, 0] == pytest.approx(0.5 * np.array([ratio - 1, 2 * ratio]) / (ratio + 1))


def test_the_first_impact_is_when_hands_say():
    data = scenes_by_hand([[ball(0.2, 0.5, (0.5, 0.0)), ball(0.7, 0.5, (0.0, 0.0), colour="blue")]])
    what = data.motion(2.0)
    assert what.time[0, 1] == pytest.approx((0.7 - 0.2 - 0.24) / 0.5)
    assert what.objects[0, :2].tolist() == [[0, 1], [1, WALL]]
    assert what.change[0, 0] == pytest.approx([0.5, 0.5])
    assert what.change[0, 1] == pytest.approx([1.0, 0.0])


def test_what_rests_alone_stays_and_nothing_happens():
    data = world(20, moving=0.0)
    what = data.motion(2.0)
    assert what.objects.shape == (20, 0, 2)
    assert np.array_equal(what.at([2.0])[0][:, 0], data.position, equal_nan=True)


def test_a_longer_look_sees_the_same_at_first():
    data = world(40)
    short, long = data.motion(1.0), data.motion(3.0)
    times = np.linspace(0, 1, 9)
    assert np.array_equal(short.at(times)[0], long.at(times)[0], equal_nan=True)


@pytest.mark.parametrize("duration", [0, -1, float("nan"), float("inf")])
def test_refuses_a_duration_that_does_not_end(duration):
    with pytest.raises(ValueError, match=r"duration: got .* wanted a positive number of seconds"):
        world(2).motion(duration)


@pytest.mark.parametrize("times", [[2.1], [-0.1], 0.5, [float("nan")]])
def test_refuses_times_that_were_not_looked_at(times):
    with pytest.raises(ValueError, match=r"times: got .* wanted one axis of 0 to 2.0 seconds"):
        world(2).motion(2.0).at(times)


def test_refuses_to_count_impacts_without_end():
    data = scenes_by_hand([[ball(0.5, 0.5, (1e4, 0.0))]])
    with pytest.raises(ValueError, match="wanted a shorter one"):
        data.motion(2.0)


def test_every_shape_is_struck():
    data = world(200, objects=(2, 4))
    what = data.motion()
    struck = data.shape[np.nonzero(what.objects[..., 0] >= 0)[0], what.objects[what.objects[..., 0] >= 0][:, 0]]
    assert set(struck) == set(range(len(SHAPES)))
