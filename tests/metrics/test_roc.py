"""ROC of pixels and Pd against Fa equal a loop over pixels and thresholds, and keep their laws."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import roc as oracle

from deepir.metrics import (
    SCORE_THRESHOLDS,
    UNIT_THRESHOLDS,
    PdFaCounts,
    RocCounts,
    distance_counts,
    pd_fa_curve,
    pixel_roc,
    pixel_scores,
)
from deepir.metrics.roc import Levels

LEVELS = (0.0, 1 / 256, 0.25, np.nextafter(0.25, 1), 0.4, 0.5, 1.0, -0.3, 7.5, np.nan, np.inf, -0.0)


def random_frames(seed):
    """Up to three maps of odd values, and true masks."""
    rng = np.random.default_rng(seed)
    shapes = rng.integers(1, 9, (rng.integers(0, 4), 2)).tolist()
    maps = [rng.choice(LEVELS, shape) for shape in shapes]
    return maps, [rng.random(shape) < rng.choice([0, 0.3, 1]) for shape in shapes]


some = settings(max_examples=60)
SETS = st.integers(0, 2**32).map(random_frames)
RAW = (-0.3, 0.0, 0.25, 0.3, 0.5, 8.0)


@some
@given(SETS, st.sampled_from([RAW, UNIT_THRESHOLDS, (0.25,)]))
def test_shares_are_those_of_a_loop_over_pixels_and_thresholds(frames, thresholds):
    roc, (on, off) = pixel_roc(*frames, thresholds=thresholds), oracle.pixels(*frames)
    assert roc.thresholds.tolist() == list(thresholds)
    assert roc.recall.tolist() == [oracle.share_above(on, t) for t in thresholds]
    assert roc.false_alarm.tolist() == [oracle.share_above(off, t) for t in thresholds]
    assert (roc.target_pixels, roc.other_pixels) == (len(on), len(off))


@some
@given(SETS)
def test_the_area_is_the_chance_that_a_target_pixel_lies_above_another(frames):
    roc = pixel_roc(*frames, thresholds=RAW)
    assert roc.auc == pytest.approx(oracle.auc(*frames, RAW), abs=1e-12)


@some
@given(SETS)
def test_shares_fall_as_thresholds_rise(frames):
    roc = pixel_roc(*frames)
    for shares in (roc.recall, roc.false_alarm):
        assert (np.diff(shares) <= 0).all()
    assert 0 <= roc.auc <= 1


@some
@given(SETS)
def test_what_is_on_target_and_what_is_off_change_sides(frames):
    maps, masks = frames
    one, other = pixel_roc(maps, masks), pixel_roc(maps, [~mask for mask in masks])
    assert one.recall.tolist() == other.false_alarm.tolist()
    if one.target_pixels and one.other_pixels:
        assert one.auc + other.auc == pytest.approx(1)


@some
@given(SETS)
def test_recall_is_that_of_the_mask_at_the_threshold(frames):
    maps, masks = frames
    roc = pixel_roc(maps, masks, thresholds=RAW)
    for threshold, recall in zip(RAW, roc.recall, strict=True):
        assert recall == pixel_scores([values > threshold for values in maps], masks).recall


@some
@given(SETS, st.integers(0, 3))
def test_frames_add_up_in_any_order(frames, seed):
    order = np.random.default_rng(seed).permutation(len(frames[0]))
    turned = [[part[k] for k in order] for part in frames]
    one, other = pixel_roc(*frames), pixel_roc(*(iter(part) for part in turned))
    assert one.auc == other.auc
    assert one.recall.tolist() == other.recall.tolist()


@some
@given(SETS)
def test_a_rising_change_of_map_and_thresholds_changes_nothing(frames):
    maps, masks = frames
    plain = pixel_roc(maps, masks, thresholds=RAW)
    bent = pixel_roc([4 * one - 1 for one in maps], masks, thresholds=[4 * t - 1 for t in RAW])
    assert bent.auc == plain.auc


@some
@given(SETS)
def test_maps_in_zero_to_one_have_the_same_area_by_either_list_of_thresholds(frames):
    maps = [np.clip(np.nan_to_num(one), 0, 1) for one in frames[0]]
    areas = [
        pixel_roc(maps, frames[1], thresholds=t).auc for t in (UNIT_THRESHOLDS, SCORE_THRESHOLDS)
    ]
    assert areas[0] == pytest.approx(areas[1], abs=1e-12)


@pytest.mark.parametrize("shape", [(300, 400), (1, 40000)])
def test_a_map_with_more_pixels_than_are_looked_at_together_is_counted_whole(shape):
    rng = np.random.default_rng(1)
    values, mask = rng.normal(size=shape), rng.random(shape) < 0.01
    roc = pixel_roc([values], [mask], thresholds=RAW)
    assert roc.recall.tolist() == [(values[mask] > t).mean() for t in RAW]
    assert roc.false_alarm.tolist() == [(values[~mask] > t).mean() for t in RAW]


def test_a_map_that_is_the_mask_has_all_of_the_area_and_its_opposite_none():
    mask = np.eye(5, dtype=bool)
    for values, area in ((mask, 1.0), (1.0 - mask, 0.0), (np.full((5, 5), 0.3), 0.5)):
        roc = pixel_roc([values], [mask])
        assert roc.auc == area
        assert roc.recall_at(0.0) == float(area == 1)


@pytest.mark.parametrize(("share", "recall"), [(0.0, 0.5), (0.5, 0.5), (0.99, 0.5), (1.0, 1.0)])
def test_recall_is_the_best_within_the_share_that_may_be_false(share, recall):
    roc = pixel_roc([[[0.9, 0.2, 0.4, 0.2]]], [[[1, 0, 0, 1]]], thresholds=(0.1, 0.3, 0.5))
    assert roc.recall_at(share) == recall


def test_recall_is_zero_where_every_threshold_lets_too_much_through():
    assert pixel_roc([[[0.9, 0.1]]], [[[1, 0]]], thresholds=(0.0,)).recall_at(0.5) == 0.0


@pytest.mark.parametrize(
    "frames",
    [([], []), ([np.ones((2, 2))], [np.zeros((2, 2))]), ([np.ones((2, 2))], [np.ones((2, 2))])],
    ids=["no frame", "no target", "nothing but target"],
)
def test_without_pixels_of_both_kinds_the_area_is_zero(frames):
    assert pixel_roc(*frames).auc == 0.0
    assert pixel_roc(*frames).recall_at(0.0) in (0.0, 1.0)


# Levels: how many thresholds a value exceeds.

EXTREMES = [0.0, -0.0, 5e-324, -5e-324, 1e-50, -1e-50, 1e39, -1e39, np.inf, -np.inf, 3.4e38]


def near(values):
    """The values and their neighbours in double and in single precision."""
    steps = [np.nextafter(values, end) for end in (-np.inf, np.inf)]
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
        coarse = [np.nextafter(single, np.float32(end)).astype(float) for end in (-np.inf, np.inf)]
    return np.concatenate([values, *steps, *coarse, single.astype(float)])


@pytest.mark.parametrize(
    "thresholds",
    [
        UNIT_THRESHOLDS,
        SCORE_THRESHOLDS,
        (-1e39, -1e-50, -0.0, 1e-50, 1e39),
        (1.0, 1.0 + 1e-12, 1.0 + 1e-6, 1.001),
        (-2.0, -1.0 - 1e-9, -1.0),
    ],
    ids=["unit", "score", "extreme", "crowded", "negative"],
)
def test_levels_are_exact_wherever_values_lie_close_to_thresholds(thresholds):
    numbers = near(np.array([*thresholds, *EXTREMES]))
    numbers = np.append(numbers, np.random.default_rng(0).normal(0, 3, 500))
    above = numbers[:, None] > np.array(thresholds)
    assert Levels(thresholds)(numbers).tolist() == above.sum(axis=1).tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float32, bool])
def test_levels_of_any_real_numbers(dtype):
    values = np.arange(12).reshape(3, 4).astype(dtype)
    wanted = (values[..., None].astype(float) > [0.5, 3, 7]).sum(axis=2)
    assert Levels([0.5, 3, 7])(values).tolist() == wanted.tolist()


def test_what_is_no_number_exceeds_nothing():
    odd = (
        np.array([np.nan, -np.nan]),
        np.array([0x7F800001, 0xFF800001], np.uint32).view(np.float32),
    )
    for values in odd:
        assert Levels([-5.0, 0.0])(values).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ((), "at least one"),
        (((0.1,),), "at least one"),
        ((0.5, 0.5), "rise"),
        ((0.5, 0.1), "rise"),
        ((0.5, np.inf), "finite"),
        ((np.nan,), "finite"),
    ],
)
@pytest.mark.parametrize("kind", [RocCounts, PdFaCounts])
def test_thresholds_are_finite_and_rise(kind, thresholds, message):
    with pytest.raises(ValueError, match=message):
        kind(thresholds)


# Pd against Fa of targets.


@some
@given(SETS)
def test_counts_of_targets_are_those_of_the_rule_at_each_threshold(frames):
    curve = pd_fa_curve(*frames, thresholds=RAW)
    assert [astuple(one) for one in curve] == [oracle.pd_fa(*frames, t) for t in RAW]


def test_a_curve_of_unit_thresholds_holds_the_rule_at_each():
    rng = np.random.default_rng(3)
    values, mask = rng.random((20, 30)) ** 4, rng.random((20, 30)) < 0.02
    curve = pd_fa_curve([values], [mask])
    assert curve == [distance_counts(values > t, mask) for t in UNIT_THRESHOLDS]


@pytest.mark.data
@pytest.mark.parametrize("number", range(0, 24, 3))
def test_the_curve_passes_through_the_published_figures_at_a_half(golden, number):
    cases = golden("target_metrics.npz")
    chosen = cases["set"] == number
    curve = pd_fa_curve(cases["prob"][chosen], cases["mask"][chosen], thresholds=(0.4, 0.5, 0.6))
    wanted = dict(zip(cases["names"].tolist(), cases["values"][number], strict=True))
    assert curve[1].pd == pytest.approx(wanted["pd_distance"], abs=1e-9)
    assert curve[1].fa == pytest.approx(wanted["fa_distance"], abs=1e-9)


@pytest.mark.parametrize("kind", [RocCounts, PdFaCounts])
def test_a_map_and_its_mask_have_one_shape(kind):
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        kind().update(np.zeros((2, 3)), np.zeros((3, 2)))


@pytest.mark.parametrize("curve", [pixel_roc, pd_fa_curve])
def test_there_are_as_many_maps_as_masks(curve):
    with pytest.raises(ValueError, match="argument"):
        curve([np.zeros((2, 2))], [])
