"""From maps and boxes to scored points, by the published rule and by ours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import clutter as oracle
from oracles.blobs import blobs, bounds
from oracles.merging import merged

from deepir.data import SirstV2
from deepir.noco import noco_peaks
from deepir.readout import (
    CLUTTER_PX,
    CLUTTER_RANK,
    CLUTTER_SHARE,
    MERGE_PX,
    TOP_K,
    boxes_peak,
    boxes_published,
    clutter_ratio,
    map_peak,
    map_published,
    merge_duplicates,
    merged_peaks,
    robust_z,
    unit_range,
)
from deepir.structures import Detections, best_first

whole = hnp.arrays(
    np.int64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=8),
    elements=st.integers(-40, 40),
).map(lambda values: values.astype(float))
levels = whole.map(lambda values: (values + 40) / 80)


@given(whole, st.sampled_from([0.25, 1, 8]), st.integers(-100, 100))
def test_z_ignores_gain_and_offset(saliency, gain, offset):
    np.testing.assert_allclose(robust_z(gain * saliency + offset), robust_z(saliency), atol=1e-9)


@given(whole)
def test_z_of_the_negative_is_the_negative_z(saliency):
    np.testing.assert_allclose(robust_z(-saliency), -robust_z(saliency), atol=1e-12)


@given(whole)
def test_z_is_by_the_first_scale_that_is_not_zero(saliency):
    deviation = np.abs(saliency - np.median(saliency))
    scale = 1.4826 * np.median(deviation) or 1.2533 * np.mean(deviation) or np.inf
    wanted = (saliency - np.median(saliency)) / scale
    np.testing.assert_allclose(robust_z(saliency), wanted, atol=1e-12)


@given(
    hnp.arrays(np.int64, (13, 17), elements=st.integers(0, 9)),
    st.sampled_from([0.25, 1, 8]),
    st.integers(-100, 100),
)
def test_the_clutter_ratio_is_that_of_plain_loops(saliency, gain, offset):
    settings = {"rank": CLUTTER_RANK, "side": CLUTTER_PX, "share": CLUTTER_SHARE}
    wanted = oracle.clutter_ratio(saliency.astype(float), **settings)
    found = clutter_ratio(gain * saliency.astype(float) + offset)
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_the_same_target_counts_less_in_more_clutter():
    rng = np.random.default_rng(0)
    quiet = rng.normal(0, 1, (120, 120))
    quiet[60, 60] = 30
    cluttered = quiet.copy()
    cluttered[5::20, 5::20] = 25
    assert clutter_ratio(quiet)[60, 60] > 3 > 1 > clutter_ratio(cluttered)[60, 60] > 0.8


def test_a_few_targets_do_not_set_the_clutter_level():
    frame = np.random.default_rng(0).normal(0, 1, (120, 120))
    several = frame.copy()
    several[20:100:20, 60] = 40
    frame[60, 60] = 40
    ratio = clutter_ratio(several)[60, 60] / clutter_ratio(frame)[60, 60]
    assert ratio == pytest.approx(1, abs=0.1)


def test_turns_and_flips_commute_with_the_clutter_ratio():
    saliency = np.random.default_rng(0).normal(0, 1, (30, 41))
    for turned in (np.rot90, np.flipud, np.fliplr, np.transpose):
        np.testing.assert_allclose(clutter_ratio(turned(saliency)), turned(clutter_ratio(saliency)))


def test_z_of_normal_noise_has_unit_spread():
    noise = np.random.default_rng(0).normal(50, 7, (200, 200))
    assert robust_z(noise).std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("scale", [clutter_ratio, robust_z, unit_range])
@pytest.mark.parametrize("level", [0.0, 7.0, -3.0, 0.1, 1e300, 1e-300])
def test_a_flat_map_is_all_zero(scale, level):
    assert not scale(np.full((5, 4), level)).any()


@pytest.mark.parametrize("scale", [clutter_ratio, robust_z, unit_range])
def test_rounding_of_a_flat_map_is_no_signal(scale):
    flat = np.full((6, 6), 0.1)
    flat[2, 3] = np.nextafter(0.1, 1)
    assert not scale(flat).any()


@pytest.mark.parametrize("scale", [clutter_ratio, robust_z, unit_range])
def test_holes_of_a_map_count_as_zero(scale):
    saliency = np.arange(12.0).reshape(3, 4)
    holes = np.array([[np.nan, 1, 2, 3], [np.inf, 5, 6, 7], [-np.inf, 9, 10, 11]])
    before = holes.copy()
    saliency[:, 0] = 0
    np.testing.assert_array_equal(scale(holes), scale(saliency))
    np.testing.assert_array_equal(holes, before)


@given(whole)
def test_unit_range_spans_zero_to_one_unless_flat(saliency):
    scaled = unit_range(saliency)
    clipped = np.maximum(saliency, 0)
    assert scaled.min() == 0
    assert scaled.max() == (clipped.max() > clipped.min())
    assert (np.diff(scaled.ravel()) * np.diff(clipped.ravel()) >= 0).all()


def plain_published(values):
    """First maximum inside the bounding box of each component above a half, best first."""
    rows = []
    for blob in blobs(values > 0.5):
        x0, y0, x1, y1 = bounds(blob)
        pixels = [(y, x) for y in range(y0, y1) for x in range(x0, x1)]
        y, x = max(pixels, key=lambda at: values[at])  # max() keeps the first of equals
        rows.append((x, y, values[y, x]))
    return sorted(rows, key=lambda row: -row[2])


@given(levels)
def test_published_rule_is_that_of_a_plain_loop(values):
    found = map_published(values)
    assert np.column_stack([found.points, found.scores]).tolist() == [
        list(row) for row in plain_published(values)
    ]


def test_published_rule_takes_the_top_left_of_a_plateau():
    values = np.zeros((9, 9))
    values[3:6, 4:8] = 1.0
    assert map_published(values).points.tolist() == [[4, 3]]
    assert map_published(values).boxes.tolist() == [[4, 3, 8, 6]]


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_nothing_above_a_half_is_no_published_detection(value):
    assert len(map_published(np.full((4, 4), value))) == 0


def blinking(step=3):
    """A map with many separate peaks of different height, and the frame it came from."""
    rng = np.random.default_rng(1)
    values = np.zeros((60, 60))
    values[::step, ::step] = rng.permutation(values[::step, ::step].size).reshape(20, 20) + 1.0
    return values / values.max(), rng.integers(0, 255, values.shape)


def test_only_the_best_candidates_are_kept():
    values, image = blinking()
    for found in (
        map_published(values),
        map_peak(image, values, floor=0.1, believed=2.0),
        boxes_published(np.zeros((150, 4)), np.arange(150.0)),
    ):
        assert len(found) == TOP_K
    few = map_peak(image, values, floor=0.1, believed=2.0, top_k=7)
    assert few.scores.tolist() == np.sort(values.ravel())[:-8:-1].tolist()


@given(levels, st.sampled_from([0.2, 0.5, 0.9]), st.sampled_from([0.0, 0.6, 2.0]))
def test_peak_of_a_map_is_the_peak_of_its_components(values, floor, believed):
    image = (values * 255).round()
    wanted = blobs(values > floor)
    scores = [max(values[at] for at in blob) for blob in wanted]
    found = map_peak(image, values, floor=floor, believed=believed)
    framed = boxes_peak(image, [bounds(blob) for blob in wanted], scores, believed=believed)
    assert found.scores.tolist() == sorted(scores, reverse=True)
    assert found.boxes.tolist() == framed.boxes.tolist()
    assert found.points.tolist() == framed.points.tolist()


def test_boxes_report_the_noco_peak_in_the_order_of_their_scores():
    image = blinking()[1]
    boxes, scores = np.array([[3, 3, 9, 8], [8, 5, 14, 12], [30, 30, 36, 36]]), [0.2, 0.9, 0.5]
    found = boxes_peak(image, boxes, scores, believed=0.4)
    order = [1, 2, 0]
    assert found.boxes.tolist() == boxes[order].tolist()
    np.testing.assert_array_equal(
        found.points, noco_peaks(image, boxes[order], believed=[True, True, False])
    )


def test_a_score_that_just_reaches_the_threshold_is_believed():
    image = blinking()[1]
    boxes = [[3, 3, 9, 8], [8, 5, 14, 12]]
    at, below = (boxes_peak(image, boxes, [0.9, 0.4], believed=level) for level in (0.4, 0.41))
    flags = ([True, True], [True, False])
    for found, believed in zip((at, below), flags, strict=True):
        np.testing.assert_array_equal(found.points, noco_peaks(image, boxes, believed=believed))


@pytest.mark.parametrize(
    "read",
    [
        lambda: boxes_published([], []),
        lambda: boxes_peak(np.ones((3, 3)), [], [], believed=0.0),
        lambda: map_peak(np.ones((3, 3)), np.zeros((3, 3)), floor=0.0, believed=1.0),
        lambda: map_published([[0.0]]),
    ],
)
def test_empty_input_gives_no_detection(read):
    found = read()
    assert len(found) == 0
    assert found.points.shape == (0, 2)


def test_published_boxes_report_their_centre():
    found = boxes_published([[0, 0, 3, 3], [4, 4, 6, 7]], [0.1, 0.8])
    assert found.points.tolist() == [[5.0, 5.5], [1.5, 1.5]]


@st.composite
def crowds(draw):
    """Detections in a few pixels, so that many are one target; scores are all different."""
    count = draw(st.integers(0, 12))
    corner, side = st.tuples(*[st.integers(0, 12)] * 2), st.tuples(*[st.integers(1, 4)] * 2)
    corners, sides, points = (
        np.array(draw(st.lists(pair, min_size=count, max_size=count)), float).reshape(-1, 2)
        for pair in (corner, side, corner)
    )
    scores = draw(st.permutations(range(count)))
    return points, np.array(scores, float), np.concatenate([corners, corners + sides], axis=1)


distances = st.sampled_from([0.0, 1.0, 2.0, MERGE_PX])


@given(crowds(), distances)
def test_merging_is_that_of_a_plain_loop(crowd, within):
    found = merge_duplicates(best_first(*crowd), within=within)
    wanted = merged(crowd[0].tolist(), crowd[1].tolist(), crowd[2].tolist(), within)
    rows = zip(found.scores, found.points.tolist(), found.boxes.tolist(), strict=True)
    assert list(rows) == wanted


@given(crowds(), distances)
def test_merging_twice_is_merging_once(crowd, within):
    once = merge_duplicates(best_first(*crowd), within=within)
    assert len(merge_duplicates(once, within=within)) == len(once)


@given(crowds(), distances, st.randoms(use_true_random=False))
def test_merging_ignores_the_order_of_the_input(crowd, within, random):
    order = list(range(len(crowd[1])))
    random.shuffle(order)
    one, other = (
        merge_duplicates(best_first(*parts), within=within)
        for parts in (crowd, [part[order] for part in crowd])
    )
    assert one.points.tolist() == other.points.tolist()
    assert one.boxes.tolist() == other.boxes.tolist()


@given(crowds(), distances, st.integers(0, 12))
def test_a_threshold_may_come_before_or_after_merging(crowd, within, threshold):
    found = best_first(*crowd)
    before = merge_duplicates(found.above(threshold), within=within)
    after = merge_duplicates(found, within=within).above(threshold)
    assert before.points.tolist() == after.points.tolist()


@given(crowds(), distances)
def test_the_best_of_all_stays_and_alone_where_all_are_near(crowd, within):
    found = best_first(*crowd)
    assert merge_duplicates(found, within=99).points.tolist() == found.points[:1].tolist()
    kept = merge_duplicates(found, within=within)
    assert kept.points[:1].tolist() == found.points[:1].tolist()


def test_points_without_boxes_merge_by_distance_alone():
    found = Detections([[0, 0], [3, 0], [9, 9]], [0.9, 0.8, 0.7])
    assert merge_duplicates(found, within=2.9).points.tolist() == found.points.tolist()
    assert merge_duplicates(found, within=3).points.tolist() == [[0, 0], [9, 9]]
    assert merge_duplicates(found, within=3).boxes is None


@pytest.mark.parametrize("within", [-1, float("nan")])
def test_a_distance_that_is_none_is_refused(within):
    with pytest.raises(ValueError, match=f"got {within}"):
        merge_duplicates(Detections([], []), within=within)


@given(crowds(), st.sampled_from([0.0, 4.0, 99.0]), distances)
def test_merged_peaks_read_anew_from_their_boxes_are_the_same(crowd, believed, within):
    image = blinking()[1]
    found = merged_peaks(image, crowd[2], crowd[1], believed=believed, within=within)
    again = merged_peaks(image, found.boxes, found.scores, believed=believed, within=within)
    plain = boxes_peak(image, found.boxes, found.scores, believed=believed)
    for other in (again, plain):
        assert other.points.tolist() == found.points.tolist()
        assert other.boxes.tolist() == found.boxes.tolist()
    assert len(merge_duplicates(found, within=within)) == len(found)


def test_a_merged_twin_no_longer_paints():
    image = np.zeros((30, 30))
    image[10, 10], image[10, 12] = 90, 100  # the twin's window would hide the first peak
    boxes, scores = [[9, 9, 12, 12], [10, 9, 13, 12]], [0.9, 0.8]
    found = merged_peaks(image, boxes, scores, believed=0.5)
    alone = boxes_peak(image, boxes[:1], scores[:1], believed=0.5)
    assert found.points.tolist() == alone.points.tolist()
    assert found.boxes.tolist() == boxes[:1]


def test_merged_peaks_keep_the_best():
    boxes = [[10 * n, 10, 10 * n + 3, 13] for n in range(5)]
    found = merged_peaks(blinking()[1], boxes, [0.1, 0.5, 0.3, 0.9, 0.7], believed=0.4, top_k=2)
    assert found.scores.tolist() == [0.9, 0.7]


@pytest.mark.data
def test_merging_loses_no_target_of_the_training_split(shared):
    dataset = SirstV2.open(shared("data", "sirst-v2"), "train_full")
    for name in dataset.ids:
        if name.startswith(("Misc_", "S20")):  # only these hold several targets
            sample = dataset.read(name)
            scores = np.ones(len(sample.boxes))
            assert len(merged_peaks(sample.image, sample.boxes, scores, believed=0)) == len(scores)
