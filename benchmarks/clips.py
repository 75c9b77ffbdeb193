"""Recall and false objects a frame on labelled clips, a kind that no network here was trained on.

    python benchmarks/clips.py --root CLIPS [--every 5] [--weights FILE] [DETECTOR ...]

Every clip NAME.mp4 has its labels in NAME.csv: frame (from 0), x, y, width, height, the upper left
corner in pixels from 1. Those measured in the README come from the public drone detection dataset
of F. Svanstroem (CC0). A detection that lies in the box of a free target is a hit.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepir.catalogue import load_detector
from deepir.detector import Detector, R
from deepir.frames import Frame, find_sources
from deepir.metrics import point_hits
from deepir.tables import Table


def main() -> None:
    """Print one row a clip and detector."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=["oscar_nano"])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    rows = []
    for name in options.names:
        detector = load_detector(name, **({"weights": options.weights} if options.weights else {}))
        for clip in sorted(options.root.glob("*.mp4")):
            rows.append((name, clip.stem, *measured(detector, clip, options.every)))
    print(
        Table(("detector", "clip", "frames", "targets", "recall", "false a frame"), rows).markdown()
    )


def measured(detector: Detector[R], clip: Path, every: int) -> tuple[int, int, float, float]:
    """Frames, targets, recall and false objects a frame of one clip, at the threshold."""
    boxes = labels(clip.with_suffix(".csv"))
    frames = targets = hits = false = 0
    (source,) = find_sources([str(clip)])
    for number, frame in enumerate(source.frames()):
        if number % every == 0 and isinstance(frame, Frame):
            truth = boxes.get(number, np.zeros((0, 4)))
            hit = point_hits(detector.detect(frame.image).points, boxes=truth)
            frames, targets = frames + 1, targets + len(truth)
            hits, false = hits + int(hit.sum()), false + int((~hit).sum())
    return frames, targets, hits / max(targets, 1), false / max(frames, 1)


def labels(path: Path) -> dict[int, NDArray[np.float64]]:
    """Boxes (N, 4) from 0 of each frame that has some."""
    found = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            x, y, width, height = (float(row[key]) for key in ("x", "y", "width", "height"))
            found[int(row["frame"])].append((x - 1, y - 1, x - 1 + width, y - 1 + height))
    return {frame: np.array(boxes) for frame, boxes in found.items()}


if __name__ == "__main__":
    main()
