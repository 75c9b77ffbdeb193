"""Randomly placed targets keep their distance and their SCR, or are left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepir.boxes import components, mask_from_boxes
from deepir.scr import local_scr
from deepir.simulate import place_targets
from deepir.simulate.placing import (
    BORDER_PX,
    DEFECT_PX,
    GAP_PX,
    draw_targets,
    place_drawn,
)


def noise(seed, shape=(90, 110)):
    return np.random.default_rng(seed).normal(120, 5, shape).round().astype(np.uint8)


def least_gap(boxes):
    """Smallest number of pixels between any two boxes, along the axis that parts them."""
    gaps = [
        np.maximum(one[:2] - two[2:], two[:2] - one[2:]).max()
        for number, one in enumerate(boxes)
        for two in boxes[:number]
    ]
    return min(gaps, default=np.inf)


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), count=st.integers(0, 8), size=st.floats(0, 6))
def test_distances_truth_and_scr(seed, count, size):
    old = np.array([[40, 40, 46, 45]], dtype=np.float32)
    image = noise(seed)
    rng = np.random.default_rng(seed)
    planted, boxes, mask = place_targets(
        image, count=count, rng=rng, scr=(6, 6), size=(0, size), boxes=old
    )
    assert len(boxes) <= count
    everyone = np.concatenate([old, boxes])
    assert least_gap(everyone) >= GAP_PX
    assert mask_from_boxes(boxes, image.shape)[mask].all()
    found = components(mask)
    assert sorted(found.boxes.tolist()) == sorted(boxes.tolist())
    for number, box in enumerate(found.boxes):
        own = found.labels == number + 1
        assert local_scr(planted, box, boxes=everyone, mask=own) == pytest.approx(6, rel=0.1)
        x0, y0, x1, y1 = box
        assert min(x0, y0, image.shape[1] - x1, image.shape[0] - y1) >= BORDER_PX
    np.testing.assert_array_equal(image, noise(seed))


def test_wanted_targets_are_usually_all_planted():
    found = [
        len(place_targets(noise(seed), count=2, rng=np.random.default_rng(seed), scr=(5, 5))[1])
        for seed in range(20)
    ]
    assert found == [2] * 20


def test_same_generator_same_bytes():
    first, second = (
        place_targets(noise(3), count=3, rng=np.random.default_rng(9)) for _ in range(2)
    )
    for one, two in zip(first, second, strict=True):
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (8, 300), (9, 9)])
def test_frames_too_small_get_no_target(shape):
    image = np.random.default_rng(0).normal(size=shape)
    planted, boxes, mask = place_targets(image, count=3, rng=np.random.default_rng(0))
    assert boxes.shape == (0, 4)
    assert not mask.any()
    np.testing.assert_array_equal(planted, image)


def test_more_targets_than_fit_ends():
    _, boxes, _ = place_targets(noise(0, (40, 40)), count=60, rng=np.random.default_rng(0))
    assert 3 <= len(boxes) < 16
    assert least_gap(boxes) >= GAP_PX


def test_no_target_returns_a_copy():
    image = noise(0)
    planted, boxes, mask = place_targets(image, count=0, rng=np.random.default_rng(0))
    assert planted is not image
    np.testing.assert_array_equal(planted, image)
    assert boxes.shape == (0, 4)
    assert not mask.any()


def test_saturated_frames_refuse_every_place():
    bright = noise(0) // 8 + 238
    _, boxes, _ = place_targets(bright, count=2, rng=np.random.default_rng(0), scr=(40, 40))
    assert len(boxes) == 0


def test_ceiling_is_respected():
    image = (16000 + 40 * np.random.default_rng(0).normal(size=(99, 99))).astype(np.uint16)
    planted, boxes, _ = place_targets(
        image, count=2, rng=np.random.default_rng(0), scr=(4, 4), ceiling=16383
    )
    assert len(boxes) == 2
    assert planted.max() <= 16383


def test_constant_frames_take_targets():
    image = np.full((80, 80), 50, dtype=np.uint8)
    planted, boxes, mask = place_targets(image, count=1, rng=np.random.default_rng(0), scr=(20, 20))
    assert len(boxes) == 1
    assert planted[mask].min() > 55


def test_defects_keep_away_from_targets():
    rng = np.random.default_rng(4)
    image = noise(4)
    defects = rng.random(image.shape) < 0.004
    image[defects] = 200
    drawn = draw_targets(6, rng, scr=(5, 8), sigma=(0.8, 1.2), size=(0, 3))
    planted, boxes, _ = place_drawn(
        image, drawn, rng, boxes=np.zeros((0, 4), np.float32), defects=defects, ceiling=None
    )
    assert len(boxes) >= 3
    for x0, y0, x1, y1 in boxes.astype(int):
        around = (slice(y0 - DEFECT_PX, y1 + DEFECT_PX), slice(x0 - DEFECT_PX, x1 + DEFECT_PX))
        assert not defects[around].any()
    assert (planted[defects] >= 200).all()


def test_looks_are_drawn_from_their_ranges():
    drawn = draw_targets(400, np.random.default_rng(0), scr=(3, 10), sigma=(0.7, 0.7), size=(1, 5))
    scr, sigma, size = np.array([(one.scr, one.sigma, one.size) for one in drawn]).T
    assert scr.min() == pytest.approx(3, abs=0.2)
    assert scr.max() == pytest.approx(10, abs=0.2)
    assert set(sigma) == {0.7}
    assert size.mean() == pytest.approx(3, abs=0.2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": -1}, "0 or more, got -1"),
        ({"scr": (9, 3)}, r"range of scr goes from low to high, got \(9, 3\)"),
        ({"sigma": (np.nan, 1)}, r"range of sigma goes from low to high, got \(nan, 1\)"),
        ({"size": (-1, 3)}, "0 or more, got -1"),
        ({"scr": (0, 3)}, "positive local SCR, got 0"),
        ({"scr": (3, np.inf)}, "finite numbers"),
    ],
)
def test_wishes_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        place_targets(noise(0), **{"count": 1, "rng": np.random.default_rng(0)} | options)
