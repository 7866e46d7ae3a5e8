"""Laws of the range scan: against small steps along each beam, and against the range of a point that moves."""

import numpy as np
import pytest

from mmcourse.data.scenes import WALL, scenes_by_hand
from tests.data.scenes.brute import inside, world

POSES = [
    {},
    {"sensor": (0.0, 0.0), "heading": np.pi / 4, "field": np.pi / 2},
    {"sensor": (1.0, 0.3), "heading": np.pi, "field": 2.5, "time": 0.7},
]
over_poses = pytest.mark.parametrize("pose", POSES, ids=["usual", "corner", "right wall, later"])


def at(data, time):
    """Position and velocity at this time."""
    return (data.position, data.velocity) if not time else (values[:, 0] for values in data.motion(time).at([time]))


@over_poses
def test_the_distance_is_where_a_walker_first_meets_something(pose):
    data, beams, steps = world(25), 24, 6000
    scan = data.scan(beams, **pose)
    sensor, position = np.array(pose.get("sensor", (0.5, 0.0))), next(iter(at(data, pose.get("time"))))
    walk = np.linspace(0, 1.5, steps)
    for row in range(len(data)):
        for beam, angle in enumerate(scan.angle):
            path = sensor + walk[:, None] * [np.cos(angle), np.sin(angle)]
            met = [((path < -1e-12) | (path > 1 + 1e-12)).any(axis=1)]
            for slot in range(data.count[row]):
                met.append(inside(data.shape[row, slot], data.radius[row, slot], *(path - position[row, slot]).T))
            first = np.argmax(np.any(met, axis=0))
            found, hit = scan.distance[row, beam] / data.side[row], scan.hit[row, beam]
            if walk[first] - found > 2 * walk[1]:  # a corner thinner than a step
                path = sensor + (found + 1e-7) * np.array([np.cos(angle), np.sin(angle)])
                assert inside(data.shape[row, hit], data.radius[row, hit] + 1e-6, *(path - position[row, hit]))
                continue
            assert found == pytest.approx(walk[first] - walk[1] / 2, abs=0.51 * walk[1])
            assert met[hit + 1 if hit >= 0 else 0][first] or found == pytest.approx(walk[first], abs=1e-6)


@over_poses
def test_radial_velocity_is_how_fast_the_range_of_the_point_that_was_hit_changes(pose):
    data = world(100)
    scan = data.scan(33, **pose)
    sensor = np.array(pose.get("sensor", (0.5, 0.0)))
    _, velocity = at(data, pose.get("time"))
    ray = np.column_stack([np.cos(scan.angle), np.sin(scan.angle)])
    rows, beams = np.nonzero(scan.hit >= 0)
    point = sensor + (scan.distance[rows, beams] / data.side[rows])[:, None] * ray[beams]
    moved = velocity[rows, scan.hit[rows, beams]]

    def distance(time):
        return np.hypot(*(point + time * moved - sensor).T) * data.side[rows]

    wanted = (distance(1e-6) - distance(-1e-6)) / 2e-6
    assert len(rows) > 300
    assert scan.radial_velocity[rows, beams] == pytest.approx(wanted, abs=1e-6)
    assert (scan.radial_velocity[scan.hit < 0] == 0).all()


def test_coming_is_negative_going_positive_and_crossing_nothing():
    def seen(velocity):
        thing = {"colour": "red", "shape": "circle", "position": (0.5, 0.6), "velocity": velocity}
        return scenes_by_hand([[thing]], side=4.0).scan(1)

    assert seen((0, -0.5)).radial_velocity == pytest.approx(-2.0)
    assert seen((0, 0.5)).radial_velocity == pytest.approx(2.0)
    assert seen((0.5, 0)).radial_velocity == pytest.approx(0.0)
    assert seen((0.5, 0)).distance == pytest.approx(4 * 0.48)
    assert seen((0.5, 0)).hit.tolist() == [[0]]


def test_beams_go_from_left_to_right_and_fill_the_field():
    scan = world(1).scan(4)
    assert scan.angle == pytest.approx(np.pi * np.array([7, 5, 3, 1]) / 8)
    left = {"colour": "red", "shape": "square", "position": (0.2, 0.2)}
    assert scenes_by_hand([[left]]).scan(8).hit[0, :4].max() == 0
    assert (scenes_by_hand([[left]]).scan(8).hit[0, 4:] == WALL).all()


def test_walls_are_hit_where_there_is_nothing_else():
    thing = {"colour": "red", "shape": "circle", "position": (0.15, 0.85)}
    scan = scenes_by_hand([[thing]], side=3.0).scan(2, heading=np.pi / 4, field=np.pi / 2)
    assert scan.hit.tolist() == [[WALL, WALL]]
    assert scan.distance[0] == pytest.approx(np.array([3.0, 1.5]) / np.cos(np.pi / 8))


def test_a_room_twice_as_wide_gives_twice_the_metres():
    data = world(50)
    near, far = data.scan(), data.changed(side=2 * data.side).scan()
    assert far.distance == pytest.approx(2 * near.distance)
    assert far.radial_velocity == pytest.approx(2 * near.radial_velocity)
    assert np.array_equal(near.hit, far.hit)


def test_beyond_its_range_a_scan_sees_nothing():
    data = world(100)
    whole, short = data.scan(), data.scan(max_range=1.5)
    beyond = whole.distance > 1.5
    assert 0 < beyond.mean() < 1
    assert (short.distance[beyond] == 1.5).all()
    assert (short.hit[beyond] == -1).all()
    assert (short.radial_velocity[beyond] == 0).all()
    for values in ("distance", "hit", "radial_velocity"):
        assert np.array_equal(getattr(short, values)[~beyond], getattr(whole, values)[~beyond])


def test_a_scan_later_is_a_scan_of_what_is_there_later():
    data = world(30)
    position, velocity = (values[:, 0] for values in data.motion(0.8).at([0.8]))
    later = data.changed(position=position, velocity=velocity).scan()
    assert np.array_equal(data.scan(time=0.8).distance, later.distance)
    assert np.array_equal(data.scan(time=0.8).radial_velocity, later.radial_velocity)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beams": 0}, "beams: got 0"),
        ({"max_range": 0.0}, "max_range: got 0.0"),
        ({"sensor": (1.2, 0.5)}, r"sensor: got \[1.2, 0.5\], wanted x and y from 0 to 1"),
        ({"field": 0.0}, "field: got 0.0"),
        ({"field": 7.0}, "field: got 7.0"),
        ({"time": -1.0}, "duration: got -1.0"),
    ],
)
def test_refuses_a_scanner_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        world(2).scan(**options)


def test_refuses_a_sensor_inside_an_object():
    data = world(3)
    with pytest.raises(ValueError, match="inside an object of scene 2"):
        data.take([1, 0, 2]).scan(sensor=tuple(data.position[2, 0]))
