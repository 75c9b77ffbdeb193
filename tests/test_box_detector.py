"""A detector of boxes, whatever network stands behind it: here plain functions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepir.box_detector import BoxDetector, RawBoxes, SceneFactor
from deepir.clutter_level import ClutterLevel
from deepir.errors import FrameError
from deepir.readout import boxes_published, merged_peaks

FRAME = np.random.default_rng(0).integers(90, 110, (30, 40)).astype(np.uint8)
FRAME[9:12, 9:12] += 60
FRAME[20:23, 30:33] += 40
BOXES = [[9, 9, 12, 12], [30, 20, 33, 23], [10, 9, 13, 12], [2, 24, 5, 27]]
SCORES = [0.9, 0.6, 0.5, 0.05]


def detector(boxes=BOXES, scores=SCORES, **options):
    return BoxDetector("plain", lambda _: RawBoxes(boxes, scores), 0.02, 0.3, **options)


def candidates(which, image=FRAME):
    return which.read(which.respond(image))


def test_peaks_are_those_of_the_read_out():
    found = candidates(detector())
    wanted = merged_peaks(FRAME, BOXES, SCORES, believed=0.3)
    assert found.points.tolist() == wanted.points.tolist()
    assert found.boxes.tolist() == [BOXES[0], BOXES[1], BOXES[3]]


def test_published_points_are_centres_and_nothing_is_merged():
    found = candidates(detector(read_out="published"))
    wanted = boxes_published(BOXES, SCORES)
    assert found.points.tolist() == wanted.points.tolist()
    assert found.boxes.tolist() == wanted.boxes.tolist()


def test_only_what_scores_above_the_floor_is_a_candidate():
    found = candidates(detector(scores=[0.9, 0.02, 0.0200001, 0.0], read_out="published"))
    assert found.scores.tolist() == [0.9, 0.0200001]


def test_detect_returns_what_reaches_the_threshold():
    scores = [0.9, 0.3, 0.1, 0.2]
    assert detector(scores=scores).detect(FRAME).scores.tolist() == [0.9, 0.3]
    assert len(detector(scores=scores, threshold=0.15).detect(FRAME)) == 3
    assert len(detector(scores=scores, threshold=-9).detect(FRAME)) == 3  # one is merged


def test_scores_are_measured_against_the_clutter_before_every_threshold():
    clutter = ClutterLevel(rank=3, weight=0.5, typical=0.1)
    found = candidates(detector(clutter=clutter, read_out="published"))
    wanted = clutter.adjusted(SCORES, least=0.02)
    np.testing.assert_allclose(found.scores, wanted[wanted > 0.02])
    assert len(detector(scores=[0.5, 0.45, 0.4, 0.38], clutter=clutter).detect(FRAME)) == 0


def test_the_scene_reorders_what_the_clutter_has_decided():
    clutter = ClutterLevel(rank=3, weight=0.5, typical=0.1)
    before = SceneFactor(0.5, start=0.2)
    raw = RawBoxes(BOXES, before.applied(SCORES), before)
    on = BoxDetector("plain", lambda _: raw, 0.02, 0.3, clutter=clutter, read_out="published")
    off = replace(on, scene="off")
    local = clutter.adjusted(SCORES, least=0.02)
    np.testing.assert_allclose(candidates(off).scores, local[local > 0.02])
    wanted = np.where(local > 0.3, 0.3 + 0.5 * (local - 0.3), local)
    np.testing.assert_allclose(candidates(on).scores, wanted[wanted > 0.02])
    response = on.respond(FRAME)
    np.testing.assert_allclose(on.local_scores(response, response.raw.scores), local)


def test_a_threshold_does_not_move_points():
    every = candidates(detector())
    for threshold in (0.04, 0.55, 0.7):
        found = candidates(detector(threshold=threshold))
        assert found.points.tolist() == every.points.tolist()


def test_the_merging_distance_is_a_knob():
    assert len(candidates(detector(merge_px=0))) == 3  # inside each other's box
    far = [[9, 9, 12, 12], [15, 9, 18, 12]]
    assert len(candidates(detector(far, [0.9, 0.8]))) == 2
    assert len(candidates(detector(far, [0.9, 0.8], merge_px=12))) == 1


def test_top_k_keeps_the_best_targets():
    assert candidates(detector(top_k=2)).boxes.tolist() == BOXES[:2]
    assert len(candidates(detector(top_k=2, read_out="published"))) == 2


def test_boxes_are_clipped_to_the_frame_and_empty_ones_are_gone():
    boxes = [[-5, -3, 4, 6], [36, 25, 99, 99], [40, 3, 44, 6], [5, 5, 5, 9], [9, 9, 7, 12]]
    raw = detector(boxes, [0.9, 0.8, 0.7, 0.6, 0.5]).respond(FRAME).raw
    assert raw.boxes.tolist() == [[0, 0, 4, 6], [36, 25, 40, 30]]
    assert raw.scores.tolist() == [0.9, 0.8]


@pytest.mark.parametrize("read_out", ["peak", "published"])
def test_no_boxes_are_no_detections(read_out):
    found = candidates(detector([], [], read_out=read_out))
    assert (len(found), found.points.shape, found.boxes.shape) == (0, (0, 2), (0, 4))


@pytest.mark.parametrize("level", [0, 77.5, -3])
@pytest.mark.parametrize("shape", [(1, 1), (30, 40)])
def test_a_flat_frame_has_no_detections(level, shape):
    assert len(candidates(detector(), np.full(shape, level))) == 0


def test_the_network_sees_no_holes_and_points_are_on_none():
    seen = []

    def network(image):
        seen.append(image)
        return RawBoxes(BOXES, SCORES)

    frame = FRAME.astype(np.float32)
    frame[9:12, 9:11] = np.nan  # most of the best box
    frame[19:25, 29:35] = np.inf  # all of the second
    which = replace(detector(), network=network)
    found = candidates(which, frame)
    assert np.isfinite(seen[0]).all()
    assert found.boxes.tolist() == [BOXES[0], BOXES[3]]
    columns, rows = found.points.astype(int).T
    assert np.isfinite(frame[rows, columns]).all()


def test_it_has_no_map():
    response = detector().respond(FRAME)
    assert response.saliency is None
    assert not detector().has_map
    assert detector().predicted_mask(response) is None


def test_boxes_in_any_order_are_read_best_first():
    order = [2, 0, 3, 1]
    mixed = detector([BOXES[n] for n in order], [SCORES[n] for n in order])
    assert candidates(mixed).boxes.tolist() == candidates(detector()).boxes.tolist()


@pytest.mark.parametrize(
    ("boxes", "scores", "message"),
    [
        ([[0, 0, 1, 1]], [0.5, 0.4], "1 boxes need as many scores"),
        ([[0, 0, 1]], [0.5], r"shape \(N, 4\), got \(1, 3\)"),
        ([[0, 0, 1, 1]], [np.nan], "scored nan"),
        ([[0, 0, 1, 1]], [np.inf], "scored inf"),
        ([[0, np.nan, 1, 1]], [0.5], "got .*nan"),
    ],
)
def test_what_are_no_boxes_is_refused(boxes, scores, message):
    with pytest.raises(FrameError, match=message):
        RawBoxes(boxes, scores)


@pytest.mark.parametrize("image", [np.zeros((4, 5, 3)), np.zeros((0, 5)), [[np.nan]]])
def test_what_is_no_frame_is_refused(image):
    with pytest.raises(FrameError):
        detector().detect(image)


@pytest.mark.parametrize("read_out", ["peak", "published"])
@pytest.mark.parametrize("threshold", [None, 0.0, 0.1, 0.45, 0.8])
def test_detect_is_what_reaches_the_threshold_of_all_candidates(read_out, threshold):
    rng = np.random.default_rng(4)
    image = rng.integers(0, 255, (60, 80)).astype(np.uint8)
    corner = rng.uniform(0, 50, (40, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(1, 9, (40, 2))], axis=1)
    raw = RawBoxes(boxes, rng.random(40))
    detector = BoxDetector("some", lambda _: raw, 0.05, 0.4, read_out=read_out, threshold=threshold)
    found = detector.detect(image)
    wanted = detector.read(detector.respond(image)).above(detector.cut)
    np.testing.assert_array_equal(found.points, wanted.points)
    np.testing.assert_array_equal(found.scores, wanted.scores)
