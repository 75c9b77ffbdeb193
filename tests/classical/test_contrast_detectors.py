"""FKRW, RLCM, TLLCM and WLDM as detectors: scores that mean the same in every frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from deepir.catalogue import load_detector, own_options
from deepir.classical.contrast_detectors import DETECTORS
from deepir.errors import UsageError

TARGET = (150, 201)  # row, column


def noise(sigma, seed=0, shape=(256, 320)):
    return np.random.default_rng(seed).normal(100, sigma, shape).round().clip(0, 255)


def planted(sigma, *, contrast=12):
    """Noise with a blob of so many deviations."""
    frame = noise(sigma)
    row, column = np.indices(frame.shape)
    distance = (row - TARGET[0]) ** 2 + (column - TARGET[1]) ** 2
    blob = contrast * sigma * np.exp(-distance / (2 * 1.5**2))
    return (frame + blob).round().clip(0, 255)


@pytest.fixture(params=sorted(DETECTORS))
def name(request):
    return request.param


def test_the_best_of_pure_noise_scores_alike_whatever_its_strength(name):
    detector = load_detector(name)
    scores = [detector.best_score(detector.respond(noise(sigma))) for sigma in (1, 3, 10)]
    assert max(scores) < 1.2 * min(scores)
    assert max(scores) < 1.6  # a clear target scores 3 to 5


@pytest.mark.parametrize("sigma", [1, 3, 8])
@pytest.mark.parametrize("mode", ["default", "reference"])
def test_a_target_in_noise_is_found_where_it_is(name, mode, sigma):
    found = load_detector(name, mode=mode).detect(planted(sigma))
    assert len(found) >= 1
    assert np.abs(found.points[0] - TARGET[::-1]).max() <= 1


def test_a_target_scores_the_more_the_clearer_it_is(name):
    detector = load_detector(name)
    scores = [
        detector.best_score(detector.respond(planted(3, contrast=contrast)))
        for contrast in (6, 12, 24)
    ]
    assert scores == sorted(scores)
    assert scores[2] > 1.5 * scores[0]


def test_depth_leaves_the_scores_alone(name):
    detector, frame = load_detector(name), planted(3)
    frame[0, :2] = 0, 255
    shallow, deep = (detector.detect(one) for one in (frame, frame * 257))
    np.testing.assert_array_equal(deep.points, shallow.points)
    np.testing.assert_allclose(deep.scores, shallow.scores, rtol=1e-6)


@pytest.mark.parametrize("mode", ["default", "reference"])
def test_the_number_of_threads_changes_no_bit(name, mode):
    detector, frame, usual = load_detector(name, mode=mode), planted(3), cv2.getNumThreads()
    try:
        maps = []
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            maps.append(detector.saliency(frame))
    finally:
        cv2.setNumThreads(usual)
    for one in maps[1:]:
        np.testing.assert_array_equal(one, maps[0])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("rlcm", {"cell": 4}, "odd and positive"),
        ("rlcm", {"border": "zeros"}, "'zeros': did you mean 'zero'"),
        ("tllcm", {"cells": (3, 6)}, r"odd and positive.*\(3, 6\)"),
        ("tllcm", {"largest": 0}, "at least one of a cell's levels"),
        ("wldm", {"side": 4}, "odd, from 3 to 15, got 4"),
        ("wldm", {"scales": 1}, "at least 2 scales"),
        ("fkrw", {"seeds": "white"}, "'white'.*ring and white"),
        ("fkrw", {"mode": "fixed"}, "'fixed'.*reference"),
    ],
)
def test_options_that_do_not_fit_show_before_a_frame_does(name, options, message):
    with pytest.raises(UsageError, match=message):
        load_detector(name, **options)


def test_each_takes_the_options_of_its_method():
    assert own_options("fkrw") == ("mode", "deviations", "beta", "seeds")
    assert own_options("rlcm") == ("mode", "cell", "border")
    assert own_options("tllcm") == ("mode", "cells", "largest", "border")
    assert own_options("wldm") == ("mode", "scales", "side")


def test_ten_targets_of_one_brightness_hide_each_other_until_asked_for(name):
    frame = noise(2)
    for row, column in (
        (row, column) for row in range(20, 240, 24) for column in range(20, 300, 24)
    ):
        frame[row - 1 : row + 2, column - 1 : column + 2] += 40
    assert len(load_detector(name).detect(frame)) == 0
    found = load_detector(name, threshold=0.6, top_k=200).detect(frame)
    assert len(found) >= 110
