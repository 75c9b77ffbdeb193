"""Whatever happens to a crop, its boxes stay on its targets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepir.structures import Sample
from deepir.training.augment import Crop, cut, cut_out, expose, paste, plant, turn, worsen

seeds = st.integers(0, 2**32 - 1)
TYPES = (np.uint8, np.uint16, np.float32)


def spot(*, shape=(40, 56), x=21, y=13, side=4, dtype=np.uint8):
    """A dark frame with one bright square, and its box."""
    image = np.zeros(shape, dtype)
    image[y : y + side, x : x + side] = 200
    return image, np.array([[x, y, x + side, y + side]], np.float32)


def light_inside(crop):
    """Share of the brightness that the boxes of a crop hold."""
    inside = np.zeros(crop.image.shape, bool)
    for x0, y0, x1, y1 in crop.boxes:
        inside[int(np.floor(y0)) : int(np.ceil(y1)), int(np.floor(x0)) : int(np.ceil(x1))] = True
    levels = crop.image.astype(float).clip(0)
    return levels[inside].sum() / levels.sum()


@settings(max_examples=50)
@given(seeds)
def test_turning_moves_boxes_with_their_pixels(seed):
    image, boxes = spot()
    crop = turn(Crop(image, boxes), np.random.default_rng(seed))
    (x0, y0, x1, y1), *others = crop.boxes.astype(int)
    assert others == []
    assert (crop.image[y0:y1, x0:x1] == 200).all()
    assert (crop.image == 200).sum() == 16
    assert sorted(crop.image.shape) == [40, 56]


def test_all_eight_turns_come():
    rng = np.random.default_rng(0)
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    turned = {
        turn(Crop(image, np.zeros((0, 4), np.float32)), rng).image.tobytes() for _ in range(99)
    }
    assert len(turned) == 8


@pytest.mark.parametrize(
    "dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"]
)
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.9])
def test_frames_of_any_dtype_are_resized_in_it(dtype, scale):
    image, boxes = spot(dtype=np.uint8)
    image //= 2  # int8 holds it
    crop = cut(image.astype(dtype), boxes, (0, 0, 56, 40), scale)
    assert crop.image.dtype == np.dtype(dtype)
    assert crop.image.shape == (round(40 * scale), round(56 * scale))
    wanted = cut(image, boxes, (0, 0, 56, 40), scale).image.astype(float)
    difference = np.abs(crop.image.astype(float).clip(0) - wanted)
    assert np.median(difference) < 1e-3
    assert difference.max() <= 1


@pytest.mark.parametrize(("dtype", "level"), [("f2", 6e4), ("f4", 3e38)])
@pytest.mark.parametrize("seed", range(5))
def test_levels_at_the_end_of_a_dtype_stay_numbers(dtype, level, seed):
    rng = np.random.default_rng(seed)
    image = (rng.random((40, 40)) * level).astype(dtype)
    crop = worsen(expose(Crop(image, np.zeros((0, 4), np.float32)), rng), rng)
    assert crop.image.dtype == np.dtype(dtype)
    assert np.isfinite(crop.image).all()


@settings(max_examples=50)
@given(
    st.integers(0, 20),
    st.integers(0, 12),
    st.integers(26, 56),
    st.integers(18, 40),
    st.floats(0.5, 2.0),
)
def test_cutting_keeps_the_box_on_the_target(x0, y0, x1, y1, scale):
    image, boxes = spot()
    crop = cut(image, boxes, (x0, y0, x1, y1), scale)
    assert len(crop.boxes) == 1
    height, width = crop.image.shape
    assert abs(width - (x1 - x0) * scale) <= 1
    assert abs(height - (y1 - y0) * scale) <= 1
    left, top, right, bottom = crop.boxes[0]
    assert 0 <= left < right <= width + 1e-4
    assert 0 <= top < bottom <= height + 1e-4
    assert light_inside(crop) > 0.8  # resizing spreads light over the edge
    peak = np.unravel_index(crop.image.argmax(), crop.image.shape)
    assert left - 1 <= peak[1] <= right
    assert top - 1 <= peak[0] <= bottom


@pytest.mark.parametrize("window", [(0, 0, 22, 14), (24, 0, 56, 40), (0, 16, 56, 40)])
def test_a_target_whose_centre_is_cut_off_is_none(window):
    assert len(cut(*spot(), window, 1.0).boxes) == 0


def test_a_box_that_sticks_out_is_cut():
    crop = cut(*spot(), (22, 0, 56, 40), 1.0)
    assert crop.boxes.tolist() == [[0, 13, 3, 17]]


def test_cutting_changes_no_frame():
    image, boxes = spot()
    crop = cut(image, boxes, (10, 5, 50, 35), 1.0)
    crop.image[:] = 7
    assert image.max() == 200
    assert (image == 7).sum() == 0


@pytest.mark.parametrize("change", [expose, worsen])
@pytest.mark.parametrize("dtype", TYPES)
@settings(max_examples=50)
@given(seed=seeds)
def test_levels_change_and_targets_stay(change, dtype, seed):
    image, boxes = spot(dtype=dtype)
    image = (image + np.random.default_rng(1).integers(20, 30, image.shape)).astype(dtype)
    crop = change(Crop(image, boxes), np.random.default_rng(seed))
    assert crop.image.dtype == dtype
    assert crop.image.shape == image.shape
    np.testing.assert_array_equal(crop.boxes, boxes)
    inside = crop.image[13:17, 21:25].astype(float)
    outside = crop.image.astype(float)
    outside[10:20, 18:28] = -np.inf
    assert inside.max() > outside.max()


@pytest.mark.parametrize("dtype", TYPES)
@settings(max_examples=50)
@given(seed=seeds)
def test_planted_targets_lie_in_their_boxes(dtype, seed):
    rng = np.random.default_rng(seed)
    image = rng.normal(90, 3, (64, 64)).astype(dtype)
    own = np.array([[30, 30, 34, 34]], np.float32)
    crop = plant(Crop(image, own), rng)
    assert crop.image.dtype == dtype
    assert len(crop.boxes) <= 3
    np.testing.assert_array_equal(crop.boxes[:1], own)
    for x0, y0, x1, y1 in crop.boxes[1:].astype(int):
        gained = crop.image.astype(float) - image
        assert gained[y0:y1, x0:x1].max() > 0
    np.testing.assert_array_equal(crop.image[30:34, 30:34], image[30:34, 30:34])


class TestPasting:
    cutouts = cut_out(*spot())

    @settings(max_examples=50)
    @given(seed=seeds)
    def test_a_pasted_target_lies_in_its_box(self, seed):
        rng = np.random.default_rng(seed)
        image = rng.normal(90, 3, (64, 64)).astype(np.uint8)
        own = np.array([[30, 30, 34, 34]], np.float32)
        crop = paste(Crop(image, own), self.cutouts, rng)
        np.testing.assert_array_equal(crop.boxes[:1], own)
        gained = crop.image.astype(float) - image
        if len(crop.boxes) == 1:  # no place was free
            assert not gained.any()
            return
        x0, y0, x1, y1 = crop.boxes[1].astype(int)
        assert (x1 - x0, y1 - y0) == (4, 4)
        inside = gained[y0:y1, x0:x1].copy()
        gained[y0:y1, x0:x1] = 0
        assert inside.min() > 0
        assert inside.sum() > gained.sum()

    def test_an_oblong_target_is_pasted_upright_or_lying(self):
        image, boxes = np.zeros((40, 50), np.uint8), np.array([[20, 10, 28, 13]], np.float32)
        image[10:13, 20:28] = 99
        oblong = cut_out(image, boxes)
        empty = Crop(np.full((64, 64), 50, np.uint8), np.zeros((0, 4), np.float32))
        sides = set()
        for seed in range(20):
            crop = paste(empty, oblong, np.random.default_rng(seed))
            x0, y0, x1, y1 = crop.boxes[0].astype(int)
            sides.add((x1 - x0, y1 - y0))
            assert (crop.image[y0:y1, x0:x1] > 50).all()
        assert sides == {(8, 3), (3, 8)}

    def test_nothing_to_paste_or_no_room_changes_nothing(self):
        image, boxes = spot()
        rng = np.random.default_rng(0)
        assert paste(Crop(image, boxes), [], rng).image is image
        small = Crop(image[:9, :9], np.zeros((0, 4), np.float32))
        assert len(paste(small, self.cutouts, rng).boxes) == 0

    def test_dark_targets_and_those_at_the_border_are_not_taken(self):
        image, boxes = spot()
        assert len(cut_out(image, boxes)) == 1
        assert cut_out(255 - image, boxes) == []
        assert cut_out(*spot(x=1)) == []
        assert cut_out(*spot(y=36)) == []

    def test_a_cutout_is_the_contrast_to_its_surroundings(self):
        (one,) = cut_out(spot()[0] + np.uint8(30), spot()[1])
        x0, y0, x1, y1 = one.box
        assert (one.contrast[y0:y1, x0:x1] == 200).all()
        assert one.contrast.sum() == 200 * 16
        assert one.edge[y0 + 1, x0 + 1] > one.edge[y0, x0] > one.edge[0, 0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 2), (5, 5)])
@pytest.mark.parametrize("change", [turn, expose, worsen, plant])
def test_a_frame_of_a_few_pixels_is_no_trouble(change, shape):
    frame = Sample(np.arange(np.prod(shape), dtype=np.uint8).reshape(shape), np.zeros((0, 4)))
    crop = change(Crop(frame.image, frame.boxes), np.random.default_rng(3))
    assert sorted(crop.image.shape) == sorted(shape)
    assert len(crop.boxes) == 0
