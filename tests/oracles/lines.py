"""Max-mean and max-median pixel by pixel on a padded copy."""

from __future__ import annotations

import numpy as np


def above_lines(image, length, level):
    """Grey level above the largest ``level`` (a mean or a median) of four lines of pixels."""
    reach = length // 2
    padded = np.pad(image.astype(float), reach, mode="symmetric")
    result = np.empty(image.shape)
    for row, column in np.ndindex(image.shape):
        window = padded[row : row + length, column : column + length]
        lines = (window[reach], window[:, reach], np.diag(window), np.diag(window[::-1]))
        result[row, column] = padded[row + reach, column + reach] - max(map(level, lines))
    return result
