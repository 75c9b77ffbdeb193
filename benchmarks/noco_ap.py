"""Seconds that mNoCoAP takes over a split with 20 detections a frame, NoCo maps included.

    python benchmarks/noco_ap.py --root SIRST_V2 [--split test_full]

Compared in the same process with the plain loop over detections and thresholds that the tests hold
as oracle (its maps come from the same function). Frames are in memory before the clock starts.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepir.data import SirstV2
from deepir.metrics import THRESHOLDS, noco_ap
from deepir.noco import noco_map
from deepir.structures import Sample

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from oracles.noco_ap import noco_ap as plain_noco_ap

DETECTIONS, RUNS = 20, 7


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="test_full")
    options = parser.parse_args()
    dataset = SirstV2.open(options.root, options.split)
    samples = [dataset.read(sample_id) for sample_id in dataset.ids]
    points = [scattered(sample, np.random.default_rng(k)) for k, sample in enumerate(samples)]
    boxes = [sample.boxes for sample in samples]

    def ours() -> float:
        maps = (noco_map(sample.image, sample.boxes) for sample in samples)
        return noco_ap(points, maps, boxes).mean

    def plain() -> float:
        maps = [noco_map(sample.image, sample.boxes) for sample in samples]
        rows = [frame.tolist() for frame in points]
        listed = [frame.tolist() for frame in boxes]
        return float(np.mean([plain_noco_ap(rows, maps, listed, t) for t in THRESHOLDS]))

    fast, slow = seconds(ours), seconds(plain)
    print(
        f"{len(samples)} frames, {DETECTIONS} detections each: ours {fast:.3f} s,"
        f" plain loop {slow:.3f} s, {slow / fast:.1f} times faster;"
        f" mNoCoAP {ours():.6f} and {plain():.6f}"
    )


def scattered(sample: Sample, generator: np.random.Generator) -> NDArray[np.float64]:
    """Detections (20, 3): around targets where there are any, else anywhere."""
    height, width = sample.image.shape
    points = generator.uniform((0, 0), (width, height), size=(DETECTIONS, 2))
    for k, (x0, y0, x1, y1) in enumerate(sample.boxes[: DETECTIONS // 2]):
        points[2 * k : 2 * k + 2] = generator.uniform((x0, y0), (x1, y1), size=(2, 2))
    return np.column_stack([points, generator.random(DETECTIONS)])


def seconds(function: Callable[[], object]) -> float:
    """Median time of a call after a warm-up."""
    function()
    spent = []
    for _ in range(RUNS):
        start = time.perf_counter()
        function()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


if __name__ == "__main__":
    main()
