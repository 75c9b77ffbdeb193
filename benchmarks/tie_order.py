"""How much the order of frames decides where scores tie: the published read-out of maps.

    python benchmarks/tie_order.py --root SIRST_V2 [--split test_full] [DETECTOR ...]

Each frame's best pixel scores exactly 1 there, so that frames are ranked by their place in the
list. Prints mNoCoAP in the order of the split file, and mean, least and greatest over 200 shuffles.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from deepir.catalogue import load_detector
from deepir.classical import CATALOGUE, low_rank
from deepir.data import SirstV2
from deepir.detector import Detector, R
from deepir.metrics import noco_ap
from deepir.noco import noco_map

SHUFFLES = 200

QUICK = sorted({*CATALOGUE} - {*low_rank.DETECTORS})
"""Filters unless some are named; the low-rank ones take seconds a frame."""


def main() -> None:
    """Print one row a detector and mode."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=QUICK)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="test_full")
    options = parser.parse_args()
    dataset = SirstV2.open(options.root, options.split)
    print("| detector | mode | as listed | mean of shuffles | least | greatest |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.names:
        for mode in ("default", "reference"):
            listed, shuffled = orders(load_detector(name, mode=mode, read_out="published"), dataset)
            print(
                f"| {name} | {mode} | {listed:.3f} | {shuffled.mean():.3f}"
                f" | {shuffled.min():.3f} | {shuffled.max():.3f} |",
                flush=True,
            )


def orders(detector: Detector[R], dataset: SirstV2) -> tuple[float, np.ndarray]:
    """Score a split as listed and in shuffled orders."""
    frames = []
    for sample_id in dataset.ids:
        sample = dataset.read(sample_id)
        found = detector.read(detector.respond(sample.image))
        rows = np.column_stack([found.points, found.scores])
        frames.append((rows, noco_map(sample.image, sample.boxes), sample.boxes))
    generator = np.random.default_rng(0)
    shuffles = (generator.permutation(len(frames)) for _ in range(SHUFFLES))
    scores = [score([frames[k] for k in order]) for order in shuffles]
    return score(frames), np.array(scores)


def score(frames: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """Score frames in this order by mNoCoAP."""
    rows, maps, boxes = zip(*frames, strict=True)
    return noco_ap(rows, maps, boxes).mean


if __name__ == "__main__":
    main()
