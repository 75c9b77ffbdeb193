"""Rows of hits, misses and false detections add up to the counts of the metrics."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from deepir.metrics.target import PointCurve
from deepir.noco import noco_map, noco_peaks
from deepir.outcomes import HEADS, Outcomes
from deepir.simulate import SimulatedFrames
from deepir.structures import Detections, Sample, best_first

SAMPLES = list(SimulatedFrames(4, seed=9, shape=(60, 70), targets=2))
OPERATING = 5.0


def named(rows):
    return [dict(zip(HEADS, row, strict=True)) for row in rows]


def rows_of(sample, points, scores, operating=OPERATING):
    outcomes = Outcomes(operating)
    outcomes.update(sample, best_first(points, scores))
    return named(outcomes.rows)


@pytest.fixture
def sample():
    """Two targets, at x 10 to 12 and x 30 to 34."""
    image = np.full((40, 50), 20.0)
    image[8:11, 10:13] += [[9, 9, 9], [9, 60, 9], [9, 9, 9]]
    image[20:25, 30:35] += 40
    return Sample(image, [[10, 8, 13, 11], [30, 20, 35, 25]], id="one")


def test_a_hit_tells_its_target_its_noco_and_its_distance(sample):
    first, missed = rows_of(sample, [[12, 9]], [7.0])
    assert (first["id"], first["outcome"], first["target"]) == ("one", "hit", 0)
    assert (first["x"], first["y"], first["score"]) == (12.0, 9.0, 7.0)
    assert first["noco"] == noco_map(sample.image, sample.boxes)[9, 12]
    assert first["distance"] == 1.0  # the middle pixel is x 11, y 9
    assert [first[side] for side in ("x0", "y0", "x1", "y1")] == [10.0, 8.0, 13.0, 11.0]
    assert (missed["outcome"], missed["target"], missed["x"]) == ("missed", 1, None)


def test_a_missed_target_names_the_best_candidate_below_the_threshold(sample):
    rows = rows_of(sample, [[30, 21], [31, 22], [3, 3]], [1.0, 4.0, 2.0])
    assert [row["outcome"] for row in rows] == ["missed", "missed"]
    assert rows[0]["score"] is rows[0]["noco"] is rows[0]["distance"] is None
    assert (rows[1]["x"], rows[1]["score"], rows[1]["distance"]) == (31.0, 4.0, 1.0)


def test_a_false_detection_names_no_target_and_how_far_the_nearest_is(sample):
    false = rows_of(sample, [[11, 29]], [9.0])[0]
    assert (false["outcome"], false["target"], false["x0"]) == ("false", None, None)
    assert (false["noco"], false["distance"]) == (0.0, 20.0)


def test_a_second_detection_in_a_box_is_false(sample):
    rows = rows_of(sample, [[11, 9], [12, 9]], [9.0, 8.0])
    assert [row["outcome"] for row in rows] == ["hit", "false", "missed"]
    assert rows[1]["noco"] > 0


def test_without_targets_there_is_no_distance():
    row = rows_of(Sample(np.ones((9, 9)), []), [[4, 4]], [9.0])[0]
    assert (row["outcome"], row["distance"], row["noco"]) == ("false", None, 0.0)


@pytest.mark.parametrize("point", [[500, 3], [np.nan, 3], [-1, -1], [np.inf, 0]])
def test_points_outside_are_false_and_warn_nobody_twice(sample, point):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = rows_of(sample, [point], [9.0])[0]
    assert (row["outcome"], row["noco"]) == ("false", 0.0)


def test_nothing_found_and_nothing_there_give_no_rows():
    assert rows_of(Sample(np.ones((9, 9)), []), [], []) == []


@pytest.mark.parametrize("seed", range(4))
def test_rows_add_up_to_pd_and_false_objects(seed):
    rng = np.random.default_rng(seed)
    outcomes, curve = Outcomes(OPERATING), PointCurve()
    for sample in SAMPLES:
        points = [*noco_peaks(sample.image, sample.boxes), *rng.uniform(0, 60, (5, 2))]
        found = best_first(points, rng.uniform(0, 10, len(points)))
        outcomes.update(sample, found)
        curve.update(found, sample.image.shape, boxes=sample.boxes)
    scores = curve.at(OPERATING)
    kinds = [row["outcome"] for row in named(outcomes.rows)]
    assert kinds.count("hit") == scores.hits.sum()
    assert kinds.count("false") == scores.false_objects.sum()
    assert kinds.count("hit") + kinds.count("missed") == scores.targets.sum()


def test_all_count_where_no_threshold_is_known(sample):
    rows = rows_of(sample, [[11, 9]], [-3.0], operating=float("-inf"))
    assert [row["outcome"] for row in rows] == ["hit", "missed"]


def test_detections_may_have_no_boxes(sample):
    outcomes = Outcomes(0)
    outcomes.update(sample, Detections([[11, 9]], [1.0]))
    assert outcomes.rows
