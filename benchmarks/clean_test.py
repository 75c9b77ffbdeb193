"""Score detectors on the test frames that resemble no training or validation frame.

    python benchmarks/clean_test.py --root SIRST_V2 [--write FOLDER] [DETECTOR ...]

SIRST-V2's splits cut through sequences. Two frames resemble each other when their 32x32 thumbnails
(area-averaged grey) correlate above the limit. With --write the ids of those that do are written as
near_duplicates_0.99.txt and so on, for `deepir eval ... --without FILE`, and nothing is scored.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepir.audit.likeness import thumbnail
from deepir.catalogue import CATALOGUE, is_ready, load_detector
from deepir.classical import low_rank
from deepir.data import SirstV2
from deepir.detector import Detector, R
from deepir.frames import read_image
from deepir.metrics import NocoHits
from deepir.noco import noco_map
from deepir.writing import write_text

LIMITS = (float("inf"), 0.99, 0.95)

QUICK = sorted({*filter(is_ready, CATALOGUE)} - {*low_rank.DETECTORS})
"""Detectors unless some are named; the low-rank ones take seconds a frame."""


def main() -> None:
    """Print mNoCoAP by limit, one row a detector."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=QUICK)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    test = SirstV2.open(options.root, "test_full")
    others = thumbnails(SirstV2.open(options.root, "trainval_full"))
    nearest = (thumbnails(test) @ others.T).max(axis=1)
    if options.write:
        write_lists(options.write, test.ids, nearest)
        return
    counts = [int((nearest <= limit).sum()) for limit in LIMITS]
    print("| detector | " + " | ".join(f"{count} frames" for count in counts) + " |")
    print("| --- " * (1 + len(counts)) + "|")
    for name in options.names:
        scores = by_limit(load_detector(name), test, nearest)
        print(f"| {name} | " + " | ".join(f"{score:.3f}" for score in scores) + " |", flush=True)


def write_lists(folder: Path, ids: list[str], nearest: NDArray[np.float32]) -> None:
    """Write the ids above each limit, one a line."""
    for limit in LIMITS:
        if limit < 1:
            listed = [name for name, near in zip(ids, nearest, strict=True) if near > limit]
            head = f"# test_full frames whose thumbnail correlates above {limit:g} with trainval"
            path = folder / f"near_duplicates_{limit:g}.txt"
            write_text(path, "\n".join([head, *listed, ""]))
            print(f"{path}: {len(listed)} ids")


def by_limit(detector: Detector[R], dataset: SirstV2, nearest: NDArray[np.float32]) -> list[float]:
    """Score the frames below each limit by mNoCoAP."""
    subsets = [NocoHits() for _ in LIMITS]
    for sample_id, near in zip(dataset.ids, nearest, strict=True):
        sample = dataset.read(sample_id)
        found = detector.read(detector.respond(sample.image))
        rows = np.column_stack([found.points, found.scores])
        truth = noco_map(sample.image, sample.boxes)
        for hits, limit in zip(subsets, LIMITS, strict=True):
            if near <= limit:
                hits.update(rows, truth, sample.boxes)
    return [hits.score().mean for hits in subsets]


def thumbnails(dataset: SirstV2) -> NDArray[np.float32]:
    """Thumbnails of a split as rows of mean 0 and length 1: (F, 1024)."""
    images = (read_image(dataset.root / "mixed" / f"{name}.png") for name in dataset.ids)
    return np.array([thumbnail(image) for image in images])


if __name__ == "__main__":
    main()
