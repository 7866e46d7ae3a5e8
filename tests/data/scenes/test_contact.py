"""Laws of shapes: area, distance and first contact against outlines of many points and small steps."""

from itertools import product

import numpy as np
import pytest

from mmcourse.data.scenes.attributes import SHAPES
from mmcourse.data.scenes.contact import dot, first_contact, gap, pair
from mmcourse.data.scenes.outlines import CIRCLE, EXTENTS
from tests.data.scenes.brute import inside, outline

PAIRS = list(product(range(len(SHAPES)), repeat=2))
over_pairs = pytest.mark.parametrize(("a", "b"), PAIRS, ids=lambda i: SHAPES[i])


def difference(a, b, sizes):
    return pair(np.array(a), np.array(sizes[0]), np.array(b), np.array(sizes[1]))


def overlap(a, b, sizes, offset, edges):
    """Whether B at `offset` overlaps A, by the points of both outlines."""
    return inside(a, sizes[0], *(edges[1] + offset).T).any() or inside(b, sizes[1], *(edges[0] - offset).T).any()


@pytest.mark.parametrize("shape", range(len(SHAPES)), ids=SHAPES)
def test_equal_size_is_equal_area_about_the_centre_of_mass(shape):
    x, y = np.meshgrid(*[(np.arange(1200) + 0.5) / 300 - 2] * 2)
    within = inside(shape, 1.0, x, y)
    assert within.sum() / 300**2 == pytest.approx(np.pi, rel=1e-3)
    assert abs(x[within].mean()) < 1e-3
    assert abs(y[within].mean()) < 2e-3
    reach = [-x[within].min(), x[within].max(), -y[within].min(), y[within].max()]
    assert EXTENTS[shape] == pytest.approx(reach, abs=0.01)


@over_pairs
def test_the_gap_is_the_distance_of_the_outlines_or_a_bound_of_it_with_its_sign(a, b):
    rng = np.random.default_rng([1, a, b])
    for _ in range(12):
        sizes = rng.uniform(0.5, 1.5, size=2)
        edges = outline(a, sizes[0]), outline(b, sizes[1])
        turn = rng.uniform(0, 2 * np.pi)
        offset = rng.uniform(0.3, 2.5) * sizes.sum() * np.array([np.cos(turn), np.sin(turn)])
        found, normal = gap(difference(a, b, sizes), offset)
        if abs(found) < 0.03:
            continue  # too near to call with points
        assert (found < 0) == overlap(a, b, sizes, offset, edges)
        if found > 0:
            apart = edges[0][:, None] - (edges[1] + offset)
            nearest = np.hypot(apart[..., 0], apart[..., 1]).min()
            assert found <= nearest + 1e-12
        # A small step along the normal parts them by as much.
        step = gap(difference(a, b, sizes), offset + 1e-6 * normal)[0]
        assert (step - found) / 1e-6 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("shape", range(len(SHAPES)), ids=SHAPES)
@pytest.mark.parametrize("radius", [0.0, 0.7])
def test_the_gap_to_a_circle_or_a_point_is_the_distance_itself(shape, radius):
    rng = np.random.default_rng([4, shape])
    edge = outline(shape, 1.0, 20_000)
    for turn, far in zip(rng.uniform(0, 2 * np.pi, 30), rng.uniform(2, 4, 30), strict=True):
        offset = far * np.array([np.cos(turn), np.sin(turn)])
        nearest = np.hypot(*(edge - offset).T).min() - radius
        assert gap(difference(shape, CIRCLE, (1.0, radius)), offset)[0] == pytest.approx(nearest, abs=1e-3)
        assert gap(difference(CIRCLE, shape, (radius, 1.0)), -offset)[0] == pytest.approx(nearest, abs=1e-3)


@over_pairs
def test_first_contact_is_where_steps_first_overlap(a, b):
    rng = np.random.default_rng([2, a, b])
    hits = 0
    for _ in range(20):
        sizes = rng.uniform(0.5, 1.5, size=2)
        turn, slant = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5)
        offset = 6 * np.array([np.cos(turn), np.sin(turn)])
        velocity = rng.uniform(0.5, 2) * np.array([-np.cos(turn + slant), -np.sin(turn + slant)])
        time, normal = first_contact(difference(a, b, sizes), offset, velocity)
        edges = outline(a, sizes[0]), outline(b, sizes[1])
        steps = np.linspace(0, 10 / np.hypot(*velocity), 400)
        touched = [step for step in steps if overlap(a, b, sizes, offset + step * velocity, edges)]
        if not touched:  # missed, or grazed between two points
            assert time == np.inf or gap(difference(a, b, sizes), offset + (time + 0.05) * velocity)[0] > -0.05
            continue
        hits += 1
        assert touched[0] - steps[1] - 0.05 <= time <= touched[0] + 1e-9
        there = offset + time * velocity
        assert gap(difference(a, b, sizes), there)[0] == pytest.approx(0, abs=1e-12)
        assert dot(normal, velocity) < 0
        assert np.hypot(*normal) == pytest.approx(1)
    assert hits >= 5


@over_pairs
def test_what_touches_meets_at_once_if_it_approaches_and_never_if_it_parts(a, b):
    rng = np.random.default_rng([3, a, b])
    sizes = rng.uniform(0.5, 1.5, size=2)
    between = difference(a, b, sizes)
    for turn in rng.uniform(0, 2 * np.pi, size=20):
        towards = -np.array([np.cos(turn), np.sin(turn)])
        time, normal = first_contact(between, -6 * towards, towards)
        there = -6 * towards + time * towards
        again, _ = first_contact(between, there, towards)
        assert again == pytest.approx(0, abs=1e-9)
        back = towards - 2 * dot(towards, normal) * normal
        assert first_contact(between, there, back)[0] == np.inf
        assert first_contact(between, there, np.zeros(2))[0] == np.inf


def test_a_flat_approach_and_one_along_a_face_are_no_division_by_zero():
    square, size = np.array(SHAPES.index("square")), np.array(1.0)
    between = pair(square, size, square, size)
    side = np.sqrt(np.pi)
    assert first_contact(between, np.array([3.0, 0.0]), np.array([-1.0, 0.0]))[0] == pytest.approx(3 - side)
    assert first_contact(between, np.array([3.0, side + 0.01]), np.array([-1.0, 0.0]))[0] == np.inf
    assert first_contact(between, np.array([3.0, side - 0.01]), np.array([-1.0, 0.0]))[0] == pytest.approx(3 - side)
