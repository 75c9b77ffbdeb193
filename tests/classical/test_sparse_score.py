"""A sparse map scores in deviations of its frame, over the clutter of the map."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.catalogue import load_detector
from deepir.classical.low_rank.pstnn import pstnn
from deepir.classical.low_rank.ript import ript
from deepir.classical.low_rank.sparse_score import LEAST_DEVIATIONS, in_deviations, sparse_ratio
from deepir.readout import CLUTTER_SHARE
from deepir.saliency import Saliency

FRAME = np.random.default_rng(0).normal(100, 4, (80, 90))


def spots(values, *, apart=13):
    """A map of single pixels, as high as the values say."""
    target = np.zeros(FRAME.shape)
    places = [(row, column) for row in range(3, 80, apart) for column in range(3, 90, apart)]
    for place, value in zip(places, values, strict=False):
        target[place] = value
    return target


def score(target, frame=FRAME):
    return sparse_ratio(in_deviations(Saliency(target), frame).values).max()


def test_a_strong_peak_alone_scores_nearly_the_highest_possible():
    strong = 1e4 * FRAME.std()
    assert score(spots([strong])) == pytest.approx(1 / CLUTTER_SHARE, rel=1e-3)


def test_a_weak_peak_alone_scores_by_the_deviation_of_the_frame():
    weak = LEAST_DEVIATIONS / 2
    wanted = weak / (LEAST_DEVIATIONS + CLUTTER_SHARE * weak)
    assert score(spots([weak * FRAME.std()])) == pytest.approx(wanted)


def test_a_peak_among_ten_alike_scores_as_clutter():
    assert score(spots([30.0] * 12)) == pytest.approx(1 / (1 + CLUTTER_SHARE))


@pytest.mark.parametrize("gain", [1e-3, 50.0])
def test_gain_and_offset_of_a_frame_do_not_matter(gain):
    target = spots([30.0, 10.0, 4.0])
    assert score(gain * target, gain * FRAME + 7) == pytest.approx(score(target))


def test_nothing_positive_scores_nothing():
    assert score(np.zeros(FRAME.shape)) == 0
    assert score(np.zeros(FRAME.shape), np.full(FRAME.shape, 3.0)) == 0


@pytest.mark.parametrize(("name", "method"), [("ript", ript), ("pstnn", pstnn)])
def test_default_mode_scores_the_published_target(name, method):
    frame = FRAME.round()
    frame[40, 50] += 60
    settings = {} if name == "ript" else {"mixed": False}
    wanted = method(frame, **settings)
    response = load_detector(name).respond(frame)
    np.testing.assert_allclose(response.saliency * frame.std(), wanted.target, atol=1e-12)
    assert response.diagnostics == wanted.saliency().diagnostics
