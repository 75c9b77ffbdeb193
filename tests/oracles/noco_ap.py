"""NoCo average precision, one detection and one threshold at a time."""

from __future__ import annotations

import math


def frame_hits(points, noco, boxes, threshold):
    """Return (score, hit) of each detection of one frame, best score first, ties in input order."""
    height, width = noco.shape
    covered = set()
    listed = []
    for x, y, score in sorted(points, key=lambda row: -row[2]):
        hit = False
        inside = math.isfinite(x) and math.isfinite(y) and 0 <= x <= width and 0 <= y <= height
        owner = first_containing(boxes, x, y) if inside else None
        if owner is not None:
            row, column = min(round(y), height - 1), min(round(x), width - 1)
            hit = noco[row, column] > threshold and owner not in covered
        if hit:
            covered.add(owner)
        listed.append((score, hit))
    return listed


def first_containing(boxes, x, y):
    """Index of the first box that contains a point, borders included, or None."""
    for index, (x0, y0, x1, y1) in enumerate(boxes):
        if x0 <= x <= x1 and y0 <= y <= y1:
            return index
    return None


def average_precision(listed, targets):
    """Area under the monotone envelope: (score, hit) of a whole set in frame order."""
    found = 0
    recalls, precisions = [0.0], [0.0]
    for rank, (_, hit) in enumerate(sorted(listed, key=lambda row: -row[0]), start=1):
        found += hit
        recalls.append(found / targets)
        precisions.append(found / rank)
    area, best = 0.0, 0.0
    for k in range(len(recalls) - 1, 0, -1):
        best = max(best, precisions[k])
        area += (recalls[k] - recalls[k - 1]) * best
    return area


def noco_ap(points, maps, boxes, threshold):
    """AP of a set at one threshold; 0.0 without targets."""
    targets = sum(len(frame) for frame in boxes)
    if not targets:
        return 0.0
    frames = zip(points, maps, boxes, strict=True)
    listed = [pair for frame in frames for pair in frame_hits(*frame, threshold)]
    return average_precision(listed, targets)
