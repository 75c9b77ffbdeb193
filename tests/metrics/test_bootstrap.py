"""Draws are weights on frames: what repeating frames in earnest would score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles.noco_cases import columns, sets, sets_without_ties

from deepir.metrics import Interval, NocoHits, noco_ap, noco_hits, paired_interval, resample
from deepir.metrics import bootstrap as module
from deepir.metrics.bootstrap import (
    mnocoap_draws,
    mnocoap_interval,
    percentile_interval,
    ratio_interval,
    weighted_mnocoap,
)

pytestmark = pytest.mark.filterwarnings("ignore:.* outside the .* count as false alarms")
few = settings(max_examples=50)


def detector(quality, frames=30, seed=0):
    """Hits of a made-up detector that finds this share of one target a frame."""
    rng = np.random.default_rng(seed)
    hits = NocoHits()
    for _ in range(frames):
        x = 3 if rng.random() < quality else 6
        hits.update([[x, 3, rng.random()]], np.full((8, 8), 0.95), [[2, 2, 5, 5]])
    return hits


def drawn(*arguments, **options):
    return np.concatenate(list(resample(*arguments, **options)))


@given(sets)
def test_a_draw_of_every_frame_once_is_the_score(cases):
    hits = noco_hits(*columns(cases))
    (value,) = weighted_mnocoap(hits.ranked(), np.ones((1, len(cases)), dtype=np.int64))
    assert value == pytest.approx(hits.score().mean, abs=1e-12)


@few
@given(sets_without_ties, st.data())
def test_weights_are_repeated_frames(cases, data):
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(cases), max_size=len(cases)))
    repeated = [case for case, count in zip(cases, counts, strict=True) for _ in range(count)]
    ranked = noco_hits(*columns(cases)).ranked()
    (value,) = weighted_mnocoap(ranked, np.array([counts], dtype=np.int64))
    assert value == pytest.approx(noco_ap(*columns(repeated)).mean, abs=1e-12)


def test_draws_are_whole_and_repeatable():
    counts = drawn(7, draws=50, seed=3)
    assert counts.shape == (50, 7)
    assert (counts.sum(axis=1) == 7).all()
    assert (counts >= 0).all()
    np.testing.assert_array_equal(counts, drawn(7, draws=50, seed=3))
    assert (counts != drawn(7, draws=50, seed=4)).any()


def test_every_frame_is_drawn_once_on_average():
    assert drawn(5, draws=4000).mean(axis=0) == pytest.approx(1, abs=0.06)


def test_scores_do_not_depend_on_how_many_draws_are_held_at_a_time(monkeypatch):
    hits = detector(0.6)
    whole, ratio = mnocoap_draws(hits, draws=23), ratio_interval([1, 2, 0], [1, 2, 3], draws=23)
    monkeypatch.setattr(module, "_NUMBERS", 100)
    np.testing.assert_array_equal(mnocoap_draws(hits, draws=23), whole)
    assert ratio_interval([1, 2, 0], [1, 2, 3], draws=23) == ratio


def test_an_interval_surrounds_the_score_and_narrows_with_frames():
    narrow, wide = (mnocoap_interval(detector(0.6, frames)) for frames in (400, 25))
    for interval, frames in ((narrow, 400), (wide, 25)):
        assert interval.low < detector(0.6, frames).score().mean < interval.high
    assert narrow.high - narrow.low < wide.high - wide.low


@pytest.mark.parametrize("quality", [0.0, 1.0])
def test_a_figure_without_spread_has_an_interval_without_width(quality):
    assert mnocoap_interval(detector(quality), draws=50) == Interval(quality, quality)


@given(sets)
@few
def test_a_detector_does_not_differ_from_itself(cases):
    assume(cases)
    hits = noco_hits(*columns(cases))
    paired = paired_interval(hits, hits, draws=20)
    assert (paired.difference, paired.interval, paired.p_value) == (0, Interval(0, 0), 1)


def test_a_difference_changes_its_sign_with_the_order():
    a, b = detector(0.9, seed=1), detector(0.5, seed=2)
    forth, back = paired_interval(a, b), paired_interval(b, a)
    assert forth.difference == -back.difference == a.score().mean - b.score().mean
    assert forth.interval.low == pytest.approx(-back.interval.high)
    assert forth.p_value == back.p_value


def test_a_clear_winner_has_the_least_p_value():
    paired = paired_interval(detector(1.0), detector(0.1), draws=200)
    assert paired.interval.low > 0
    assert paired.p_value == 1 / 200


def test_pairs_need_the_same_frames():
    with pytest.raises(ValueError, match="30 frames with 30 targets and 29 with 29"):
        paired_interval(detector(1.0), detector(1.0, frames=29))


def test_percentiles_leave_a_fortieth_on_each_side():
    assert percentile_interval(np.arange(1001)) == Interval(25, 975)


counts_by_frame = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6)


@few
@given(counts_by_frame)
def test_a_ratio_is_that_of_the_sums_of_each_draw(frames):
    above, below = np.array(frames).T
    above = np.minimum(above, below)
    ratios = [
        (draw * above).sum() / ((draw * below).sum() or 1)
        for draw in drawn(len(frames), draws=30, seed=5)
    ]
    assert ratio_interval(above, below, draws=30, seed=5) == percentile_interval(ratios)


def test_a_ratio_may_have_small_denominators():
    megapixels = [0.25, 0.25]
    assert ratio_interval([1, 1], megapixels) == Interval(4, 4)


@pytest.mark.parametrize("interval", [mnocoap_interval(NocoHits()), ratio_interval([], [])])
def test_no_frame_has_the_interval_zero(interval):
    assert interval == Interval(0, 0)
