"""Pictures of detections: the frame with its targets marked, and each one enlarged beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.structures import Detections, Image, check_image

Grey = NDArray[np.uint8]
"""(H, W) uint8."""

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8, blue green red as OpenCV writes them."""

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

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


@dataclass(frozen=True)
class Mark:
    """Something to show in a frame: brackets around its box, and perhaps an inset of its point."""

    box: tuple[int, int, int, int]  # x0 y0 x1 y1, pixels that lie in the frame
    point: tuple[int, int]  # column and row of a pixel of the frame
    label: str  # in its inset
    colour: Colour


def draw_overlay(image: ArrayLike, found: Detections, *, title: str = "") -> Picture:
    """Picture of one frame: brackets around each detection, the best four enlarged at the right.

    ``image`` (H, W) of any depth. Every inset shows the same number of pixels of the frame around
    its point unless the target is larger; its cross marks the reported point. No detection gives
    the bare frame with a line that says so.
    """
    marks = detection_marks(found, np.asarray(image).shape)
    number = {0: "no detection", 1: "1 detection"}.get(len(found), f"{len(found)} detections")
    return draw_marks(image, marks, caption=f"{title}   {number}" if title else number)


def detection_marks(found: Detections, shape: tuple[int, ...]) -> list[Mark]:
    """A mark for each detection in a frame of ``shape`` (H, W), best first."""
    marks = []
    for rank, (x, y) in enumerate(found.points.tolist()):
        colour = _COLOURS[rank] if rank < INSETS else _OTHERS
        label = f"({x:g}, {y:g})  {found.scores[rank]:.3g}"
        marks.append(Mark(_square(found, rank, shape), _pixel((x, y), shape), label, colour))
    return marks


def box_mark(box: ArrayLike, shape: tuple[int, ...], label: str, colour: Colour) -> Mark:
    """A mark for a box (4,) of a frame of ``shape`` (H, W); its inset shows the box's middle."""
    x0, y0, x1, y1 = np.rint(np.asarray(box)).astype(int).tolist()
    middle = _pixel(((x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2), shape)
    return Mark(_clipped((x0, y0, x1, y1), shape), middle, label, colour)


def draw_marks(image: ArrayLike, marks: Sequence[Mark], *, caption: str) -> Picture:
    """Picture of one frame (H, W): brackets for each mark, the first four enlarged at the right.

    What is marked first is drawn on top. The caption stands above the frame.
    """
    grey = stretch_to_8bit(image)
    factor = max(1, LONG_SIDE_PX // max(grey.shape))
    frame = _coloured(_enlarge(grey, factor))
    for rank in reversed(range(len(marks))):
        _bracket(frame, marks[rank], factor, rank)
    frame = _at_least(frame, INSET_PX + _GAP)
    panel = _insets(check_image(image), marks, frame.shape[0])
    body = np.concatenate([frame, panel], axis=1)
    return np.concatenate([_caption(caption, body.shape[1]), body], axis=0)


def _square(found: Detections, rank: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Box of a detection in pixels, or a small square around its point."""
    if found.boxes is not None:
        x0, y0, x1, y1 = np.rint(found.boxes[rank]).astype(int).tolist()
    else:
        x, y = _pixel(found.points[rank].tolist(), shape)
        x0, y0, x1, y1 = x - 2, y - 2, x + 3, y + 3
    return _clipped((x0, y0, x1, y1), shape)


def _clipped(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Part of a box that lies in the frame."""
    height, width = shape
    x0, y0, x1, y1 = box
    return max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)


def _pixel(point: Sequence[float], shape: tuple[int, ...]) -> tuple[int, int]:
    """Column and row of a point, drawn at the border where it lies outside the frame."""
    x, y = np.nan_to_num(point).tolist()
    return round(min(max(x, 0), shape[1] - 1)), round(min(max(y, 0), shape[0] - 1))


def _bracket(frame: Picture, mark: Mark, factor: int, rank: int) -> None:
    """Corner brackets a few pixels outside the box, so that the target stays visible."""
    x0, y0, x1, y1 = (side * factor for side in mark.box)
    margin = 6
    x0, y0, x1, y1 = x0 - margin, y0 - margin, x1 + margin, y1 + margin
    arm = max(5, min(x1 - x0, y1 - y0) // 4)
    for x, across in ((x0, arm), (x1, -arm)):
        for y, down in ((y0, arm), (y1, -arm)):
            cv2.line(frame, (x, y), (x + across, y), mark.colour, 1, cv2.LINE_AA)
            cv2.line(frame, (x, y), (x, y + down), mark.colour, 1, cv2.LINE_AA)
    if rank < INSETS:
        right = x1 + 4 if x1 + 16 < frame.shape[1] else x0 - 14
        cv2.putText(frame, str(rank + 1), (right, y0 + 8), _FONT, 0.45, mark.colour, 1, cv2.LINE_AA)


def _at_least(frame: Picture, height: int) -> Picture:
    """Room below a flat frame, so that an inset fits beside it."""
    below = max(height - frame.shape[0], 0)
    return np.pad(frame, ((0, below), (0, 0), (0, 0)))


def _insets(image: Image, marks: Sequence[Mark], height: int) -> Picture:
    """Column of enlarged marks; as many as fit, at most four."""
    count = min(INSETS, len(marks))
    side = min(INSET_PX, height // max(count, 1) - _GAP)
    if side < SMALLEST_INSET_PX:
        side, count = INSET_PX, height // (INSET_PX + _GAP)
    panel = np.full((height, INSET_PX + 2 * _GAP, 3), _BACKDROP, dtype=np.uint8)
    for rank in range(count):
        top = _GAP // 2 + rank * (side + _GAP)
        panel[top : top + side, _GAP : _GAP + side] = _inset(image, marks[rank], rank, side)
    return panel


def _inset(image: Image, mark: Mark, rank: int, side: int) -> Picture:
    """One mark enlarged; grey levels are stretched over what the inset shows."""
    x0, y0, x1, y1 = mark.box
    crop = max(CROP_PX, 2 * max(x1 - x0, y1 - y0)) | 1
    column, row = mark.point
    left, top = column - crop // 2, row - crop // 2
    shown = _crop(image, left, top, crop)
    picture = _coloured(cv2.resize(shown, (side, side), interpolation=cv2.INTER_NEAREST))
    scale = side / crop
    at = (int((column - left + 0.5) * scale), int((row - top + 0.5) * scale))
    for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        near, far = ((at[0] + reach * step[0], at[1] + reach * step[1]) for reach in (14, 26))
        cv2.line(picture, near, far, mark.colour, 1, cv2.LINE_AA)
    cv2.rectangle(picture, (0, 0), (side - 1, side - 1), mark.colour, 1)
    _shadowed(picture, f"{rank + 1}  {mark.label}", (6, side - 7))
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


def _caption(text: str, width: int) -> Picture:
    strip = np.full((26, width, 3), _BACKDROP, dtype=np.uint8)
    _shadowed(strip, text, (_GAP, 18))
    return strip


def _shadowed(picture: Picture, text: str, at: Sequence[int]) -> None:
    for colour, shift in (((0, 0, 0), 1), (_TEXT, 0)):
        place = (at[0] + shift, at[1] + shift)
        cv2.putText(picture, text, place, _FONT, 0.42, colour, 1, cv2.LINE_AA)


def _enlarge(grey: Grey, factor: int) -> Grey:
    return np.repeat(np.repeat(grey, factor, axis=0), factor, axis=1)


def _coloured(grey: ArrayLike) -> Picture:
    return np.asarray(cv2.cvtColor(np.asarray(grey), cv2.COLOR_GRAY2BGR), dtype=np.uint8)
