"""Local signal-to-clutter ratio by its definition."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from deepir.errors import FrameError
from deepir.scr import RING_PX, local_scr, ring_pixels

NOISE = np.random.default_rng(5).integers(0, 200, (70, 90)).astype(np.uint8)
BOX = (30, 25, 34, 28)


def plain_scr(image, box, boxes, target):
    """Loop over every pixel of the frame."""
    x0, y0, x1, y1 = box
    inside, ring = [], []
    for row, column in np.ndindex(image.shape):
        level = float(image[row, column])
        if target[row, column]:
            inside.append(level)
        near = y0 - 20 <= row < y1 + 20 and x0 - 20 <= column < x1 + 20
        if near and not any(a <= column < c and b <= row < d for a, b, c, d in (box, *boxes)):
            ring.append(level)
    return abs(statistics.fmean(inside) - statistics.fmean(ring)) / statistics.pstdev(ring)


def filled(box):
    mask = np.zeros(NOISE.shape, dtype=bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


@pytest.mark.parametrize(
    "box", [BOX, (0, 0, 1, 1), (85, 66, 90, 70), (0, 30, 90, 33)], ids=["inner", "a", "z", "wide"]
)
@pytest.mark.parametrize("others", [(), ((36, 25, 44, 31), (0, 0, 9, 9))], ids=["alone", "others"])
def test_ratio_is_that_of_a_plain_loop(box, others):
    assert local_scr(NOISE, box, boxes=others) == pytest.approx(
        plain_scr(NOISE, box, others, filled(box))
    )


def test_a_mask_narrows_the_target_but_not_the_hole_in_the_ring():
    mask = filled((31, 26, 33, 28))
    assert local_scr(NOISE, BOX, mask=mask) == pytest.approx(plain_scr(NOISE, BOX, (), mask))


@pytest.mark.parametrize(("gain", "offset"), [(1, 1000), (3, 0), (-2, 500), (0.01, -3)])
def test_gain_and_offset_do_not_matter(gain, offset):
    image = gain * NOISE.astype(np.float64) + offset
    assert local_scr(image, BOX) == pytest.approx(local_scr(NOISE, BOX))


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float16, np.float32])
def test_depth_does_not_matter(dtype):
    assert local_scr(NOISE.astype(dtype), BOX) == local_scr(NOISE, BOX)


def test_a_constant_ring_is_infinitely_quiet():
    image = np.full((50, 50), 7.0)
    assert local_scr(image, (20, 20, 22, 22)) == 0.0
    image[20, 20] = 8
    assert local_scr(image, (20, 20, 22, 22)) == math.inf


def test_without_a_ring_or_a_target_there_is_no_ratio():
    assert math.isnan(local_scr(np.ones((3, 3)), (0, 0, 3, 3)))
    assert math.isnan(local_scr(NOISE, BOX, mask=np.zeros(NOISE.shape, dtype=bool)))


def test_the_ring_is_clipped_and_without_targets():
    image = np.arange(100.0).reshape(10, 10)
    ring = ring_pixels(image, (4, 4, 6, 6), [(0, 0, 10, 4)])
    assert ring.tolist() == [v for v in image[4:].ravel() if v not in (44, 45, 54, 55)]
    width = 4 + 2 * RING_PX
    assert len(ring_pixels(NOISE, BOX, [])) == width * (width - 1) - 12


def test_what_is_no_frame_is_refused():
    with pytest.raises(FrameError, match=r"\(2, 3, 4\)"):
        local_scr(np.zeros((2, 3, 4)), BOX)
