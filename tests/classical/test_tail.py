"""Scores over a frame's own tail compare across frames and know no gain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepir.classical.tail import over_tail, tail_scale

maps = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(-9, 9, allow_subnormal=False),
)
CLUTTER = np.random.default_rng(0).exponential(1.0, (40, 50))


@given(maps, st.integers(1, 99), st.sampled_from([0.01, 0.3]))
def test_the_unit_is_a_pixel_of_the_sorted_map(values, pixels, share):
    found = over_tail(values, pixels=pixels, share=share)
    ranked = sorted(values.ravel().tolist(), reverse=True)
    if ranked[0] <= 0:
        assert not found.any()
    else:
        unit = max(ranked[min(pixels, len(ranked) - 1)], 0) + share * ranked[0]
        np.testing.assert_allclose(found, values / unit, rtol=1e-12)


@pytest.mark.parametrize("pixels", [1, 7, 64, 400, 1999, 2000, 9999])
@pytest.mark.parametrize("zeros", [0, 1500, 1999])
def test_the_pixel_is_that_of_a_full_sort_however_many_are_equal(pixels, zeros):
    values = np.ceil(4 * CLUTTER)
    values.ravel()[np.random.default_rng(1).permutation(values.size)[:zeros]] = 0
    ranked = np.sort(values, axis=None)[::-1]
    unit = ranked[min(pixels, values.size - 1)] + 0.05 * ranked[0]
    np.testing.assert_allclose(over_tail(values, pixels=pixels), values / unit, rtol=1e-12)


@pytest.mark.parametrize("gain", [1e-3, 8, 1e6])
def test_gain_does_not_matter(gain):
    wanted = over_tail(CLUTTER, pixels=30)
    np.testing.assert_allclose(over_tail(gain * CLUTTER, pixels=30), wanted, rtol=1e-12)


def test_no_score_exceeds_what_the_share_allows():
    lone = np.zeros((20, 20))
    lone[3, 4] = 7
    assert over_tail(lone, pixels=9, share=0.05).max() == pytest.approx(20)


def test_the_same_response_scores_less_in_more_clutter():
    scores = []
    for amplitude in (0.1, 1.0, 3.0):
        frame = amplitude * CLUTTER
        frame[20, 20] = 40
        scores.append(over_tail(frame, pixels=30)[20, 20])
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 5 * scores[2]


def test_clutter_alone_scores_little():
    assert over_tail(CLUTTER, pixels=64).max() < 4


def test_turning_the_map_turns_the_scores():
    np.testing.assert_array_equal(
        over_tail(np.rot90(CLUTTER), pixels=30), np.rot90(over_tail(CLUTTER, pixels=30))
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pixels": 0}, "1 pixel or more, got 0"),
        ({"pixels": 5, "share": -0.1}, "above 0, .* got -0.1"),
        ({"pixels": 5, "share": 0.0}, "above 0, .* got 0.0"),
    ],
)
def test_units_that_may_be_nothing_are_refused_as_soon_as_they_are_given(options, message):
    with pytest.raises(ValueError, match=message):
        over_tail(CLUTTER, **options)
    with pytest.raises(ValueError, match=message):
        tail_scale(**options)


def test_an_empty_map_stays_one():
    assert over_tail(np.zeros((0, 0)), pixels=3).shape == (0, 0)
