"""The normalised-contrast map is its definition, and peaks are where it says they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import noco_map as oracle

from deepir.noco import noco_map, noco_peaks

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=10)
images = hnp.arrays(np.uint8, shapes)
corners = st.tuples(st.floats(-4, 12), st.floats(-4, 12), st.floats(0.1, 6), st.floats(0.1, 6))
boxes_anywhere = st.lists(corners.map(lambda c: (c[0], c[1], c[0] + c[2], c[1] + c[3])), max_size=4)
some = settings(max_examples=40)
outside = pytest.mark.filterwarnings("ignore:box .* no pixel inside")


def scene(seed=0, shape=(24, 30)):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def flipped(boxes, width):
    return np.asarray(boxes)[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [width, 0, width, 0]


@outside
@some
@given(images, boxes_anywhere)
def test_map_is_that_of_a_loop_over_pixels(image, boxes):
    np.testing.assert_allclose(noco_map(image, boxes), oracle.noco_map(image, boxes), atol=1e-12)


@outside
@given(images, boxes_anywhere)
def test_map_lies_in_zero_to_one(image, boxes):
    values = noco_map(image, boxes)
    assert values.shape == image.shape
    assert values.dtype == np.float64
    assert values.min() >= 0
    assert values.max() < 1


def test_no_box_gives_zeros():
    np.testing.assert_array_equal(noco_map(scene(), []), np.zeros((24, 30)))


@pytest.mark.parametrize(
    "turn",
    [
        lambda image, boxes: (image[:, ::-1], flipped(boxes, image.shape[1]), np.fliplr),
        lambda image, boxes: (image.T, np.asarray(boxes)[:, [1, 0, 3, 2]], np.transpose),
    ],
    ids=["mirror", "transpose"],
)
def test_turning_the_frame_turns_the_map(turn):
    boxes = [[2, 3, 7, 6], [5, 4, 9, 10], [26, 20, 30, 24]]
    image, turned, back = turn(scene(), boxes)
    np.testing.assert_allclose(noco_map(image, turned), back(noco_map(scene(), boxes)), atol=1e-12)


def test_a_later_box_overwrites_an_earlier_one():
    first, second = [4, 4, 8, 8], [9, 5, 12, 9]
    both = noco_map(scene(), [first, second])
    alone = noco_map(scene(), [second])
    window = np.s_[1:13, 6:15]
    np.testing.assert_array_equal(both[window], alone[window])
    np.testing.assert_array_equal(both[:, :6], noco_map(scene(), [first])[:, :6])


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float16, np.float32, np.float64])
def test_depth_does_not_matter(dtype):
    boxes = [[4, 4, 8, 8]]
    np.testing.assert_array_equal(noco_map(scene().astype(dtype), boxes), noco_map(scene(), boxes))


@pytest.mark.parametrize(
    ("given_box", "same"), [([4.9, 4.1, 8.9, 8.9], [4, 4, 8, 8]), ([-0.9, 2, 3, 4], [0, 2, 3, 4])]
)
def test_map_truncates_toward_zero(given_box, same):
    np.testing.assert_array_equal(noco_map(scene(), [given_box]), noco_map(scene(), [same]))


def test_a_box_that_truncation_empties_adds_nothing():
    assert not noco_map(scene(), [[4.2, 4.2, 4.8, 9]]).any()


@pytest.mark.parametrize("box", [[40, 3, 44, 6], [-9, 3, -4, 6], [3, 24, 6, 28]])
def test_a_box_outside_is_named_and_adds_nothing(box):
    with pytest.warns(UserWarning, match=str(box[0])):
        values = noco_map(scene(), [box])
    assert not values.any()


@pytest.mark.parametrize(
    ("boxes", "shown"),
    [
        ([[5, 5, 5, 9]], "5.0, 5.0, 5.0, 9.0"),
        ([[5, 9, 8, 4]], "5.0, 9.0, 8.0, 4.0"),
        ([[1, 2, 3]], r"\(1, 3\)"),
        ([[1, 2, np.nan, 4]], "nan"),
    ],
)
def test_bad_boxes_are_refused_with_their_value(boxes, shown):
    with pytest.raises(ValueError, match=shown):
        noco_map(scene(), boxes)


@pytest.mark.parametrize("function", [noco_map, noco_peaks])
@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_only_holes_inside_a_window_matter(function, hole):
    image = scene().astype(float)
    image[20, 20] = hole
    assert np.isfinite(function(image, [[4, 4, 6, 6]])).all()
    with pytest.raises(ValueError, match=r"\(18, 18, 20, 20\).*NaN or infinite"):
        function(image, [[18, 18, 20, 20]])


@some
@given(images, boxes_anywhere, st.data())
def test_peak_is_the_highest_pixel_of_an_explicit_joint_map(image, boxes, data):
    believed = data.draw(st.lists(st.booleans(), min_size=len(boxes), max_size=len(boxes)))
    peaks = noco_peaks(image, boxes, believed=believed)
    assert peaks.shape == (len(boxes), 2)
    for own, (x, y) in enumerate(peaks.astype(int)):
        joint = oracle.joint_map(image, boxes, believed, own)
        x0, y0, x1, y1 = oracle.whole_pixels(boxes[own], image.shape)
        assert x0 <= x < x1
        assert y0 <= y < y1
        # Mirrored pixels of equal weight differ by rounding: the value is the law, not the place.
        assert joint[y, x] == pytest.approx(joint[y0:y1, x0:x1].max(), abs=1e-12)


CROWD = np.array([[3, 3, 7, 6], [6, 4, 9, 9], [20, 2, 24, 5], [5, 8, 10, 11]], dtype=float)


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [1, 3, 0, 2]])
def test_peaks_keep_the_order_of_the_input(order):
    np.testing.assert_array_equal(
        noco_peaks(scene(), CROWD[order]), noco_peaks(scene(), CROWD)[order]
    )


def test_all_boxes_are_believed_unless_said_otherwise():
    np.testing.assert_array_equal(
        noco_peaks(scene(), CROWD), noco_peaks(scene(), CROWD, believed=np.ones(4, dtype=bool))
    )


def test_unbelieved_boxes_are_judged_alone():
    apart = noco_peaks(scene(), CROWD, believed=np.zeros(4, dtype=bool))
    alone = [noco_peaks(scene(), CROWD[k : k + 1])[0] for k in range(4)]
    np.testing.assert_array_equal(apart, alone)


def test_a_weak_box_does_not_repaint_a_believed_one():
    believed = np.array([True, False, True, False])
    peaks = noco_peaks(scene(), CROWD, believed=believed)
    np.testing.assert_array_equal(peaks[believed], noco_peaks(scene(), CROWD[believed]))


@given(st.lists(st.floats(-30, 60), min_size=4, max_size=4))
def test_every_box_has_a_peak_inside_the_frame(box):
    ((x, y),) = noco_peaks(scene(), [box])
    assert 0 <= x < 30
    assert 0 <= y < 24
    assert (x, y) == (int(x), int(y))


@pytest.mark.parametrize("image", [np.zeros((9, 9)), np.full((9, 9), 255, np.uint8)])
def test_of_equal_maxima_the_first_in_row_major_order_wins(image):
    assert noco_peaks(image, [[3, 2, 6, 7]]).tolist() == [[3, 2]]


def test_a_bright_pixel_off_the_centre_is_the_peak():
    image = np.zeros((15, 15))
    image[6, 8] = 100
    assert noco_peaks(image, [[4, 5, 9, 10]]).tolist() == [[8, 6]]


def test_peaks_round_to_the_nearest_edge():
    np.testing.assert_array_equal(
        noco_peaks(scene(), [[3.6, 4.4, 8.6, 9.4]]), noco_peaks(scene(), [[4, 4, 9, 9]])
    )


def test_no_box_has_no_peak():
    assert noco_peaks(scene(), []).shape == (0, 2)


def test_flags_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"4 boxes .* \(2,\)"):
        noco_peaks(scene(), CROWD, believed=[True, False])
