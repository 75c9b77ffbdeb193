"""WLDM by a histogram a pixel and plain box means."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np


def around(levels, row, column, reach):
    """Window of (2 reach + 1) squared pixels, the edge repeated."""
    padded = np.pad(levels.astype(float), reach, mode="edge")
    side = 2 * reach + 1
    return padded[row : row + side, column : column + side]


def difference(levels, row, column, scales):
    """Largest squared difference of a box mean to the widest one, by the range of all means."""
    means = [float(around(levels, row, column, k).mean()) for k in range(1, scales + 1)]
    span = max(means) - min(means)
    if span == 0:
        return 0.0
    return max([0.0] + [(mean - means[-1]) ** 2 / span**2 for mean in means[:-1]])


def entropy(levels, row, column, side):
    """Entropy of the grey levels around, each weighed by its squared distance to the pixel's."""
    window = around(levels, row, column, side // 2)
    total = 0.0
    for level, count in Counter(window.ravel().tolist()).items():
        share = count / window.size
        total -= (level - float(levels[row, column])) ** 2 * share * math.log2(share)
    return total


def wldm(levels, scales=4, side=5):
    """Product of both at every pixel; levels are whole numbers."""
    result = np.empty(levels.shape)
    for at in np.ndindex(levels.shape):
        result[at] = entropy(levels, *at, side) * difference(levels, *at, scales)
    return result
