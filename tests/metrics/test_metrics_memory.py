"""What a metric keeps grows by a few bytes a detection, and never by frames or maps."""

from __future__ import annotations

import gc
import tracemalloc
from itertools import tee

import numpy as np
import pytest

from deepir.metrics import (
    PixelCounts,
    PointCurve,
    box_ap,
    hybrid_iou,
    loc_ap,
    noco_ap,
    pd_fa,
    pixel_roc,
)
from deepir.scoring import Scorer
from deepir.structures import Sample, best_first

DETECTIONS, SIDE = 20, 48
FEW, MANY = 100, 400
BOXES = [[9 * k + 1, 20, 9 * k + 4, 23] for k in range(5)]
GRID = np.array([[9 * (k % 5) + 2, 9 * (k // 5) + 3] for k in range(DETECTIONS)], dtype=float)
GRID_BOXES = np.concatenate([GRID - 1, GRID + 2], axis=1)


def rows_of(count, *, hits=False):
    """20 detections a frame, anywhere or each in a box of its own, in arrays of their own."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        points = GRID.copy() if hits else rng.uniform(0, SIDE, (DETECTIONS, 2))
        yield np.column_stack([points, rng.random(DETECTIONS)])


def maps_of(count, value=0.95):
    """A map of its own for every frame."""
    return (np.full((SIDE, SIDE), value) for _ in range(count))


def boxes_of(count, boxes=BOXES):
    return (np.array(boxes, dtype=float) for _ in range(count))


def masks_of(count):
    masks = (np.zeros((SIDE, SIDE), dtype=bool) for _ in range(count))
    for mask in masks:
        mask[20:23, 1:4] = True
        yield mask


def points_score(count, **options):
    return noco_ap(rows_of(count, **options), maps_of(count), boxes_of(count)).mean


def every_detection_hits(count):
    boxes = boxes_of(count, GRID_BOXES)
    assert noco_ap(rows_of(count, hits=True), maps_of(count), boxes).mean == 1.0


def central_points(count):
    loc_ap(rows_of(count), boxes_of(count), ignored=boxes_of(count))


def boxes_score(count):
    scores, places = tee(rows_of(count))
    found = (np.concatenate([rows[:, :2], rows[:, :2] + 3], axis=1) for rows in places)
    box_ap(found, (rows[:, 2] for rows in scores), boxes_of(count))


def curve(count):
    points = PointCurve()
    for rows in rows_of(count):
        points.update(best_first(rows[:, :2], rows[:, 2]), (SIDE, SIDE), boxes=BOXES)
    assert points.pd_at(1.0) <= 1.0


def pixels(count):
    counts = PixelCounts()
    for mask in masks_of(count):
        counts.update(mask, mask)
    assert counts.score().iou == 1.0


def roc(count):
    assert pixel_roc(maps_of(count), masks_of(count)).auc == 0.5


def components_score(count):
    pd_fa(masks_of(count), masks_of(count))


def hybrid(count):
    hybrid_iou(masks_of(count), masks_of(count))


def every_metric(count):
    scorer = Scorer(0.5)
    for rows, mask, values in zip(
        rows_of(count), masks_of(count), maps_of(count, 0.5), strict=True
    ):
        sample = Sample(values * 200, BOXES, mask, id=str(count))
        framed = np.concatenate([rows[:, :2], rows[:, :2] + 3], axis=1)
        found = best_first(rows[:, :2], rows[:, 2], framed)
        scorer.update(sample, found, mask, local=found.scores, score_map=values)
    return scorer


def traced(feed, count):
    """Bytes at the peak of a stream, and those that its result holds on to."""
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    kept = feed(count)
    peak = tracemalloc.get_traced_memory()[1]
    gc.collect()  # also what Python keeps for its next small objects
    held = tracemalloc.get_traced_memory()[0]
    del kept
    return np.array([peak, held]) - before


def growth(feed, *, few=FEW, many=MANY):
    """Bytes a detection, 20 of them a frame, that the peak grows by, and what is held."""
    feed(few)  # what is made once
    tracemalloc.start()
    try:
        more = traced(feed, many) - traced(feed, few)
    finally:
        tracemalloc.stop()
    return more / ((many - few) * DETECTIONS)


@pytest.mark.parametrize(
    ("feed", "most"),
    [
        (points_score, 40),
        (every_detection_hits, 40),
        (central_points, 40),
        (boxes_score, 40),
        (curve, 70),
        (pixels, 2),
        (roc, 1),
        (components_score, 1),
        (hybrid, 30),  # Python keeps up to 2,000 small tuples, which are not ours
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_memory_grows_by_a_few_bytes_a_detection(feed, most):
    assert growth(feed)[0] < most


def test_all_metrics_together_keep_no_frame():
    _, held = growth(every_metric, few=15, many=45)
    assert 40 < held < 80 < SIDE**2 / DETECTIONS


def test_the_measure_notices_who_keeps_frames_or_maps():
    def keeping_maps(count):
        kept = list(maps_of(count))
        assert noco_ap(rows_of(count), kept, boxes_of(count)).mean < 1.0

    assert growth(keeping_maps, few=20, many=80)[0] > 8 * SIDE**2 / DETECTIONS
    assert min(growth(lambda count: list(rows_of(count)), few=20, many=80)) > 24
