"""RLCM and TLLCM by sorting each of the nine cells around every pixel."""

from __future__ import annotations

import numpy as np
from oracles.contrast import NEIGHBOURS

PAIRS = ((2, 4), (5, 9), (9, 16))
PAD = {"zero": "constant", "symmetric": "symmetric", "replicate": "edge"}


def cells(image, row, column, side, border):
    """The centre cell and the eight around it, each as a descending list of its levels."""
    reach = side + side // 2
    padded = np.pad(image.astype(float), reach, mode=PAD[border])

    def cell(down, right):
        top, left = row + side * (1 + down), column + side * (1 + right)
        return sorted(padded[top : top + side, left : left + side].ravel().tolist(), reverse=True)

    return cell(0, 0), [cell(*step) for step in NEIGHBOURS]


def mean_of_largest(values, count):
    """Mean of the first values of a descending list."""
    return sum(values[:count]) / len(values[:count])


def rlcm(image, pairs=PAIRS, side=9, border="zero", least=1e-12):
    """Largest excess over a centre weighed by its ratio to the brightest neighbour."""
    result = np.empty(image.shape)
    for at in np.ndindex(image.shape):
        centre, others = cells(image, *at, side, border)
        found = [0.0]
        for inner, outer in pairs:
            level = mean_of_largest(centre, inner)
            brightest = max(max(mean_of_largest(other, outer) for other in others), least)
            found.append(level / brightest * level - level)
        result[at] = max(found)
    return result


def tllcm(image, sides=(3, 5, 7, 9), largest=9, border="zero", least=1e-12):
    """The same with a smoothed pixel for a centre, over cells of several sizes."""
    padded = np.pad(image.astype(float), 1, mode="edge")
    result = np.empty(image.shape)
    for row, column in np.ndindex(image.shape):
        weights = np.outer([1, 2, 1], [1, 2, 1]) / 16
        level = float((padded[row : row + 3, column : column + 3] * weights).sum())
        found = [0.0]
        for side in sides:
            _, others = cells(image, row, column, side, border)
            brightest = max(max(mean_of_largest(other, largest) for other in others), least)
            found.append((level / brightest - 1) * level)
        result[row, column] = max(found)
    return result
