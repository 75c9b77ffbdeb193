"""Each target is missed once, each point is false once, and nothing is counted twice."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from deepir.metrics.error_split import CLASSES, ErrorSplit, error_split, target_classes
from deepir.metrics.target import point_hits, targets_hit
from deepir.noco import noco_map
from deepir.scr import local_scr
from deepir.simulate import SimulatedFrames
from deepir.structures import Sample

SAMPLES = list(SimulatedFrames(6, seed=2, shape=(72, 80), targets=3))


def split_of(sample, points):
    return error_split(sample, points, noco_map(sample.image, sample.boxes))


def scattered(sample, seed):
    """Points around targets and anywhere."""
    rng = np.random.default_rng(seed)
    near = [rng.uniform(box[:2] - 4, box[2:] + 4) for box in sample.boxes]
    return np.clip([*near, *rng.uniform(0, 70, (4, 2))], 0, 71)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
@pytest.mark.parametrize("seed", range(3))
def test_kinds_add_up(sample, seed):
    points = scattered(sample, seed)
    counts = asdict(split_of(sample, points))
    hits = point_hits(points, boxes=sample.boxes)
    assert sum(counts[kind] for kind in CLASSES) == len(sample.boxes)
    assert sum(counts[f"missed_{kind}"] for kind in CLASSES) == len(sample.boxes) - hits.sum()
    assert counts["hits"] == hits.sum() >= counts["badly_placed"]
    false = ("false_beside_target", "false_beside_none", "false_without_targets")
    assert sum(counts[kind] for kind in false) == (~hits).sum()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_perfect_points_are_no_errors(sample):
    noco = noco_map(sample.image, sample.boxes)
    peaks = []
    for x0, y0, x1, y1 in sample.boxes.astype(int):
        row, column = np.divmod(noco[y0:y1, x0:x1].argmax(), x1 - x0)
        peaks.append((x0 + column, y0 + row))
    counts = asdict(error_split(sample, peaks, noco))
    wrong = [key for key in counts if key.startswith(("missed", "false", "badly"))]
    assert {key: counts[key] for key in wrong} == dict.fromkeys(wrong, 0)
    assert counts["hits"] == len(sample.boxes)


def test_no_points_miss_everything_and_no_targets_miss_nothing():
    sample = SAMPLES[0]
    counts = asdict(split_of(sample, []))
    assert all(counts[kind] == counts[f"missed_{kind}"] for kind in CLASSES)
    bare = Sample(sample.image, ())
    assert split_of(bare, [[3, 3]]) == ErrorSplit(false_without_targets=1)
    assert split_of(bare, []) == ErrorSplit()


def test_classes_are_those_of_size_and_local_scr():
    rng = np.random.default_rng(0)
    image = rng.normal(100, 2, (120, 120))
    boxes = [[20, 20, 24, 24], [60, 20, 66, 24], [20, 60, 24, 64], [60, 60, 66, 66]]
    for (x0, y0, x1, y1), level in zip(boxes, (30, 30, 1, 1), strict=True):
        image[y0:y1, x0:x1] += level
    sample = Sample(image, boxes)
    assert target_classes(sample) == ["small", "other", "small_and_dim", "dim"]
    scrs = [local_scr(image, box, boxes=boxes) for box in boxes]
    assert min(scrs[:2]) > 3 > max(scrs[2:])


def test_the_mask_decides_what_a_target_is_made_of():
    image = np.random.default_rng(0).normal(100, 2, (64, 64))
    image[30, 30] += 40
    box, mask = [26, 26, 35, 35], np.zeros((64, 64), bool)
    mask[30, 30] = True
    assert target_classes(Sample(image, [box])) == ["dim"]  # the mean of the box
    assert target_classes(Sample(image, [box], mask)) == ["other"]
    assert target_classes(Sample(image, [box], np.zeros_like(mask))) == ["dim"]


def test_false_alarms_are_beside_a_target_or_clutter():
    image = np.random.default_rng(0).normal(100, 2, (64, 64))
    image[30:34, 30:34] += 40
    sample = Sample(image, [[30, 30, 34, 34]])
    points = [[31, 31], [32, 32], [37, 34], [37.1, 34], [5, 5]]  # a hit, a second one, 3 px off
    split = split_of(sample, points)
    assert (split.hits, split.false_beside_target, split.false_beside_none) == (1, 2, 2)


def test_a_hit_off_the_peak_is_badly_placed():
    image = np.full((40, 40), 100.0)
    image[20, 20] = 200
    noise = np.random.default_rng(0).normal(0, 0.1, image.shape)
    sample = Sample(image + noise, [[18, 18, 23, 23]])
    assert split_of(sample, [[20, 20]]).badly_placed == 0
    assert split_of(sample, [[18, 22]]).badly_placed == 1


def test_splits_add_up():
    parts = [split_of(sample, scattered(sample, 1)) for sample in SAMPLES]
    total = sum(parts, ErrorSplit())
    for key, value in asdict(total).items():
        assert value == sum(getattr(part, key) for part in parts)


def test_targets_hit_names_the_target():
    boxes = [[0, 0, 4, 4], [3, 0, 8, 4]]
    points = [[3.5, 2], [3.5, 2], [9, 9], [3.5, 2]]
    assert targets_hit(points, boxes=boxes).tolist() == [0, 1, -1, -1]
