"""Pixels without a value are filled before a detector looks, and dark where points are read."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.errors import FrameError
from deepir.holes import patch_holes

FRAME = np.arange(30.0).reshape(5, 6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_a_whole_frame_is_left_alone(dtype):
    frame = FRAME.astype(dtype)
    patched = patch_holes(frame)
    assert patched.filled is frame
    assert patched.dark is frame
    assert patched.holes is None


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_hole_takes_the_nearest_value_and_the_darkest(hole):
    frame = FRAME.copy()
    frame[2:4, 2:5] = hole
    patched = patch_holes(frame)
    rows, columns = np.nonzero(np.isfinite(frame))
    for row, column in np.argwhere(~np.isfinite(frame)):
        apart = np.hypot(rows - row, columns - column)
        nearest = frame[rows, columns][apart == apart.min()]
        assert patched.filled[row, column] in nearest
    np.testing.assert_array_equal(patched.holes, ~np.isfinite(frame))
    np.testing.assert_array_equal(patched.dark[patched.holes], 0)
    for part in (patched.filled, patched.dark):
        np.testing.assert_array_equal(part[~patched.holes], frame[~patched.holes])


@pytest.mark.parametrize("frame", [np.full((3, 3), np.nan), np.zeros((0, 3)), np.zeros(3)])
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(FrameError):
        patch_holes(frame)
