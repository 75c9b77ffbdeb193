"""The clutter of a frame by plain loops."""

from __future__ import annotations

import numpy as np


def local_maxima(values, side):
    """Values above 0 that nothing in the window around exceeds; of touching equal ones one."""
    height, width = values.shape
    reach = side // 2
    peaks = {
        (row, column)
        for row in range(height)
        for column in range(width)
        if values[row, column] > 0
        and values[row, column]
        == values[
            max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1
        ].max()
    }
    found = []
    while peaks:
        stack = [peaks.pop()]
        found.append(values[stack[0]])
        while stack:
            row, column = stack.pop()
            near = {(row + dy, column + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & peaks
            peaks -= near
            stack += near
    return sorted(found, reverse=True)


def clutter_ratio(saliency, *, rank, side, share):
    """A map above its median, over its clutter level.

    That is its rank-th local maximum, or its robust deviation where that is larger, plus a share
    of the highest.
    """
    values = np.asarray(saliency, dtype=np.float64)
    above = values - np.median(values)
    deviation = np.abs(above)
    spread = 1.4826 * np.median(deviation) or 1.2533 * deviation.mean()
    if spread == 0:
        return np.zeros_like(values)
    maxima = local_maxima(above, side)
    level = maxima[rank - 1] if len(maxima) >= rank else 0.0
    return above / (max(level, spread) + share * max(maxima, default=0.0))
