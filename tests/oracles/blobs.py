"""8-connected components by flood fill."""

from __future__ import annotations

import math


def blobs(mask):
    """List the components in raster order of their first pixel, each a set of (row, column)."""
    height, width = mask.shape
    seen = set()
    found = []
    for start in ((r, c) for r in range(height) for c in range(width)):
        if not mask[start] or start in seen:
            continue
        blob, waiting = set(), [start]
        while waiting:
            row, column = waiting.pop()
            if (row, column) in blob or not (0 <= row < height and 0 <= column < width):
                continue
            if mask[row, column]:
                blob.add((row, column))
                waiting += [(row + dy, column + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        seen |= blob
        found.append(blob)
    return found


def centroid(blob):
    """Return mean (row, column)."""
    return tuple(sum(axis) / len(blob) for axis in zip(*blob, strict=True))


def distance(a, b):
    """Distance of two centroids."""
    return math.dist(centroid(a), centroid(b))


def bounds(blob):
    """Half-open box x0 y0 x1 y1."""
    rows, columns = zip(*blob, strict=True)
    return [min(columns), min(rows), max(columns) + 1, max(rows) + 1]
