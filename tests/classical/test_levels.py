"""Frames of any depth on the scale from 0 to 255."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.check_frame import check_frame

from deepir.classical.levels import eight_bit_scale


def test_whole_levels_on_the_scale_stay_as_they_are():
    for image in (check_frame(), check_frame().astype(np.float32), np.array([[0, 1]], bool)):
        np.testing.assert_array_equal(eight_bit_scale(image), image)


@pytest.mark.parametrize("image", [[[0.5, 1.0, 0.75]], [[-3, 5, 1]], [[0, 256, 128]]])
def test_all_others_are_stretched_from_their_extremes(image):
    np.testing.assert_allclose(eight_bit_scale(image), [[0, 255, 127.5]])


def test_only_the_values_decide_not_the_type():
    wanted = eight_bit_scale(np.array([[0, 300]], np.uint16))
    np.testing.assert_array_equal(eight_bit_scale(np.array([[0.0, 300.0]], np.float32)), wanted)


@pytest.mark.parametrize(("level", "wanted"), [(7, 7.0), (0.5, 0.0), (-2, 0.0), (9000, 0.0)])
def test_a_constant_frame_stays_or_becomes_black(level, wanted):
    assert eight_bit_scale(np.full((2, 3), level)).tolist() == [[wanted] * 3] * 2


def test_wide_ranges_stay_finite():
    assert eight_bit_scale([[-1e100, 1e100, 0.0]]).tolist() == [[0.0, 255.0, 127.5]]
