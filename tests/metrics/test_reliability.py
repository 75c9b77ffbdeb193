"""Probabilities that come true, and bins that say so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from deepir.calibration import LEAST_SCORE, Platt, log_odds
from deepir.metrics import fit_platt, reliability


def drawn(slope=1.7, offset=-0.6, count=4000, seed=0):
    """Scores, and hits drawn with the probability that slope and offset give."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.02, 0.98, count)
    return scores, rng.random(count) < expit(slope * logit(scores) + offset)


@pytest.mark.parametrize(("slope", "offset"), [(1.7, -0.6), (0.4, 1.0), (3.0, -2.0)])
def test_the_fit_finds_what_made_the_data(slope, offset):
    found = fit_platt(*drawn(slope, offset))
    assert found.slope == pytest.approx(slope, abs=0.25)
    assert found.offset == pytest.approx(offset, abs=0.2)


def test_the_fit_is_the_most_likely_one():
    scores, right = drawn()

    def loss(platt):
        stated = platt.probability(scores)
        return -np.log(np.where(right, stated, 1 - stated)).sum()

    best = fit_platt(scores, right)
    for slope, offset in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert loss(best) < loss(Platt(best.slope + slope, best.offset + offset))


def test_scores_that_mean_the_opposite_get_no_slope():
    scores, right = drawn()
    found = fit_platt(1 - scores, right)
    assert found.slope == 0.0
    assert found.probability([0.3]) == pytest.approx(right.mean(), abs=0.01)


@pytest.mark.parametrize("right", [[], [True, True], [False]])
def test_one_kind_alone_is_refused(right):
    with pytest.raises(ValueError, match=rf"{sum(right)} hits among {len(right)} candidates"):
        fit_platt(np.full(len(right), 0.5), right)


def test_odds_are_scipys_and_finite_at_the_ends():
    scores = np.linspace(0.001, 0.999, 50)
    np.testing.assert_allclose(log_odds(scores), logit(scores))
    assert log_odds([0.0, 1.0]) == pytest.approx(logit([LEAST_SCORE, 1 - LEAST_SCORE]))
    stated = Platt(2.0, -1.0).probability(scores)
    np.testing.assert_allclose(stated, expit(2 * logit(scores) - 1))
    assert (Platt(500.0, 0.0).probability([0.0, 1.0]) == [0.0, 1.0]).all()  # without overflow


def test_bins_hold_every_detection_once():
    scores, right = drawn()
    bins = reliability(scores, right)
    assert len(bins) == 10
    assert sum(part.count for part in bins) == len(scores)
    assert sum(part.count * part.hit_rate for part in bins) == pytest.approx(right.sum())
    assert sum(part.count * part.stated for part in bins) == pytest.approx(scores.sum())
    for place, part in enumerate(bins):
        assert place / 10 <= part.stated < (place + 1) / 10


def test_fitted_probabilities_come_true():
    scores, right = drawn()
    bins = reliability(fit_platt(scores, right).probability(scores), right)
    assert all(abs(part.stated - part.hit_rate) < 0.08 for part in bins)


def test_empty_bins_are_left_out_and_one_belongs_to_the_last():
    assert [part.count for part in reliability([1.0, 0.95, 0.0], [1, 0, 0])] == [1, 2]
    assert reliability([], []) == ()
