"""Scores against a frame's clutter: order kept, typical frames untouched, cluttered ones lower."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepir.clutter_level import RANK, ClutterLevel, order_level
from deepir.errors import DeepirError

LEVEL = ClutterLevel(rank=3, weight=0.4, typical=0.02)
scores = st.lists(st.floats(1e-5, 1 - 1e-5), max_size=30)


def odds(values):
    return np.asarray(values) / (1 - np.asarray(values))


@given(scores, st.integers(1, 12), st.floats(1e-6, 0.01))
def test_the_level_is_the_score_of_its_rank(values, rank, least):
    wanted = sorted(values, reverse=True)[rank - 1] if len(values) >= rank else least
    assert order_level(values, rank, least=least) == max(wanted, least)


@given(scores)
def test_odds_are_divided_by_a_power_of_how_much_the_clutter_exceeds_the_typical(values):
    level = order_level(values, LEVEL.rank, least=0.003)
    wanted = odds(values) / (odds(level) / odds(LEVEL.typical)) ** LEVEL.weight
    np.testing.assert_allclose(odds(LEVEL.adjusted(values, least=0.003)), wanted, rtol=1e-6)


@given(scores)
def test_the_order_within_a_frame_stays(values):
    ordered = np.sort(values)
    assert (np.diff(LEVEL.adjusted(ordered, least=0.003)) >= 0).all()


def test_a_typical_frame_stays_as_it_is():
    values = [0.9, 0.4, 0.02, 0.01]
    np.testing.assert_allclose(LEVEL.adjusted(values, least=0.003), values, rtol=1e-9)


def test_the_same_score_counts_less_among_many_good_ones():
    quiet, cluttered = [0.8, 0.01, 0.005], [0.8, 0.7, 0.6]
    assert LEVEL.adjusted(quiet, least=0.003)[0] > 0.8 > LEVEL.adjusted(cluttered, least=0.003)[0]


def test_the_strongest_do_not_set_the_level():
    one, other = [0.5, 0.4, 0.02], [0.999, 0.9, 0.02]
    assert order_level(one, 3, least=0.003) == order_level(other, 3, least=0.003)


def test_a_weight_of_zero_changes_nothing():
    values = [0.9, 0.4, 0.3, 0.2]
    flat = ClutterLevel(RANK, 0.0, 0.02).adjusted(values, least=0.003)
    np.testing.assert_allclose(flat, values, rtol=1e-9)


def test_no_candidate_at_all_is_legal():
    assert LEVEL.adjusted([], least=0.003).shape == (0,)


def test_scores_of_zero_and_one_stay_finite():
    assert np.isfinite(LEVEL.adjusted([0.0, 0.5, 1.0], least=1e-9)).all()


def test_json_gives_back_what_was_written():
    assert ClutterLevel.from_json(LEVEL.to_json()) == LEVEL


@pytest.mark.parametrize(
    "change",
    [
        {"rank": 0},
        {"rank": 2.5},
        {"rank": None},
        {"weight": -0.1},
        {"weight": 1.5},
        {"weight": float("nan")},
        {"weight": "much"},
        {"weight": 10**400},
        {"typical": 0},
        {"typical": 1},
        {"typical": [0.1]},
        {"more": 1},
    ],
)
def test_fields_that_do_not_fit_are_refused(change):
    text = json.dumps({**json.loads(LEVEL.to_json()), **change})
    with pytest.raises(DeepirError):
        ClutterLevel.from_json(text)


@pytest.mark.parametrize("text", ["", "3", "[]", "{", "[" * 20_000])
def test_text_that_is_no_level_is_refused(text):
    with pytest.raises(DeepirError, match="clutter level"):
        ClutterLevel.from_json(text)
