"""Box AP against a plain loop, and its laws."""

from __future__ import annotations

import numpy as np
import pytest
from oracles.box_ap import box_ap as plain_box_ap
from oracles.box_ap import overlap

from deepir.boxes import intersection_over_union
from deepir.metrics import BoxHits, box_ap

IOUS = (0.1, 0.3, 0.5, 0.75)


def boxes_of(rng, count):
    """Boxes on a small grid, so that equal overlaps and equal scores come up."""
    low = rng.integers(0, 8, (count, 2))
    return np.concatenate([low, low + rng.integers(1, 6, (count, 2))], axis=1).astype(float)


def frames(seed, count=6):
    rng = np.random.default_rng(seed)
    found = [boxes_of(rng, rng.integers(0, 7)) for _ in range(count)]
    scores = [rng.integers(0, 5, len(one)) / 4 for one in found]
    truth = [boxes_of(rng, rng.integers(0, 4)) for _ in range(count)]
    return found, scores, truth


def as_lists(parts):
    return [[part.tolist() for part in part_of] for part_of in parts]


@pytest.mark.parametrize("seed", range(60))
def test_ap_is_that_of_the_loop(seed):
    found, scores, truth = frames(seed)
    ap = box_ap(found, scores, truth, ious=IOUS)
    for iou in IOUS:
        assert ap[iou] == pytest.approx(plain_box_ap(*as_lists((found, scores, truth)), iou))


@pytest.mark.parametrize("seed", range(5))
def test_overlap_is_that_of_the_loop(seed):
    rng = np.random.default_rng(seed)
    a, b = boxes_of(rng, 5), boxes_of(rng, 4)
    wanted = [[overlap(one, other) for other in b.tolist()] for one in a.tolist()]
    np.testing.assert_allclose(intersection_over_union(a, b), wanted)
    np.testing.assert_array_equal(intersection_over_union(a, b), intersection_over_union(b, a).T)


def test_empty_boxes_overlap_nothing():
    overlap = intersection_over_union([[1, 1, 1, 1]], [[1, 1, 1, 1], [0, 0, 2, 2]])
    assert overlap.tolist() == [[0, 0]]
    assert intersection_over_union([], [[0, 0, 1, 1]]).shape == (0, 1)


def test_true_boxes_score_one_and_twins_of_them_are_false():
    _, _, truth = frames(3)
    ones = [np.linspace(1, 0.5, len(boxes)) for boxes in truth]
    assert box_ap(truth, ones, truth) == {0.3: 1.0, 0.5: 1.0}
    twice = [np.concatenate([boxes, boxes]) for boxes in truth]
    scores = [np.concatenate([one, one]) for one in ones]
    assert 0.3 < box_ap(twice, scores, truth)[0.5] < 1.0


def test_nothing_found_and_nothing_to_find_score_zero():
    box = [[0.0, 0, 2, 2]]
    assert box_ap([[]], [[]], [box]) == box_ap([box], [[0.5]], [[]]) == {0.3: 0.0, 0.5: 0.0}
    assert box_ap([], [], []) == {0.3: 0.0, 0.5: 0.0}


def test_a_detection_whose_target_is_taken_does_not_turn_to_another():
    truth = [[0, 0, 4, 4], [2, 0, 6, 4]]
    found = [[0, 0, 4, 4], [1, 0, 5, 4]]  # the second overlaps both alike, the first of them counts
    assert box_ap([found], [[0.9, 0.8]], [truth], ious=(0.3,)) == {0.3: 0.5}


@pytest.mark.parametrize("scores", [[0.5], [0.5, np.nan], [[0.5, 0.5]]])
def test_scores_that_do_not_fit_are_refused(scores):
    with pytest.raises(ValueError, match="need as many scores"):
        BoxHits().update([[0, 0, 1, 1], [2, 2, 3, 3]], scores, [])
