"""SIRST-V2 on disk: its facts, and what perfect boxes score by the point that they report."""

from __future__ import annotations

import numpy as np
import pytest

from deepir.boxes import centres
from deepir.data import open_dataset
from deepir.data.sirst import BOXES, SPLITS
from deepir.data.voc import read_voc_boxes
from deepir.metrics import NocoHits
from deepir.noco import noco_map, noco_peaks

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def root(shared):
    return shared("data", "sirst-v2")


@pytest.fixture(scope="module")
def boxes_of(root):
    """Boxes of every annotation file by id."""
    return {path.stem: read_voc_boxes(path, origin=1) for path in (root / BOXES).glob("*.xml")}


@pytest.mark.parametrize(
    ("split", "frames"),
    [("train_full", 512), ("val_full", 256), ("test_full", 256), ("trainval_full", 768)],
)
def test_splits_have_their_sizes_and_known_ids(root, boxes_of, split, frames):
    dataset = open_dataset("sirst-v2", root=root, split=split)
    assert len(dataset) == len(set(dataset.ids)) == frames
    assert set(dataset.ids) <= set(boxes_of)
    assert (root / SPLITS / f"{split}.txt").is_file()


def test_boxes_have_their_counts(root, boxes_of):
    counts = {name: len(boxes) for name, boxes in boxes_of.items()}
    assert len(counts) == 1024
    assert sum(counts.values()) == 648
    assert sum(count == 0 for count in counts.values()) == 510
    assert sum(count > 1 for count in counts.values()) == 84
    test = open_dataset("sirst-v2", root=root)
    assert test.split == "test_full"
    assert sum(counts[name] for name in test.ids) == 150


def test_boxes_come_in_raster_order(boxes_of):
    for boxes in boxes_of.values():
        starts = boxes[:, [1, 0]].tolist()
        assert starts == sorted(starts)


def brightest(image, boxes):
    """First brightest pixel of each box."""
    points = []
    for x0, y0, x1, y1 in boxes.astype(int):
        row, column = divmod(int(image[y0:y1, x0:x1].argmax()), x1 - x0)
        points.append((x0 + column, y0 + row))
    return points


POINTS = {
    "box centre": lambda _, boxes: centres(boxes),
    "centre of the pixel grid": lambda _, boxes: centres(boxes) - 0.5,
    "brightest pixel": brightest,
    "peak, one map a box": lambda image, boxes: noco_peaks(
        image, boxes, believed=np.zeros(len(boxes), dtype=bool)
    ),
    "peak of the joint map": noco_peaks,
}
TABLE = {  # all scores equal, recall cap, recall at 0.5 and at 0.9
    "box centre": (0.731, 0.839, 0.867, 0.540),
    "centre of the pixel grid": (0.860, 0.913, 0.940, 0.720),
    "brightest pixel": (0.964, 0.974, 0.967, 0.967),
    "peak, one map a box": (0.962, 0.973, None, None),
    "peak of the joint map": (0.990, 0.993, 1.000, 0.980),
}


@pytest.fixture(scope="module")
def oracle_table(root):
    """Scores of every kind of point over the test split, in one pass."""
    hits = {name: NocoHits() for name in POINTS}
    dataset = open_dataset("sirst-v2", root=root)
    for sample in map(dataset.read, dataset.ids):
        noco = noco_map(sample.image, sample.boxes)
        for name, place in POINTS.items():
            points = np.reshape(place(sample.image, sample.boxes), (-1, 2))
            rows = np.column_stack([points, np.ones(len(points))])
            hits[name].update(rows, noco, sample.boxes)
    return {name: fed.score() for name, fed in hits.items()}


@pytest.mark.parametrize("name", TABLE)
def test_perfect_boxes_score_as_their_reported_point_allows(oracle_table, name):
    score = oracle_table[name]
    recall = score.recall_by_threshold
    found = (score.mean, score.recall_cap, recall[0.5], recall[0.9])
    for value, wanted in zip(found, TABLE[name], strict=True):
        assert wanted is None or round(value, 3) == pytest.approx(wanted, abs=1e-9)
