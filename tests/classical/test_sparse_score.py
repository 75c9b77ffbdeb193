"""A sparse map scores by its frame's clutter and by how alone its peak is."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.catalogue import load_detector
from deepir.classical.clutter import over_clutter
from deepir.classical.low_rank.pstnn import pstnn
from deepir.classical.low_rank.ript import ript
from deepir.classical.low_rank.sparse_score import TAIL_PIXELS, stands_out
from deepir.saliency import Saliency

RNG = np.random.default_rng(0)
FRAME = RNG.normal(100, 4, (80, 90))


def spots(values, *, apart=3):
    """A map of single pixels, as high as the values say."""
    target = np.zeros(FRAME.shape)
    target.flat[:: apart * 90 + apart][: len(values)] = values
    return target


def test_a_peak_alone_scores_twenty_times_its_contrast():
    target = spots([30.0])
    np.testing.assert_allclose(stands_out(target, FRAME), 20 * over_clutter(target, FRAME))


def test_a_peak_among_many_alike_scores_little_more_than_its_contrast():
    target = np.zeros(FRAME.shape)
    target[::7, ::7] = 30.0
    assert np.count_nonzero(target) > TAIL_PIXELS
    np.testing.assert_allclose(stands_out(target, FRAME), over_clutter(target, FRAME) / 1.05)


@pytest.mark.parametrize("gain", [1e-3, 50.0])
def test_gain_and_offset_of_a_frame_do_not_matter(gain):
    target = spots([30.0, 10.0, 4.0])
    wanted = stands_out(target, FRAME)
    np.testing.assert_allclose(stands_out(gain * target, gain * FRAME + 7), wanted, atol=1e-9)


def test_nothing_positive_scores_nothing():
    for target in (np.zeros(FRAME.shape), np.full(FRAME.shape, -3.0)):
        np.testing.assert_array_equal(stands_out(target, FRAME), np.zeros(FRAME.shape))


@pytest.mark.parametrize(("name", "method"), [("ript", ript), ("pstnn", pstnn)])
def test_default_mode_scores_the_published_target(name, method):
    frame = FRAME.round()
    frame[40, 50] += 60
    settings = {} if name == "ript" else {"mixed": False}
    wanted = method(frame, **settings)
    response = load_detector(name).respond(frame)
    assert isinstance(wanted.saliency(), Saliency)
    np.testing.assert_array_equal(response.saliency, stands_out(wanted.target, frame))
    np.testing.assert_array_equal(response.scores, response.saliency)
    assert response.diagnostics == wanted.saliency().diagnostics
