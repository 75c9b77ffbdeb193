"""Pictures of detections: the frame with its targets marked, and each one enlarged beside it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.structures import Detections, Image, check_image

Grey = NDArray[np.uint8]
"""(H, W) uint8."""

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8, blue green red as OpenCV writes them."""

STRETCH = (0.5, 99.9)
"""Percentiles of a frame that become black and white in a picture."""

LONG_SIDE_PX = 720  # small frames are enlarged by a whole factor up to about this
INSETS = 4
INSET_PX = 176
SMALLEST_INSET_PX = 100
CROP_PX = 25  # pixels of the frame that an inset shows a side, unless the target is larger
_GAP = 8
_BACKDROP = (24, 22, 20)
_TEXT = (235, 235, 235)
_COLOURS = ((60, 200, 255), (255, 190, 70), (120, 230, 110), (220, 140, 255))
_OTHERS = (170, 170, 170)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def stretch_to_8bit(image: ArrayLike, *, percentiles: tuple[float, float] = STRETCH) -> Grey:
    """Map grey levels of any depth to 0-255 for the eye: linear between two percentiles.

    ``image`` (H, W); NaN and infinite pixels become black, a constant frame mid-grey. For pictures
    only: no detector sees the result.

    >>> stretch_to_8bit([[0, 500, 1000]], percentiles=(0, 100)).tolist()
    [[0, 128, 255]]
    """
    frame = check_image(image).astype(np.float64)
    seen = np.isfinite(frame)
    low, high = np.percentile(frame[seen], percentiles)
    if high <= low:
        low, high = float(frame[seen].min()), float(frame[seen].max())
    if high <= low:
        return np.where(seen, 128, 0).astype(np.uint8)
    scaled = np.where(seen, np.clip((frame - low) / (high - low), 0, 1), 0)
    return np.asarray(np.rint(255 * scaled), dtype=np.uint8)


def draw_overlay(image: ArrayLike, found: Detections, *, title: str = "") -> Picture:
    """Picture of one frame: brackets around each detection, the best four enlarged at the right.

    ``image`` (H, W) of any depth. Every inset shows the same number of pixels of the frame around
    its point unless the target is larger; its cross marks the reported point. No detection gives
    the bare frame with a line that says so.
    """
    grey = stretch_to_8bit(image)
    factor = max(1, LONG_SIDE_PX // max(grey.shape))
    frame = _coloured(_enlarge(grey, factor))
    for rank in reversed(range(len(found))):
        _mark(frame, _square(found, rank, grey.shape), factor, rank)
    frame = _at_least(frame, INSET_PX + _GAP)
    panel = _insets(check_image(image), found, frame.shape[0])
    body = np.concatenate([frame, panel], axis=1)
    return np.concatenate([_caption(title, len(found), body.shape[1]), body], axis=0)


def _square(found: Detections, rank: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Box of a detection in pixels, or a small square around its point."""
    if found.boxes is not None:
        x0, y0, x1, y1 = np.rint(found.boxes[rank]).astype(int).tolist()
    else:
        x, y = _pixel(found, rank, shape)
        x0, y0, x1, y1 = x - 2, y - 2, x + 3, y + 3
    height, width = shape
    return max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)


def _pixel(found: Detections, rank: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Column and row of a point, drawn at the border where it lies outside the frame."""
    x, y = np.nan_to_num(found.points[rank]).tolist()
    return round(min(max(x, 0), shape[1] - 1)), round(min(max(y, 0), shape[0] - 1))


def _mark(frame: Picture, box: tuple[int, int, int, int], factor: int, rank: int) -> None:
    """Corner brackets a few pixels outside the box, so that the target stays visible."""
    colour = _COLOURS[rank] if rank < INSETS else _OTHERS
    x0, y0, x1, y1 = (side * factor for side in box)
    margin = 6
    x0, y0, x1, y1 = x0 - margin, y0 - margin, x1 + margin, y1 + margin
    arm = max(5, min(x1 - x0, y1 - y0) // 4)
    for x, across in ((x0, arm), (x1, -arm)):
        for y, down in ((y0, arm), (y1, -arm)):
            cv2.line(frame, (x, y), (x + across, y), colour, 1, cv2.LINE_AA)
            cv2.line(frame, (x, y), (x, y + down), colour, 1, cv2.LINE_AA)
    if rank < INSETS:
        right = x1 + 4 if x1 + 16 < frame.shape[1] else x0 - 14
        cv2.putText(frame, str(rank + 1), (right, y0 + 8), _FONT, 0.45, colour, 1, cv2.LINE_AA)


def _at_least(frame: Picture, height: int) -> Picture:
    """Room below a flat frame, so that an inset fits beside it."""
    below = max(height - frame.shape[0], 0)
    return np.pad(frame, ((0, below), (0, 0), (0, 0)))


def _insets(image: Image, found: Detections, height: int) -> Picture:
    """Column of enlarged detections; as many as fit, at most four."""
    count = min(INSETS, len(found))
    side = min(INSET_PX, height // max(count, 1) - _GAP)
    if side < SMALLEST_INSET_PX:
        side, count = INSET_PX, height // (INSET_PX + _GAP)
    panel = np.full((height, INSET_PX + 2 * _GAP, 3), _BACKDROP, dtype=np.uint8)
    for rank in range(count):
        top = _GAP // 2 + rank * (side + _GAP)
        panel[top : top + side, _GAP : _GAP + side] = _inset(image, found, rank, side)
    return panel


def _inset(image: Image, found: Detections, rank: int, side: int) -> Picture:
    """One detection enlarged; grey levels are stretched over what the inset shows."""
    x0, y0, x1, y1 = _square(found, rank, image.shape)
    crop = max(CROP_PX, 2 * max(x1 - x0, y1 - y0)) | 1
    column, row = _pixel(found, rank, image.shape)
    left, top = column - crop // 2, row - crop // 2
    shown = _crop(image, left, top, crop)
    picture = _coloured(cv2.resize(shown, (side, side), interpolation=cv2.INTER_NEAREST))
    colour = _COLOURS[rank]
    scale = side / crop
    at = (int((column - left + 0.5) * scale), int((row - top + 0.5) * scale))
    for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        near, far = ((at[0] + reach * step[0], at[1] + reach * step[1]) for reach in (14, 26))
        cv2.line(picture, near, far, colour, 1, cv2.LINE_AA)
    cv2.rectangle(picture, (0, 0), (side - 1, side - 1), colour, 1)
    x, y = found.points[rank]
    label = f"{rank + 1}  ({x:g}, {y:g})  {found.scores[rank]:.4g}"
    _shadowed(picture, label, (6, side - 7))
    return picture


def _crop(image: Image, left: int, top: int, side: int) -> Grey:
    """Square part of the frame, stretched to 8 bits; what lies outside is dark."""
    part = np.full((side, side), _BACKDROP[0], dtype=np.uint8)
    rows = slice(max(top, 0), max(min(top + side, image.shape[0]), 0))
    columns = slice(max(left, 0), max(min(left + side, image.shape[1]), 0))
    inside = image[rows, columns]
    if inside.size and np.isfinite(inside).any():
        y, x = rows.start - top, columns.start - left
        height, width = inside.shape
        part[y : y + height, x : x + width] = stretch_to_8bit(inside, percentiles=(0, 100))
    return part


def _caption(title: str, count: int, width: int) -> Picture:
    strip = np.full((26, width, 3), _BACKDROP, dtype=np.uint8)
    number = {0: "no detection", 1: "1 detection"}.get(count, f"{count} detections")
    _shadowed(strip, f"{title}   {number}" if title else number, (_GAP, 18))
    return strip


def _shadowed(picture: Picture, text: str, at: Sequence[int]) -> None:
    for colour, shift in (((0, 0, 0), 1), (_TEXT, 0)):
        place = (at[0] + shift, at[1] + shift)
        cv2.putText(picture, text, place, _FONT, 0.42, colour, 1, cv2.LINE_AA)


def _enlarge(grey: Grey, factor: int) -> Grey:
    return np.repeat(np.repeat(grey, factor, axis=0), factor, axis=1)


def _coloured(grey: ArrayLike) -> Picture:
    return np.asarray(cv2.cvtColor(np.asarray(grey), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
