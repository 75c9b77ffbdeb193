"""Target scores: the distance rule on masks, one-to-one hits of points, and their curve."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import distance_rule as oracle
from oracles.masks import any_pairs

from deepir.metrics import DistanceCounts, PointCurve, distance_counts, pd_fa, point_hits
from deepir.structures import Detections, best_first


@given(any_pairs)
def test_distance_rule_is_that_of_a_loop_over_components(pair):
    assert astuple(distance_counts(*pair)) == oracle.distance_counts(*pair)


@given(st.lists(any_pairs, max_size=3))
def test_counts_of_a_set_are_sums(pairs):
    total = pd_fa([p for p, _ in pairs], [t for _, t in pairs])
    columns = np.array([oracle.distance_counts(*pair) for pair in pairs]).reshape(-1, 4)
    assert astuple(total) == tuple(columns.sum(axis=0))
    assert total.pd == (total.hits / total.targets if total.targets else 0.0)
    assert total.fa == (total.false_pixels / total.pixels if pairs else 0.0)


@given(any_pairs)
def test_a_perfect_mask_hits_every_target(pair):
    truth = pair[1]
    counts = distance_counts(truth, truth)
    assert (counts.hits, counts.false_pixels) == (counts.targets, 0)


def dots(*columns):
    mask = np.zeros((1, 20), dtype=bool)
    mask[0, list(columns)] = True
    return mask


@pytest.mark.parametrize(("column", "hits"), [(2, 1), (3, 0)])
def test_three_pixels_away_is_no_hit(column, hits):
    assert distance_counts(dots(column), dots(0)).hits == hits


def test_components_of_equal_area_are_told_apart():
    assert distance_counts(dots(0, 9, 15), dots(0)) == DistanceCounts(1, 1, 2, 20)


def test_the_first_in_raster_order_wins_not_the_nearest():
    assert distance_counts(dots(2, 4), dots(4, 6)).hits == 2
    assert distance_counts(dots(4, 6), dots(2, 4)).hits == 2
    assert distance_counts(dots(4), dots(2, 4)).hits == 1


def test_masks_have_one_shape():
    with pytest.raises(ValueError, match=r"\(1, 20\).*\(20, 1\)"):
        distance_counts(dots(1), dots(1).T)


def plain_point_hits(points, reaches, targets):
    """Give each point, best first, the first free target in reach."""
    taken, hits = set(), []
    for point in points:
        free = [k for k in range(targets) if k not in taken and reaches(point, k)]
        taken |= set(free[:1])
        hits.append(bool(free))
    return hits


halves = st.integers(0, 20).map(lambda half: half / 2)
places = st.lists(st.tuples(halves, halves), max_size=6)


@given(places, st.lists(st.tuples(halves, halves, halves, halves), max_size=4))
def test_a_point_hits_the_first_free_box_that_contains_it(points, sides):
    boxes = [(x, y, x + w, y + h) for x, y, w, h in sides]

    def holds(point, k):
        x0, y0, x1, y1 = boxes[k]
        return x0 <= point[0] <= x1 and y0 <= point[1] <= y1

    wanted = plain_point_hits(points, holds, len(boxes))
    assert point_hits(points, boxes=boxes).tolist() == wanted


@given(places, places)
def test_a_point_hits_the_first_free_centroid_closer_than_three(points, centroids):
    def near(point, k):
        return np.hypot(point[0] - centroids[k][0], point[1] - centroids[k][1]) < 3

    wanted = plain_point_hits(points, near, len(centroids))
    assert point_hits(points, centroids=centroids).tolist() == wanted


@pytest.mark.parametrize("truth", [{"boxes": [[0, 0, 9, 9]]}, {"centroids": [[4, 4]]}])
def test_points_nowhere_hit_nothing(truth):
    places = [[np.nan, 4], [4, np.inf], [4, 4]]
    assert point_hits(places, **truth).tolist() == [False, False, True]


@pytest.mark.parametrize("truth", [{}, {"boxes": [], "centroids": []}])
def test_one_kind_of_truth_is_wanted(truth):
    with pytest.raises(ValueError, match="both or neither"):
        point_hits([[1, 1]], **truth)


BOX = [[0, 0, 2, 2]]
frame_scores = st.lists(
    st.tuples(
        st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 1.0, 2.0, 5.0])), max_size=5),
        st.sampled_from([BOX, [], [[0, 0, 2, 2], [8, 8, 9, 9]]]),
    ),
    max_size=4,
)


def curve_of(frames):
    """Curve of frames whose points lie in the first box (True) or nowhere."""
    curve = PointCurve()
    for listed, boxes in frames:
        points = [[1, 1] if near else [5, 5] for near, _ in listed]
        found = best_first(points, [score for _, score in listed])
        curve.update(found, (10, 10), boxes=boxes)
    return curve


@given(frame_scores)
def test_pd_at_is_the_best_threshold_of_all_tried(frames):
    curve = curve_of(frames)
    tried = [curve.at(t) for t in (np.inf, 5.0, 2.0, 1.0, 0.0)]
    for budget in (0.0, 0.3, 0.5, 1.0, 9.0):
        kept = [one.pd for one in tried if one.false_objects_per_frame <= budget]
        assert curve.pd_at(budget) == max(kept)


@given(frame_scores)
def test_threshold_at_is_the_lowest_score_within_the_budget(frames):
    curve = curve_of(frames)
    for budget in (0.0, 0.5, 1.0, 9.0):
        threshold = curve.threshold_at(budget)
        assert curve.at(threshold).false_objects_per_frame <= budget
        lower = [level for level in (5.0, 2.0, 1.0, 0.0) if level < threshold]
        for level in lower:
            at, chosen = curve.at(level), curve.at(threshold)
            same = at.false_objects.sum() + at.hits.sum() == (
                chosen.false_objects.sum() + chosen.hits.sum()
            )
            assert same or at.false_objects_per_frame > budget


@given(frame_scores)
def test_steps_are_the_scores_at_every_score_that_occurs(frames):
    curve = curve_of(frames)
    steps = curve.steps()
    levels = sorted({score for listed, _ in frames for _, score in listed}, reverse=True)
    assert steps.thresholds.tolist() == levels
    at = [curve.at(level) for level in levels]
    assert steps.hits.tolist() == [one.hits.sum() for one in at]
    assert steps.pd.tolist() == [one.pd for one in at]
    assert steps.false_objects_per_frame.tolist() == [one.false_objects_per_frame for one in at]


@given(frame_scores, st.lists(st.floats(0, 3), min_size=2, max_size=5))
def test_pd_at_rises_with_the_budget(frames, budgets):
    values = [curve_of(frames).pd_at(budget) for budget in sorted(budgets)]
    assert values == sorted(values)


@given(frame_scores, st.sampled_from([-1.0, 0.0, 1.5, 5.0, 6.0]))
def test_scores_at_a_threshold_are_those_of_the_detections_above(frames, threshold):
    scores = curve_of(frames).at(threshold)
    hits, false = [], []
    for listed, boxes in frames:
        taken = [near for near, score in listed if score >= threshold]
        hits.append(int(bool(boxes) and any(taken)))
        false.append(len(taken) - hits[-1])
    assert scores.hits.tolist() == hits
    assert scores.false_objects.tolist() == false
    assert scores.targets.tolist() == [len(boxes) for _, boxes in frames]
    targets, pixels = sum(scores.targets), 100 * len(frames)
    assert scores.pd == (sum(hits) / targets if targets else 0)
    assert scores.false_objects_per_frame == (np.mean(false) if frames else 0)
    assert scores.false_objects_per_megapixel == (1e6 * sum(false) / pixels if frames else 0)


def test_truth_may_be_centroids():
    curve = PointCurve()
    curve.update(Detections([[4, 4], [9, 9]], [2, 1]), (10, 10), centroids=[[5, 5]])
    assert (curve.frames, curve.pd_at(0), curve.at(1).false_objects.tolist()) == (1, 1.0, [1])


def test_no_frame_has_stated_scores():
    curve = PointCurve()
    at = curve.at(0.0)
    assert (curve.frames, curve.pd_at(1.0), at.pd) == (0, 0.0, 0.0)
    assert curve.threshold_at(1.0) == np.inf
    assert len(curve.steps().pd) == len(curve.steps().false_objects_per_frame) == 0
    assert (at.false_objects_per_frame, at.false_objects_per_megapixel) == (0.0, 0.0)
    assert (DistanceCounts().pd, DistanceCounts().fa) == (0.0, 0.0)
