"""Samples and detections are checked once, at the border, and say what came."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepir.errors import DeepirError, FrameError
from deepir.structures import Detections, Sample, as_boxes, best_first, check_image

FRAME = np.zeros((4, 6), dtype=np.uint8)


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "<u2", "<i2", "<u4", "<i8", "<f2", "<f4", "<f8"], ids=str
)
def test_an_image_keeps_its_depth(dtype):
    image = np.arange(6).reshape(2, 3).astype(dtype)
    checked = check_image(image)
    assert checked.dtype == image.dtype
    np.testing.assert_array_equal(checked, image)


@pytest.mark.parametrize(
    ("given_dtype", "wanted"), [(bool, np.uint8), (">u2", "<u2"), (np.longdouble, np.float64)]
)
def test_odd_numbers_become_native_ones(given_dtype, wanted):
    checked = check_image(np.eye(3).astype(given_dtype))
    assert checked.dtype == wanted
    np.testing.assert_array_equal(checked, np.eye(3))


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        (np.zeros((2, 3, 3)), r"\(2, 3, 3\)"),
        (np.zeros(5), r"\(5,\)"),
        (7, r"\(\)"),
        (np.zeros((0, 4)), r"\(0, 4\)"),
        (np.zeros((4, 0)), r"\(4, 0\)"),
        (np.zeros((2, 2), dtype=complex), "complex128"),
        ([["a"]], "<U1"),
        ([[None]], "object"),
        (np.full((2, 3), np.nan), "none of the 6 pixels"),
        ([[np.inf, -np.inf]], "none of the 2 pixels"),
        ([[0, 1e101]], r"1e\+101"),
        ([[-1e200, np.nan]], r"1e\+200"),
    ],
)
def test_what_is_no_frame_is_refused_with_its_value(image, shown):
    with pytest.raises(FrameError, match=shown):
        check_image(image)


def test_one_finite_pixel_is_enough():
    assert check_image([[np.nan, 1.0, np.inf]]).shape == (1, 3)


@pytest.mark.parametrize("empty", [[], (), np.zeros((0, 4)), np.zeros((0, 7)), np.zeros((3, 0))])
def test_no_box_has_shape_0_4(empty):
    boxes = as_boxes(empty)
    assert boxes.shape == (0, 4)
    assert boxes.dtype == np.float32


@pytest.mark.parametrize(
    ("boxes", "shown"),
    [
        ([1, 2, 3, 4], r"\(4,\)"),
        ([[1, 2, 3]], r"\(1, 3\)"),
        ([[0, 0, np.nan, 1]], "nan"),
        ([[0, 0, np.inf, 1]], "inf"),
        ([[0, 0, 1e10, 1]], "10000000000"),
    ],
)
def test_what_are_no_boxes_is_refused_with_its_value(boxes, shown):
    with pytest.raises(ValueError, match=shown):
        as_boxes(boxes)


def test_a_sample_holds_what_it_was_given():
    sample = Sample(FRAME, [[1, 0, 6, 4]], mask=FRAME, id="one")
    assert sample.boxes.dtype == np.float32
    assert sample.mask.dtype == bool
    assert sample.path is None


@pytest.mark.parametrize("box", [[0, 0, 6, 4], [5, 3, 6, 4], [0.5, 0.25, 0.75, 3.5]])
def test_a_box_may_touch_the_border(box):
    assert Sample(FRAME, [box]).boxes.tolist() == [box]


@pytest.mark.parametrize(
    ("box", "complaint"),
    [
        ([2, 1, 2, 3], r"\(2, 1, 2, 3\) of 'one' is empty"),
        ([2, 3, 4, 1], r"\(2, 3, 4, 1\) of 'one' is empty"),
        ([-1, 0, 2, 2], r"\(-1, 0, 2, 2\) of 'one' leaves its frame of 6x4"),
        ([0, -0.5, 2, 2], r"\(0, -0.5, 2, 2\) of 'one' leaves"),
        ([4, 1, 7, 3], r"\(4, 1, 7, 3\) of 'one' leaves"),
        ([4, 1, 5, 4.5], r"\(4, 1, 5, 4.5\) of 'one' leaves"),
    ],
)
def test_a_box_lies_inside_and_is_not_empty(box, complaint):
    with pytest.raises(FrameError, match=complaint):
        Sample(FRAME, [box], id="one")


def test_a_mask_has_the_size_of_its_image():
    with pytest.raises(FrameError, match=r"'one' has \(4, 6\).*\(6, 4\)"):
        Sample(FRAME, [], mask=FRAME.T, id="one")


def test_a_bad_frame_is_one_of_our_errors():
    assert issubclass(FrameError, DeepirError)
    assert issubclass(DeepirError, ValueError)


@pytest.mark.parametrize("value", [Sample(FRAME, []), Detections([], [])], ids=["sample", "found"])
def test_values_are_frozen(value):
    with pytest.raises(AttributeError):
        value.boxes = None


@pytest.mark.parametrize("nothing", [[], np.zeros((0, 2)), np.zeros(0)])
def test_no_detection_is_legal(nothing):
    found = Detections(nothing, [], [])
    assert (len(found), found.points.shape, found.boxes.shape) == (0, (0, 2), (0, 4))
    assert len(found.above(-np.inf)) == len(found.top(5)) == 0


@pytest.mark.parametrize(
    ("points", "scores", "boxes", "shown"),
    [
        ([[1, 2]], [0.5, 0.4], None, r"\(1, 2\) and \(2,\)"),
        ([[1, 2, 3]], [0.5], None, r"\(1, 3\)"),
        ([[1, 2]], 0.5, None, r"\(\)"),
        ([[1, 2], [3, 4]], [0.5, np.nan], None, r"NaN at \[1\]"),
        ([[1, 2], [3, 4]], [0.4, 0.5], None, r"\[0.4 0.5\]"),
        ([[1, 2]], [0.5], np.zeros((2, 4)), "1 scores .* got 2"),
    ],
)
def test_detections_that_do_not_fit_are_refused_with_their_value(points, scores, boxes, shown):
    with pytest.raises(ValueError, match=shown):
        Detections(points, scores, boxes)


ranked = st.lists(st.integers(-3, 3).map(float), max_size=8)


def numbered(scores):
    """Arguments of detections that carry their place of input in point and box."""
    places = np.arange(len(scores), dtype=float)
    return np.stack([places, -places], axis=1), scores, np.outer(places, [1, 1, 2, 2])


@given(ranked)
def test_best_first_sorts_and_keeps_the_order_of_equals(scores):
    found = best_first(*numbered(scores))
    wanted = sorted(range(len(scores)), key=lambda place: -scores[place])
    assert found.points[:, 0].tolist() == wanted
    assert found.boxes[:, 0].tolist() == wanted
    assert found.scores.tolist() == [scores[place] for place in wanted]


@given(ranked, st.integers(0, 9), st.floats(-4, 4))
def test_above_and_top_are_prefixes(scores, count, threshold):
    found = best_first(*numbered(scores))
    assert found.above(threshold).scores.tolist() == [s for s in found.scores if s >= threshold]
    assert found.top(count).points.tolist() == found.points[:count].tolist()
    assert found.top(count).boxes.tolist() == found.boxes[:count].tolist()


def test_infinite_scores_are_numbers():
    assert Detections([[0, 0], [1, 1]], [np.inf, -np.inf]).above(0).points.tolist() == [[0, 0]]
