"""Laws of pictures: every pixel is the mean of what it covers; boxes and masks say where the objects are."""

from itertools import combinations

import numpy as np
import pytest

from mmcourse.data.scenes import COLOURS, FLOOR, SHAPES
from mmcourse.data.scenes.coverage import circle_coverage, polygon_coverage
from tests.data.scenes.brute import inside, objects, world

SIZE = 48
ROUNDING = 2e-6  # of float32
PALETTE = np.array([*COLOURS.values()])


def pooled(images):
    """The mean of every two by two pixels."""
    *front, height, width = images.shape
    return images.reshape(*front, height // 2, 2, width // 2, 2).mean(axis=(-3, -1))


# Coverage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("objects_", [(1, 4), (6, 6)], ids=str)
def test_a_mask_is_the_share_of_points_of_a_pixel_inside_the_shape(objects_):
    data, fine = world(12, objects=objects_), 24
    places = (np.arange(SIZE * fine) + 0.5) / (SIZE * fine)
    masks = data.masks(SIZE)
    assert masks.dtype == np.float32
    for row, slot in objects(data):
        x, y = np.meshgrid(places - data.position[row, slot, 0], 1 - places - data.position[row, slot, 1])
        points = inside(data.shape[row, slot], data.radius[row, slot], x, y)
        shares = points.reshape(SIZE, fine, SIZE, fine).mean(axis=(1, 3))
        # A straight edge through fine x fine points misjudges a pixel by at most about 1 / fine.
        assert np.abs(masks[row, slot] - shares).max() < 1.1 / fine
        assert np.abs(masks[row, slot] - shares).mean() < 1e-3


@pytest.mark.parametrize("size", [16, 31, 64])
def test_pixels_add_up_to_the_area_of_the_object(size):
    data = world(80)
    areas = data.masks(size).sum(axis=(2, 3), dtype=float) / size**2
    assert areas[data.present] == pytest.approx(np.pi * data.radius[data.present] ** 2, rel=1e-5)
    assert (areas[~data.present] == 0).all()


def test_a_coarse_picture_is_the_mean_of_a_fine_one():
    data = world(100)
    assert np.abs(pooled(data.images(64)) - data.images(32)).max() < ROUNDING
    assert np.abs(pooled(data.masks(96)) - data.masks(48)).max() < ROUNDING


def test_coverage_knows_areas_by_hand():
    square = np.array([[[1.0, 1.0], [3.5, 1.0], [3.5, 2.25], [1.0, 2.25]]])
    wanted = [[0, 0, 0, 0], [0, 1, 1, 0.5], [0, 0.25, 0.25, 0.125], [0, 0, 0, 0]]
    for corners in (square, square[:, ::-1]):
        assert polygon_coverage(corners, 4)[0] == pytest.approx(np.array(wanted))
    triangle = np.array([[[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]])
    assert polygon_coverage(triangle, 2)[0] == pytest.approx(np.array([[1, 0.5], [0.5, 0]]))
    quarter = circle_coverage(np.array([[2.0, 2.0]]), np.array([1.0]), 4)[0]
    assert quarter[1:3, 1:3] == pytest.approx(np.pi / 4)
    assert quarter.sum() == pytest.approx(np.pi)
    tiny = circle_coverage(np.array([[0.5, 1.5]]), np.array([0.1]), 2)[0]
    assert tiny == pytest.approx(np.array([[0, 0], [0.01 * np.pi, 0]]))


def test_coverage_sees_nothing_of_what_is_outside():
    square = np.array([[-1.0, -1.0], [1.5, -1.0], [1.5, 1.5], [-1.0, 1.5]])
    assert polygon_coverage(square[None], 3)[0] == pytest.approx(np.outer([1, 0.5, 0], [1, 0.5, 0]))
    assert circle_coverage(np.array([[0.0, 0.0]]), np.array([2.0]), 3).sum() == pytest.approx(np.pi)


# Pictures -----------------------------------------------------------------------------------------------------------


def test_a_picture_is_floor_and_objects_by_their_masks():
    data = world(100)
    images, masks = data.images(SIZE), data.masks(SIZE)
    assert images.shape == (100, 3, SIZE, SIZE)
    assert images.dtype == np.float32
    wanted = np.broadcast_to(np.array(FLOOR)[:, None, None], images.shape).copy()
    for row, slot in objects(data):
        wanted[row] += masks[row, slot] * (PALETTE[data.colour[row, slot]] - FLOOR)[:, None, None]
    assert np.abs(images - wanted).max() < ROUNDING


def test_the_middle_of_an_object_has_its_colour_and_masks_never_exceed_a_pixel():
    data = world(100)
    images, masks = data.images(SIZE), data.masks(SIZE)
    assert masks.min() >= 0
    assert masks.sum(axis=1).max() <= 1 + ROUNDING
    for row, slot in objects(data):
        x, y = (data.position[row, slot] * [SIZE, -SIZE] + [0, SIZE]).astype(int)
        assert images[row, :, y, x] == pytest.approx(PALETTE[data.colour[row, slot]], abs=ROUNDING)


def test_up_is_up_and_left_is_left():
    """An object in the upper left corner of the room is in that of the picture."""
    data = world(300, objects=(1, 1))
    high_left = data.take((data.position[:, 0] * [1, -1] < [0.4, -0.6]).all(axis=1))
    ink = high_left.masks(32)[:, 0]
    assert (ink[:, :16, :16].sum(axis=(1, 2)) > 0.5 * ink.sum(axis=(1, 2))).all()


def test_a_triangle_stands_on_its_side():
    data = world(100, shapes=("triangle",), objects=(1, 1))
    ink = data.masks(SIZE)[:, 0]
    for mask in ink:
        widths = mask.sum(axis=1)
        rows = np.flatnonzero(widths > 0.5)
        assert widths[rows[-2]] > 2 * widths[rows[1]]


@pytest.mark.parametrize("size", [16, 32, 65])
def test_boxes_enclose_masks_and_nothing_more(size):
    data = world(100)
    boxes, masks = data.boxes(size), data.masks(size)
    assert np.isnan(boxes[~data.present]).all()
    for row, slot in objects(data):
        left, top, right, bottom = boxes[row, slot]
        rows, columns = (np.flatnonzero(masks[row, slot].max(axis=axis) > 1e-9) for axis in (1, 0))
        # The first pixel with ink holds the edge of the box; the last likewise. Tips cover little of their pixel.
        assert int(top) <= rows[0] <= int(top) + 1
        assert int(left) <= columns[0] <= int(left) + 1
        assert np.ceil(bottom) - 2 <= rows[-1] <= np.ceil(bottom) - 1
        assert np.ceil(right) - 2 <= columns[-1] <= np.ceil(right) - 1
    assert data.boxes(2 * size)[data.present] == pytest.approx(2 * boxes[data.present])


# Video --------------------------------------------------------------------------------------------------------------


def test_a_video_begins_with_the_picture_and_shows_every_instant_as_a_picture():
    data = world(10)
    video = data.video(32, frames=5, frame_rate=4.0)
    assert video.shape == (10, 5, 3, 32, 32)
    assert video.dtype == np.float32
    assert np.array_equal(video[:, 0], data.images(32))
    position, _ = data.motion(1.0).at([0.25, 0.5, 0.75, 1.0])
    for frame in range(4):
        moved = data.changed(position=position[:, frame])
        assert np.array_equal(video[:, frame + 1], moved.images(32))


def test_a_faster_camera_sees_the_same_between():
    data = world(6)
    slow, fast = data.video(32, frames=3, frame_rate=4.0), data.video(32, frames=5, frame_rate=8.0)
    assert np.abs(slow - fast[:, ::2]).max() < ROUNDING
    assert np.array_equal(data.video(32, frames=1)[:, 0], data.images(32))


@pytest.mark.parametrize("signal", ["images", "masks", "boxes", "video"])
def test_refuses_a_picture_too_small_to_show_shapes(signal):
    with pytest.raises(ValueError, match="size: got 15 pixels, wanted at least 16"):
        getattr(world(2), signal)(15)


@pytest.mark.parametrize("options", [{"frames": 0}, {"frame_rate": 0.0}, {"frame_rate": float("inf")}])
def test_refuses_a_video_without_frames(options):
    with pytest.raises(ValueError, match="wanted 1 or more at a positive rate"):
        world(2).video(32, **options)


# Colours ------------------------------------------------------------------------------------------------------------

# How eyes see that lack one kind of cone, on linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
VISIONS = {
    "usual": np.eye(3),
    "without long": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "without medium": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "without short": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(srgb, vision):
    """CIE L*a*b* of what such an eye sees."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    relative = to_xyz @ np.clip(np.array(vision) @ linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(relative > 0.008856, np.cbrt(relative), 7.787 * relative + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISIONS.values(), ids=VISIONS)
def test_every_eye_tells_the_colours_apart(vision):
    seen = {name: lab(np.array(rgb), vision) for name, rgb in {**COLOURS, "floor": FLOOR}.items()}
    for a, b in combinations(seen, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 25, (a, b)


def test_shapes_differ_in_a_small_picture():
    """At 32 pixels two shapes of one size in one place differ by more than a tenth of their ink."""
    data = world(1, objects=(1, 1), sizes=("small",)).changed(position=np.array([[[0.51, 0.48]]]))
    inks = [data.changed(shape=np.array([[kind]])).masks(32)[0, 0] for kind in range(len(SHAPES))]
    for a, b in combinations(inks, 2):
        assert np.abs(a - b).sum() > 0.1 * a.sum()
