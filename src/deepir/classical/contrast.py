"""Local contrast of a centre cell against its eight neighbours: LCM and MPCM.

A window of 3s x 3s pixels is split into nine cells of s x s. The mean of a neighbouring cell at
pixel p is the box mean at p shifted by s, so one box-sum map a scale, read at nine shifts, serves
all cells, at a cost that does not depend on s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from deepir.classical.bands import bands
from deepir.errors import unknown_name
from deepir.structures import check_image

Border = Literal["symmetric", "replicate"]
Polarity = Literal["both", "bright", "dark"]

CELLS = (3, 5, 7, 9)
"""Cell sides in pixels: a small target has at most about 80 pixels."""

_PADDING = {"symmetric": cv2.BORDER_REFLECT, "replicate": cv2.BORDER_REPLICATE}
_TILE_PIXELS = 131_072  # 1 MiB in double precision; smaller ones spend more on their margins
_OPPOSITE = (((-1, -1), (1, 1)), ((-1, 0), (1, 0)), ((-1, 1), (1, -1)), ((0, 1), (0, -1)))

Floats = NDArray[np.float64]


def lcm(
    image: ArrayLike,
    *,
    cells: Sequence[int] = CELLS,
    border: Border = "symmetric",
    black: float = 0.0,
) -> Floats:
    """Local contrast measure: squared cell maximum over the brightest neighbouring cell mean.

    ``image`` (H, W), raised by its minimum where that is negative, since the measure is a ratio of
    levels from 0 on; the map (H, W) has the grey level as unit, and a constant image gives that
    constant: LCM does not remove the background. ``cells`` are odd cell sides in pixels; ``border``
    extends the image for the means, the maximum takes pixels of the frame only.
    Means below 1e-12, or below the share ``black`` of the frame's mean, count as that: beside black
    regions the published ratio has no bound.

    Raises:
        ValueError: no cells, a side that is not odd and positive, an unknown choice.

    Chen et al., "A Local Contrast Method for Small Infrared Target Detection", IEEE TGRS 52(1),
    2014, equations 4 to 8.

    >>> lcm(np.full((4, 5), 7.0)).round(9).tolist()[0]
    [7.0, 7.0, 7.0, 7.0, 7.0]
    """
    frame = check_image(image).astype(np.float64, copy=False)
    lowest = float(frame.min())
    frame = frame - lowest if lowest < 0 else frame
    least = max(1e-12, black * float(frame.mean()))
    sides = _sides(cells)
    reach = sides[-1] // 2
    result = np.full(frame.shape, -np.inf)
    for tile, padded in _tiles(frame, sides, border):
        above = min(reach, tile.start)
        brightest, width = frame[tile.start - above : tile.stop + reach], 1
        for side, sums in _sums_by_side(padded, sides):
            # A window of this side is the previous one widened: max over nested windows.
            brightest, width = _window_maximum(brightest, side - width + 1), side
            levels = brightest[above : above + tile.stop - tile.start]
            for rows in bands(levels.shape):
                means = _brightest_neighbour(sums[rows.start : rows.stop + 2 * side], side)
                means /= side**2
                np.maximum(means, least, out=means)
                np.divide(levels[rows] * levels[rows], means, out=means)
                best = result[tile][rows]
                np.maximum(best, means, out=best)
    return result


def mpcm(
    image: ArrayLike,
    *,
    cells: Sequence[int] = CELLS,
    border: Border = "replicate",
    polarity: Polarity = "both",
) -> Floats:
    """Multiscale patch-based contrast: least product of opposite differences, signed.

    ``image`` (H, W); the map (H, W) has the squared grey level as unit and is 0 for a constant
    image. The published map is its positive part. With ``polarity="both"``, as published, a cell
    darker than its surroundings responds like a bright one; "bright" and "dark" keep a positive
    response only where the centre exceeds (falls below) all eight cells.

    Raises:
        ValueError: no cells, a side that is not odd and positive, an unknown choice.

    Wei et al., "Multiscale patch-based contrast measure for small infrared target detection",
    Pattern Recognition 58, 2016, equations 3 to 7.

    >>> image = np.zeros((9, 9)); image[3:6, 3:6] = 2.0
    >>> float(mpcm(image, cells=(3,))[4, 4])
    4.0
    """
    frame = check_image(image).astype(np.float64, copy=False)
    if polarity not in get_args(Polarity):
        raise unknown_name("polarity", polarity, get_args(Polarity))
    # The map ignores a constant; without it, flat frames of real numbers cancel exactly.
    frame = frame - frame.flat[0]
    sign = -1.0 if polarity == "dark" else 1.0
    result = np.full(frame.shape, -np.inf)
    sides = _sides(cells)
    for tile, padded in _tiles(frame, sides, border):
        for side, sums in _sums_by_side(padded, sides):
            for rows in bands(result[tile].shape):
                product = _least_product(
                    sums, side, rows, sign=None if polarity == "both" else sign
                )
                product *= 1 / side**4
                best = result[tile][rows]
                np.maximum(best, product, out=best)
    return result


def signed_root(squared: ArrayLike) -> Floats:
    """Square root that keeps the sign: a map in squared grey levels becomes one in grey levels.

    >>> signed_root([9.0, -4.0]).tolist()
    [3.0, -2.0]
    """
    values = np.asarray(squared, dtype=np.float64)
    root = np.abs(values)
    return np.copysign(np.sqrt(root, out=root), values, out=root)


def _least_product(sums: Floats, side: int, rows: slice, *, sign: float | None) -> Floats:
    """Least product of the differences to opposite cells, in some rows, from cell sums.

    With a ``sign`` products count as positive only where all differences have that sign.
    """
    centre = _cell(sums, side, rows, (0, 0))
    least: Floats | None = None
    aligned: Floats | None = None
    for first, second in _OPPOSITE:
        one = centre - _cell(sums, side, rows, first)
        other = centre - _cell(sums, side, rows, second)
        if sign is not None:
            low = np.minimum(sign * one, sign * other)
            aligned = low if aligned is None else np.minimum(aligned, low, out=aligned)
        np.multiply(one, other, out=one)
        least = one if least is None else np.minimum(least, one, out=least)
    assert least is not None  # there are four pairs
    if aligned is not None:
        least[(aligned <= 0) & (least > 0)] = 0.0
    return least


def _cell(sums: Floats, side: int, rows: slice, shift: tuple[int, int]) -> Floats:
    """Sums of one of the nine cells, for the pixels of some rows."""
    top, left = (side * (1 + step) for step in shift)
    width = sums.shape[1] - 2 * side
    return sums[top + rows.start : top + rows.stop, left : left + width]


def _brightest_neighbour(sums: Floats, side: int) -> Floats:
    """Largest sum among the eight neighbouring cells, separably."""
    height, width = (length - 2 * side for length in sums.shape)
    left, middle, right = (sums[:, start : start + width] for start in (0, side, 2 * side))
    sides = np.maximum(left, right)
    across = np.maximum(sides, middle)
    best = np.maximum(across[:height], across[2 * side :])
    return np.maximum(best, sides[side : side + height], out=best)


def _tiles(frame: Floats, sides: Sequence[int], border: Border) -> Iterator[tuple[slice, Floats]]:
    """Rows of the frame worked on together, and the same rows extended on all sides.

    Cells reach ``margin`` pixels beyond a pixel; a tile with that margin fits into the cache.
    """
    if border not in _PADDING:
        raise unknown_name("border", border, _PADDING)
    margin = sides[-1] + sides[-1] // 2
    padded = cv2.copyMakeBorder(frame, margin, margin, margin, margin, _PADDING[border])
    extended: Floats = np.asarray(padded, dtype=np.float64)
    for tile in bands(frame.shape, pixels=_TILE_PIXELS):
        yield tile, extended[tile.start : tile.stop + 2 * margin]


def _sums_by_side(padded: Floats, sides: Sequence[int]) -> Iterator[tuple[int, Floats]]:
    """Each cell side with its box sums around every pixel, up to ``side`` pixels outside.

    The sums of all sides share one buffer: read them before the next ones.
    """
    margin = sides[-1] + sides[-1] // 2
    sums = np.empty_like(padded)
    for side in sides:
        cv2.boxFilter(padded, cv2.CV_64F, (side, side), dst=sums, normalize=False)
        inner = margin - side
        yield side, sums[inner : sums.shape[0] - inner, inner : sums.shape[1] - inner]


def _window_maximum(frame: Floats, side: int) -> Floats:
    if side <= 3:  # OpenCV is fastest on small windows; its cost grows with the side
        return np.asarray(cv2.dilate(frame, np.ones((side, side), np.uint8)), dtype=np.float64)
    return ndimage.maximum_filter(frame, size=side, mode="constant", cval=-np.inf)


def _sides(cells: Sequence[int]) -> list[int]:
    sides = sorted(set(cells))
    if not sides or any(side < 1 or side % 2 == 0 for side in sides):
        raise ValueError(f"cells are odd sides in pixels, at least one of them, got {cells}")
    return sides
