"""FKRW step by step: one candidate at a time, one dense system each."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy import ndimage

KERNEL = np.array(
    [
        [-4, -1, 0, -1, -4],
        [-1, 2, 3, 2, -1],
        [0, 3, 4, 3, 0],
        [-1, 2, 3, 2, -1],
        [-4, -1, 0, -1, -4],
    ]
)
DISK = np.add.outer(np.arange(-2, 3) ** 2, np.arange(-2, 3) ** 2) <= 4
CENTRE = (5, 5)


def smooth(levels):
    """Pixels no brighter than their brightest neighbour, then sums of 2x2, in whole numbers."""
    kept, padded = np.zeros(levels.shape), np.pad(levels.astype(float), 1)
    for row, column in np.ndindex(levels.shape):
        around = padded[row : row + 3, column : column + 3].ravel()
        kept[row, column] = min(around[4], max(np.delete(around, 4)))
    padded = np.pad(kept, ((0, 1), (0, 1)), mode="edge")
    return (padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]) / 1020


def facet(smoothed):
    """Facet kernel, the border mirrored about the edge pixel."""
    padded = np.pad(smoothed, 2, mode="reflect")
    result = np.zeros(smoothed.shape)
    for row, column in np.ndindex(smoothed.shape):
        result[row, column] = (padded[row : row + 5, column : column + 5] * KERNEL).sum()
    return result


def candidates(smoothed, response, k=4.0):
    """Pixels of high response, brightest first; of equal ones columns first, then rows."""
    least = response.mean() + k * response.std(ddof=1)
    found = [
        (row, column)
        for column in range(response.shape[1])
        for row in range(response.shape[0])
        if response[row, column] >= least
    ]
    return sorted(found, key=lambda at: -smoothed[at])


def probability(window, beta=200.0, seeds=False):
    """Chance of a walk from each pixel of a window (11, 11) to reach the centre before the ring."""
    number = window.size
    weights = np.zeros((number, number))
    for row, column in np.ndindex(window.shape):
        for down, right in ((0, 1), (1, 0)):
            other = (row + down, column + right)
            if max(other) < 11:
                one, two = row * 11 + column, other[0] * 11 + other[1]
                gap = abs(window[row, column] - window[other])
                weights[one, two] = weights[two, one] = np.exp(-beta * gap) + 1e-5
    laplacian = np.diag(weights.sum(axis=1)) - weights
    known = np.zeros(window.shape, bool)
    known[[0, -1]] = known[:, [0, -1]] = True
    if seeds:
        known |= window == 1
    known[CENTRE] = True
    values = np.zeros(number)
    values[5 * 11 + 5] = 1
    free, known = np.flatnonzero(~known), np.flatnonzero(known)
    rest = -laplacian[np.ix_(free, known)] @ values[known]
    values[free] = np.linalg.solve(laplacian[np.ix_(free, free)], rest)
    return values.reshape(11, 11)


def describe(window, chance):
    """Coefficient and contrast of the region where the centre is the likelier end."""
    region = chance >= 0.5
    apart = region.copy()
    apart[CENTRE] = False
    coefficient = chance[apart].mean() / chance[~apart].mean()
    grown = ndimage.binary_dilation(region, DISK)
    ring = ndimage.binary_dilation(grown, DISK) & ~grown
    level = window[region].mean()
    beside = window[ring].max() if ring.any() else np.inf
    ratio = 0.0 if beside >= level else level / max(beside, 1e-12)
    return region, coefficient, ratio


def stages(levels, k=4.0, beta=200.0, seeds=False, power=6):
    """All maps of the way, and how many candidates were there and were solved."""
    smoothed = smooth(levels)
    response = facet(smoothed)
    chosen = candidates(smoothed, response, k)
    extended = np.pad(smoothed, 5, mode="reflect")
    height, width = levels.shape
    coefficients, contrasts = np.zeros(levels.shape), np.zeros(levels.shape)
    flagged, solves = np.zeros(levels.shape, bool), 0
    for row, column in chosen:
        if flagged[row, column]:
            continue
        window = extended[row : row + 11, column : column + 11]
        chance = probability(window, beta, seeds)
        solves += 1
        if (chance >= 0.5).sum() == 1:
            flagged[row, column] = True
            continue
        region, coefficient, ratio = describe(window, chance)
        for down, right in np.argwhere(region) - 5:
            at = (row + down, column + right)
            if 0 <= at[0] < height and 0 <= at[1] < width and not flagged[at]:
                coefficients[at], contrasts[at] = coefficient, ratio**power
                flagged[at] = True
    fused = coefficients * contrasts * response
    return SimpleNamespace(
        facet=response,
        chosen=chosen,
        coefficient=coefficients,
        contrast=contrasts,
        fused=fused,
        solves=solves,
    )
