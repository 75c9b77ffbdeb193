"""Pixel scores count pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepir.metrics import PixelCounts, pixel_counts, pixel_scores
from deepir.metrics.pixel import PixelOverlap

shapes = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))
pairs = shapes.flatmap(lambda shape: st.tuples(*[hnp.arrays(bool, shape)] * 2))
EMPTY, FULL = np.zeros((2, 3), dtype=bool), np.ones((2, 3), dtype=bool)


@given(pairs)
def test_scores_are_ratios_of_counted_pixels(pair):
    predicted, truth = pair
    hit = sum(p and t for p, t in zip(predicted.flat, truth.flat, strict=True))
    claimed, wanted = predicted.sum(), truth.sum()
    union = claimed + wanted - hit
    score = pixel_scores(predicted, truth)
    assert score.iou == (hit / union if union else 1.0)
    assert score.precision == (hit / claimed if claimed else 0.0)
    assert score.recall == (hit / wanted if wanted else 0.0)
    assert score.f1 == pytest.approx(2 * hit / (claimed + wanted) if union else 0.0)


@given(pairs, st.sampled_from(["one", "skip", "zero"]))
def test_niou_is_the_mean_over_frames_that_count(pair, empty):
    ious = []
    for predicted, truth in zip(*pair, strict=True):
        union = (predicted | truth).sum()
        if union:
            ious.append((predicted & truth).sum() / union)
        elif empty != "skip":
            ious.append(float(empty == "one"))
    wanted = np.mean(ious) if ious else 0.0
    assert pixel_scores(*pair, empty=empty).niou == pytest.approx(wanted)


@given(pairs)
def test_overlap_is_symmetric_and_errors_change_sides(pair):
    forth, back = pixel_scores(*pair), pixel_scores(*reversed(pair))
    assert (forth.iou, forth.niou, forth.f1) == (back.iou, back.niou, back.f1)
    assert (forth.precision, forth.recall) == (back.recall, back.precision)


@pytest.mark.parametrize(
    "turn",
    [lambda stack: stack[:, ::-1], lambda stack: stack[..., ::-1], lambda stack: stack.mT],
    ids=["upside down", "mirror", "transpose"],
)
@given(pairs)
def test_turning_the_frames_changes_nothing(turn, pair):
    assert pixel_scores(*map(turn, pair)) == pixel_scores(*pair)


@given(pairs)
def test_feeding_frames_is_the_set_at_once(pair):
    counts = PixelCounts()
    for predicted, truth in zip(*pair, strict=True):
        counts.update(predicted, truth)
    assert counts.score() == pixel_scores(*pair)
    assert counts.overlap == pixel_counts(*pair)


def test_a_perfect_mask_scores_one():
    score = pixel_scores([FULL], [FULL])
    assert (score.iou, score.niou, score.precision, score.recall, score.f1) == (1, 1, 1, 1, 1)


@pytest.mark.parametrize(("empty", "niou"), [("one", 1.0), ("skip", 0.0), ("zero", 0.0)])
def test_frames_without_pixels_have_stated_scores(empty, niou):
    score = pixel_scores([EMPTY], [EMPTY], empty=empty)
    assert (score.iou, score.niou, score.precision, score.recall, score.f1) == (1, niou, 0, 0, 0)


def test_no_frame_has_stated_scores():
    assert (PixelCounts().score().iou, PixelCounts().score().niou) == (1.0, 0.0)


def test_any_level_above_zero_is_in_the_mask():
    assert pixel_counts([[0, 255, 1]], [[0.0, 0.5, 0.0]]) == PixelOverlap(1, 1, 0)


def test_masks_have_one_shape():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        pixel_counts(FULL, FULL.T)
