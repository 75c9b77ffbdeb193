"""LCM and MPCM by cutting the nine cells out around every pixel."""

from __future__ import annotations

import numpy as np

NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""In circular order: entry i + 4 lies opposite entry i."""

PAD = {"symmetric": "symmetric", "replicate": "edge"}


def extended(image, cells, border):
    """The image by the side of a cell, as far beyond its border as the cells reach."""
    levels = image.astype(float)
    return {side: np.pad(levels, side + side // 2, mode=PAD[border]) for side in cells}


def cell_means(padded, row, column, side):
    """Mean of the centre cell, and of the eight cells around it."""

    def cell(down, right):
        top, left = row + side * (1 + down), column + side * (1 + right)
        return padded[top : top + side, left : left + side].mean()

    return cell(0, 0), [cell(*step) for step in NEIGHBOURS]


def over_pixels(image, cells, measure):
    """Largest measure of any scale at every pixel."""
    result = np.empty(image.shape)
    for at in np.ndindex(image.shape):
        result[at] = max(measure(*at, side) for side in cells)
    return result


def lcm(image, cells, border):
    """Squared cell maximum over the brightest neighbouring mean."""
    padded = extended(image, cells, border)

    def measure(row, column, side):
        reach = side // 2
        rows = slice(max(row - reach, 0), row + reach + 1)
        brightest = float(image[rows, max(column - reach, 0) : column + reach + 1].max())
        _, means = cell_means(padded[side], row, column, side)
        return brightest**2 / max(max(means), 1e-12)

    return over_pixels(image, cells, measure)


def mpcm(image, cells, border, polarity):
    """Least product of opposite differences; one polarity only on request."""
    padded = extended(image, cells, border)

    def measure(row, column, side):
        centre, means = cell_means(padded[side], row, column, side)
        differences = [centre - mean for mean in means]
        least = min(differences[k] * differences[k + 4] for k in range(4))
        sign = {"both": 0, "bright": 1, "dark": -1}[polarity]
        aligned = not sign or all(sign * difference > 0 for difference in differences)
        return least if aligned or least < 0 else 0.0

    return over_pixels(image, cells, measure)
