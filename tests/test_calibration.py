"""Stored thresholds and probabilities: budgets, and the way into a file and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from deepir.calibration import Bin, Calibration, Platt
from deepir.errors import DeepirError, UsageError

STORED = Calibration(
    Platt(1.5, -0.5),
    Platt(1.2, -0.4),
    ((0.1, 0.6), (0.5, 0.4), (1.0, 0.3)),
    (Bin(0.05, 90, 0.04), Bin(0.9, 30, 0.93)),
    64,
    "made up",
)


def test_stored_budgets_give_their_thresholds():
    assert [STORED.threshold_for(budget) for budget in (0.1, 0.5, 1.0)] == [0.6, 0.4, 0.3]


def test_between_them_thresholds_fall_with_the_budget():
    found = [STORED.threshold_for(budget) for budget in np.geomspace(0.1, 1.0, 20)]
    assert (np.diff(found) < 0).all()
    assert STORED.threshold_for(0.1**0.5 * 0.5**0.5) == pytest.approx(0.5)


@pytest.mark.parametrize("budget", [0.0, -1, 0.09, 1.01, float("nan"), float("inf")])
def test_a_budget_that_was_not_measured_is_refused(budget):
    with pytest.raises(UsageError, match=r"0\.1 to 1 false.*64 frames of made up.*--threshold"):
        STORED.threshold_for(budget)


def test_without_a_threshold_every_budget_is_refused():
    with pytest.raises(UsageError, match="no threshold could be measured on 64 frames"):
        replace(STORED, thresholds=()).threshold_for(1.0)


def test_probability_rises_with_the_score():
    stated = STORED.odds.probability([0.0, 0.1, 0.5, 0.9, 1.0])
    assert (np.diff(stated) > 0).all()
    assert (stated > 0).all()
    assert (stated < 1).all()
    assert STORED.odds.probability([]).shape == (0,)


def test_json_gives_the_same_calibration_back():
    assert Calibration.from_json(json.loads(json.dumps(STORED.to_json()))) == STORED


@pytest.mark.parametrize("damage", ["odds", "local", "thresholds", "reliability", "frames", "data"])
def test_json_without_a_field_is_refused(damage):
    value = STORED.to_json()
    del value[damage]
    with pytest.raises(DeepirError, match=damage):
        Calibration.from_json(value)


@pytest.mark.parametrize(
    "change",
    [
        {"odds": 5},
        {"odds": {"slope": "steep", "offset": 0}},
        {"odds": {"slope": 1}},
        {"local": {"slope": 1, "offset": 0, "more": 2}},
        {"thresholds": [1, 2]},
        {"thresholds": [[0.1, "high"]]},
        {"thresholds": [[0.5, 0.4], [0.1, 0.6]]},
        {"thresholds": [[0.0, 0.9]]},
        {"thresholds": [[0.1, float("nan")]]},
        {"thresholds": [[0.1, 1.5]]},
        {"thresholds": [[0.1, -0.1]]},
        {"thresholds": [[10**400, 0.5]]},
        {"thresholds": [["0.1", 0.5]]},
        {"odds": {"slope": 10**400, "offset": 0}},
        {"odds": {"slope": float("inf"), "offset": 0}},
        {"odds": {"slope": 1e10, "offset": 0}},
        {"odds": {"slope": True, "offset": 0}},
        {"local": {"slope": 1, "offset": float("nan")}},
        {"reliability": [[0.5, 3, 0.4]]},
        {"reliability": [{"stated": 1.5, "count": 3, "hit_rate": 0.4}]},
        {"reliability": [{"stated": 0.5, "count": -3, "hit_rate": 0.4}]},
        {"reliability": [{"stated": 0.5, "count": 3, "hit_rate": float("nan")}]},
        {"reliability": [{"stated": 0.5, "count": 3.5, "hit_rate": 0.4}]},
        {"reliability": [{"stated": "0.5", "count": 3, "hit_rate": 0.4}]},
        {"reliability": [{"stated": 0.5, "count": 3}]},
        {"frames": None},
        {"frames": 0},
        {"frames": 1.5},
        {"frames": float("inf")},
        {"frames": 10**400},
        {"data": 3},
        {"data": "two\u2028lines"},
        {"data": "x" * 1001},
    ],
)
def test_json_of_another_kind_is_refused(change):
    with pytest.raises(DeepirError, match="the calibration does not fit") as caught:
        Calibration.from_json({**STORED.to_json(), **change})
    assert len(str(caught.value)) < 400
