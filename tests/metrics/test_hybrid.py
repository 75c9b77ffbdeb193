"""Hybrid IoU equals a loop over pairs of components, and its shares add up."""

from __future__ import annotations

from dataclasses import asdict, astuple, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import hybrid as oracle
from oracles.masks import any_pairs

from deepir.metrics import HybridCounts, HybridScores, hybrid_counts, hybrid_iou
from deepir.metrics.hybrid import hybrid_scores

sets = st.lists(any_pairs, min_size=1, max_size=3).map(
    lambda pairs: tuple(zip(*pairs, strict=True))
)
some = settings(max_examples=60)


@some
@given(sets)
def test_scores_are_those_of_a_loop_over_pairs(pair):
    assert asdict(hybrid_iou(*pair)) == pytest.approx(oracle.hybrid_scores(*pair), abs=1e-12)


@some
@given(sets)
def test_shares_add_up_to_one(pair):
    score = asdict(hybrid_iou(*pair))
    for part in ("seg", "loc"):
        total = sum(value for name, value in score.items() if name.startswith(part))
        assert total == pytest.approx(1) or total == 0
    assert score["hiou"] == score["seg_iou"] * score["loc_iou"]
    assert all(0 <= value <= 1 for value in score.values())


@given(any_pairs)
def test_a_perfect_mask_scores_one(pair):
    truth = pair[1]
    score = hybrid_iou([truth], [truth])
    assert (score.hiou, score.pd, score.fa) == ((1, 1, 0) if truth.any() else (0, 0, 0))


@given(any_pairs, any_pairs)
def test_counts_of_two_frames_add_up(one, other):
    total = hybrid_counts(*one) + hybrid_counts(*other)
    columns = zip(astuple(hybrid_counts(*one)), astuple(hybrid_counts(*other)), strict=True)
    assert astuple(total) == tuple(a + b for a, b in columns)
    assert asdict(hybrid_scores(total)) == pytest.approx(
        oracle.hybrid_scores(*zip(one, other, strict=True)), abs=1e-12
    )


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose])
@pytest.mark.parametrize("seed", range(5))
def test_turning_the_frames_changes_nothing(turn, seed):
    rng = np.random.default_rng(seed)
    pair = rng.random((2, 25, 31)) > 0.93
    turned = [turn(mask) for mask in pair]
    assert asdict(hybrid_scores(hybrid_counts(*turned))) == pytest.approx(
        asdict(hybrid_scores(hybrid_counts(*pair)))
    )


def blocks(*places, shape=(12, 40)):
    """Mask of rectangles x0 y0 x1 y1."""
    mask = np.zeros(shape, dtype=bool)
    for x0, y0, x1, y1 in places:
        mask[y0:y1, x0:x1] = True
    return mask


TARGET = (2, 2, 6, 6)
CASES = {
    "overlap matches far centroids": (
        blocks((0, 0, 16, 4)),
        blocks((0, 0, 8, 4)),
        {"hits": 1, "iou": 0.5, "interference": 0.5},
    ),
    "near but apart": (
        blocks((3, 2, 4, 3)),
        blocks((2, 4, 5, 5)),
        {"hits": 1, "interference": 0.25, "perception": 0.75},
    ),
    "two halves of a target": (
        blocks((2, 2, 6, 4), (2, 5, 6, 6)),
        blocks(TARGET),
        {"hits": 1, "false": 1, "false_pixels": 4, "iou": 0.5, "perception": 0.5},
    ),
    "one over two targets": (
        blocks((2, 2, 12, 4)),
        blocks((2, 2, 8, 4), (9, 2, 12, 4)),
        {"hits": 1, "missed": 1, "lone_missed": 1, "iou": 0.6, "merge": 0.3, "interference": 0.1},
    ),
    "far away": (
        blocks((30, 2, 34, 6)),
        blocks(TARGET),
        {"false": 1, "missed": 1, "lone_false": 1, "lone_missed": 1, "false_pixels": 16},
    ),
    "no prediction": (blocks(), blocks(TARGET), {"missed": 1, "lone_missed": 1}),
    "no target": (blocks(TARGET), blocks(), {"false": 1, "lone_false": 1, "false_pixels": 16}),
    "nothing": (blocks(), blocks(), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_small_cases_by_hand(case):
    predicted, truth, wanted = CASES[case]
    counts = asdict(hybrid_counts(predicted, truth))
    assert counts.pop("pixels") == 480
    assert {name: value for name, value in counts.items() if value} == pytest.approx(wanted)


def test_maps_are_cut_strictly_above_the_threshold():
    truth = blocks(TARGET)
    assert hybrid_iou([truth * 0.5], [truth]).hiou == 0
    assert hybrid_iou([truth * 0.51], [truth]).hiou == 1
    assert hybrid_iou([truth * 0.2], [truth], threshold=0.1).hiou == 1


def test_no_frame_scores_zero():
    assert astuple(hybrid_iou([], [])) == (0.0,) * len(fields(HybridScores))
    assert hybrid_scores(HybridCounts()) == hybrid_iou([], [])


def test_masks_have_one_shape_and_sets_one_length():
    with pytest.raises(ValueError, match=r"\(12, 40\) and \(40, 12\)"):
        hybrid_counts(blocks(), blocks().T)
    with pytest.raises(ValueError, match="argument"):
        hybrid_iou([blocks()], [])
