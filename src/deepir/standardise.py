"""What a network sees of a frame: contrast to its surroundings, in units of its own variation.

Gain and offset of the sensor cancel, so 8-bit, 16-bit and floating-point frames look alike, and
both channels are local: the frame's size, its mean or its place in a recording say nothing.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.scratch import Scratch

WINDOWS = (31, 101)
"""Sides in pixels of the neighbourhoods that the two channels are standardised by."""

FLOOR_SHARE = 0.5
"""Part of the frame's typical local deviation that is added to every local deviation.

Without it, faint noise in an even sky would look as strong as an edge of the ground.
"""

QUANTUM = 1 / np.sqrt(12)
"""Standard deviation in grey levels of rounding to integers: no smaller deviation is believed."""

CLIP = (-6.0, 12.0)
"""Values beyond it say no more than that something is far brighter or darker than around."""

SCALE = 0.5
"""Brings typical values of the channels near unit size."""

SMALLEST = 32
"""Sides in pixels that networks take at least: a smaller frame is padded, see `network_input`."""

STRIP = 1 << 17
"""Pixels of a strip of rows, whose intermediate values fit into a processor's cache."""

WORTH_A_THREAD = 1 << 17
"""Pixels from which the channels are computed side by side."""

LARGEST_SUM = 1 << 31
"""32-bit integers hold sums below it."""

Channels = NDArray[np.float32]
Floats = NDArray[np.float64]


def standardised(image: ArrayLike) -> Channels:
    """Two channels (2, H, W) float32 of a finite grey frame (H, W) of any real dtype.

    Channel k is ``(I - mean) / (deviation + floor)`` over a square of side ``WINDOWS[k]`` around
    each pixel (mirrored at the border), clipped to ``CLIP`` and halved. The floor is half of the
    median deviation in the frame (of every fourth pixel in every fourth row). A constant frame
    gives zeros.

    Means come from sums that are exact for frames of integers, so an offset changes nothing. The
    channels are computed side by side where OpenCV may use more than one thread
    (``cv2.setNumThreads``).

    >>> standardised(np.full((40, 50), 1000, np.uint16)).any()
    np.False_
    >>> standardised(np.eye(64)).shape
    (2, 64, 64)
    """
    channels = np.empty((len(WINDOWS), *np.shape(image)), np.float32)
    _fill(channels, np.asarray(image))
    return channels


def network_input(image: ArrayLike, *, reuse: bool = False) -> Channels:
    """What a network takes for a finite grey frame (H, W): its channels as a batch of one.

    (1, 2, H, W), at least `SMALLEST` pixels a side: a smaller frame has zeros at its right and
    lower border. With ``reuse`` the next call in this thread may overwrite the result.

    >>> network_input(np.eye(20, 40)).shape
    (1, 2, 32, 40)
    """
    frame = np.asarray(image)
    height, width = frame.shape
    wanted = (1, len(WINDOWS), max(height, SMALLEST), max(width, SMALLEST))
    batch = _memory.frame.array("batch", wanted, np.float32) if reuse else np.empty(wanted, "f4")
    if batch.shape[2:] == frame.shape:
        _fill(batch[0], frame)
    else:
        batch[:] = 0.0
        batch[0, :, :height, :width] = standardised(frame)
    return batch


class _Memory(threading.local):
    """What each thread keeps from frame to frame."""

    def __init__(self) -> None:
        self.frame = Scratch()
        self.channels = tuple(Scratch() for _ in WINDOWS)
        self.beside = ThreadPoolExecutor(len(WINDOWS) - 1)  # starts no thread before it is used


_memory = _Memory()


def _forget() -> None:
    """Start afresh in a forked process, where the threads of its parent do not run."""
    global _memory
    _memory = _Memory()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _fill(channels: Channels, frame: NDArray[Any]) -> None:
    """Write the channels (2, H, W) of a frame (H, W)."""
    memory = _memory
    levels, quantum = _levels(frame)
    sums = _sums(levels, memory.frame)
    first, *others = [
        partial(_contrast, *one, levels, sums, quantum)
        for one in zip(channels, WINDOWS, memory.channels, strict=True)
    ]
    if cv2.getNumThreads() > 1 and levels.size >= WORTH_A_THREAD:
        later = [memory.beside.submit(other) for other in others]
        first()
        for other in later:
            other.result()
    else:
        for one in (first, *others):
            one()


def _levels(frame: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """Levels that can be summed exactly or nearly so, and the deviation that rounding gave them.

    Integers of up to 16 bits stay as they are. Others become float32 around their mean, divided
    by a power of 2: no level is too large or too small to be squared.
    """
    quantum = QUANTUM if frame.dtype.kind in "bui" else 0.0
    if quantum and frame.itemsize <= 2:
        return np.ascontiguousarray(frame, dtype=_SUMMED[frame.dtype.str[1:]]), quantum
    around = frame.astype(np.float64)
    around -= around.mean()
    exponent = int(np.frexp(np.abs(around).max())[1])
    return np.ldexp(around, -exponent).astype(np.float32), float(np.ldexp(quantum, -exponent))


_SUMMED = {"b1": "u1", "u1": "u1", "i1": "i2", "u2": "u2", "i2": "i2"}
"""What OpenCV sums in place of small integers and booleans, by their names in NumPy."""


class _Sums(NamedTuple):
    """Integral images of levels and of their squares, of the frame with its mirrored border."""

    levels: NDArray[Any]  # (H + 2 top + 1, W + 2 left + 1) int32 or float64
    squares: Floats
    top: int
    left: int

    def of(self, sides: tuple[int, int], rows: slice, memory: Scratch) -> _Boxes:
        """Sums over a box of ``sides`` (rows, columns) around each pixel of some rows."""
        level, square = (
            self._boxes(name, integral, sides, rows, memory)
            for name, integral in (("levels", self.levels), ("squares", self.squares))
        )
        return _Boxes(level, square, sides[0] * sides[1])

    def _boxes(
        self,
        name: str,
        integral: NDArray[Any],
        sides: tuple[int, int],
        rows: slice,
        memory: Scratch,
    ) -> NDArray[Any]:
        height, width = sides
        y, x = self.top - height // 2 + rows.start, self.left - width // 2
        count, columns = rows.stop - rows.start, integral.shape[1] - 2 * x
        below, above = integral[y + height : y + height + count], integral[y : y + count]
        tall = memory.array(f"tall {name}", (count, columns), integral.dtype)
        cv2.subtract(below[:, x : x + columns], above[:, x : x + columns], tall)
        boxes = memory.array(name, (count, columns - width), integral.dtype)
        cv2.subtract(tall[:, width:], tall[:, :-width], boxes)
        return boxes


class _Boxes(NamedTuple):
    """Sums over ``area`` pixels around each of some pixels (h, w)."""

    levels: NDArray[Any]  # int32 or float64
    squares: Floats
    area: int


def _sums(levels: NDArray[Any], memory: Scratch) -> _Sums:
    height, width = _sides(max(WINDOWS), levels.shape)
    top, left = height // 2, width // 2
    shape = levels.shape[0] + 2 * top, levels.shape[1] + 2 * left
    mirrored = memory.array("mirrored", shape, levels.dtype)
    cv2.copyMakeBorder(levels, top, top, left, left, cv2.BORDER_REFLECT_101, mirrored)
    exact = levels.dtype == np.uint8 and 255 * mirrored.size < LARGEST_SUM
    depth, kind = (cv2.CV_32S, np.int32) if exact else (cv2.CV_64F, np.float64)
    corners = shape[0] + 1, shape[1] + 1
    sums = memory.array("sums", corners, kind)
    squares = memory.array("squares", corners, np.float64)
    cv2.integral2(mirrored, sums, squares, sdepth=depth, sqdepth=cv2.CV_64F)
    return _Sums(sums, squares, top, left)


def _sides(window: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a window; a border mirrors no more than the frame has."""
    return min(window, 2 * shape[0] - 1), min(window, 2 * shape[1] - 1)


def _contrast(
    channel: Channels,
    window: int,
    memory: Scratch,
    levels: NDArray[Any],
    sums: _Sums,
    quantum: float,
) -> None:
    """Write one channel (H, W)."""
    height, width = levels.shape
    sides = _sides(window, levels.shape)
    unit = float(np.sqrt(sides[0] * sides[1]))
    spread = memory.array("spread", levels.shape, np.float32)
    step = max(1, STRIP // width)
    for start in range(0, height, step):
        rows = slice(start, min(start + step, height))
        _deviate(channel[rows], spread[rows], levels[rows], sums.of(sides, rows, memory), memory)
    floor = max(FLOOR_SHARE * float(np.median(spread[::4, ::4])), unit * quantum)
    if floor == 0.0:
        floor = float(spread.max()) or 1.0
    np.add(spread, np.float32(floor), out=spread)
    cv2.divide(channel, spread, channel, scale=-SCALE / unit)
    np.clip(channel, SCALE * CLIP[0], SCALE * CLIP[1], out=channel)


def _deviate(
    gap: Channels, spread: Channels, levels: NDArray[Any], boxes: _Boxes, memory: Scratch
) -> None:
    """Write some rows of -n (I - mean), and sqrt(n) times the local deviation."""
    total = memory.array("total", levels.shape, np.float64)
    product = memory.array("product", levels.shape, np.float64)
    np.copyto(total, boxes.levels)
    # n var = sum of squares - total^2 / n; rounding alone can make it negative
    cv2.multiply(total, total, product, scale=1 / boxes.area)
    cv2.absdiff(boxes.squares, product, product)
    np.copyto(spread, product, casting="same_kind")
    cv2.sqrt(spread, spread)
    np.copyto(product, levels)
    cv2.scaleAdd(product, -boxes.area, total, total)
    np.copyto(gap, total, casting="same_kind")
