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


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    "turn",
    [lambda b: 20 - b[:, [2, 1, 0, 3]] * [1, -1, 1, -1] - [0, 20, 0, 20], lambda b: 3 * b - 7],
    ids=["mirror", "finer grid elsewhere"],
)
def test_turned_moved_and_scaled_frames_score_the_same(turn, seed):
    found, scores, truth = frames(seed)
    turned = [[turn(boxes) for boxes in part] for part in (found, truth)]
    assert box_ap(turned[0], scores, turned[1]) == box_ap(found, scores, truth)


@pytest.mark.parametrize("seed", range(10))
def test_a_rising_map_of_the_scores_changes_nothing(seed):
    found, scores, truth = frames(seed)
    bent = [np.exp(one) - 3 for one in scores]
    assert box_ap(found, bent, truth) == box_ap(found, scores, truth)


@pytest.mark.parametrize("seed", range(10))
def test_a_higher_overlap_is_never_easier(seed):
    values = list(box_ap(*frames(seed), ious=(0.1, 0.3, 0.5, 0.7, 0.9)).values())
    assert values == sorted(values, reverse=True)


def test_equal_scores_rank_in_the_order_given():
    right, wrong = [0, 0, 4, 4], [9, 9, 12, 12]
    ap = {
        order: box_ap([found], [[0.5, 0.5]], [[right]])[0.5]
        for order, found in (("right first", [right, wrong]), ("wrong first", [wrong, right]))
    }
    assert ap == {"right first": 1.0, "wrong first": 0.5}


@pytest.mark.parametrize(("iou", "ap"), [(0.5, 1.0), (np.nextafter(0.5, 1), 0.0)])
def test_an_overlap_exactly_at_the_threshold_hits(iou, ap):
    assert box_ap([[[0, 0, 4, 4]]], [[0.9]], [[[0, 0, 4, 2]]], ious=(iou,)) == {iou: ap}


def test_iterables_are_read_once_and_have_one_length():
    case = [[0.0, 0, 4, 4]], [0.9], [[0.0, 0, 4, 4]]
    assert box_ap(*(iter([part] * 3) for part in case))[0.5] == 1.0
    with pytest.raises(ValueError, match="argument"):
        box_ap([[]], [[]], [])


@pytest.mark.parametrize("scores", [[0.5], [0.5, np.nan], [[0.5, 0.5]]])
def test_scores_that_do_not_fit_are_refused(scores):
    with pytest.raises(ValueError, match="need as many scores"):
        BoxHits().update([[0, 0, 1, 1], [2, 2, 3, 3]], scores, [])
