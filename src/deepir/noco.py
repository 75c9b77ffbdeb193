"""Normalised contrast (NoCo): how bright and how central a pixel is within its target.

Dai et al., "One-Stage Cascade Refinement Networks for Infrared Small Target Detection", IEEE TGRS
61, 2023. This is the only place that defines it: metric, read-out and training all ask here.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.structures import Image, as_corners, check_image

REACH = 1.5
"""The grids of the distance weight run from -1.5 to 1.5 over the grown box."""

Rectangle = tuple[int, int, int, int]  # x0, y0, x1, y1, half-open pixels


def noco_map(image: ArrayLike, boxes: ArrayLike) -> NDArray[np.float64]:
    """Normalised contrast of every pixel: near 1 at the heart of a target, 0 far from all.

    ``image`` (H, W) in any grey scale; ``boxes`` (N, 4) half-open pixels, truncated toward zero
    first. Where windows of neighbours overlap the later box overwrites the earlier one. The result
    (H, W) lies in [0, 1) and is all zero for N = 0. A box without a pixel inside the frame adds
    nothing and is named by a warning; one that truncation empties adds nothing.

    Raises:
        ValueError: boxes of another shape, a box with x1 <= x0 or y1 <= y0, a window that holds
            NaN or infinite pixels.

    >>> image = np.zeros((9, 9)); image[4, 4] = 50.0
    >>> values = noco_map(image, [[3, 3, 6, 6]])
    >>> np.unravel_index(values.argmax(), values.shape), round(float(values.max()), 3)
    ((np.int64(4), np.int64(4)), 0.999)
    """
    frame = check_image(image)
    values = np.zeros(frame.shape)
    for box in as_corners(boxes):
        if box[2] <= box[0] or box[3] <= box[1]:
            raise ValueError(f"a box has x0 < x1 and y0 < y1, got {box.tolist()}")
        pixels = _rectangle(np.trunc(box))
        if pixels[2] <= pixels[0] or pixels[3] <= pixels[1]:
            continue
        window = _window(frame, pixels)
        if window is None:
            warnings.warn(
                f"box {box.tolist()} has no pixel inside the {frame.shape} frame", stacklevel=2
            )
            continue
        x0, y0, x1, y1 = window.area
        values[y0:y1, x0:x1] = window.values(frame, window.area)
    return values


def noco_peaks(
    image: ArrayLike, boxes: ArrayLike, *, believed: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Pixel of the highest normalised contrast in each box: the point a box detector reports.

    ``image`` (H, W); ``boxes`` (N, 4), real-valued: rounded to the nearest pixel edge, clipped to
    the frame, at least one pixel a side. All boxes paint one joint map in raster order (by y0,
    then x0), as annotations do. With ``believed`` (N,) bool only those boxes paint for all; each
    other one is judged in the joint map of the believed boxes and itself, so that weak candidates
    do not repaint a target's window. The result (N, 2) ``x y`` keeps the order of the input; of
    equal maxima the first in row-major order; N = 0 gives (0, 2).

    Raises:
        ValueError: boxes of another shape or not finite, windows with NaN or infinite pixels.

    >>> image = np.zeros((9, 9)); image[4, 5] = 50.0
    >>> noco_peaks(image, [[3.2, 2.9, 6.1, 6.0]]).tolist()
    [[5.0, 4.0]]
    """
    frame = check_image(image)
    corners = as_corners(boxes)
    if not len(corners):
        return np.zeros((0, 2))
    areas = _whole_pixels(corners, frame.shape)
    trusted = np.ones(len(areas), bool) if believed is None else np.asarray(believed, dtype=bool)
    if trusted.shape != (len(areas),):
        raise ValueError(f"{len(areas)} boxes need as many flags, got shape {trusted.shape}")
    windows = [_window(frame, _rectangle(area)) for area in areas]
    order = np.lexsort((areas[:, 0], areas[:, 1]))
    peaks = [
        _peak(frame, index, areas, windows, order[trusted[order] | (order == index)])
        for index in range(len(areas))
    ]
    return np.array(peaks, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Window:
    """The NoCo values that one box gives to the pixels around it, kept as their factors."""

    area: Rectangle  # grown box, clipped to the frame
    weight_x: NDArray[np.float64]  # distance weight along the columns of the area
    weight_y: NDArray[np.float64]
    darkest: float  # min(I_window)
    contrast: float  # max(I_box) - min(I_window) + 0.01
    low: float  # min n
    span: float  # max n - min n + 0.001

    def values(self, frame: Image, part: Rectangle) -> NDArray[np.float64]:
        """NoCo values in ``part``, a rectangle inside the area."""
        return (self._product(frame, part) - self.low) / self.span

    def _product(self, frame: Image, part: Rectangle) -> NDArray[np.float64]:
        x0, y0, x1, y1 = part
        left, top = self.area[:2]
        grey = frame[y0:y1, x0:x1].astype(np.float64)
        weight = np.outer(self.weight_y[y0 - top : y1 - top], self.weight_x[x0 - left : x1 - left])
        return weight * ((grey - self.darkest) / self.contrast)


def _window(frame: Image, box: Rectangle) -> _Window | None:
    """Steps 1 to 4 of the definition for one box of whole pixels; None if it misses the frame."""
    height, width = frame.shape
    x0, y0, x1, y1 = box
    inner = frame[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    if not inner.size:
        return None
    left, right, weight_x = _axis(x0, x1, width)
    top, bottom, weight_y = _axis(y0, y1, height)
    grey = frame[top:bottom, left:right]
    darkest, brightest = float(grey.min()), float(inner.max())
    if not np.isfinite(darkest + brightest + float(grey.max())):
        raise ValueError(f"the window of box {box} holds NaN or infinite pixels; fill them first")
    area = (left, top, right, bottom)
    plain = _Window(area, weight_x, weight_y, darkest, brightest - darkest + 0.01, 0.0, 1.0)
    product = plain.values(frame, area)
    low, high = float(product.min()), float(product.max())
    return _Window(area, weight_x, weight_y, darkest, plain.contrast, low, high - low + 0.001)


def _axis(start: int, stop: int, limit: int) -> tuple[int, int, NDArray[np.float64]]:
    """One side of the grown box, clipped to [0, limit), and its share of the distance weight."""
    side = stop - start
    low, high = max(start - side, 0), min(stop + side, limit)
    steps = np.arange(low, high) - (start - side)  # only what the frame holds of a huge box
    grid = steps * (2 * REACH / (3 * side - 1)) - REACH
    return low, high, np.exp(-(grid**2) / 2)


def _peak(
    frame: Image,
    index: int,
    areas: NDArray[np.int64],
    windows: Sequence[_Window | None],
    painters: NDArray[np.intp],
) -> tuple[int, int]:
    x0, y0, x1, y1 = _rectangle(areas[index])
    joint = np.zeros((y1 - y0, x1 - x0))
    for painter in painters:
        window = windows[painter]
        if window is None:
            continue
        left, top, right, bottom = window.area
        part = (max(left, x0), max(top, y0), min(right, x1), min(bottom, y1))
        if part[0] < part[2] and part[1] < part[3]:
            joint[part[1] - y0 : part[3] - y0, part[0] - x0 : part[2] - x0] = window.values(
                frame, part
            )
    row, column = divmod(int(joint.argmax()), x1 - x0)
    return x0 + column, y0 + row


def _whole_pixels(corners: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Boxes on pixel edges, inside the frame, at least one pixel a side: (N, 4)."""
    height, width = shape
    limit = np.array([width, height])
    low = np.clip(np.rint(corners[:, :2]), 0, limit - 1)
    high = np.clip(np.rint(corners[:, 2:]), low + 1, limit)
    return np.concatenate([low, high], axis=1).astype(np.int64)


def _rectangle(box: ArrayLike) -> Rectangle:
    x0, y0, x1, y1 = np.asarray(box).astype(int).tolist()
    return x0, y0, x1, y1
