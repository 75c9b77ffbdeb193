"""Milliseconds of filters alone, by the size of the frame and by the side of the cells."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from deepir.classical.background import max_mean, max_median, white_top_hat
from deepir.classical.contrast import lcm, mpcm
from deepir.classical.facet_walker import fkrw, walked_facet
from deepir.classical.local_difference import bright_wldm, wldm
from deepir.classical.ranked_contrast import rlcm, tllcm
from deepir.simulate import simulate_scene
from deepir.structures import Image
from deepir.tables import Cell

Frame = NDArray[np.float64]
Rows = list[tuple[Cell, ...]]

SIZES = ((512, 640), (1024, 1280))
SIDES = (3, 9, 15, 31)


def by_function(runs: int) -> Rows:
    """Name, milliseconds at both sizes and their ratio, on simulated frames."""
    frames = [simulate_scene(seed=1, shape=shape).image.astype(np.float64) for shape in SIZES]
    rows: Rows = []
    for name, function in FUNCTIONS.items():
        small, large = (milliseconds(function, frame, runs) for frame in frames)
        rows.append((name, small, large, large / small))
    return rows


def by_cell(image: Image, runs: int) -> Rows:
    """Side of the cells, milliseconds of LCM and of MPCM with cells of that side alone."""
    frame = image.astype(np.float64)
    return [
        (side, *(milliseconds(partial(one, cells=(side,)), frame, runs) for one in (lcm, mpcm)))
        for side in SIDES
    ]


def milliseconds(function: Callable[[Frame], object], frame: Frame, runs: int) -> float:
    """Median time of one call after a warm-up."""
    function(frame)
    spent = []
    for _ in range(runs):
        start = time.perf_counter()
        function(frame)
        spent.append(1e3 * (time.perf_counter() - start))
    return statistics.median(spent)


FUNCTIONS: Mapping[str, Callable[[Frame], object]] = {
    "lcm, 4 scales": lcm,
    "mpcm, 4 scales": mpcm,
    "top_hat 9": partial(white_top_hat, size=9),
    "max_mean 5": max_mean,
    "max_mean 21": partial(max_mean, length=21),
    "max_median 5": max_median,
    "max_median 9": partial(max_median, length=9),
    "fkrw": fkrw,
    "fkrw, default mode": walked_facet,
    "rlcm": rlcm,
    "rlcm, 16 bits": lambda frame: rlcm(64 * frame),
    "rlcm, fractions": lambda frame: rlcm(frame + 0.1),
    "tllcm": tllcm,
    "wldm": wldm,
    "wldm, default mode": bright_wldm,
}
