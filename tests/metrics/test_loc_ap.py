"""Average precision by centre-ness equals a loop, keeps its symmetries, and is the reference's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import loc_ap as oracle
from oracles.noco_cases import ODD_PLACES

from deepir.metrics import CENTRENESS, LocHits, centreness, loc_ap
from deepir.metrics.loc_ap import match_centres


def random_points(rng):
    """Points on a half-pixel grid with tied scores; one in ten is nowhere."""
    places = rng.integers(-1, 26, (rng.integers(0, 8), 2)) / 2
    odd = rng.random(places.shape) < 0.05
    places[odd] = rng.choice(ODD_PLACES, odd.sum())
    return [(x, y, score) for (x, y), score in zip(places, rng.choice(3, len(places)), strict=True)]


def random_boxes(rng):
    low = rng.integers(0, 7, (rng.integers(0, 4), 2))
    return np.concatenate([low, low + rng.integers(1, 8, low.shape)], axis=1).tolist()


def random_set(seed):
    """Up to four frames: points, boxes, boxes that nobody has to find."""
    rng = np.random.default_rng(seed)
    return [
        (random_points(rng), random_boxes(rng), random_boxes(rng))
        for _ in range(rng.integers(0, 5))
    ]


some = settings(max_examples=60)
SETS = st.integers(0, 2**32).map(random_set)
RANGES = st.sampled_from([None, (0, 2), (2, 4), (0, 99), (50, 60)])
BOX = [[0, 0, 4, 4]]


def columns(cases):
    return [[case[part] for case in cases] for part in range(3)]


def score(cases, **options):
    points, boxes, ignored = columns(cases)
    return loc_ap(points, boxes, ignored=ignored, **options)


@some
@given(SETS, RANGES)
def test_ap_is_that_of_a_loop_over_detections_and_thresholds(cases, area_range):
    found = score(cases, area_range=area_range)
    for threshold in CENTRENESS:
        wanted = oracle.loc_ap(*columns(cases), threshold, area_range)
        assert found.by_threshold[threshold] == pytest.approx(wanted, abs=1e-12)
    assert found.mean == pytest.approx(np.mean(list(found.by_threshold.values())))


@some
@given(SETS)
def test_centreness_is_that_of_the_formula(cases):
    for points, boxes, _ in cases:
        values = centreness([row[:2] for row in points], boxes)
        wanted = [[oracle.centreness(x, y, box) for box in boxes] for x, y, _ in points]
        assert values.tolist() == wanted


@some
@given(SETS)
def test_an_area_range_of_all_boxes_only_spares_frames_without_any(cases):
    bearing = [case for case in cases if case[1] or case[2]]
    assert score(cases, area_range=(0, 1e3)) == score(bearing, area_range=(0, 1e3))
    assert score(bearing, area_range=(0, 1e3)) == score(bearing)


@some
@given(SETS, st.integers(1, 6))
def test_every_target_is_in_one_of_two_area_ranges(cases, side):
    parts = [score(cases, area_range=ends).targets for ends in ((0, side), (side, 1e3))]
    assert sum(parts) == score(cases).targets == sum(len(boxes) for _, boxes, _ in cases)


@some
@given(SETS)
def test_a_rising_map_of_the_scores_changes_nothing(cases):
    bent = [([(x, y, np.exp(s) - 3) for x, y, s in points], *rest) for points, *rest in cases]
    assert score(bent) == score(cases)


@pytest.mark.parametrize("axis", [0, 1])
@some
@given(SETS)
def test_mirrored_frames_score_the_same(axis, cases):
    def mirrored(box):
        corners = np.array(box, dtype=float)
        corners[[axis, axis + 2]] = 13 - corners[[axis + 2, axis]]
        return tuple(corners)

    turned = [
        (
            [tuple(13 - v if k == axis else v for k, v in enumerate(row)) for row in points],
            [mirrored(box) for box in boxes],
            [mirrored(box) for box in ignored],
        )
        for points, boxes, ignored in cases
    ]
    assert score(turned) == score(cases)


@some
@given(SETS, st.sampled_from([0.5, 2, 4]))
def test_a_finer_grid_scores_the_same(cases, factor):
    def scaled(rows, count):
        return [(*(factor * v for v in row[:count]), *row[count:]) for row in rows]

    larger = [(scaled(p, 2), scaled(b, 4), scaled(i, 4)) for p, b, i in cases]
    assert score(larger) == score(cases)


@some
@given(SETS)
def test_centres_of_lone_boxes_score_one(cases):
    boxes = [[(20 * k, 0, 20 * k + w, h) for k, (_, _, w, h) in enumerate(b)] for _, b, _ in cases]
    boxes = [[box for box in frame if box[2] > box[0] and box[3] > 0] for frame in boxes]
    points = [[((x0 + x1) / 2, (y0 + y1) / 2, 1.0) for x0, y0, x1, y1 in one] for one in boxes]
    assert loc_ap(points, boxes).mean == float(any(boxes))


@pytest.mark.parametrize(
    ("rows", "boxes", "ignored", "ap"),
    [
        ([[2, 2, 0.5]], BOX, [], 1.0),
        ([[0, 2, 0.5]], BOX, [], 0.0),  # on the border is not inside
        ([[2, 2, 0.9], [2, 2, 0.5]], BOX, [], 1.0),  # the second is false, after the first
        (
            [[1, 1, 0.9], [1.5, 1.5, 0.8]],
            [[0, 0, 3, 3]],
            [],
            0.8,
        ),  # 0.5 exactly takes the box at 0.5
        ([[9, 9, 0.9], [2, 2, 0.5]], BOX, [], 0.5),
        ([[9, 9, 0.9], [2, 2, 0.5]], BOX, [[8, 8, 10, 10]], 1.0),  # the first counts neither way
        ([[8.1, 9, 0.9], [2, 2, 0.5]], BOX, [[8, 8, 10, 10]], 0.6),  # from 0.3 on it is false
        ([[2, 2, 0.5]], BOX, BOX, 1.0),  # of equals the one to be found comes first
        ([[2, 2, 0.5]], [], BOX, 0.0),
        (
            [[1, 2, 0.9], [3, 2, 0.8]],
            [*BOX, [1, 0, 5, 4]],
            [],
            0.7,
        ),  # each belongs to one of its own
        ([], BOX, [], 0.0),
        ([[2, 2, 0.5]], [], [], 0.0),
        ([], [], [], 0.0),
    ],
)
def test_small_cases_by_hand(rows, boxes, ignored, ap):
    assert score([(rows, boxes, ignored)]).mean == pytest.approx(ap)


def test_a_centre_that_is_exactly_at_the_threshold_hits():
    assert centreness([[1, 1]], [[0, 0, 3, 3]]).item() == 0.5
    assert loc_ap([[[1, 1, 1.0]]], [[[0, 0, 3, 3]]]).by_threshold[0.5] == 1.0


def test_a_pixel_index_lies_half_a_pixel_from_its_pixel():
    box, middle = [[3, 3, 6, 6]], [4, 4]
    assert centreness([middle], box).item() == 0.5
    assert centreness([np.add(middle, 0.5)], box).item() == 1.0


@pytest.mark.parametrize(("rows", "ap"), [([[9, 9, 0.9]], 0.5), ([[9, 9, 0.1]], 1.0)])
def test_frames_without_boxes_hold_false_alarms_only_without_an_area_range(rows, ap):
    points, boxes = [[[2, 2, 0.5]], rows], [BOX, []]
    assert loc_ap(points, boxes).mean == ap
    assert loc_ap(points, boxes, area_range=(0, 9)).mean == 1.0


def test_matching_says_which_box_and_what_came_before():
    value, earlier, owner = match_centres([[2, 2], [9, 9], [2, 2]], BOX)
    assert (value.tolist(), earlier.tolist(), owner.tolist()) == ([1, 0, 1], [0, 1, 1], [0, 0, 0])
    assert [part.tolist() for part in match_centres([[2, 2]], [])] == [[0.0], [0.0], [0]]


@pytest.mark.parametrize("thresholds", [(), (0.0, 0.5), (0.5, 0.5), (0.9, 0.1), ((0.1, 0.2),)])
def test_thresholds_rise_from_above_zero(thresholds):
    with pytest.raises(ValueError, match="thresholds rise"):
        LocHits(thresholds)


@pytest.mark.parametrize("area_range", [(-1, 2), (3, 3), (4, 2), (np.nan, 2)])
def test_an_area_range_is_two_rising_sides(area_range):
    with pytest.raises(ValueError, match="two rising sides"):
        LocHits(area_range=area_range)


@pytest.mark.parametrize(
    ("rows", "shown"),
    [([[1, 2]], r"\(1, 2\)"), ([1, 2, 3], r"\(3,\)"), ([[1, 2, np.nan]], r"\[0\]")],
)
def test_rows_that_do_not_fit_are_refused_with_their_value(rows, shown):
    with pytest.raises(ValueError, match=shown):
        loc_ap([rows], [BOX])


def test_iterables_are_read_once_and_have_one_length():
    assert loc_ap(iter([[[2, 2, 0.5]]] * 3), iter([BOX] * 3), ignored=iter([[]] * 3)).mean == 1.0
    with pytest.raises(ValueError, match="argument"):
        loc_ap([[]], [BOX, BOX])
    with pytest.raises(ValueError, match="argument"):
        loc_ap([[]], [BOX], ignored=[])


def test_points_nowhere_are_silent_false_alarms():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = [[place, 2, 0.9] for place in ODD_PLACES]
        assert loc_ap([[*rows, [2, 2, 0.5]]], [BOX]).mean == pytest.approx(1 / 5)


@pytest.fixture(scope="module")
def cases(golden):
    return golden("locap_cases.npz")


def golden_set(cases, number):
    """Points, boxes and ignored boxes of each frame of a case."""
    frames = int(cases["cases"][number, 1])
    return [
        tuple(
            cases[name][(cases[name][:, 0] == number) & (cases[name][:, 1] == frame), 2:]
            for name in ("dets", "gts", "gts_ignore")
        )
        for frame in range(frames)
    ]


@pytest.mark.data
@pytest.mark.parametrize("number", range(40))
def test_ap_is_that_of_the_reference(cases, number):
    threshold = float(cases["cases"][number, 2])
    found = score(golden_set(cases, number), thresholds=(threshold,))
    assert found.mean == pytest.approx(cases["ap_stable"][number], rel=0, abs=1e-6)


@pytest.mark.data
@pytest.mark.parametrize("number", range(40))
def test_ap_by_area_is_that_of_the_reference(cases, number):
    threshold, ranges = float(cases["cases"][number, 2]), cases["scale_ranges"].tolist()
    found = [
        score(golden_set(cases, number), thresholds=(threshold,), area_range=tuple(ends))
        for ends in ranges
    ]
    aps, targets = np.split(cases["scaled_ap_and_num_gts"][number], 2)
    np.testing.assert_allclose([one.mean for one in found], aps, rtol=0, atol=1e-6)
    assert [one.targets for one in found] == targets.tolist()
