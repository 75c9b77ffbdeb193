"""Random sets of frames for average precision: ties, doubles, points on borders and outside."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

VALUES = [0.95, 0.9, 0.55, 0.5, 0.3, 0.1, 0.0]
ODD_PLACES = [np.nan, np.inf, -np.inf, 1e9]


@st.composite
def frames(draw, max_points=7, scores=(-1.0, 0.0, 0.5, 2.0)):
    """One frame: points (N, 3), map (H, W), boxes (M, 4)."""
    height, width = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    noco = draw(hnp.arrays(float, (height, width), elements=st.sampled_from(VALUES)))

    def place(side):
        halves = st.integers(-1, 2 * side + 1).map(lambda half: half / 2)
        return st.one_of(*[halves] * 5, st.sampled_from(ODD_PLACES))

    rows = st.tuples(place(width), place(height), st.sampled_from(scores))
    points = draw(st.lists(rows, max_size=max_points))
    start, side = st.integers(0, 3), st.integers(1, 4)
    corners = draw(st.lists(st.tuples(start, start, side, side), max_size=3))
    return points, noco, [(x, y, x + w, y + h) for x, y, w, h in corners]


def without_ties(cases):
    """Give every detection of a set a score of its own."""
    count = sum(len(points) for points, _, _ in cases)
    scores = iter(np.random.default_rng(count).permutation(count))
    return [([(x, y, float(next(scores))) for x, y, _ in points], *rest) for points, *rest in cases]


sets = st.lists(frames(), max_size=4)
sets_without_ties = sets.map(without_ties)


def columns(cases):
    """Points, maps and boxes of a set, as `deepir.metrics.noco_ap` wants them."""
    return [[case[part] for case in cases] for part in range(3)]
