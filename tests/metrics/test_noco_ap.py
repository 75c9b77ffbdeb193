"""NoCo average precision equals a loop over detections, and keeps its symmetries."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import noco_ap as oracle
from oracles.noco_cases import columns, frames, sets, sets_without_ties

from deepir.metrics import THRESHOLDS, NocoHits, match_points, noco_ap, noco_hits
from deepir.metrics.noco_ap import average_precision
from deepir.noco import noco_map, noco_peaks

pytestmark = pytest.mark.filterwarnings("ignore:.* outside the .* count as false alarms")
TRUTH = np.full((4, 6), 0.95)
BOX = [[1, 1, 4, 3]]


@given(sets)
def test_ap_is_that_of_a_loop_over_detections_and_thresholds(cases):
    score = noco_ap(*columns(cases))
    for threshold in THRESHOLDS:
        wanted = oracle.noco_ap(*columns(cases), threshold)
        assert score.by_threshold[threshold] == pytest.approx(wanted, abs=1e-12)
    assert score.mean == pytest.approx(np.mean(list(score.by_threshold.values())))


@given(frames())
def test_each_hit_is_that_of_the_loop(case):
    points, noco, boxes = case
    ranked = np.array(sorted(points, key=lambda row: -row[2])).reshape(-1, 3)
    value, earlier = match_points(ranked[:, :2], noco, boxes)
    for threshold in THRESHOLDS:
        hits = (earlier <= threshold) & (threshold < value)
        wanted = oracle.frame_hits(points, noco, boxes, threshold)
        assert hits.tolist() == [hit for _, hit in wanted]


@given(sets)
def test_recall_counts_the_boxes_found_and_caps_ap(cases):
    score = noco_ap(*columns(cases))
    targets = sum(len(boxes) for *_, boxes in cases)
    for threshold in THRESHOLDS:
        hits = [hit for case in cases for _, hit in oracle.frame_hits(*case, threshold)]
        recall = score.recall_by_threshold[threshold]
        assert recall == (sum(hits) / targets if targets else 0.0)
        assert score.by_threshold[threshold] <= recall + 1e-12
    assert score.mean <= score.recall_cap + 1e-12
    assert (score.targets, score.detections) == (targets, sum(len(case[0]) for case in cases))


@given(sets)
def test_a_rising_map_of_the_scores_changes_nothing(cases):
    bent = [([(x, y, np.exp(s) - 3) for x, y, s in points], *rest) for points, *rest in cases]
    assert noco_ap(*columns(bent)) == noco_ap(*columns(cases))


@given(sets_without_ties, st.randoms())
def test_without_ties_the_order_of_frames_and_points_does_not_matter(cases, chance):
    shuffled = [(chance.sample(points, len(points)), *rest) for points, *rest in cases]
    chance.shuffle(shuffled)
    before, after = noco_ap(*columns(cases)), noco_ap(*columns(shuffled))
    assert before.by_threshold == pytest.approx(after.by_threshold)
    assert before.recall_by_threshold == after.recall_by_threshold


@given(sets_without_ties)
def test_a_perfect_order_reaches_the_recall_cap(cases):
    def ordered(points, noco, boxes, threshold):
        hits = oracle.frame_hits(points, noco, boxes, threshold)
        best = sorted(points, key=lambda row: -row[2])
        return [
            (x, y, score + 1e6 * hit) for (x, y, score), (_, hit) in zip(best, hits, strict=True)
        ]

    threshold = 0.5
    sorted_cases = [(ordered(*case, threshold), *case[1:]) for case in cases]
    score = noco_ap(*columns(sorted_cases))
    assert score.by_threshold[threshold] == pytest.approx(score.recall_by_threshold[threshold])


def planted(seed, shape=(40, 50)):
    """A frame with three bright targets, their boxes, and their NoCo peaks."""
    rng = np.random.default_rng(seed)
    image, boxes = (
        rng.normal(50, 1, shape),
        np.array([[5, 6, 10, 11], [25, 8, 28, 11], [40, 30, 47, 35]]),
    )
    for x0, y0, x1, y1 in boxes:
        image[(y0 + y1) // 2, (x0 + x1) // 2] += 150
    return image, boxes


@pytest.mark.parametrize("seed", range(3))
def test_peaks_of_perfect_boxes_score_one(seed):
    image, boxes = planted(seed)
    rows = np.column_stack([noco_peaks(image, boxes), [0.3, 0.9, 0.5]])
    assert noco_ap([rows], [noco_map(image, boxes)], [boxes]).mean == 1.0


@pytest.mark.parametrize("axis", [0, 1])
def test_mirrored_frames_score_the_same(axis):
    image, boxes = planted(7)
    rng = np.random.default_rng(8)
    false = np.column_stack([rng.integers(12, 24, 9), rng.integers(14, 28, 9), rng.random(9)])
    rows = np.concatenate([np.column_stack([noco_peaks(image, boxes), [0.3, 0.9, 0.5]]), false])
    size = image.shape[1 - axis]
    mirrored_rows, mirrored_boxes = rows.copy(), boxes.copy()
    mirrored_rows[:, axis] = size - 1 - rows[:, axis]
    mirrored_boxes[:, [axis, axis + 2]] = size - boxes[:, [axis + 2, axis]]
    mirrored = np.flip(image, 1 - axis)
    before = noco_ap([rows], [noco_map(image, boxes)], [boxes])
    after = noco_ap([mirrored_rows], [noco_map(mirrored, mirrored_boxes)], [mirrored_boxes])
    assert 0.3 < before.mean < 1
    assert after.by_threshold == pytest.approx(before.by_threshold)


@pytest.mark.parametrize(
    ("rows", "boxes", "ap"),
    [
        ([[2, 2, 0.5]], BOX, 1.0),
        ([[4, 3, 0.5]], BOX, 1.0),  # the far border belongs to the box
        ([[4.01, 3, 0.5]], BOX, 0.0),
        ([[0, 0, 0.9], [2, 2, 0.5]], BOX, 0.5),
        ([[2, 2, 0.9], [3, 2, 0.5]], BOX, 1.0),  # a second hit counts as false, after the first
        ([[2, 2, 0.9], [3, 2, 0.5]], [*BOX, [1, 1, 4, 3]], 0.5),  # even if a later box holds it
        ([[3, 2, 0.9], [5, 3, 0.5]], [*BOX, [2, 1, 6, 4]], 1.0),  # the first box takes the first
        ([[3, 2, 0.9], [5, 3, 0.5]], [[2, 1, 6, 4], *BOX], 0.5),
        ([[6, 4, 0.5]], [[3, 2, 6, 4]], 1.0),  # the far corner reads the last pixel
        ([], BOX, 0.0),
        ([[2, 2, 0.5]], [], 0.0),
        ([], [], 0.0),
    ],
)
def test_small_cases_by_hand(rows, boxes, ap):
    assert noco_ap([rows], [TRUTH], [boxes]).mean == ap


@pytest.mark.parametrize(("value", "hits"), [(0.5, 4), (0.1, 0), (np.nextafter(0.9, 1), 9), (0, 0)])
def test_a_value_must_exceed_the_threshold(value, hits):
    score = noco_ap([[[2, 2, 1]]], [np.full((4, 6), value)], [BOX])
    assert sum(score.by_threshold.values()) == hits


@pytest.mark.parametrize(
    ("x", "column"), [(0.5, 0), (1.5, 2), (2.5, 2), (2.51, 3), (5.5, 5), (6, 5), (0, 0)]
)
def test_the_map_is_read_at_the_rounded_point_half_to_even(x, column):
    noco = np.arange(6.0)[None] / 10
    value, _ = match_points([[x, 0.5]], noco, [[0, 0, 6, 1]])
    assert value.tolist() == [column / 10]


@pytest.mark.parametrize(
    "place", [(-0.01, 1), (6.01, 1), (1, -1), (1, 4.5), (np.nan, 1), (1, np.inf)]
)
def test_points_outside_are_false_alarms_and_named(place):
    with pytest.warns(UserWarning, match=r"1 of 2 points lie outside the 6x4 frame"):
        score = noco_ap([[[*place, 0.9], [2, 2, 0.5]]], [TRUTH], [[[0, 0, 6, 4]]])
    assert score.mean == 0.5


def test_a_hole_in_the_map_is_no_hit():
    assert noco_ap([[[2, 2, 1]]], [np.full((4, 6), np.nan)], [BOX]).mean == 0


@pytest.mark.parametrize("thresholds", [(0.5,), (0.25, 0.5, 0.75)])
def test_thresholds_may_be_chosen(thresholds):
    score = noco_ap([[[2, 2, 1]]], [np.full((4, 6), 0.6)], [BOX], thresholds=thresholds)
    assert score.by_threshold == {level: float(level < 0.6) for level in thresholds}


@pytest.mark.parametrize("thresholds", [(), (0.5, 0.5), (0.9, 0.1), ((0.1, 0.2),)])
def test_thresholds_rise(thresholds):
    with pytest.raises(ValueError, match="thresholds rise"):
        NocoHits(thresholds)


@pytest.mark.parametrize(
    ("rows", "shown"),
    [([[1, 2]], r"\(1, 2\)"), ([1, 2, 3], r"\(3,\)"), ([[1, 2, np.nan]], r"\[0\]")],
)
def test_rows_that_do_not_fit_are_refused_with_their_value(rows, shown):
    with pytest.raises(ValueError, match=shown):
        noco_ap([rows], [TRUTH], [BOX])


def test_iterables_are_read_once_and_have_one_length():
    case = ([[2, 2, 0.5]], TRUTH, BOX)
    assert noco_ap(*(iter(part) for part in columns([case] * 3))).mean == 1.0
    with pytest.raises(ValueError, match="argument"):
        noco_ap([[]], [TRUTH, TRUTH], [BOX])


def test_a_set_fed_frame_by_frame_scores_as_at_once():
    image, boxes = planted(1)
    rows = np.column_stack([noco_peaks(image, boxes), [0.3, 0.9, 0.5]])
    hits = NocoHits()
    for _ in range(3):
        hits.update(rows, noco_map(image, boxes), boxes)
    whole = noco_hits([rows] * 3, [noco_map(image, boxes)] * 3, [boxes] * 3)
    assert hits.score() == whole.score()
    assert hits.targets.tolist() == [3, 3, 3]


def test_no_frame_scores_zero():
    score = noco_ap([], [], [])
    assert (score.mean, score.recall_cap, score.targets, score.detections) == (0, 0, 0, 0)


@given(st.lists(st.booleans(), max_size=12), st.integers(0, 4))
def test_average_precision_is_that_of_every_rank(hits, missed):
    targets = sum(hits) + missed
    listed = [(-rank, hit) for rank, hit in enumerate(hits)]
    wanted = oracle.average_precision(listed, targets) if targets else 0.0
    assert average_precision(np.flatnonzero(hits), targets) == pytest.approx(wanted)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_average_precision_of_more_hits_than_are_looked_at_together(share):
    hits = np.random.default_rng(0).random(5000) < share * np.linspace(0.2, 1, 5000)
    listed = [(-rank, hit) for rank, hit in enumerate(hits.tolist())]
    wanted = oracle.average_precision(listed, 6000)
    assert average_precision(np.flatnonzero(hits), 6000) == pytest.approx(wanted, rel=1e-12)


def test_scoring_inside_the_frame_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        noco_ap([[[6, 4, 1], [0, 0, 1]]], [TRUTH], [BOX])
