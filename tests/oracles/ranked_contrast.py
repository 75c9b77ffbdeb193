"""RLCM and TLLCM by sorting each of the nine cells around every pixel."""

from __future__ import annotations

import numpy as np
from oracles.contrast import NEIGHBOURS

PAIRS = ((2, 4), (5, 9), (9, 16))
PAD = {"zero": "constant", "symmetric": "symmetric", "replicate": "edge"}


def extended(image, side, border):
    """The image as far beyond its border as cells of that side reach."""
    return np.pad(image.astype(float), side + side // 2, mode=PAD[border])


def cells(padded, row, column, side):
    """The centre cell and the eight around it, each as a descending list of its levels."""

    def cell(down, right):
        top, left = row + side * (1 + down), column + side * (1 + right)
        return sorted(padded[top : top + side, left : left + side].ravel().tolist(), reverse=True)

    return cell(0, 0), [cell(*step) for step in NEIGHBOURS]


def mean_of_largest(values, count):
    """Mean of the first values of a descending list."""
    return sum(values[:count]) / len(values[:count])


def rlcm(image, pairs=PAIRS, side=9, border="zero", least=1e-12):
    """Largest excess over a centre weighed by its ratio to the brightest neighbour."""
    padded = extended(image, side, border)
    result = np.empty(image.shape)
    for at in np.ndindex(image.shape):
        centre, others = cells(padded, *at, side)
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
    wider = {side: extended(image, side, border) for side in sides}
    weights = np.outer([1, 2, 1], [1, 2, 1]) / 16
    result = np.empty(image.shape)
    for row, column in np.ndindex(image.shape):
        level = float((padded[row : row + 3, column : column + 3] * weights).sum())
        found = [0.0]
        for side in sides:
            _, others = cells(wider[side], row, column, side)
            brightest = max(max(mean_of_largest(other, largest) for other in others), least)
            found.append((level / brightest - 1) * level)
        result[row, column] = max(found)
    return result
