"""What a filter believes is what it reads, cut at its threshold: only less is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.catalogue import load_detector
from deepir.simulate import SimulatedFrames

FRAMES = [sample.image for sample in SimulatedFrames(6, seed=3, shape=(96, 120), targets=3)]


@pytest.mark.parametrize("read_out", ["peak", "published"])
@pytest.mark.parametrize("threshold", [None, 0.0, 0.5, 1.0, 3.0, 9.0])
@pytest.mark.parametrize("name", ["lcm", "mpcm", "top_hat"])
def test_believed_candidates_are_those_read_that_reach_the_threshold(name, threshold, read_out):
    detector = load_detector(name, threshold=threshold, read_out=read_out)
    for image in FRAMES:
        response = detector.respond(image)
        wanted = detector.read(response).above(detector.cut)
        found = detector.believed(response)
        np.testing.assert_array_equal(found.points, wanted.points)
        np.testing.assert_array_equal(found.scores, wanted.scores)
        np.testing.assert_array_equal(found.boxes, wanted.boxes)
