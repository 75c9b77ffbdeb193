"""Pseudo-box assignment as a loop over locations and targets."""

from __future__ import annotations


def pseudo_box(box, side):
    x0, y0, x1, y1 = box
    if (x1 - x0) * (y1 - y0) > side * side:
        return x0, y0, x1, y1
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def owner(x, y, boxes, side):
    """Index of the smallest target whose pseudo-box holds the point strictly, or -1."""
    best, smallest = -1, float("inf")
    for index, box in enumerate(boxes):
        left, top, right, bottom = pseudo_box(box, side)
        area = (box[2] - box[0]) * (box[3] - box[1])
        if left < x < right and top < y < bottom and area < smallest:
            best, smallest = index, area
    return best


def owners(size, stride, boxes, side):
    """Rows of owners on a grid of `size` (h, w)."""
    return [
        [owner((j + 0.5) * stride, (i + 0.5) * stride, boxes, side) for j in range(size[1])]
        for i in range(size[0])
    ]
