"""False alarms are candidates above a score, away from all targets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepir.structures import Sample
from deepir.training.mining import frames_to_mine, mine, refreshed
from deepir.training.sampler import FalseAlarm

FRAME = Sample(np.zeros((40, 50)), [[10, 10, 14, 14]], id="one")
EMPTY = Sample(np.zeros((40, 50)), np.zeros((0, 4)), id="none")


def around(*points):
    """Candidates with boxes of 2x2 px around points, scores falling from 0.9 by 0.1."""
    boxes = np.array([[x - 1, y - 1, x + 1, y + 1] for x, y in points], np.float32)
    scores = np.array([0.9 - 0.1 * rank for rank in range(len(points))], np.float32)
    return lambda _: (boxes.reshape(-1, 4), scores)


def found(points, *, score=0.0, apart=4.0, frame=FRAME):
    alarms = mine(around(*points), [frame], [0], score=score, apart_px=apart)
    return [(alarm.x, alarm.y) for alarm in alarms]


@pytest.mark.parametrize("distance", [0.5, 2, 3.75])
def test_what_is_near_a_target_is_none(distance):
    assert found([(12, 12), (14 + distance, 12), (10 - distance, 9), (12, 14 + distance)]) == []


def test_what_is_away_from_it_is_one():
    far = [(18, 12), (6, 12), (12, 18), (12, 6), (30, 30)]
    assert found(far) == far
    assert found(far, apart=4.5) == [(30, 30)]


def test_without_targets_everything_is_one():
    assert found([(12, 12), (13, 12)], frame=EMPTY) == [(12, 12), (13, 12)]


def test_faint_candidates_are_left_alone():
    points = [(30, 5), (30, 10), (30, 15), (30, 20)]
    assert found(points, score=0.75) == points[:2]
    assert found([]) == []


@settings(max_examples=50)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 2**40), st.integers(0, 10**6))
def test_frames_are_chosen_once_each_and_repeatably(count, wanted, seed, iteration):
    chosen = frames_to_mine(count, wanted, seed=seed, iteration=iteration)
    assert len(chosen) == len(set(chosen)) == min(count, wanted)
    assert set(chosen) <= set(range(count))
    assert chosen == frames_to_mine(count, wanted, seed=seed, iteration=iteration)


def test_other_iterations_search_other_frames():
    orders = {tuple(frames_to_mine(50, 10, seed=1, iteration=i)) for i in range(20)}
    assert len(orders) == 20


def test_a_frame_that_is_searched_again_is_forgotten_first():
    old = [FalseAlarm(0, 1, 1), FalseAlarm(1, 2, 2), FalseAlarm(2, 3, 3)]
    new = [FalseAlarm(1, 9, 9)]
    assert refreshed(old, [0, 1], new) == [old[2], new[0]]
    assert refreshed([], [0], []) == []
