"""Duplicates merged by plain loops: the best of each target stays."""

from __future__ import annotations

import math


def is_one_target(one, other, within):
    """Whether two (point, box) pairs are near, or one's pixel lies in the other's box."""
    (xy, box), (other_xy, other_box) = one, other
    return math.dist(xy, other_xy) <= within or holds(box, other_xy) or holds(other_box, xy)


def holds(box, point):
    """Whether a box holds the centre of a pixel, borders included."""
    x0, y0, x1, y1 = box
    x, y = point
    return x0 <= x + 0.5 <= x1 and y0 <= y + 0.5 <= y1


def merged(points, scores, boxes, within):
    """Scores, points and boxes of what is left, best first; of equals the first."""
    rows = sorted(zip(scores, points, boxes, strict=True), key=lambda row: -row[0])
    kept = []
    for row in rows:
        if not any(is_one_target(row[1:], other[1:], within) for other in kept):
            kept.append(row)
    return kept
