"""Masks as COCO stores them: outlines, and lengths of runs down the columns, plain or packed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from deepir.errors import FrameError
from deepir.structures import FURTHEST_PX, Boxes, Mask

MOST_EDGES = 100_000
"""Of one outline; more is no outline of a target."""

_OFFSET, _DIGIT_BITS, _LONGEST = 48, 5, 12  # characters from "0" on, five bits each


def read_segmentation(value: object, shape: tuple[int, int]) -> Mask:
    """Mask (H, W) of the field ``segmentation`` of a COCO annotation.

    Either a list of outlines ``[x, y, x, y, ...]`` or ``{"size": [H, W], "counts": ...}`` with run
    lengths as a list of numbers or packed into text.

    Raises:
        FrameError: another form, or a mask of another size.

    >>> read_segmentation([[1, 0, 3, 0, 3, 1, 1, 1]], (2, 4)).astype(int).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    >>> read_segmentation({"size": [2, 2], "counts": [2, 1, 1]}, (2, 2)).astype(int).tolist()
    [[0, 1], [0, 0]]
    """
    if isinstance(value, list):
        mask = np.zeros(shape, dtype=bool)
        for outline in value:
            mask |= fill_outline(_points(outline), shape)
        return mask
    if not isinstance(value, dict) or "counts" not in value:
        raise FrameError(f"outlines or run lengths are wanted as segmentation, got {value!r:.60}")
    if value.get("size") != list(shape):
        raise FrameError(
            f"its segmentation has size [H, W] {value.get('size')!r:.40}, its image {list(shape)}"
        )
    counts = value["counts"]
    return _from_runs(_unpacked(counts) if isinstance(counts, str) else _runs(counts), shape)


def _points(outline: object) -> NDArray[np.float64]:
    try:
        flat = np.array(outline, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        flat = np.zeros(1)
    good = flat.ndim == 1 and len(flat) % 2 == 0 and bool((np.abs(flat) <= FURTHEST_PX).all())
    if not good or len(flat) > 2 * MOST_EDGES:
        raise FrameError(f"an outline is a list of numbers x, y, x, y, ..., got {outline!r:.60}")
    return flat.reshape(-1, 2)


def fill_outline(points: NDArray[np.float64], shape: tuple[int, int]) -> Mask:
    """Mask (H, W) of the pixels whose centre lies inside a closed outline (N, 2) ``x y``.

    Coordinates are those of pixel edges. Where an outline crosses itself, what it goes round an
    even number of times is outside.
    """
    mask = np.zeros(shape, dtype=bool)
    first = _first_inside(points, shape)
    if not len(first):
        return mask
    (left, top), (right, bottom) = first.min(axis=0), first.max(axis=0)
    turns = np.zeros((bottom - top, right - left + 1), dtype=np.int64)
    ends = zip(points, np.roll(points, -1, axis=0), first, np.roll(first, -1, axis=0), strict=True)
    for (x0, y0), (x1, y1), (_, row0), (_, row1) in ends:
        rows = np.arange(min(row0, row1), max(row0, row1))
        crossing = x0 + (rows + 0.5 - y0) / ((y1 - y0) or 1.0) * (x1 - x0)
        columns = np.clip(np.ceil(crossing - 0.5), left, right).astype(np.int64)
        turns[rows - top, columns - left] += 1
    mask[top:bottom, left:right] = np.cumsum(turns, axis=1)[:, :-1] % 2 == 1
    return mask


def _first_inside(points: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """For each point the first column and row whose centre is not before it, in the frame."""
    return np.clip(np.ceil(points - 0.5), 0, shape[::-1]).astype(np.int64)


def _runs(counts: object) -> list[int]:
    if not isinstance(counts, list) or not all(isinstance(run, int) for run in counts):
        raise FrameError(f"run lengths are whole numbers, got {counts!r:.60}")
    return counts


def _from_runs(runs: list[int], shape: tuple[int, int]) -> Mask:
    """Mask of runs of pixels outside and inside in turn, down one column after the other."""
    height, width = shape
    if min(runs, default=0) < 0 or sum(runs) != height * width:
        raise FrameError(
            f"run lengths from 0 on are wanted that add up to the {height * width} pixels of the"
            f" image, got {len(runs)} that add up to {_said(sum(runs))}"
        )
    values = np.arange(len(runs)) % 2 == 1
    mask: Mask = np.repeat(values, runs).reshape((height, width), order="F")
    return mask


def _said(number: int) -> str:
    """First digits of a number that may be endless."""
    return str(number)[:40] if number.bit_length() < _LONG else "far more"


_LONG = 10_000
"""Bits; Python refuses to show what has more than 4300 digits."""


def _unpacked(text: str) -> list[int]:
    """Run lengths of COCO's packed form.

    A number is a row of characters of five bits, the lowest first, a sixth bit says that more
    follow, and the sign is that of the last one; from the fourth number on it is the difference to
    the number two before.
    """
    runs: list[int] = []
    value = used = 0
    for character in text:
        digit = ord(character) - _OFFSET
        if not 0 <= digit < 64 or used == _LONGEST:
            raise FrameError(f"packed run lengths hold {character!r}: {text[:40]!r}")
        value |= (digit & 31) << (_DIGIT_BITS * used)
        used += 1
        if not digit & 32:
            value -= (1 << (_DIGIT_BITS * used)) if digit & 16 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = used = 0
    if used or not runs:
        raise FrameError(f"packed run lengths end within a number: {text[-40:]!r}")
    return runs


def run_lengths(mask: Mask) -> dict[str, list[int]]:
    """The field ``segmentation`` of a mask (H, W), with run lengths as a list of numbers.

    >>> run_lengths(np.array([[0, 1], [0, 0]], dtype=bool))
    {'size': [2, 2], 'counts': [2, 1, 1]}
    """
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}


def shared_mask(mask: Mask, boxes: Boxes) -> Iterator[Mask]:
    """The part of a mask (H, W) that belongs to each box (N, 4): N masks that make up the whole.

    A pixel belongs to the box that contains its centre, else to the nearest, to the first of
    equals. Without boxes nothing belongs anywhere.
    """
    rows, columns = np.nonzero(mask)
    nearest = np.full(len(rows), np.inf)
    owner = np.zeros(len(rows), dtype=np.int64)
    for number, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        across = np.maximum(np.maximum(x0 - (columns + 0.5), columns + 0.5 - x1), 0)
        down = np.maximum(np.maximum(y0 - (rows + 0.5), rows + 0.5 - y1), 0)
        distance = np.hypot(across, down)
        owner[distance < nearest] = number
        nearest = np.minimum(nearest, distance)
    for number in range(len(boxes)):
        part = np.zeros(mask.shape, dtype=bool)
        own = owner == number
        part[rows[own], columns[own]] = True
        yield part
