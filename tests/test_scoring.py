"""All metrics at once say what each of them says alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from listed import two_sources

from deepir import bench
from deepir.metrics import (
    SCORE_THRESHOLDS,
    hybrid_iou,
    loc_ap,
    noco_ap,
    pd_fa,
    pixel_roc,
    pixel_scores,
)
from deepir.metrics.bootstrap import mnocoap_interval, ratio_interval
from deepir.noco import noco_map, noco_peaks
from deepir.predictions import FrameDetections, Predictions
from deepir.results import result_json
from deepir.scoring import BUDGETS, FALSE_PIXELS, Scorer
from deepir.simulate import SimulatedFrames
from deepir.structures import Detections, Sample, best_first

SAMPLES = list(SimulatedFrames(4, seed=9, shape=(60, 70), targets=2))
NOTHING = Detections([], [])
SHARES = ("1e-05", "0.0001", "0.001")


def perfect(sample):
    """Every target at its NoCo peak, all with score 10."""
    return best_first(noco_peaks(sample.image, sample.boxes), np.full(len(sample.boxes), 10.0))


def noisy(sample, seed=0):
    """One target missed, a second one weak, and a strong false alarm in the corner."""
    points = np.concatenate([perfect(sample).points[1:], [[0, 0]]])
    return best_first(points, np.random.default_rng(seed).permutation(len(points)) + 5.0)


def fed(
    found=perfect,
    *,
    operating=7.0,
    mask=lambda sample: sample.mask,
    score_map=lambda sample: sample.mask,
    samples=SAMPLES,
):
    scorer = Scorer(operating)
    for sample in samples:
        scorer.update(sample, found(sample), mask(sample), score_map=score_map(sample))
    return scorer


def figures(*args, **kwargs):
    return fed(*args, **kwargs).figures(draws=50)


def test_perfect_detections_score_one():
    score = figures()
    assert all(len(sample.boxes) == 2 for sample in SAMPLES)
    assert score["pd"] == score["recall"]["0.5"] == score["pd_at"]["0.01"] == 1.0
    assert score["pd_interval"] == [1.0, 1.0]
    assert score["false_objects_per_frame"] == score["false_objects_per_megapixel"] == 0.0
    perfect_mask = dict.fromkeys(("iou", "niou", "precision", "recall", "f1"), 1.0)
    assert score["pixel"] == {**perfect_mask, "auc": 1.0, "recall_at": dict.fromkeys(SHARES, 1.0)}
    assert score["target"] == {"pd": 1.0, "fa": 0.0}
    assert score["hybrid"]["hiou"] == 1.0


def test_each_figure_is_that_of_its_metric():
    def scores(sample):
        return sample.image / 8.0 - 20

    score = figures(noisy, mask=lambda sample: np.roll(sample.mask, 1, axis=0), score_map=scores)
    rows = [np.column_stack([found.points, found.scores]) for found in map(noisy, SAMPLES)]
    maps = [noco_map(sample.image, sample.boxes) for sample in SAMPLES]
    ap = noco_ap(rows, maps, [sample.boxes for sample in SAMPLES])
    truth = [sample.mask for sample in SAMPLES]
    claimed = [np.roll(mask, 1, axis=0) for mask in truth]
    assert (score["mnocoap"], score["recall_cap"]) == (ap.mean, ap.recall_cap)
    assert list(score["nocoap"].values()) == list(ap.by_threshold.values())
    assert score["pixel"]["iou"] == pixel_scores(claimed, truth).iou
    assert score["target"]["fa"] == pd_fa(claimed, truth).fa
    assert score["hybrid"]["hiou"] == hybrid_iou(claimed, truth).hiou
    centred = loc_ap(rows, [sample.boxes for sample in SAMPLES])
    assert score["mlocap"] == centred.mean
    assert list(score["locap"].items()) == [(f"{t}", ap) for t, ap in centred.by_threshold.items()]
    roc = pixel_roc(map(scores, SAMPLES), truth, thresholds=SCORE_THRESHOLDS)
    assert 0.5 < score["pixel"]["auc"] == roc.auc < 1
    assert score["pixel"]["recall_at"] == {f"{s:g}": roc.recall_at(s) for s in FALSE_PIXELS}


def test_keys_of_thresholds_and_budgets_are_short():
    score = figures()
    levels = [f"0.{tenth}" for tenth in range(1, 10)]
    assert list(score["nocoap"]) == list(score["recall"]) == levels
    assert list(score["pd_at"]) == ["0.01", "0.1", "1"] == [f"{budget:g}" for budget in BUDGETS]


@pytest.mark.parametrize("found", [perfect, noisy, lambda sample: NOTHING])
def test_figures_are_strict_json(found):
    assert json.loads(json.dumps(figures(found), allow_nan=False)) == figures(found)


def test_only_believed_detections_count_for_pd_but_all_for_ap():
    believed, doubted = (figures(operating=level) for level in (10.0, 10.1))
    assert (believed["pd"], doubted["pd"]) == (1.0, 0.0)
    assert believed["mnocoap"] == doubted["mnocoap"] > 0.5
    assert believed["pd_at"] == doubted["pd_at"]


def test_false_objects_are_counted_by_frame_and_area():
    score = figures(noisy, operating=0.0)
    assert score["false_objects_per_frame"] == 1.0
    assert score["false_objects_per_megapixel"] == pytest.approx(1e6 / (60 * 70))
    assert score["pd"] == 0.5


def test_intervals_surround_their_figures():
    score = fed(noisy, operating=5.5).figures(draws=300)
    for name in ("mnocoap", "pd", "false_objects_per_frame"):
        low, high = score[f"{name}_interval"]
        assert low <= score[name] <= high


@pytest.mark.parametrize("seed", [1, 2])
def test_intervals_are_those_of_the_bootstrap_with_this_seed(seed):
    scorer = fed(noisy)
    score = scorer.figures(draws=40, seed=seed)
    ap = mnocoap_interval(scorer.hits, draws=40, seed=seed)
    points = scorer.curve.at(scorer.operating)
    pd = ratio_interval(points.hits, points.targets, draws=40, seed=seed)
    assert score["mnocoap_interval"] == [ap.low, ap.high]
    assert score["pd_interval"] == [pd.low, pd.high]


MASK_FIGURES = ("pixel", "target", "hybrid")


def without_truth(sample):
    return Sample(sample.image, sample.boxes)


@pytest.mark.parametrize(
    ("samples", "mask"),
    [
        (SAMPLES, lambda sample: None),
        (SAMPLES, lambda sample: None if sample is SAMPLES[1] else sample.mask),
        ([*SAMPLES[:3], without_truth(SAMPLES[3])], lambda sample: sample.image > 0),
        ([], lambda sample: sample.mask),
    ],
    ids=["no mask", "one mask missing", "one truth missing", "no frame"],
)
def test_mask_scores_need_both_masks_of_every_frame(samples, mask):
    scorer = fed(samples=samples, mask=mask)
    score = scorer.figures(draws=50)
    assert [score[name] for name in MASK_FIGURES] == [None] * 3
    assert set(MASK_FIGURES) <= set(scorer.absent)


def test_without_a_map_of_every_frame_the_roc_is_none_and_the_mask_scores_stay():
    scorer = fed(score_map=lambda sample: None if sample is SAMPLES[2] else sample.mask)
    pixel = scorer.figures(draws=50)["pixel"]
    assert (pixel["iou"], pixel["auc"], pixel["recall_at"]) == (1.0, None, None)
    assert scorer.absent["pixel.auc"] == f"{SAMPLES[2].id!r} has no map of scores"
    assert "pixel" not in scorer.absent


def test_points_without_boxes_have_no_box_ap_and_the_reason_names_the_first():
    def pointed(sample):
        return Detections(perfect(sample).points, perfect(sample).scores)

    def framed(sample):
        found = perfect(sample)
        return best_first(found.points, found.scores, sample.boxes)

    whole = fed(framed)
    assert whole.figures(draws=50)["box_ap"] == {"0.3": 1.0, "0.5": 1.0}
    assert whole.absent == {}
    mixed = fed(lambda sample: pointed(sample) if sample is SAMPLES[1] else framed(sample))
    assert mixed.figures(draws=50)["box_ap"] is None
    wanted = f"the detections of {SAMPLES[1].id!r} are points without boxes"
    assert mixed.absent == {"box_ap": wanted}


def test_points_alone_score_what_points_can():
    scorer = Scorer(7.0)
    for sample in SAMPLES:
        scorer.update(sample, perfect(sample), None)
    score = scorer.figures(draws=50)
    empty = {name for name, value in score.items() if value is None}
    assert empty == {"box_ap", *MASK_FIGURES}
    assert set(scorer.absent) == {*empty, "pixel.auc"}
    assert "no predicted mask" in scorer.absent["pixel"]


def test_saved_points_are_scored_and_their_result_says_what_is_absent():
    data = two_sources()
    entries = [
        FrameDetections(id=name, points=[(*point, 1.0) for point in perfect(sample).points])
        for name, sample in data.samples.items()
    ]
    result = result_json(bench.score(Predictions(detections=entries), data))
    assert result["metrics"]["mnocoap"] == 1.0
    assert {name for name, value in result["metrics"].items() if value is None} == {
        "box_ap",
        *MASK_FIGURES,
    }
    assert set(result["absent"]) == {"box_ap", "pixel.auc", *MASK_FIGURES}
    assert all("Misc_0" in reason for reason in result["absent"].values())


def test_no_frame_and_no_detection_have_stated_scores():
    for score in (figures(samples=[]), figures(lambda sample: NOTHING)):
        assert score["mnocoap"] == score["pd"] == score["false_objects_per_frame"] == 0.0
        assert score["mnocoap_interval"] == score["pd_interval"] == [0.0, 0.0]
        assert set(score["pd_at"].values()) == {0.0}


def test_frames_are_counted():
    assert [fed(samples=SAMPLES[:count]).frames for count in range(3)] == [0, 1, 2]
