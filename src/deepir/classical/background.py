"""Filters that subtract an estimate of the background: top-hat, max-mean, max-median."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.classical.bands import bands
from deepir.structures import Image, check_image

Floats = NDArray[np.float64]

_DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1))  # steps down and right along the four lines


def white_top_hat(image: ArrayLike, *, size: int = 5) -> Floats:
    """Grey level above the opening with a flat ``size`` x ``size`` square, never negative.

    ``image`` (H, W); the map (H, W) has the grey level as unit and is 0 for a constant image.

    Raises:
        ValueError: a size that is not odd and at least 3.

    Tom et al., "Morphology-based algorithm for point target detection in infrared backgrounds",
    SPIE 1954, 1993.

    >>> white_top_hat([[1, 1, 5, 1, 1]], size=3).tolist()
    [[0.0, 0.0, 4.0, 0.0, 0.0]]
    """
    frame = check_image(image).astype(np.float64, copy=False)
    square = np.ones((_odd(size), size), dtype=np.uint8)
    above: Floats = frame - cv2.morphologyEx(frame, cv2.MORPH_OPEN, square)
    return above


def max_mean(image: ArrayLike, *, length: int = 5) -> Floats:
    """Grey level above the largest of four line means, signed.

    The lines (vertical, horizontal, both diagonals) of ``length`` pixels are centred on the pixel;
    the border is mirrored. ``image`` (H, W); the map (H, W) has the grey level as unit and is 0
    for a constant image.

    Raises:
        ValueError: a length that is not odd and at least 3.

    Deshpande et al., "Max-mean and max-median filters for detection of small targets", SPIE 3809,
    1999.

    >>> max_mean(np.eye(5) * 10)[2].round(6).tolist()
    [-2.0, -2.0, 0.0, -2.0, -2.0]
    """
    frame = check_image(image).astype(np.float64, copy=False)
    # Without a constant, which cancels, flat frames of real numbers give exact zeros.
    return _above_lines(frame - frame.flat[0], length, _mean)


def max_median(image: ArrayLike, *, length: int = 5) -> Floats:
    """Grey level above the largest of four line medians, signed; otherwise as `max_mean`.

    >>> max_median(np.eye(5) * 10)[2].tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    return _above_lines(check_image(image).astype(np.float64, copy=False), length, _median)


def _above_lines(frame: Floats, length: int, level: Callable[[list[Floats]], Floats]) -> Floats:
    reach = _odd(length) // 2
    padded = cv2.copyMakeBorder(frame, reach, reach, reach, reach, cv2.BORDER_REFLECT)
    background: Floats = np.full(frame.shape, -np.inf)
    for rows in bands(frame.shape):
        for direction in _DIRECTIONS:
            line = level(_line(padded, reach, direction, rows))
            np.maximum(background[rows], line, out=background[rows])
    return np.subtract(frame, background, out=background)


def _line(padded: Image, reach: int, direction: tuple[int, int], rows: slice) -> list[Floats]:
    """Some rows of the frame, shifted to each pixel of a line through the centre."""
    width = padded.shape[1] - 2 * reach
    down, right = direction
    starts = ((reach + step * down, reach + step * right) for step in range(-reach, reach + 1))
    return [padded[top + rows.start : top + rows.stop, left : left + width] for top, left in starts]


def _mean(layers: list[Floats]) -> Floats:
    total = layers[0] + layers[1]
    for layer in layers[2:]:
        total += layer
    return total / len(layers)


def _median(layers: list[Floats]) -> Floats:
    """Median over an odd number of layers by forgetful selection.

    Of the first n // 2 + 2 layers neither the least nor the greatest can be the median; drop both,
    take in one more layer, and repeat until one is left.
    """
    start = len(layers) // 2 + 2
    kept = layers[:start]
    for late in range(start, len(layers) + 1):
        for index in range(1, len(kept)):
            kept[0], kept[index] = _ordered(kept[0], kept[index])
        for index in range(1, len(kept) - 1):
            kept[index], kept[-1] = _ordered(kept[index], kept[-1])
        kept = kept[1:-1] + layers[late : late + 1]
    return kept[0]


def _ordered(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    return np.minimum(a, b), np.maximum(a, b)


def _odd(length: int) -> int:
    if length < 3 or length % 2 == 0:
        raise ValueError(f"a window is odd and at least 3 pixels wide, got {length}")
    return length
