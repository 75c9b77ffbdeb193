"""Greedy suppression, one box after the other."""

from __future__ import annotations


def iou(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (one, other)]
    return shared / (sum(areas) - shared) if shared else 0.0


def kept(boxes, scores, threshold):
    left = sorted(range(len(boxes)), key=lambda index: -scores[index])
    stays = []
    while left:
        best = left.pop(0)
        stays.append(best)
        left = [index for index in left if not iou(boxes[best], boxes[index]) > threshold]
    return stays
