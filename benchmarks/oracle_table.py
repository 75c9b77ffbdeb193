"""What a perfect detector scores on SIRST-V2's test split, by the point that it reports.

    python benchmarks/oracle_table.py --root SIRST_V2 [--shuffles 200]

The detections are the true boxes, or the true masks as maps that are 1 on targets; all scores are
1, so that nothing is left to ranking. "tied" is mNoCoAP by the stable sort, "cap" the mean recall
over the nine thresholds, which no ranking of these points can beat. With shuffles, below the table:
how far the order of the frames alone moves the first row, whose scores all tie.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deepir.boxes import centres, components
from deepir.data import open_dataset
from deepir.metrics import NocoHits
from deepir.noco import noco_map, noco_peaks
from deepir.readout import map_published
from deepir.structures import Sample
from deepir.tables import Table

Points = list[tuple[float, float]] | np.ndarray


def brightest(sample: Sample) -> Points:
    """First brightest pixel of each box."""
    points = []
    for x0, y0, x1, y1 in sample.boxes.astype(int).tolist():
        row, column = divmod(int(sample.image[y0:y1, x0:x1].argmax()), x1 - x0)
        points.append((x0 + column, y0 + row))
    return points


def grey_centroid(sample: Sample) -> Points:
    """Mean pixel of each box, weighted by grey levels above the darkest one of the box."""
    points = []
    for x0, y0, x1, y1 in sample.boxes.astype(int).tolist():
        weight = sample.image[y0:y1, x0:x1].astype(float)
        weight -= weight.min() - 1e-6
        rows, columns = np.mgrid[y0:y1, x0:x1]
        total = weight.sum()
        points.append(((weight * columns).sum() / total, (weight * rows).sum() / total))
    return points


def own_peaks(sample: Sample) -> Points:
    """NoCo peak of each box in a map of its own."""
    nobody = np.zeros(len(sample.boxes), dtype=bool)
    return noco_peaks(sample.image, sample.boxes, believed=nobody)


POINTS: dict[str, Callable[[Sample], Points]] = {
    "box: centre, as box detectors report it": lambda sample: centres(sample.boxes),
    "box: centre of the pixel grid": lambda sample: centres(sample.boxes) - 0.5,
    "box: grey-level centroid": grey_centroid,
    "box: brightest pixel": brightest,
    "box: NoCo peak, one map a box": own_peaks,
    "box: NoCo peak of the joint map": lambda sample: noco_peaks(sample.image, sample.boxes),
    "mask: first maximum (the published rule)": lambda sample: map_published(sample.mask).points,
    "mask: centroid": lambda sample: components(sample.mask).centroids,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="folder of SIRST-V2")
    parser.add_argument("--split", default="test_full")
    parser.add_argument("--shuffles", type=int, default=0, help="orders of frames to try")
    options = parser.parse_args()
    dataset = open_dataset("sirst-v2", root=options.root, split=options.split)
    hits = {name: NocoHits() for name in POINTS}
    shuffled = [NocoHits() for _ in range(options.shuffles)]
    generator = np.random.default_rng(0)
    places = [generator.permutation(len(dataset.ids)) for _ in shuffled]
    for number, sample in enumerate(map(dataset.read, dataset.ids)):
        noco = noco_map(sample.image, sample.boxes)
        for name, place in POINTS.items():
            hits[name].update(rows_of(place(sample)), noco, sample.boxes)
        for fed, order in zip(shuffled, places, strict=True):  # the frame's place, as its score
            rows = rows_of(centres(sample.boxes), 1 - order[number] * 1e-6)
            fed.update(rows, noco, sample.boxes)
    table = []
    for name, fed in hits.items():
        score, recall = fed.score(), fed.score().recall_by_threshold
        figures = (score.mean, score.recall_cap, recall[0.5], recall[0.9])
        table.append((name, *(f"{figure:.3f}" for figure in figures)))
    heads = ("reported point", "tied", "cap", "recall at 0.5", "recall at 0.9")
    print(Table(heads, table).markdown())
    if shuffled:
        means = [fed.score().mean for fed in shuffled]
        print(f"box centres over {len(means)} orders: {min(means):.3f} to {max(means):.3f}")


def rows_of(points: Points, score: float = 1.0) -> np.ndarray:
    """Points as the metric takes them, all of one score."""
    xy = np.reshape(points, (-1, 2))
    return np.column_stack([xy, np.full(len(xy), score)])


if __name__ == "__main__":
    main()
