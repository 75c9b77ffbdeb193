"""Floors and thresholds are scored as `deepir eval` scores them, and the best is the stated one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from deepir import bench
from deepir.catalogue import load_detector
from deepir.data import open_dataset, write_sirst_v2
from deepir.errors import DeepirError
from deepir.passes import Pass
from deepir.simulate import SimulatedFrames
from deepir.thresholds import FLOORS, FloorScore, FloorSweep, sweep_floors

FRAMES = 6
SOME = (1.0, 0.2, 0.5)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    write_sirst_v2(root, "val", SimulatedFrames(FRAMES, seed=5, shape=(64, 80), targets=2))
    return open_dataset("sirst-v2", root=root, split="val")


@pytest.fixture(scope="module")
def detector():
    return load_detector("top_hat", read_out="published", threshold=3.0)


@pytest.fixture(scope="module")
def sweep(detector, dataset):
    return sweep_floors(detector, dataset, floors=SOME, false_alarms_per_frame=0.5)


def at_floor(detector, floor, **more):
    return replace(detector, read_out="peak", threshold=None, peak_floor=floor, **more)


def test_every_floor_is_scored_as_a_benchmark_does(sweep, detector, dataset):
    assert [one.floor for one in sweep.floors] == sorted(SOME)
    for one in sweep.floors:
        ap = bench.evaluate(at_floor(detector, one.floor), dataset).scorer.hits.score()
        assert (one.mnocoap, one.recall_cap) == (ap.mean, ap.recall_cap)


def test_the_threshold_is_the_lowest_that_keeps_to_the_budget(sweep, detector, dataset):
    for one in sweep.floors:
        curve = bench.evaluate(at_floor(detector, one.floor), dataset).scorer.curve
        exact = curve.threshold_at(0.5)
        assert exact <= one.operating < exact + 0.01
        assert one.operating == pytest.approx(round(one.operating, 2), abs=1e-12)
        assert curve.at(one.operating).false_objects_per_frame <= 0.5
        assert one.pd == curve.at(one.operating).pd


def test_decimals_are_a_choice(detector, dataset):
    fine, whole = (
        sweep_floors(detector, dataset, floors=(0.2,), decimals=decimals).floors[0].operating
        for decimals in (4, 0)
    )
    assert fine <= whole < fine + 1
    assert whole == int(whole)


def test_the_floors_that_are_tried_unless_others_are_named(detector, dataset):
    assert [one.floor for one in sweep_floors(detector, dataset).floors] == list(FLOORS)


def test_where_nothing_is_found_no_threshold_keeps_to_the_budget(detector, dataset):
    one = sweep_floors(detector, dataset, floors=(1e9,)).floors[0]
    assert (one.mnocoap, one.operating, one.pd) == (0.0, math.inf, 0.0)


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ({1: 0.3, 2: 0.5, 3: 0.4}, 2),
        ({1: 0.5, 2: 0.4993, 3: 0.4}, 2),  # a tie: the highest floor
        ({1: 0.5, 2: 0.4985, 3: 0.4}, 1),
        ({1: 0.0}, 1),
    ],
)
def test_the_best_floor(scores, best):
    floors = [FloorScore(floor, score, 1.0, 5.0, 0.5) for floor, score in scores.items()]
    assert FloorSweep(floors, Pass()).best.floor == best


def test_frames_that_cannot_be_used_are_named(detector, dataset):
    damaged = replace(dataset, ids=["none", *dataset.ids])
    sweep = sweep_floors(detector, damaged, floors=SOME)
    assert [one.id for one in sweep.frames.skipped] == ["none"]
    assert sweep.frames.taken == dataset.ids
    with pytest.raises(DeepirError, match="none of the 1 frames"):
        sweep_floors(detector, replace(dataset, ids=["none"]), floors=SOME)


def test_a_filter_is_run_once_a_frame(detector, dataset):
    calls = []

    def counted(image):
        calls.append(1)
        return image - np.median(image)

    sweep_floors(replace(detector, filter=counted), dataset)
    assert len(calls) == FRAMES
