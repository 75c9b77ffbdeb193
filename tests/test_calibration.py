"""Calibration: probabilities that come true, budgets that are kept."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit

from deepir.calibration import BINS, Calibration, calibrate
from deepir.errors import DeepirError
from deepir.metrics.target import PointCurve
from deepir.structures import best_first


def curve_of(rng, frames=400, slope=1.7, offset=-0.6):
    """Frames with one target each; a candidate of score s hits with expit(slope logit(s) + b)."""
    curve = PointCurve()
    for _ in range(frames):
        scores = rng.uniform(0.02, 0.98, 5)
        right = rng.random(5) < expit(slope * logit(scores) + offset)
        x = np.where(right, np.arange(5) * 10 + 1.0, 90.0)
        points = np.stack([x, np.full(5, 50.0)], axis=1)
        boxes = [[10 * i, 45, 10 * i + 3, 55] for i in range(5)]
        curve.update(best_first(points, scores), (100, 100), boxes=boxes)
    return curve


@pytest.fixture
def curve():
    return curve_of(np.random.default_rng(0))


def test_probabilities_are_those_that_made_the_data(curve):
    found = calibrate(curve, data="made up")
    assert found.slope == pytest.approx(1.7, abs=0.25)
    assert found.offset == pytest.approx(-0.6, abs=0.2)
    assert all(abs(part.stated - part.hit_rate) < 0.12 for part in found.reliability)
    assert sum(part.count for part in found.reliability) == len(curve.columns()[0])
    assert len(found.reliability) == BINS


def test_probability_rises_with_the_score(curve):
    found = calibrate(curve, data="made up")
    stated = found.probability([0.0, 0.1, 0.5, 0.9, 1.0])
    assert (np.diff(stated) > 0).all()
    assert (stated > 0).all()
    assert (stated < 1).all()
    assert found.probability([]).shape == (0,)


def test_budgets_are_kept_on_the_measured_frames(curve):
    found = calibrate(curve, data="made up")
    for budget, threshold in found.thresholds:
        assert curve.at(threshold).false_objects_per_frame <= budget
        assert found.threshold_for(budget) == pytest.approx(threshold)
    between = found.threshold_for(0.14)
    assert found.threshold_for(0.2) <= between <= found.threshold_for(0.1)


@pytest.mark.parametrize("budget", [0.0, 1e-5, 100.0, float("nan")])
def test_a_budget_that_was_not_measured_is_refused(curve, budget):
    with pytest.raises(DeepirError, match=r"were measured for 0\.01 to"):
        calibrate(curve, data="made up").threshold_for(budget)


def test_json_gives_the_same_calibration_back(curve):
    found = calibrate(curve, data="made up")
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize("damage", ["slope", "thresholds", "reliability", "frames", "data"])
def test_damaged_json_is_refused(curve, damage):
    value = calibrate(curve, data="made up").to_json()
    del value[damage]
    with pytest.raises(DeepirError, match=damage):
        Calibration.from_json(value)


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(DeepirError, match="0 hits among 0 candidates"):
        calibrate(PointCurve(), data="nothing")
