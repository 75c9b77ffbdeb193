"""Average precision by centre-ness, one detection and one threshold at a time."""

from __future__ import annotations

import math

from oracles.noco_ap import average_precision


def centreness(x, y, box):
    """How central a point lies in a box x0 y0 x1 y1; 0 unless strictly inside."""
    left, top, right, bottom = x - box[0], y - box[1], box[2] - x, box[3] - y
    if not min(left, top, right, bottom) > 0 or not math.isfinite(x + y):
        return 0.0
    near = min(left, right) * min(top, bottom)
    return math.sqrt(near / (max(left, right) * max(top, bottom)))


def spared(box, area_range):
    """Whether a box lies outside a range of sides (a, b)."""
    if area_range is None:
        return False
    area = (box[2] - box[0]) * (box[3] - box[1])
    return not area_range[0] ** 2 <= area < area_range[1] ** 2


def frame_hits(points, boxes, ignored, threshold, area_range=None):
    """Return (score, hit) of each detection of one frame that counts, best score first."""
    every = [*boxes, *ignored]
    neutral = [spared(box, area_range) for box in boxes] + [True] * len(ignored)
    taken, listed = set(), []
    for x, y, score in sorted(points, key=lambda row: -row[2]):
        values = [centreness(x, y, box) for box in every]
        best = max(values, default=0.0)
        if best >= threshold:
            owner = values.index(best)
            if not neutral[owner]:
                listed.append((score, owner not in taken))
                taken.add(owner)
        elif every or area_range is None:
            listed.append((score, False))
    return listed


def loc_ap(points, boxes, ignored, threshold, area_range=None):
    """AP of a set at one threshold; 0.0 without targets."""
    targets = sum(not spared(box, area_range) for frame in boxes for box in frame)
    if not targets:
        return 0.0
    listed = []
    for frame in zip(points, boxes, ignored, strict=True):
        listed += frame_hits(*frame, threshold, area_range)
    return average_precision(listed, targets)
