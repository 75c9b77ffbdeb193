"""Score detectors on the test frames that resemble no training or validation frame.

    python benchmarks/clean_test.py --root SIRST_V2 [DETECTOR ...]

SIRST-V2's splits cut through sequences. Two frames resemble each other when their 32x32 thumbnails
(area-averaged grey) correlate above the limit.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.bench import evaluate
from deepir.catalogue import CATALOGUE, load_detector
from deepir.data import SirstV2
from deepir.frames import read_image

LIMITS = (float("inf"), 0.99, 0.95)
THUMBNAIL = (32, 32)


def main() -> None:
    """Print mNoCoAP by limit, one row a detector."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=sorted(CATALOGUE))
    parser.add_argument("--root", type=Path, required=True)
    options = parser.parse_args()
    test = SirstV2.open(options.root, "test_full")
    others = thumbnails(SirstV2.open(options.root, "trainval_full"))
    nearest = (thumbnails(test) @ others.T).max(axis=1)
    kept = [
        [name for name, near in zip(test.ids, nearest, strict=True) if near <= limit]
        for limit in LIMITS
    ]
    print("| detector | " + " | ".join(f"{len(ids)} frames" for ids in kept) + " |")
    print("| --- " * (1 + len(kept)) + "|")
    for name in options.names:
        detector = load_detector(name)
        runs = [evaluate(detector, replace(test, ids=ids)) for ids in kept]
        print(f"| {name} | " + " | ".join(f"{r.scorer.hits.score().mean:.3f}" for r in runs) + " |")


def thumbnails(dataset: SirstV2) -> NDArray[np.float64]:
    """Thumbnails of a split as rows of mean 0 and length 1: (F, 1024)."""
    rows = []
    for name in dataset.ids:
        grey = read_image(dataset.root / "mixed" / f"{name}.png").astype(np.float64)
        small = cv2.resize(grey, THUMBNAIL, interpolation=cv2.INTER_AREA).ravel()
        small -= small.mean()
        rows.append(small / max(float(np.linalg.norm(small)), 1e-12))
    return np.array(rows)


if __name__ == "__main__":
    main()
