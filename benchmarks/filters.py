"""Milliseconds a frame of each classical filter, on one core, beside a plain implementation.

    python benchmarks/filters.py [--runs 15]

The plain implementation is the text of the papers with OpenCV's own correlation: nine 3s x 3s masks
a scale. FKRW, RLCM, TLLCM and WLDM are compared on a small frame with the oracles of the tests: a
dense system a candidate, nine sorted cells or a histogram a pixel. Medians over runs; the ratio is
taken in the same process.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.classical.background import max_mean, max_median, white_top_hat
from deepir.classical.contrast import CELLS, lcm, mpcm
from deepir.classical.facet_walker import fkrw, walked_facet
from deepir.classical.local_difference import bright_wldm, wldm
from deepir.classical.ranked_contrast import rlcm, tllcm
from deepir.simulate import simulate_scene

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from oracles import facet_walker as plain_walker
from oracles import local_difference as plain_difference
from oracles import ranked_contrast as plain_ranks

Frame = NDArray[np.float64]
SIZES = ((512, 640), (1024, 1280))
SMALL = (128, 160)


def main() -> None:
    """Print a Markdown table of milliseconds, and what a larger cell costs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    cv2.setNumThreads(1)
    frames = [simulate_scene(seed=1, shape=shape).image.astype(np.float64) for shape in SIZES]
    print("| filter | 640x512 ms | 1280x1024 ms | growth | plain, 640x512 ms | faster by |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (fast, plain) in FILTERS.items():
        small, large = (milliseconds(fast, frame, runs) for frame in frames)
        slow = milliseconds(plain, frames[0], max(3, runs // 5)) if plain else None
        told = f"{slow:.0f} | {slow / small:.1f}" if slow else "- | -"
        print(f"| {name} | {small:.1f} | {large:.1f} | {large / small:.2f} | {told} |")
    small_frames(max(3, runs // 5))
    print("\ncells of one side alone, 640x512, ms:")
    for side in (3, 9, 15, 31):
        times = (
            milliseconds(partial(measure, cells=(side,)), frames[0], runs)
            for measure in (lcm, mpcm)
        )
        print(f"side {side:2d}: LCM {next(times):.1f}, MPCM {next(times):.1f}")


def small_frames(runs: int) -> None:
    """Print a second table: exact filters beside oracles that take seconds a frame."""
    frame = simulate_scene(seed=1, shape=SMALL).image.astype(np.float64)
    candidates = int(fkrw(frame).diagnostics["candidates"])
    print(f"\n| filter, 160x128 | ms | plain ms | faster by |  ({candidates} candidates of FKRW)")
    print("| --- | --- | --- | --- |")
    for name, (fast, plain) in ORACLES.items():
        quick, start = milliseconds(fast, frame, runs), time.perf_counter()
        plain(frame)
        slow = 1e3 * (time.perf_counter() - start)
        print(f"| {name} | {quick:.1f} | {slow:.0f} | {slow / quick:.0f} |", flush=True)


def milliseconds(function: Callable[[Frame], object], frame: Frame, runs: int) -> float:
    """Median time of one call after a warm-up."""
    function(frame)
    spent = []
    for _ in range(runs):
        start = time.perf_counter()
        function(frame)
        spent.append(1e3 * (time.perf_counter() - start))
    return statistics.median(spent)


def plain_lcm(frame: Frame) -> Frame:
    """LCM by one correlation a cell."""
    scales = []
    for side in CELLS:
        means = cell_means(frame, side, cv2.BORDER_REFLECT)
        brightest = cv2.dilate(frame, np.ones((side, side), np.uint8))
        neighbours = np.max(means[1:], axis=0)
        scales.append(brightest**2 / np.maximum(neighbours, 1e-12))
    return np.asarray(np.max(scales, axis=0))


def plain_mpcm(frame: Frame) -> Frame:
    """MPCM by one correlation a cell."""
    scales = []
    for side in CELLS:
        centre, *others = cell_means(frame, side, cv2.BORDER_REPLICATE)
        gaps = [centre - other for other in others]
        scales.append(np.min([gaps[k] * gaps[k + 4] for k in range(4)], axis=0))
    return np.asarray(np.max(scales, axis=0))


def cell_means(frame: Frame, side: int, border: int) -> list[Frame]:
    """Means of the centre cell and of its neighbours in circular order."""
    order = ((1, 1), (0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    means = []
    for row, column in order:
        mask = np.zeros((3 * side, 3 * side))
        mask[row * side : (row + 1) * side, column * side : (column + 1) * side] = 1 / side**2
        means.append(np.asarray(cv2.filter2D(frame, cv2.CV_64F, mask, borderType=border)))
    return means


FILTERS: dict[str, tuple[Callable[[Frame], object], Callable[[Frame], Frame] | None]] = {
    "lcm, 4 scales": (lcm, plain_lcm),
    "mpcm, 4 scales": (mpcm, plain_mpcm),
    "top_hat 9": (partial(white_top_hat, size=9), None),
    "max_mean 5": (max_mean, None),
    "max_median 5": (max_median, None),
    "fkrw": (fkrw, None),
    "fkrw, default mode": (walked_facet, None),
    "rlcm": (rlcm, None),
    "rlcm, 16 bits": (lambda frame: rlcm(64 * frame), None),
    "rlcm, fractions": (lambda frame: rlcm(frame + 0.1), None),
    "tllcm": (tllcm, None),
    "wldm": (wldm, None),
    "wldm, default mode": (bright_wldm, None),
}

ORACLES: dict[str, tuple[Callable[[Frame], object], Callable[[Frame], object]]] = {
    "fkrw": (fkrw, lambda frame: plain_walker.stages(frame, seeds=True)),
    "rlcm": (rlcm, plain_ranks.rlcm),
    "tllcm": (tllcm, plain_ranks.tllcm),
    "wldm": (wldm, plain_difference.wldm),
}

if __name__ == "__main__":
    main()
