"""Normalised contrast pixel by pixel, and the peak read-out from explicit joint maps."""

from __future__ import annotations

import math

import numpy as np


def noco_map(image, boxes):
    """Follow the five steps of the definition for every pixel of every window."""
    height, width = image.shape
    result = np.zeros((height, width))
    for box in boxes:
        x0, y0, x1, y1 = (int(side) for side in box)  # int() truncates toward zero
        w, h = x1 - x0, y1 - y0
        pixels = [
            (row, column)
            for row in range(max(y0 - h, 0), min(y1 + h, height))
            for column in range(max(x0 - w, 0), min(x1 + w, width))
        ]
        inner = [image[r, c] for r, c in pixels if y0 <= r < y1 and x0 <= c < x1]
        if not inner:
            continue
        darkest = min(float(image[at]) for at in pixels)
        span = max(map(float, inner)) - darkest + 0.01
        product = {}
        for row, column in pixels:
            u = -1.5 + 3 * (column - (x0 - w)) / (3 * w - 1)
            v = -1.5 + 3 * (row - (y0 - h)) / (3 * h - 1)
            contrast = (float(image[row, column]) - darkest) / span
            product[row, column] = math.exp(-(u**2 + v**2) / 2) * contrast
        low, high = min(product.values()), max(product.values())
        for at, value in product.items():
            result[at] = (value - low) / (high - low + 0.001)
    return result


def whole_pixels(box, shape):
    """Round a real-valued box to pixel edges, clip it, keep one pixel a side."""
    height, width = shape
    x0 = min(max(round(box[0]), 0), width - 1)
    y0 = min(max(round(box[1]), 0), height - 1)
    x1 = min(max(round(box[2]), x0 + 1), width)
    y1 = min(max(round(box[3]), y0 + 1), height)
    return x0, y0, x1, y1


def joint_map(image, boxes, believed, own):
    """Paint the map in which box ``own`` is judged: all believed boxes and itself, raster order."""
    areas = [whole_pixels(box, image.shape) for box in boxes]
    painters = [area for k, area in enumerate(areas) if believed[k] or k == own]
    return noco_map(image, sorted(painters, key=lambda area: (area[1], area[0])))
