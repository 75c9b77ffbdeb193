"""Choose each classical detector's floor and operating threshold on a split (val, never test).

    python benchmarks/choose_thresholds.py --root SIRST_V2 [--split val_full] [DETECTOR ...]

For every floor of a fixed list: mNoCoAP (peak read-out, best 100 candidates a frame). The floor is
the one with the highest mNoCoAP; where floors tie within 0.001 the highest of them, since fewer
candidates cost less. The operating threshold is the lowest one at that floor with at most one
false object a frame, rounded up. Peaks are placed as the catalogue's present operating threshold
places them, so run it again after a change: the figures then are those of `deepir eval`. Prints a
Markdown table, which stands in docs/experiments.md.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepir.catalogue import load_detector
from deepir.classical import CATALOGUE
from deepir.data import Dataset, SirstV2, SkippedSample, read_samples
from deepir.map_detector import MapDetector
from deepir.noco import noco_map
from deepir.scoring import Scorer
from deepir.structures import Sample

FLOORS = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 10, 13, 16, 20, 30, 50, 100)
TIE = 0.001
FALSE_OBJECTS_PER_FRAME = 1.0


@dataclass(frozen=True)
class Choice:
    """One floor: what it scores, and the threshold that serves it best."""

    floor: float
    mnocoap: float
    recall_cap: float
    operating: float
    pd: float


def main() -> None:
    """Print one row a detector and mode."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=sorted(CATALOGUE))
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="val_full")
    options = parser.parse_args()
    dataset = SirstV2.open(options.root, options.split)
    print("| detector | mode | mNoCoAP by floor | floor | mNoCoAP | recall cap | operating | Pd |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in options.names:
        for mode in ("default", "reference"):
            choices = sweep(load_detector(name, mode=mode), dataset)
            best = choose(choices)
            curve = " ".join(f"{one.floor:g}: {100 * one.mnocoap:.1f}" for one in choices)
            print(
                f"| {name} | {mode} | {curve} | {best.floor:g} | {best.mnocoap:.3f}"
                f" | {best.recall_cap:.3f} | {best.operating:.1f} | {best.pd:.3f} |",
                flush=True,
            )


def sweep(detector: MapDetector, dataset: Dataset) -> list[Choice]:
    """Score every floor over one pass of the split."""
    variants = [replace(detector, peak_floor=floor) for floor in FLOORS]
    scorers = [Scorer(variant.operating) for variant in variants]
    for sample in read_samples(dataset):
        if isinstance(sample, SkippedSample):
            raise SystemExit(f"{sample.id}: {sample.reason}")
        take(detector, variants, scorers, sample)
    return [summary(floor, scorer) for floor, scorer in zip(FLOORS, scorers, strict=True)]


def take(
    detector: MapDetector, variants: list[MapDetector], scorers: list[Scorer], sample: Sample
) -> None:
    """Filter one frame once and read it at every floor."""
    response, truth = detector.respond(sample.image), noco_map(sample.image, sample.boxes)
    for variant, scorer in zip(variants, scorers, strict=True):
        found = variant.read(response)
        scorer.hits.update(np.column_stack([found.points, found.scores]), truth, sample.boxes)
        scorer.curve.update(found, sample.image.shape, boxes=sample.boxes)


def summary(floor: float, scorer: Scorer) -> Choice:
    """Score one floor and find the threshold within the budget."""
    ap, threshold = scorer.hits.score(), scorer.curve.threshold_at(FALSE_OBJECTS_PER_FRAME)
    threshold = math.ceil(10 * threshold) / 10 if math.isfinite(threshold) else threshold
    pd = scorer.curve.at(threshold).pd
    return Choice(floor, ap.mean, ap.recall_cap, threshold, pd)


def choose(choices: list[Choice]) -> Choice:
    """Highest floor among those within a tie of the best."""
    top = max(one.mnocoap for one in choices)
    return max((one for one in choices if one.mnocoap >= top - TIE), key=lambda one: one.floor)


if __name__ == "__main__":
    main()
