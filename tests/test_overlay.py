"""Pictures mark detections where they are, and leave the rest of the frame alone."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.overlay import INSET_PX, LONG_SIDE_PX, draw_overlay, stretch_to_8bit
from deepir.structures import Detections

NONE = Detections([], [])
SHAPE = (80, 120)
FACTOR = LONG_SIDE_PX // SHAPE[1]
REACH_PX = 30  # of marks and their number around a box, in pixels of the picture


def frame(shape=SHAPE, dtype=np.uint8, top=255):
    rng = np.random.default_rng(4)
    return rng.integers(0, top + 1, shape).astype(dtype)


def layout(picture, shape):
    """The part of a picture that shows the frame, below its caption."""
    factor = max(1, LONG_SIDE_PX // max(shape))
    height, width = shape[0] * factor, shape[1] * factor
    return picture[picture.shape[0] - height :, :width]


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 800), (90, 1), (3, 2), (8, 700), (20, 700), (80, 120), (700, 800)]
)
@pytest.mark.parametrize("count", [0, 1, 6])
def test_a_picture_holds_frame_insets_and_caption(shape, count):
    rows = np.linspace(0, shape[0] - 1, count)
    points = np.column_stack([np.full(count, shape[1] - 1), rows])
    picture = draw_overlay(frame(shape), Detections(points, np.arange(count)[::-1]))
    factor = max(1, LONG_SIDE_PX // max(shape))
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert picture.shape[0] > shape[0] * factor
    assert picture.shape[1] >= shape[1] * factor + INSET_PX


def test_the_bare_frame_is_shown_without_a_detection():
    shown = layout(draw_overlay(frame(), NONE), SHAPE)
    grey = np.kron(stretch_to_8bit(frame()), np.ones((FACTOR, FACTOR), np.uint8))
    np.testing.assert_array_equal(shown, np.repeat(grey[:, :, None], 3, axis=2))


def changed(found):
    """Pixels of the shown frame that marks of the detections change."""
    bare, marked = (layout(draw_overlay(frame(), one), SHAPE) for one in (NONE, found))
    return (bare != marked).any(axis=2)


BOXES = [(50, 30, 56, 35), (0, 0, 3, 3), (116, 77, 120, 80), (20, 60, 21, 61)]


@pytest.mark.parametrize("box", BOXES)
def test_brackets_are_around_the_box_and_nothing_else_changes(box):
    marks = changed(Detections([[box[0], box[1]]], [1.0], [box]))
    x0, y0, x1, y1 = (FACTOR * side for side in box)
    rows, columns = np.nonzero(marks)
    assert marks.any()
    assert not marks[y0:y1, x0:x1].any()
    assert columns.min() >= x0 - REACH_PX
    assert columns.max() <= x1 + REACH_PX
    assert rows.min() >= y0 - REACH_PX
    assert rows.max() <= y1 + REACH_PX


def test_brackets_stand_at_all_four_corners():
    x0, y0, x1, y1 = (FACTOR * side for side in BOXES[0])
    marks = changed(Detections([[50, 30]], [1.0], [BOXES[0]]))
    for y, x in ((y0, x0), (y0, x1), (y1, x0), (y1, x1)):
        assert marks[y - 10 : y + 11, x - 10 : x + 11].any()
    middle = (x0 + x1) // 2
    assert not marks[y0 - 10 : y1 + 11, middle - 1 : middle + 2].any()


@pytest.mark.parametrize(
    "point", [(0, 0), (119, 79), (120, 80), (119.5, 0.5), (0.5, 79.5), (60.25, 40.75)]
)
def test_points_without_boxes_are_marked_where_they_are(point):
    marks = changed(Detections([point], [0.5]))
    rows, columns = np.nonzero(marks)
    x, y = (FACTOR * side for side in point)
    assert abs(columns - x).max() <= REACH_PX + 4 * FACTOR
    assert abs(rows - y).max() <= REACH_PX + 4 * FACTOR


def test_every_detection_is_marked():
    corners = np.array([[5, 5, 8, 8], [100, 5, 103, 8], [5, 60, 8, 63], [100, 60, 103, 63]])
    boxes = np.concatenate([corners, [[50, 30, 53, 33]]])
    marks = changed(Detections(boxes[:, :2], np.arange(5)[::-1], boxes))
    for x0, y0, x1, y1 in FACTOR * boxes:
        assert marks[y0 - 10 : y1 + 11, x0 - 10 : x1 + 11].any()


def test_the_image_is_left_alone():
    image = frame()
    before = image.copy()
    draw_overlay(image, Detections([[3, 3]], [1.0]))
    np.testing.assert_array_equal(image, before)


def holed(value):
    image = frame().astype(float)
    image[10:20, 10:20] = value
    return image


@pytest.mark.parametrize(
    "image",
    [
        frame(dtype=np.uint16, top=16383),
        frame().astype(np.float16),
        holed(np.nan),
        holed(np.inf),
        holed(-np.inf),
        np.zeros(SHAPE),
        np.full(SHAPE, 65535, np.uint16),
    ],
    ids=["14-bit", "half", "NaN", "infinite", "minus infinite", "black", "saturated"],
)
@pytest.mark.parametrize("point", [(15, 15), (0, 0), (119.5, 79.5)])
def test_any_frame_can_be_drawn(image, point):
    found = Detections([point, (60, 40)], [9.0, 1e-12])
    picture = draw_overlay(image, found, title="a title|µ" * 20)
    assert picture.shape == draw_overlay(frame(), found).shape


def test_gain_and_depth_do_not_change_the_picture():
    found = Detections([[30, 30]], [1.0])
    wide = frame().astype(np.uint16) * 64
    np.testing.assert_array_equal(draw_overlay(wide, found), draw_overlay(frame(), found))


def test_a_target_larger_than_an_inset_is_drawn():
    draw_overlay(frame(), Detections([[60, 40]], [1.0], [[0, 0, 120, 80]]))


@pytest.mark.parametrize(
    ("image", "grey"),
    [
        ([[0, 500, 1000]], [[0, 128, 255]]),
        ([[-5.0, 0.0]], [[0, 255]]),
        ([[np.nan, 0, 1, np.inf]], [[0, 0, 255, 0]]),
        ([[7, 7]], [[128, 128]]),
        (np.array([[0, 65535]], np.uint16), [[0, 255]]),
    ],
)
def test_levels_are_stretched_to_black_and_white(image, grey):
    stretched = stretch_to_8bit(image, percentiles=(0, 100))
    assert stretched.dtype == np.uint8
    assert stretched.tolist() == grey


def test_a_few_hot_pixels_do_not_darken_the_picture():
    image = frame((100, 100))
    hot = image.astype(np.uint16)
    hot[0, :5] = 65535
    difference = stretch_to_8bit(hot).astype(int) - stretch_to_8bit(image)
    assert np.abs(difference[1:]).max() <= 2


def test_a_lone_target_is_seen_where_percentiles_are_equal():
    image = np.zeros((100, 100))
    image[50, 50] = 3
    assert stretch_to_8bit(image)[50, 50] == 255


def test_holes_of_a_constant_frame_are_black():
    assert stretch_to_8bit([[np.nan, 5.0, 5.0]]).tolist() == [[0, 128, 128]]
