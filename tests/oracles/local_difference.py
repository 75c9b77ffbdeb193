"""WLDM by a histogram a pixel and plain box means."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np


def around(levels, row, column, reach):
    """Window of (2 reach + 1) squared pixels, the edge repeated."""
    return window(extended(levels, reach), row, column, reach)


def extended(levels, reach):
    """Levels with the edge repeated."""
    return np.pad(levels.astype(float), reach, mode="edge")


def window(padded, row, column, reach):
    """Window of (2 reach + 1) squared pixels in what `extended` gave."""
    side = 2 * reach + 1
    return padded[row : row + side, column : column + side]


def difference(padded, row, column, scales):
    """Largest squared difference of a box mean to the widest one, by the range of all means.

    Entry k - 1 of ``padded`` reaches k pixels beyond the border.
    """
    means = [float(window(padded[k - 1], row, column, k).mean()) for k in range(1, scales + 1)]
    span = max(means) - min(means)
    if span == 0:
        return 0.0
    return max([0.0] + [(mean - means[-1]) ** 2 / span**2 for mean in means[:-1]])


def entropy(padded, row, column, side):
    """Entropy of the grey levels around, each weighed by its squared distance to the pixel's."""
    levels = window(padded, row, column, side // 2).ravel().tolist()
    own, total = levels[len(levels) // 2], 0.0
    for level, count in Counter(levels).items():
        share = count / len(levels)
        total -= (level - own) ** 2 * share * math.log2(share)
    return total


def wldm(levels, scales=4, side=5):
    """Product of both at every pixel; levels are whole numbers."""
    means = [extended(levels, k) for k in range(1, scales + 1)]
    small = extended(levels, side // 2)
    result = np.empty(levels.shape)
    for at in np.ndindex(levels.shape):
        result[at] = entropy(small, *at, side) * difference(means, *at, scales)
    return result
