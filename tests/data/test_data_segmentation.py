"""Masks in COCO's forms: outlines by pixel centres, run lengths plain and packed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from deepir.data.segmentation import fill_outline, read_segmentation, run_lengths, shared_mask
from deepir.errors import FrameError

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))


def packed(counts):
    """COCO's packed form of run lengths, number by number."""
    text = ""
    for place, count in enumerate(counts):
        number = count - counts[place - 2] if place > 2 else count
        while True:
            digit, number = number & 31, number >> 5
            more = number != (-1 if digit & 16 else 0)
            text += chr(48 + (digit | (32 if more else 0)))
            if not more:
                break
    return text


def inside(points, x, y):
    """Whether the ray to the right of a point crosses an outline an odd number of times."""
    odd = False
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        if (y0 <= y) != (y1 <= y):
            odd ^= x < x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    return odd


class TestRunLengths:
    @given(MASKS)
    def test_reading_what_was_written_is_identity(self, mask):
        value = run_lengths(mask)
        np.testing.assert_array_equal(read_segmentation(value, mask.shape), mask)
        short = {**value, "counts": packed(value["counts"])}
        np.testing.assert_array_equal(read_segmentation(short, mask.shape), mask)

    def test_runs_go_down_the_columns(self):
        read = read_segmentation({"size": [3, 2], "counts": [1, 3, 2]}, (3, 2))
        assert read.astype(int).tolist() == [[0, 1], [1, 0], [1, 0]]

    def test_a_frame_of_a_million_pixels_is_a_few_characters(self):
        mask = np.zeros((1000, 1000), bool)
        mask[400:405, 600] = True
        counts = run_lengths(mask)["counts"]
        assert counts == [600_400, 5, 399_595]
        assert len(packed(counts)) == 10

    @pytest.mark.parametrize(
        "counts",
        [
            [],
            [5],
            [2, 3],
            [-1, 5],
            [2, "2"],
            [1e9],
            [2.0, 2.0],
            None,
            {},
            7,
            "",
            "é",
            "P",
            "000",
            "o" * 16,
            "\x00",
        ],
    )
    def test_what_are_no_runs_of_the_frame_is_a_bad_frame(self, counts):
        with pytest.raises(FrameError):
            read_segmentation({"size": [2, 2], "counts": counts}, (2, 2))

    @pytest.mark.parametrize("size", [[3, 2], [10**12, 10**12], None, "22", [2]])
    def test_another_size_is_named_with_the_frames(self, size):
        with pytest.raises(FrameError, match=r"\[H, W\].*\[2, 3\]"):
            read_segmentation({"size": size, "counts": [6]}, (2, 3))


class TestOutlines:
    @given(
        st.lists(
            st.tuples(*[st.integers(-8, 40).map(lambda quarter: quarter / 4 + 0.03)] * 2),
            min_size=3,
            max_size=8,
        )
    )
    def test_pixels_with_their_centre_inside_are_the_mask(self, points):
        mask = fill_outline(np.array(points), (7, 9))
        expected = [[inside(points, x + 0.5, y + 0.5) for x in range(9)] for y in range(7)]
        np.testing.assert_array_equal(mask, expected)

    def test_a_rectangle_is_its_pixels_either_way_round(self):
        outline = [2, 1, 5, 1, 5, 4, 2, 4]
        back = [2, 1, 2, 4, 5, 4, 5, 1]
        expected = np.zeros((6, 8), bool)
        expected[1:4, 2:5] = True
        for each in ([outline], [back], [outline, back]):
            np.testing.assert_array_equal(read_segmentation(each, (6, 8)), expected)

    @pytest.mark.parametrize("outline", [[], [1, 1], [1, 1, 2, 2], [0.6, 0.6, 0.9, 0.6, 0.9, 0.9]])
    def test_what_holds_no_centre_is_no_pixel(self, outline):
        assert not read_segmentation([outline], (4, 4)).any()

    @pytest.mark.parametrize(
        "outline",
        [[1, 2, 3], ["a", "b"], [None, 1], 7, [[1, 2]], [1e300, 1], [10**400, 1], {}, "ab"],
    )
    def test_what_is_no_row_of_points_is_a_bad_frame(self, outline):
        with pytest.raises(FrameError, match="an outline is a list of numbers"):
            read_segmentation([outline], (4, 4))

    @pytest.mark.parametrize("value", ["x", 7, {"size": [4, 4]}, True])
    def test_another_form_is_a_bad_frame(self, value):
        with pytest.raises(FrameError, match="outlines or run lengths"):
            read_segmentation(value, (4, 4))


class TestSharing:
    @given(MASKS, st.lists(st.tuples(*[st.integers(0, 9)] * 4), min_size=1, max_size=4))
    def test_the_parts_make_up_the_whole(self, mask, corners):
        boxes = np.array([(x, y, x + w + 1, y + h + 1) for x, y, w, h in corners], np.float32)
        parts = list(shared_mask(mask, boxes))
        assert len(parts) == len(boxes)
        np.testing.assert_array_equal(np.sum(parts, axis=0), mask)

    def test_a_pixel_goes_to_the_box_that_it_is_in_or_nearest_to(self):
        mask = np.zeros((4, 12), bool)
        mask[1, [1, 5, 10]] = True
        boxes = np.array([(9, 0, 12, 4), (0, 0, 3, 4)], np.float32)
        right, left = shared_mask(mask, boxes)
        assert np.flatnonzero(right[1]).tolist() == [10]
        assert np.flatnonzero(left[1]).tolist() == [1, 5]
